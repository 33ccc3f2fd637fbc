// 10 million rows of 500,000 wallets in 50 groups: what plans cost against raw SQL and against rules that people write by
// hand. All statements run in the same engine child over the same stored table.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { platformRandom } from '@sealpool/privacy'
import { executePlan, planQuery } from '@sealpool/query'
import { createDuckDbEngine } from '@sealpool/query/duckdb'
import { compare } from '../measure/compare.mjs'
import { figure, printTable, ratio } from '../measure/table.mjs'
import { policyOf } from './policy.mjs'

const rows = 10_000_000
const wallets = 500_000
const groups = 50

const events = (rowsPerContributor) => ({
  name: 'events',
  rowsPerContributor,
  columns: [
    { name: 'g', type: 'integer', min: 0, max: groups - 1, nullable: false, use: ['group', 'filter'] },
    { name: 'x', type: 'integer', min: 0, max: 1000, nullable: false, use: ['measure', 'filter'] },
  ],
})
const members = {
  name: 'members',
  rowsPerContributor: 1,
  columns: [{ name: 'y', type: 'integer', min: 0, max: 100, nullable: false, use: ['measure', 'filter'] }],
}

/** Two Parquet files: events with a few very busy wallets, one row of a member for each wallet. */
async function write(folder) {
  const paths = { events: join(folder, 'events.parquet'), members: join(folder, 'members.parquet') }
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  await connection.run(
    `COPY (SELECT CAST(CASE WHEN i % 1000 = 0 THEN hash(i) % 1000 ELSE hash(i) % ${wallets} END AS BIGINT) AS contributor,
       CAST(hash(i + 1) % ${groups} AS BIGINT) AS g, CAST(hash(i + 2) % 1001 AS BIGINT) AS x FROM range(${rows}) AS r(i)) TO '${paths.events}'`,
  )
  await connection.run(
    `COPY (SELECT i AS contributor, CAST(hash(i + 3) % 101 AS BIGINT) AS y FROM range(${wallets}) AS r(i)) TO '${paths.members}'`,
  )
  connection.closeSync()
  instance.closeSync()
  return paths
}

/** Largest resident memory of this process's children so far, as Linux tells it. */
function childPeak(pid) {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('VmHWM'))
  return Number(line?.replace(/\D/g, '')) / 1024
}

function childOf(parent) {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ')
  return children.at(-1)
}

/**
 * Memory of the exactly bounded plan alone, in a child of its own with a smaller limit: with a folder to spill to, encrypted by
 * DuckDB, or in slices of the contributors, with nothing written anywhere.
 */
async function boundedMemory(paths, pools, slices) {
  const spill = mkdtempSync(join(tmpdir(), 'sealpool-spill-'))
  const spilling = slices > 1 ? { slices } : { spillFolder: spill, spillOnPlainDisk: true }
  const engine = createDuckDbEngine({ memoryLimit: '900MB', timeoutMs: 600_000, ...spilling })
  try {
    await engine.load({ name: 'pay.events', columns: events(1).columns, parquet: { paths: [paths.events] } })
    const plan = await planQuery({
      sql: 'SELECT g, count(*), sum(x) FROM pay.events GROUP BY g',
      pools,
      budget: { epsilon: 1, delta: 0 },
      bounds: { groups: 3, rows: 20 },
    })
    const started = performance.now()
    await executePlan({ plan, engine, random: platformRandom })
    return { seconds: (performance.now() - started) / 1000, peak: childPeak(childOf(process.pid)) }
  } finally {
    await engine.close()
    rmSync(spill, { recursive: true })
  }
}

