// Planning against bare parsing, and a bounded, noised join against the raw GROUP BY in the same engine child.

import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { platformRandom } from '@sealpool/privacy'
import { executePlan, explainPlan, planQuery } from '@sealpool/query'
import { createDuckDbEngine } from '@sealpool/query/duckdb'
import { compare } from './measure/compare.mjs'
import { printMachine } from './measure/machine.mjs'
import { figure, printTable, ratio } from './measure/table.mjs'
import { accuracy } from './query/accuracy.mjs'
import { fanOut } from './query/fan-out.mjs'
import { manySets } from './query/many-sets.mjs'
import { policyOf } from './query/policy.mjs'
import { tenMillion } from './query/ten-million.mjs'

const wallets = 200_000
const sectors = ['mine', 'mill', 'farm', 'shop', 'school']
const workers = {
  name: 'workers',
  rowsPerContributor: 1,
  columns: [
    { name: 'wage', type: 'decimal', decimals: 2, min: 0, max: 50, nullable: false, use: ['measure'] },
    { name: 'sector', type: 'text', values: sectors, nullable: false, use: ['group', 'filter'] },
  ],
}
const persons = {
  name: 'persons',
  rowsPerContributor: 1,
  columns: [
    { name: 'age', type: 'integer', min: 16, max: 80, nullable: false, use: ['measure', 'filter'] },
    { name: 'gender', type: 'text', values: ['female', 'male'], nullable: false, use: ['group', 'filter'] },
  ],
}
const pools = [
  { name: 'pay', address: `0x${'1'.repeat(40)}`, policy: policyOf('pay', 'people', workers) },
  { name: 'people', address: `0x${'2'.repeat(40)}`, policy: policyOf('people', 'pay', persons) },
]
const grouped = (statistics) => `SELECT sector, gender, ${statistics}
FROM pay.workers JOIN people.persons USING (contributor) WHERE age BETWEEN 20 AND 65 GROUP BY sector, gender`
const sql = grouped('avg(wage) AS mean_wage, count(*) AS workers')
const raw = `SELECT sector, gender, sum(wage) AS wages, count(*) AS workers
FROM pay.workers AS w JOIN people.persons AS p ON w.contributor = p.contributor
WHERE age >= 20 AND age <= 65 GROUP BY sector, gender`

/** Two plain Parquet files of the same wallets, written by DuckDB. */
async function writeTables(folder) {
  const paths = { pay: join(folder, 'workers.parquet'), people: join(folder, 'persons.parquet') }
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const list = sectors.map((name) => `'${name}'`).join(', ')
  await connection.run(`COPY (SELECT i AS contributor, CAST(5 + (hash(i) % 4000) / 100.0 AS DECIMAL(18, 2)) AS wage,
    [${list}][CAST(1 + hash(i + 1) % ${sectors.length} AS INT)] AS sector FROM range(${wallets}) AS r(i)) TO '${paths.pay}'`)
  await connection.run(`COPY (SELECT i AS contributor, CAST(16 + hash(i + 2) % 65 AS BIGINT) AS age,
    ['female', 'male'][CAST(1 + hash(i + 3) % 2 AS INT)] AS gender FROM range(${wallets}) AS r(i)) TO '${paths.people}'`)
  connection.closeSync()
  instance.closeSync()
  return paths
}

/** The parser that the query package itself uses, found from there. */
async function parserOfQuery() {
  const manifest = createRequire(import.meta.url).resolve('@sealpool/query/package.json')
  const { parse } = await import(pathToFileURL(createRequire(manifest).resolve('libpg-query')).href)
  return parse
}

export async function run({ print }) {
  printMachine(print)
  const parse = await parserOfQuery()
  const plan = await planQuery({ sql, pools, budget: { epsilon: 1, delta: 0 } })
  const rounds = 100
  const times = (work) => async () => {
    for (let round = 0; round < rounds; round++) await work()
  }
  const planning = await compare({
    plan: times(() => planQuery({ sql, pools, budget: { epsilon: 1, delta: 0 } })),
    explain: times(() => explainPlan(plan)),
    parse: times(() => parse(sql)),
  })
  const planRow = (label, name) => [
    label,
    figure((planning[name] / rounds) * 1000),
    ratio(planning[name], planning.parse),
  ]
  printTable(print, {
    title: 'Planning a join over two pools, before any data is touched',
    columns: ['', 'ms', 'time / parse'],
    rows: [
      planRow('planQuery (parse, bind, type, enforce, plan)', 'plan'),
      planRow('explainPlan', 'explain'),
      planRow('libpg-query parse alone', 'parse'),
    ],
  })

  const folder = mkdtempSync(join(tmpdir(), 'sealpool-bench-'))
  const engine = createDuckDbEngine()
  try {
    const paths = await writeTables(folder)
    const started = performance.now()
    await engine.load({ name: 'pay.workers', columns: workers.columns, parquet: { paths: [paths.pay] } })
    await engine.load({
      name: 'people.persons',
      columns: persons.columns,
      parquet: { paths: [paths.people] },
    })
    const loaded = (performance.now() - started) / 1000
    const released = await executePlan({ plan, engine, random: platformRandom })
    const exact = await engine.query(raw)
    if (released.rows.length !== exact.length) throw new Error('the two statements answer different groups')
    const took = await compare(
      { private: () => executePlan({ plan, engine, random: platformRandom }), raw: () => engine.query(raw) },
      { turns: 15 },
    )
    const row = (label, name) => [label, figure(took[name] * 1000), ratio(took[name], took.raw)]
    printTable(print, {
      title: `${wallets.toLocaleString('en-US')} wallets in each of two pools, joined, ${exact.length} groups, one engine child`,
      columns: ['', 'ms', 'time / raw'],
      rows: [
        row('executePlan: bounded, clamped, checked, noised, with intervals', 'private'),
        row('raw GROUP BY: exact sums and counts, no privacy', 'raw'),
      ],
      notes: [
        `Loading both tables from plain Parquet (bounds, types, ranks), once: ${figure(loaded * 1000)} ms.`,
      ],
    })
  } finally {
    await engine.close()
    rmSync(folder, { recursive: true })
  }
  await accuracy(print)
  await fanOut(print)
  await tenMillion(print)
  await manySets(print)
}
