// The same bounded statement sent to three shards and added up, against one coordinator that reaches the same shards
// through postgres_fdw. Everything runs on one server of this machine, started here.
import { platformRandom } from '@sealpool/privacy'
import { executePlan, planQuery, printPostgreSql } from '@sealpool/query'
import { createPostgreSqlEngine } from '@sealpool/query/postgresql'
import { tsImport } from 'tsx/esm/api'
import { compare } from '../measure/compare.mjs'
import { figure, printTable, ratio } from '../measure/table.mjs'
import { policyOf } from './policy.mjs'

const rows = 900_000
const wallets = 60_000
const shards = 3
const events = {
  name: 'events',
  rowsPerContributor: 20_000,
  columns: [
    { name: 'g', type: 'integer', min: 0, max: 49, nullable: false, use: ['group', 'filter'] },
    { name: 'x', type: 'integer', min: 0, max: 1000, nullable: false, use: ['measure', 'filter'] },
  ],
}

export async function fanOut(print) {
  const { postgreSqlPrograms, startPostgreSql } = await tsImport(
    '../../packages/query/src/testing/postgresql-server.ts',
    import.meta.url,
  )
  const programs = postgreSqlPrograms()
  if (programs === null) {
    print("PostgreSQL: not measured, Debian's package postgresql is not installed")
    return
  }
  const server = await startPostgreSql(programs)
  try {
    const clients = []
    for (let shard = 0; shard < shards; shard += 1) {
      const client = await server.connect(`shard${shard}`)
      await client.query('CREATE SCHEMA pay')
      await client.query(
        `CREATE TABLE pay.events AS SELECT w AS contributor, (abs(hashint8(i)) % 50)::bigint AS g, (abs(hashint8(i + 1)) % 1001)::bigint AS x, 1::bigint AS row_rank
         FROM (SELECT i, (abs(hashint8(i + 2)) % ${wallets})::bigint AS w FROM generate_series(1::bigint, ${rows}) AS s(i)) AS d WHERE w % ${shards} = ${shard}`,
      )
      await client.query('ANALYZE pay.events')
      clients.push(client)
    }
    const coordinator = await server.connect('coordinator')
    await coordinator.query('CREATE EXTENSION postgres_fdw')
    await coordinator.query('CREATE SCHEMA pay')
    await coordinator.query(
      'CREATE TABLE pay.events (contributor bigint, g bigint, x bigint, row_rank bigint) PARTITION BY HASH (contributor)',
    )
    const { host } = clients[0].connectionParameters ?? clients[0]
    for (let shard = 0; shard < shards; shard += 1) {
      await coordinator.query(
        `CREATE SERVER s${shard} FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '${host}', dbname 'shard${shard}', fdw_tuple_cost '1.0', fetch_size '10000')`,
      )
      await coordinator.query(
        `CREATE USER MAPPING FOR CURRENT_USER SERVER s${shard} OPTIONS (user 'sealpool')`,
      )
      await coordinator.query(
        `CREATE FOREIGN TABLE pay.events_${shard} PARTITION OF pay.events FOR VALUES WITH (MODULUS ${shards}, REMAINDER ${shard}) SERVER s${shard} OPTIONS (schema_name 'pay', table_name 'events')`,
      )
    }
    await coordinator.query('SET enable_partitionwise_aggregate = on')
    await coordinator.query('ANALYZE pay.events')
    const pools = [{ name: 'pay', address: `0x${'1'.repeat(40)}`, policy: policyOf('pay', 'people', events) }]
    const budget = { epsilon: 1, delta: 0 }
    const sql = 'SELECT g, count(*), sum(x) FROM pay.events GROUP BY g'
    const plan = await planQuery({ sql, pools, budget, bounds: { groups: 3, rows: 20 } })
    const engine = createPostgreSqlEngine({ shards: clients, tables: ['pay.events'], timeoutMs: 600_000 })
    const printed = printPostgreSql(plan.program)
    const exact = (answer) =>
      JSON.stringify([...answer].map((row) => Object.values(row)).sort((a, b) => Number(a[0]) - Number(b[0])))
    const [ours, theirs] = [
      await engine.query(printed.sql, printed),
      (await coordinator.query(printed.sql)).rows,
    ]
    if (exact(ours) !== exact(theirs)) throw new Error('fan-out and coordinator answer differently')
    const took = await compare(
      {
        fanOut: () => executePlan({ plan, engine, random: platformRandom }),
        coordinator: () => coordinator.query(printed.sql),
      },
      { turns: 3 },
    )
    printTable(print, {
      title: `PostgreSQL, ${rows.toLocaleString('en-US')} rows of ${wallets.toLocaleString('en-US')} wallets on ${shards} shards, exact bounds of 3 groups, equal answers`,
      columns: ['', 'ms', 'coordinator / fan-out'],
      rows: [
        ['fan-out: checked, added up, noised', figure(took.fanOut * 1000), ''],
        [
          'one coordinator with postgres_fdw, no noise',
          figure(took.coordinator * 1000),
          ratio(took.coordinator, took.fanOut),
        ],
      ],
    })
  } finally {
    await server.stop()
  }
}
