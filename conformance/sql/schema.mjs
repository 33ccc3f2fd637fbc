// Turns a DuckDB script into pools: every table with a wallet belongs to the pool of its schema, every other table is
// public. Policies are derived from the tables as a careful owner would write them: they are the conformance's own,
// since ranges and lists here come from the data itself, which a real policy must never do.
import { readFileSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'

const digest = `sha256:${'0'.repeat(64)}`
const numeric = /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|U[A-Z]*INT[A-Z]*)$/
const fractional = /^(DOUBLE|FLOAT|REAL|DECIMAL.*)$/

/** Runs the script and reads its tables. Rows are arrays of plain values, `wallet` first. */
export async function readSchema(path) {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const all = async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJson()
  try {
    await connection.run(readFileSync(path, 'utf8'))
    const tables = []
    const listed = await all(
      "SELECT table_schema AS s, table_name AS t FROM information_schema.tables WHERE table_type = 'BASE TABLE' ORDER BY 1, 2",
    )
    for (const { s, t } of listed) {
      const columns = await all(
        `SELECT column_name AS name, data_type AS type FROM information_schema.columns WHERE table_schema = '${s}' AND table_name = '${t}' ORDER BY ordinal_position`,
      )
      const select = columns.map(({ name, type }) =>
        numeric.test(type) || fractional.test(type) || type === 'BOOLEAN'
          ? `CAST("${name}" AS ${type === 'BOOLEAN' ? 'BOOLEAN' : 'DOUBLE'}) AS "${name}"`
          : `CAST("${name}" AS VARCHAR) AS "${name}"`,
      )
      const rows = await all(`SELECT ${select.join(', ')} FROM "${s}"."${t}"`)
      tables.push({ schema: s, name: t, columns, rows })
    }
    return tables
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

function nextDay(day) {
  return new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10)
}

/** One column's policy: identifiers are for nothing, short lists are public, long ones are open. */
function columnPolicy({ name, type }, rows) {
  const values = rows.map((row) => row[name]).filter((value) => value !== null)
  const nullable = values.length < rows.length
  const distinct = [...new Set(values)]
  if (type === 'BOOLEAN') {
    return { name, type: 'boolean', values: [false, true], nullable, use: ['group', 'filter'] }
  }
  if (numeric.test(type) || fractional.test(type)) {
    const decimals = numeric.test(type) ? 0 : 2
    const scale = 10 ** decimals
    const min = Math.floor(Math.min(...values) * scale) / scale
    const max = Math.max(Math.ceil(Math.max(...values) * scale) / scale, min + 1)
    const range = { name, min, max, nullable }
    if (decimals > 0) return { ...range, type: 'decimal', decimals, use: ['measure', 'filter'] }
    const listed = max - min < 1000 ? {} : { open: true }
    return { ...range, type: 'integer', ...listed, use: ['measure', 'filter', 'group'] }
  }
  // A text of which every row has another one names a person.
  if (distinct.length === rows.length) return { name, type: 'text', nullable, use: [] }
  if (type === 'DATE') {
    const sorted = distinct.map(String).sort()
    const latest = sorted.at(-1) === sorted[0] ? nextDay(sorted[0]) : sorted.at(-1)
    return {
      name,
      type: 'date',
      earliest: sorted[0],
      latest,
      nullable,
      use: ['group', 'filter', 'measure'],
    }
  }
  if (distinct.length <= 20) {
    return { name, type: 'text', values: distinct.map(String).sort(), nullable, use: ['group', 'filter'] }
  }
  return { name, type: 'text', open: true, nullable, use: ['group', 'filter'] }
}

function tablePolicy({ name, columns, rows }) {
  const counts = new Map()
  for (const row of rows) counts.set(row.wallet, (counts.get(row.wallet) ?? 0) + 1)
  return {
    name,
    rowsPerContributor: Math.max(1, ...counts.values()),
    columns: columns.filter((column) => column.name !== 'wallet').map((column) => columnPolicy(column, rows)),
  }
}

/** The pools, their policies and the public tables of a schema. */
export function poolsOf(tables) {
  const isPrivate = ({ columns }) => columns.some(({ name }) => name === 'wallet')
  const names = [...new Set(tables.filter(isPrivate).map(({ schema }) => schema))]
  const pools = names.map((name, index) => ({
    name,
    address: `0x${String(index + 1).repeat(40)}`,
    policy: {
      format: 'sealpool/pool-policy',
      version: 1,
      name,
      description: 'attack schema',
      purposes: ['research'],
      attestation: {},
      code: { poc: digest, refiner: digest, computations: [] },
      tables: tables.filter((table) => table.schema === name && isPrivate(table)).map(tablePolicy),
      privacy: {
        accounting: 'basic',
        epsilon: 100,
        delta: 1e-3,
        perJob: { epsilon: 2, delta: 1e-6 },
        minimumContributors: 25,
        maximumGroups: 5000,
      },
      joins: { allowed: names.length > 1, with: names.filter((other) => other !== name) },
      economics: { price: '1', poolTokenBurn: '1' },
    },
  }))
  const publicTables = tables
    .filter((table) => !isPrivate(table))
    .map(({ schema, name, columns, rows }) => ({
      schema,
      name,
      columns: columns.map((column) => ({
        name: column.name,
        type:
          column.type === 'BOOLEAN'
            ? 'boolean'
            : numeric.test(column.type)
              ? 'integer'
              : fractional.test(column.type)
                ? 'decimal'
                : column.type === 'DATE'
                  ? 'date'
                  : 'text',
      })),
      rows: rows.map((row) => columns.map((column) => row[column.name])),
    }))
  return { pools, publicTables, tables: tables.filter(isPrivate) }
}

/** A data set that differs from another in all rows of one wallet. */
export function neighboursOf(tables) {
  const [first] = tables
  const wallets = [...new Set(first.rows.map(({ wallet }) => wallet))]
  const victim = wallets[7] ?? wallets[0]
  const without = tables.map((table) => ({
    ...table,
    rows: table.rows.filter(({ wallet }) => wallet !== victim),
  }))
  // A contributor with far more rows and far larger values than anybody.
  const extreme = (value) =>
    typeof value === 'number'
      ? 1e15
      : typeof value === 'boolean'
        ? !value
        : value === null
          ? null
          : `${value}x`
  const heavy = tables.map((table) => {
    const [sample] = table.rows
    const row = Object.fromEntries(
      Object.entries(sample).map(([name, value]) => [name, name === 'wallet' ? 'heavy' : extreme(value)]),
    )
    return { ...table, rows: [...table.rows, ...Array.from({ length: 2000 }, () => row)] }
  })
  return { without, heavy }
}

/** Loads tables into an engine under integer pseudonyms of the wallets. */
export async function loadTables(engine, tables, pools, pseudonyms) {
  const idOf = (wallet) => {
    if (wallet === null) return null
    if (!pseudonyms.has(wallet)) pseudonyms.set(wallet, pseudonyms.size + 1)
    return pseudonyms.get(wallet)
  }
  for (const { schema, name, rows } of tables) {
    const policy = pools
      .find((pool) => pool.name === schema)
      .policy.tables.find((table) => table.name === name)
    await engine.load({
      name: `${schema}.${name}`,
      columns: policy.columns,
      rows: rows.map(({ wallet, ...row }) => ({ contributor: idOf(wallet), ...row })),
    })
  }
}
