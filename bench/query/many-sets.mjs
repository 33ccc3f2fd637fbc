// 1,000 refined sets of 200 rows, each an encrypted Parquet file of its own as a node writes them: loaded into one engine and
// grouped, and once more with one set more, which is written alone.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { platformRandom } from '@sealpool/privacy'
import { executePlan, planQuery } from '@sealpool/query'
import { createDuckDbEngine } from '@sealpool/query/duckdb'
import { tableOf } from '@sealpool/refine'
import { writeEncryptedParquet } from '@sealpool/refine/duckdb'
import { compare } from '../measure/compare.mjs'
import { figure, printTable } from '../measure/table.mjs'
import { policyOf } from './policy.mjs'

const sets = 1_000
const rowsOfSet = 200
const groups = 20
const goals = { load: 1, group: 0.2 }

const visits = {
  name: 'visits',
  rowsPerContributor: rowsOfSet,
  columns: [
    { name: 'place', type: 'integer', min: 0, max: groups - 1, nullable: false, use: ['group', 'filter'] },
    { name: 'minutes', type: 'integer', min: 0, max: 600, nullable: false, use: ['measure', 'filter'] },
  ],
}
const schema = {
  id: 'bench.visits',
  version: '1.0.0',
  source: 'json',
  tables: {
    visits: {
      description: 'Visits.',
      columns: {
        place: { type: 'integer', description: 'Place.' },
        minutes: { type: 'integer', description: 'Minutes.' },
      },
    },
  },
  notes: [],
}

/** One contributor's set. */
async function writeSet(folder, key, contributor) {
  const path = join(folder, `${contributor}-visits.parquet`)
  const rows = Array.from({ length: rowsOfSet }, (_, n) => ({
    contributor,
    place: (contributor + n) % groups,
    minutes: (contributor * 7 + n * 13) % 601,
  }))
  await writeEncryptedParquet({ table: tableOf(schema, 'visits'), rows, key, path })
  return path
}

export async function manySets(print) {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-sets-'))
  try {
    const key = platformRandom(32)
    const paths = []
    for (let contributor = 1; contributor <= sets; contributor += 1)
      paths.push(await writeSet(folder, key, contributor))
    const pools = [{ name: 'pay', address: `0x${'1'.repeat(40)}`, policy: policyOf('pay', 'people', visits) }]
    const plan = await planQuery({
      sql: 'SELECT place, count(*), sum(minutes) FROM pay.visits GROUP BY place',
      pools,
      budget: { epsilon: 1, delta: 0 },
      minimumBy: 'first-rows',
    })
    const open = async (files) => {
      const engine = createDuckDbEngine({ memoryLimit: '512MB', timeoutMs: 600_000 })
      // The child's own start is no part of loading.
      const row = { contributor: 1, place: 0, minutes: 0 }
      await engine.load({ name: 'pay.start', columns: visits.columns, rows: [row] })
      const started = performance.now()
      await engine.load({ name: 'pay.visits', columns: visits.columns, parquet: { paths: files, key } })
      return { engine, seconds: (performance.now() - started) / 1000 }
    }
    const loads = []
    let engine
    for (let turn = 0; turn < 5; turn += 1) {
      await engine?.close()
      const opened = await open(paths)
      engine = opened.engine
      loads.push(opened.seconds)
    }
    const raw = 'SELECT v.place, count(*), sum(v.minutes) FROM pay.visits AS v GROUP BY v.place'
    const took = await compare(
      { raw: () => engine.query(raw), plan: () => executePlan({ plan, engine, random: platformRandom }) },
      { turns: 5 },
    )
    await engine.close()
    const begun = performance.now()
    paths.push(await writeSet(folder, key, sets + 1))
    const written = (performance.now() - begun) / 1000
    const more = await open(paths)
    const [counted] = await more.engine.query('SELECT count(*) AS n FROM pay.visits AS v')
    await more.engine.close()
    if (Number(counted.n) !== (sets + 1) * rowsOfSet) throw new Error('a set is missing')
    const load = [...loads].sort((a, b) => a - b)[2]
    const met = (seconds, goal) => (seconds <= goal ? 'met' : 'not met')
    printTable(print, {
      title: `${sets.toLocaleString('en-US')} refined sets of ${rowsOfSet} rows, each an encrypted file, one engine child with 512 MB`,
      columns: ['', 's', 'goal'],
      rows: [
        [
          'loading all of them (decryption, types, bounds), median of 5',
          figure(load),
          `${goals.load}: ${met(load, goals.load)}`,
        ],
        ['raw GROUP BY', figure(took.raw), ''],
        ['plan, bounded and noised', figure(took.plan), `${goals.group}: ${met(took.plan, goals.group)}`],
        ['one set more: writing it', figure(written), ''],
        ['one set more: loading all of them', figure(more.seconds), ''],
      ],
      notes: [],
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}