export async function tenMillion(print) {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-bench-'))
  const spill = mkdtempSync(join(tmpdir(), 'sealpool-spill-'))
  const engine = createDuckDbEngine({
    memoryLimit: '2GB',
    timeoutMs: 600_000,
    spillFolder: spill,
    spillOnPlainDisk: true,
  })
  try {
    const paths = await write(folder)
    const started = performance.now()
    const load = (name, table, path) =>
      engine.load({ name, columns: table.columns, parquet: { paths: [path] } })
    await load('pay.events', events(1), paths.events)
    await load('people.members', members, paths.members)
    const loaded = (performance.now() - started) / 1000
    const pools = (most) => [
      { name: 'pay', address: `0x${'1'.repeat(40)}`, policy: policyOf('pay', 'people', events(most)) },
      { name: 'people', address: `0x${'2'.repeat(40)}`, policy: policyOf('people', 'pay', members) },
    ]
    const budget = { epsilon: 1, delta: 0 }
    const grouped = 'SELECT g, count(*), sum(x) FROM pay.events GROUP BY g'
    const plans = {
      rank: await planQuery({ sql: grouped, pools: pools(10), budget, minimumBy: 'first-rows' }),
      exact: await planQuery({ sql: grouped, pools: pools(20_000), budget, bounds: { groups: 3, rows: 20 } }),
      join: await planQuery({
        sql: 'SELECT sum(x), count(*) FROM pay.events JOIN people.members USING (contributor) WHERE y < 60',
        pools: pools(10),
        budget,
        minimumBy: 'first-rows',
      }),
    }
    const run = (plan) => () => executePlan({ plan, engine, random: platformRandom })
    const sql = {
      raw: 'SELECT e.g, count(*), sum(e.x) FROM pay.events AS e GROUP BY e.g',
      minimum:
        'SELECT e.g, count(*), sum(e.x) FROM pay.events AS e GROUP BY e.g HAVING count(DISTINCT e.contributor) >= 25',
      bounded: `SELECT r.g, count(*), sum(r.s), sum(r.c) FROM (SELECT p.g, p.c, least(greatest(p.s, 0), 20000) AS s, row_number() OVER (PARTITION BY p.contributor ORDER BY hash(p.contributor, p.g)) AS n
        FROM (SELECT e.contributor, e.g, count(*) AS c, sum(least(greatest(e.x, 0), 1000)) AS s FROM pay.events AS e GROUP BY e.contributor, e.g) AS p) AS r WHERE r.n <= 3 GROUP BY r.g`,
      join: 'SELECT sum(e.x), count(*) FROM pay.events AS e JOIN people.members AS m ON m.contributor = e.contributor WHERE m.y < 60',
    }
    const took = await compare(
      {
        raw: () => engine.query(sql.raw),
        minimum: () => engine.query(sql.minimum),
        bounded: () => engine.query(sql.bounded),
        rank: run(plans.rank),
        exact: run(plans.exact),
        rawJoin: () => engine.query(sql.join),
        join: run(plans.join),
      },
      { turns: 5 },
    )
    await engine.close()
    const alone = await boundedMemory(paths, pools(20_000), 1)
    const sliced = await boundedMemory(paths, pools(20_000), 8)
    const row = (label, name, ...against) => [
      label,
      figure(took[name] * 1000),
      ...['raw', 'minimum', 'bounded', 'rawJoin'].map((other) =>
        against.includes(other) ? ratio(took[name], took[other]) : '',
      ),
    ]
    printTable(print, {
      title: `${rows.toLocaleString('en-US')} rows, ${wallets.toLocaleString('en-US')} wallets, ${groups} groups, one engine child, medians`,
      columns: ['', 'ms', '/ raw', '/ minimum', '/ bounded by hand', '/ raw join'],
      rows: [
        row('raw GROUP BY: no rule at all', 'raw'),
        row('by hand: at least 25 contributors', 'minimum', 'raw'),
        row('by hand: 3 groups of each, clamped', 'bounded', 'raw', 'minimum'),
        row('plan by stored rank (10 rows of each)', 'rank', 'raw'),
        row('plan with exact bounds (3 groups, 20 rows of each)', 'exact', 'raw', 'minimum', 'bounded'),
        row('raw join on the wallet', 'rawJoin'),
        row('plan of the same join by stored rank', 'join', 'rawJoin'),
      ],
      notes: [
        `Loading (types, bounds, ranks), once: ${figure(loaded)} s.`,
        `The exactly bounded plan in a child of its own with 900 MB for DuckDB and a folder to spill to, encrypted: ${figure(alone.peak)} MB resident at most, ${figure(alone.seconds)} s.`,
        `The same in 8 slices of the contributors, without any file: ${figure(sliced.peak)} MB resident at most, ${figure(sliced.seconds)} s.`,
      ],
    })
  } finally {
    await engine.close()
    rmSync(folder, { recursive: true })
    rmSync(spill, { recursive: true })
  }
}
