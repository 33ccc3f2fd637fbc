// A private regression against ordinary least squares on the same rows.

import { ordinaryLeastSquares, parseJobManifest, planComputation, runComputation } from '@sealpool/compute'
import { parsePoolPolicy, platformRandom } from '@sealpool/privacy'
import { compare } from './measure/compare.mjs'
import { printMachine } from './measure/machine.mjs'
import { figure, printTable, ratio } from './measure/table.mjs'

const digest = `sha256:${'0'.repeat(64)}`
const measure = (name, max) => ({ name, type: 'integer', min: 0, max, nullable: false, use: ['measure'] })
const policy = parsePoolPolicy({
  format: 'sealpool/pool-policy',
  version: 1,
  name: 'pay',
  description: 'a benchmark',
  purposes: ['benchmark'],
  attestation: {},
  code: { poc: digest, refiner: digest, computations: ['linear-regression'] },
  tables: [
    {
      name: 'workers',
      rowsPerContributor: 1,
      columns: [measure('wage', 60), measure('school', 20), measure('age', 80)],
    },
  ],
  privacy: {
    accounting: 'basic',
    epsilon: 6,
    delta: 1e-6,
    perJob: { epsilon: 2, delta: 2.5e-7 },
    minimumContributors: 10,
    maximumGroups: 64,
  },
  joins: { allowed: false, with: [] },
  economics: { price: '0', poolTokenBurn: '0' },
})
const of = (column) => ({ pool: 'pay', table: 'workers', column })
const manifest = parseJobManifest({
  format: 'sealpool/job-manifest',
  version: 1,
  kind: 'compute',
  title: 'a benchmark',
  query: null,
  pools: [{ address: `0x${'11'.repeat(20)}`, name: 'pay' }],
  compute: {
    computation: 'linear-regression',
    parameters: {
      target: of('wage'),
      features: [
        { name: 'school', ...of('school'), transform: 'identity' },
        { name: 'age', ...of('age'), transform: 'identity' },
      ],
    },
  },
  privacy: { epsilon: 2, delta: 2.5e-7 },
  purpose: 'benchmark',
  salt: '0123456789abcdef',
  consumer: { address: `0x${'22'.repeat(20)}`, resultKey: { kem: 'x25519', publicKey: 'A'.repeat(43) } },
})

/** Prints the benchmark. */
export async function run({ print }) {
  printMachine(print)
  const plan = planComputation({ manifest, policies: [policy] })
  const planning = await compare({ plan: () => planComputation({ manifest, policies: [policy] }) })
  print(`planComputation: ${figure(planning.plan * 1000)} ms`)
  const rows = []
  for (const count of [500, 5_000, 50_000]) {
    const people = Array.from({ length: count }, (_, id) => ({
      school: 8 + (id % 11),
      age: 20 + (id % 45),
      wage: 5 + 2 * (id % 11) + (id % 7),
    }))
    const joined = people.map(({ school, age, wage }, id) => ({
      contributor: id,
      'pay.workers.school': school,
      'pay.workers.age': age,
      'pay.workers.wage': wage,
    }))
    const seconds = await compare({
      own: () => runComputation({ plan, rows: joined, random: platformRandom }),
      plain: () =>
        ordinaryLeastSquares({
          rows: people.map(({ school, age }) => [school, age]),
          target: people.map(({ wage }) => wage),
        }),
    })
    rows.push([
      count.toLocaleString('en'),
      figure(seconds.own * 1000),
      figure(seconds.plain * 1000),
      ratio(seconds.own, seconds.plain),
    ])
  }
  printTable(print, {
    title: 'A private regression on two features',
    columns: ['contributors', 'runComputation, ms', 'ordinary least squares, ms', 'time / plain'],
    rows,
    notes: ['runComputation holds 999 simulations for its intervals, whatever the number of contributors.'],
  })
}
