import { readFileSync } from 'node:fs'
import { type PoolPolicy, platformRandom } from '@sealpool/privacy'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PlanPool, PublicTable } from '../catalogue/catalogue.js'
import type { SqlEngine } from '../engine/engine.js'
import { executePlan } from '../execute/execute-plan.js'
import { explainPlan } from '../explain/explain-plan.js'
import { memoryEngine } from '../testing/memory-engine.js'
import { testPolicy } from '../testing/pools.js'
import { planQuery } from './plan-query.js'

const page = readFileSync(new URL('../../../../docs/sql-guide.md', import.meta.url), 'utf8')
const fences = [...page.matchAll(/```sql( refused: ([A-Z_]+))?\n(.*?)```/gs)].map(([, , code, sql]) => ({
  code: code ?? null,
  sql: (sql ?? '').trim(),
}))

type Table = PoolPolicy['tables'][number]
const workers: Table = {
  name: 'workers',
  rowsPerContributor: 1,
  columns: [
    {
      name: 'wage',
      type: 'decimal',
      decimals: 2,
      min: 0,
      max: 50,
      nullable: false,
      use: ['measure', 'filter'],
    },
    { name: 'age', type: 'integer', min: 16, max: 70, nullable: false, use: ['measure', 'filter'] },
    {
      name: 'sector',
      type: 'text',
      values: ['mine', 'mill', 'farm'],
      nullable: false,
      use: ['group', 'filter'],
    },
    { name: 'member', type: 'boolean', nullable: false, use: ['group', 'filter'] },
    { name: 'town', type: 'text', open: true, nullable: false, use: ['group', 'filter'] },
  ],
}
const rides: Table = {
  name: 'rides',
  rowsPerContributor: 4,
  columns: [
    {
      name: 'miles',
      type: 'decimal',
      decimals: 1,
      min: 0,
      max: 30,
      nullable: false,
      use: ['measure', 'filter'],
    },
    { name: 'zone', type: 'integer', values: [1, 2, 3], nullable: false, use: ['group', 'filter'] },
    { name: 'tip', type: 'integer', min: -5, max: 20, nullable: false, use: ['measure', 'filter'] },
    {
      name: 'day',
      type: 'date',
      earliest: '2023-01-01',
      latest: '2024-12-31',
      nullable: false,
      use: ['group', 'filter', 'measure'],
    },
    {
      name: 'ended',
      type: 'timestamp',
      earliest: '2023-01-01',
      latest: '2024-12-31T23:59:59Z',
      nullable: false,
      use: ['filter', 'measure'],
    },
  ],
}
const pool = (name: string, other: string, table: Table): PlanPool => ({
  name,
  address: `0x${name.length.toString().repeat(40)}`,
  policy: testPolicy(name, [table], {
    joins: { allowed: true, with: [other] },
    privacy: { ...testPolicy(name, [table]).privacy, maximumGroups: 1000 },
  }),
})
const pools = [pool('pay', 'trips', workers), pool('trips', 'pay', rides)]
const publicTables: readonly PublicTable[] = [
  {
    schema: 'pub',
    name: 'zones',
    columns: [
      { name: 'zone', type: 'integer' },
      { name: 'label', type: 'text' },
      { name: 'factor', type: 'decimal', decimals: 1 },
    ],
    rows: [
      [1, 'inner', 1],
      [2, 'outer', 1.5],
      [3, 'far', 2],
    ],
  },
]

describe('the guide for analysts', () => {
  let engine: SqlEngine
  beforeAll(async () => {
    engine = await memoryEngine()
    const people = Array.from({ length: 300 }, (_, contributor) => contributor)
    await engine.load({
      name: 'pay.workers',
      columns: workers.columns,
      rows: people.map((contributor) => ({
        contributor,
        wage: 5 + (contributor % 40),
        age: 16 + (contributor % 55),
        sector: ['mine', 'mill', 'farm'][contributor % 3] ?? 'mine',
        member: contributor % 2 === 0,
        town: `town ${contributor % 2}`,
      })),
    })
    await engine.load({
      name: 'trips.rides',
      columns: rides.columns,
      rows: people.map((index) => ({
        contributor: index % 120,
        miles: index % 30,
        zone: 1 + (index % 3),
        tip: index % 9,
        day: `2024-0${1 + (index % 9)}-1${index % 10}`,
        ended: `2024-0${1 + (index % 9)}-1${index % 10}T${10 + (index % 14)}:30:00Z`,
      })),
    })
  })
  afterAll(() => engine?.close())

  it('has statements of both kinds, and says what they are in its table', () => {
    expect(fences.filter(({ code }) => code === null).length).toBeGreaterThan(15)
    expect(fences.filter(({ code }) => code !== null).length).toBeGreaterThan(4)
    for (const { name } of [...workers.columns, ...rides.columns]) expect(page).toContain(`\`${name}\``)
    expect(page.match(/```sql/g)).toHaveLength(fences.length)
  })

  it.each(fences)('$code: $sql', async ({ code, sql }) => {
    const planned = planQuery({ sql, pools, publicTables, budget: { epsilon: 2, delta: 1e-6 } })
    if (code !== null) {
      await expect(planned).rejects.toMatchObject({ code })
      return
    }
    const plan = await planned
    expect(explainPlan(plan).text.length).toBeGreaterThan(3)
    const { rows, columns } = await executePlan({ plan, engine, random: platformRandom })
    for (const row of rows) expect(row).toHaveLength(columns.length)
  })
})
