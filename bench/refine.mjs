// Encrypted Parquet against DuckDB's own plain COPY, and sandboxed mapping against the same function called directly.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { DuckDBDecimalValue, DuckDBInstance } from '@duckdb/node-api'
import { refineBatch, tableOf } from '@sealpool/refine'
import { bundleRefiner } from '@sealpool/refine/bundle'
import { writeEncryptedParquet } from '@sealpool/refine/duckdb'
import { createProcessRuntime } from '@sealpool/sandbox/process'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { withModule } from './builder/with-module.mjs'
import { compare } from './measure/compare.mjs'
import { printMachine } from './measure/machine.mjs'
import { figure, printTable, ratio } from './measure/table.mjs'
import { fileJobs } from './refine/file-job.mjs'

const occupations = ['management', 'sales', 'clerical', 'service', 'professional', 'other']
const refinerSource = `import { defineRefiner } from '@sealpool/refine/define'
export default defineRefiner({
  id: 'payroll', version: '1.0.0', source: 'json',
  tables: { workers: { description: 'One row per worker.', columns: {
    wage: { type: 'decimal', decimals: 2, unit: '{USD}/h', min: 0, max: 100, description: 'Hourly wage.' },
    member: { type: 'boolean', description: 'Member of a trade union.' },
    occupation: { type: 'text', values: ${JSON.stringify(occupations)}, description: 'Occupation group.' },
    hours: { type: 'integer', unit: 'h', nullable: true, min: 0, max: 168, description: 'Hours per week.' },
    experience: { type: 'integer', unit: 'a', min: 0, max: 80, description: 'Years of work.' },
  } } },
  map: ({ wage, union, occupation, hours, experience }) =>
    ({ workers: [{ wage, member: union === 1, occupation, hours: hours ?? null, experience }] }),
})
`

const exportOf = (index) => ({
  wage: (500 + (index % 4000)) / 100,
  union: index % 5 === 0 ? 1 : 0,
  occupation: occupations[index % occupations.length],
  ...(index % 7 === 0 ? {} : { hours: 20 + (index % 40) }),
  experience: index % 50,
})

export async function run({ print }) {
  printMachine(print)
  const refiner = await withModule(refinerSource, (entry) => bundleRefiner({ entry }))
  await parquet(print, tableOf(refiner.schema, 'workers'))
  await mapping(print, refiner)
  await fileJobs(print)
}

async function parquet(print, table) {
  const count = 200_000
  const rows = Array.from({ length: count }, (_, contributor) => {
    const { wage, union, occupation, hours, experience } = exportOf(contributor)
    return {
      contributor,
      wage: wage.toFixed(2),
      member: union === 1,
      occupation,
      hours: hours ?? null,
      experience,
    }
  })
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-bench-'))
  const path = (name) => join(folder, `${name}.parquet`)
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const columns =
    '(contributor BIGINT, wage DECIMAL(18, 2), member BOOLEAN, occupation VARCHAR, hours BIGINT, experience BIGINT)'
  const append = async (name) => {
    await connection.run(`CREATE OR REPLACE TABLE ${name} ${columns}`)
    const appender = await connection.createAppender(name)
    for (const row of rows) {
      appender.appendBigInt(BigInt(row.contributor))
      appender.appendDecimal(new DuckDBDecimalValue(BigInt(row.wage.replace('.', '')), 18, 2))
      appender.appendBoolean(row.member)
      appender.appendVarchar(row.occupation)
      if (row.hours === null) appender.appendNull()
      else appender.appendBigInt(BigInt(row.hours))
      appender.appendBigInt(BigInt(row.experience))
      appender.endRow()
    }
    appender.closeSync()
  }
  const copy = (from, name, compression) =>
    connection.run(`COPY ${from} TO '${path(name)}' (FORMAT parquet, COMPRESSION ${compression})`)
  try {
    await append('ready')
    const key = crypto.getRandomValues(new Uint8Array(32))
    const took = await compare({
      ours: () => writeEncryptedParquet({ table, rows, key, path: path('ours') }),
      appended: async () => {
        await append('fresh')
        await copy('fresh', 'appended', 'uncompressed')
      },
      copied: () => copy('ready', 'copied', 'uncompressed'),
      snappy: () => copy('ready', 'snappy', 'snappy'),
    })
    const row = (label, name) => [
      label,
      figure(count / took[name]),
      ratio(took[name], took.appended),
      figure(statSync(path(name)).size / 2 ** 20),
    ]
    printTable(print, {
      title: `${count.toLocaleString('en-US')} rows of six columns to Parquet`,
      columns: ['', 'rows/s', 'time / DuckDB from rows', 'MiB'],
      rows: [
        row('writeEncryptedParquet: JavaScript rows, encrypted, fsynced', 'ours'),
        row('DuckDB: the same JavaScript rows, appender and plain COPY', 'appended'),
        row('DuckDB: plain COPY of a table that it holds already', 'copied'),
        row('DuckDB: the same with snappy', 'snappy'),
      ],
      notes: ['DuckDB uses both cores and a dictionary for text; ours one core, no compression.'],
    })
  } finally {
    connection.closeSync()
    instance.closeSync()
    rmSync(folder, { recursive: true })
  }
}

async function mapping(print, refiner) {
  const count = 100
  const limits = { memoryBytes: 64 * 2 ** 20, timeMs: 2_000, outputBytes: 2 ** 20 }
  const contributions = Array.from({ length: count }, (_, index) => ({
    id: String(index),
    contributor: index,
    mediaType: 'application/json',
    bytes: new TextEncoder().encode(JSON.stringify(exportOf(index))),
  }))
  const native = runInNewContext(`${refiner.code}\nglobalThis.sealpool`)
  const decoder = new TextDecoder()
  const runtimes = {
    inProcess: await createQuickJsRuntime(),
    child: await createProcessRuntime({ isolation: 'best' }),
  }
  const refine = (runtime) => async () => {
    const { refused } = await refineBatch({ refiner, runtime, limits, contributions })
    if (refused.length > 0) throw new Error('a contribution was refused')
  }
  try {
    const took = await compare({
      inProcess: refine(runtimes.inProcess),
      child: refine(runtimes.child),
      native: () => {
        for (const { bytes } of contributions) native.refine({ records: [JSON.parse(decoder.decode(bytes))] })
      },
    })
    const row = (label, name) => [label, figure(count / took[name]), ratio(took[name], took.native)]
    printTable(print, {
      title: `refineBatch of ${count} small JSON exports, a fresh context for each`,
      columns: ['', 'exports/s', 'time / direct'],
      rows: [
        row('refineBatch, QuickJS in this process', 'inProcess'),
        row(`refineBatch, QuickJS in a child (${runtimes.child.isolation})`, 'child'),
        row('JSON.parse and the same mapping called directly, rows unchecked', 'native'),
      ],
    })
  } finally {
    for (const runtime of Object.values(runtimes)) await runtime.close()
  }
}
