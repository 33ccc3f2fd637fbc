// Formats, malformed files, normal forms and printed forms: `npm run conformance -- refine`. The judges of the printed forms are other
// people's code: ajv (JSON Schema 2020-12), jsonld (Croissant), DuckDB, PostgreSQL (PGlite) and SQLite (sql.js) for DDL, apache-arrow,
// fit-file-parser.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { PGlite } from '@electric-sql/pglite'
import {
  compareSchemas,
  contentDigest,
  defaultSourceLimits,
  mockTables,
  openExport,
  RefineError,
  refineBatch,
  tableOf,
  toCroissant,
  toDdl,
  toJsonSchema,
} from '@sealpool/refine'
import { toArrowStream } from '@sealpool/refine/arrow'
import { bundleRefiner } from '@sealpool/refine/bundle'
import { postalReader } from '@sealpool/refine/mail'
import * as normalise from '@sealpool/refine/normalise'
import { hyparquetReader } from '@sealpool/refine/parquet'
import { phoneNumber } from '@sealpool/refine/phone'
import { createSqliteReader, toSqliteFile } from '@sealpool/refine/sqlite'
import { localTime, zonedInstant } from '@sealpool/refine/time-zones'
import { saxesReader } from '@sealpool/refine/xml'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import Ajv2020 from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { tableFromIPC } from 'apache-arrow'
import FitParser from 'fit-file-parser'
import jsonld from 'jsonld'
import initSqlJs from 'sql.js'
import { activities, ride, rows } from './refine/exports.mjs'
import { malformed } from './refine/malformed.mjs'

const folder = fileURLToPath(new URL('./refine/', import.meta.url))
const limits = { memoryBytes: 64 * 2 ** 20, timeMs: 10_000, outputBytes: 16 * 2 ** 20 }

/**
 * @param {object} options
 * @param {(line: string) => void} options.print
 * @returns {Promise<{ agree: number, differ: number }>}
 */
export async function run({ print }) {
  const sql = await initSqlJs()
  const readers = {
    xml: saxesReader,
    mime: postalReader,
    parquet: hyparquetReader,
    sqlite: createSqliteReader(sql),
  }
  const receipts = await bundleRefiner({ entry: join(folder, 'receipts-refiner.ts') })
  const rideRefiner = await bundleRefiner({ entry: join(folder, 'ride-refiner.ts') })
  const runtime = await createQuickJsRuntime()
  let agree = 0
  let differ = 0
  const kind = async (name, check) => {
    let good = 0
    let bad = 0
    await check((holds, what) => {
      if (holds) good += 1
      else {
        bad += 1
        print(`  differs: ${name}: ${what}`)
      }
    })
    print(`${name}: ${good} agree, ${bad} differ`)
    agree += good
    differ += bad
  }
  const refined = async (refiner, name, bytes) => {
    const contributions = [{ id: name, contributor: 1, mediaType: 'application/octet-stream', name, bytes }]
    return refineBatch({ refiner, runtime, limits, readers, contributions })
  }
  try {
    let sample
    await kind('flat formats, one content digest', async (count) => {
      const digests = new Map()
      for (const [name, bytes] of Object.entries(await rows())) {
        const batch = await refined(receipts, name, bytes)
        sample ??= batch.tables
        digests.set(name, batch.contentDigest)
        count(batch.tables.receipts.length === 40 && batch.contentDigest === digests.get('plain.csv'), name)
      }
    })
    await kind('activity formats, one content digest', async (count) => {
      let first
      for (const [name, bytes] of Object.entries(activities())) {
        const batch = await refined(rideRefiner, name, bytes)
        first ??= batch.contentDigest
        count(batch.tables.samples.length === ride.length && batch.contentDigest === first, name)
      }
    })
    await kind('CSV by the rules of proofs', async (count) => {
      const { accepted, refused } = JSON.parse(
        readFileSync(new URL('./csv/cases.json', import.meta.url), 'utf8'),
      )
      const read = async (text) => {
        const bytes = new TextEncoder().encode(text)
        const found = []
        for await (const row of openExport({ source: 'csv', name: 'a.csv', bytes })) found.push(row)
        return found
      }
      for (const { name, text, header, rows: want } of accepted) {
        const records = want.map((row) => Object.fromEntries(row.map((field, at) => [header[at], field])))
        const found = await read(text).catch(() => undefined)
        count(JSON.stringify(found) === JSON.stringify(records), name)
      }
      for (const { name, text } of refused) {
        const code = await read(text).then(
          () => 'taken',
          (error) => error.code,
        )
        count(/^CSV_/.test(code), `${name}: ${code}`)
      }
    })
    await kind('malformed and hostile files, typed refusals', async (count) => {
      for (const { name, source, file, bytes, code, limits: given } of await malformed()) {
        let told = 'taken'
        try {
          const all = { ...defaultSourceLimits, ...given }
          for await (const _ of openExport({ source, name: file, bytes, readers, limits: all }));
        } catch (error) {
          told = error instanceof RefineError ? error.code : 'untyped'
        }
        count(told === code, `${source}: ${name}: ${told} instead of ${code}`)
      }
    })
    await kind('normal forms', async (count) => {
      const functions = { ...normalise, phoneNumber, localTime, zonedInstant }
      const cases = JSON.parse(readFileSync(join(folder, 'normalisation.json'), 'utf8'))
      for (const { call, with: given, gives } of cases) {
        const got = functions[call](...given)
        count(
          JSON.stringify(got) === JSON.stringify(gives),
          `${call} ${JSON.stringify(given)}: ${JSON.stringify(got)}`,
        )
      }
    })
    await printedForms({ kind, sql, receipts, sample })
    await outputs({ kind, sql, receipts, sample })
  } finally {
    await runtime.close()
  }
  return { agree, differ }
}

async function printedForms({ kind, sql, receipts, sample }) {
  const { schema } = receipts
  const mock = mockTables(schema, { seed: 'conformance', rows: 200 })
  const bad = {
    day: '2024-02-30x',
    shop: 5,
    total: '1.2',
    card: 'yes',
    at: '2024-01-01',
    kind: 'other',
    items: -1,
    contributor: -1,
  }
  await kind('JSON Schema 2020-12, judged by ajv', async (count) => {
    const ajv = new Ajv2020.default({
      strict: true,
      allErrors: false,
      keywords: ['x-minimum', 'x-maximum'],
      allowUnionTypes: true,
    })
    addFormats.default(ajv)
    const judge = ajv.compile(toJsonSchema(schema))
    count(judge(sample), 'refined rows')
    count(judge(mock), 'mock rows')
    for (const [name, value] of Object.entries(bad)) {
      count(!judge({ receipts: [{ ...sample.receipts[0], [name]: value }] }), `a wrong ${name} is taken`)
    }
    count(!judge({ receipts: [{ ...sample.receipts[0], more: 1 }] }), 'an unknown column is taken')
  })
  await kind('Croissant, expanded by jsonld', async (count) => {
    for (const version of ['1.0', '1.1']) {
      const files = { receipts: { contentUrl: 'https://example.org/r.parquet', sha256: 'ab'.repeat(32) } }
      const [dataset] = await jsonld.expand(
        toCroissant(schema, {
          name: 'receipts',
          description: 'Receipts.',
          license: 'https://creativecommons.org/licenses/by/4.0/',
          url: 'https://example.org',
          datePublished: '2024-05-01',
          creator: { name: 'Pool' },
          files,
          version,
        }),
        { safe: true, base: 'https://example.org/' },
      )
      const cr = 'http://mlcommons.org/croissant/'
      const sc = 'https://schema.org/'
      count(dataset['@type'][0] === `${sc}Dataset`, 'type')
      count(dataset['http://purl.org/dc/terms/conformsTo'][0]['@value'] === `${cr}${version}`, 'conformsTo')
      for (const name of [
        'name',
        'description',
        'license',
        'url',
        'creator',
        'datePublished',
        'distribution',
      ]) {
        count(dataset[`${sc}${name}`]?.length === 1, name)
      }
      const fields = dataset[`${cr}recordSet`][0][`${cr}field`]
      const named = fields.map((field) => field[`${sc}name`][0]['@value'])
      count(
        JSON.stringify(named) ===
          JSON.stringify(['contributor', ...Object.keys(schema.tables.receipts.columns)]),
        'fields',
      )
      const types = fields.map((field) => field[`${cr}dataType`][0]['@id'].slice(sc.length))
      count(types.join() === 'Integer,Date,Text,Float,Boolean,DateTime,Text,Integer', 'types')
      const source = fields[1][`${cr}source`][0]
      count(source[`${cr}fileObject`][0]['@id'].endsWith('receipts-file'), 'source')
      count(source[`${cr}extract`][0][`${cr}column`][0]['@value'] === 'day', 'extracted column')
    }
  })
  const inserts = (dialect) =>
    [...sample.receipts, ...mock.receipts].map((row) => {
      const literal = (value) => {
        if (value === null) return 'NULL'
        if (typeof value === 'boolean' && dialect === 'sqlite') return String(Number(value))
        return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
      }
      return `INSERT INTO receipts VALUES (${Object.values(row).map(literal).join(', ')})`
    })
  const wrong = [
    "(1, '2019-12-31', 'x', 1, NULL, '2024-01-01T00:00:00Z', NULL, NULL)",
    "(1, '2024-01-01', 'x', -1, NULL, '2024-01-01T00:00:00Z', NULL, NULL)",
    "(1, '2024-01-01', 'x', 1, NULL, '2024-01-01T00:00:00Z', 'other', NULL)",
    "(1, '2024-01-01', NULL, 1, NULL, '2024-01-01T00:00:00Z', NULL, NULL)",
    "(1, '2024-02-30', 'x', 1, NULL, '2024-01-01T00:00:00Z', NULL, NULL)",
    "(1, '2024-01-01', 'x', 1, NULL, 'noon', NULL, NULL)",
    "(NULL, '2024-01-01', 'x', 1, NULL, '2024-01-01T00:00:00Z', NULL, NULL)",
  ]
  const engines = {
    duckdb: async () => {
      const connection = await (await DuckDBInstance.create(':memory:')).connect()
      return { run: (text) => connection.run(text), close: () => connection.closeSync() }
    },
    postgresql: async () => {
      const database = await PGlite.create()
      return { run: (text) => database.exec(text), close: () => database.close() }
    },
    sqlite: async () => {
      const database = new sql.Database()
      return { run: async (text) => database.run(text), close: () => database.close() }
    },
  }
  for (const [dialect, open] of Object.entries(engines)) {
    await kind(`DDL in ${dialect}`, async (count) => {
      const engine = await open()
      const takes = (text) =>
        engine.run(text).then(
          () => true,
          () => false,
        )
      count(await takes(toDdl(schema, dialect)), 'the statements')
      for (const text of inserts(dialect)) count(await takes(text), text)
      for (const text of wrong) count(!(await takes(`INSERT INTO receipts VALUES ${text}`)), `taken: ${text}`)
      await engine.close()
    })
  }
  await kind('compatibility of schemas', async (count) => {
    const change = (name, columns) => {
      const table = schema.tables.receipts
      return [
        name,
        { ...schema, tables: { receipts: { ...table, columns: { ...table.columns, ...columns } } } },
      ]
    }
    const { kind: own, total } = schema.tables.receipts.columns
    for (const [want, next] of [
      change('full', {}),
      change('full', { note: { type: 'text', nullable: true, description: 'd' } }),
      change('forward', { note: { type: 'text', description: 'd' } }),
      change('backward', { kind: { ...own, values: [...own.values, 'third'] } }),
      change('forward', { total: { ...total, max: 10 } }),
      change('breaking', { total: { ...total, decimals: 3 } }),
      change('breaking', { total: { type: 'text', description: 'd' } }),
    ]) {
      const found = compareSchemas(schema, next).compatibility
      count(found === want, `${found} instead of ${want}`)
    }
  })
}

async function outputs({ kind, sql, receipts, sample }) {
  const { schema } = receipts
  await kind('Arrow, read by apache-arrow', async (count) => {
    const table = tableFromIPC(toArrowStream(tableOf(schema, 'receipts'), sample.receipts))
    const fields = table.schema.fields.map(({ name, type }) => `${name} ${type}`)
    count(table.numRows === 40, 'rows')
    count(
      fields.join() ===
        'contributor Int64,day Date32<DAY>,shop Utf8,total Decimal[18e+2],card Bool,at Timestamp<MICROSECOND, UTC>,kind Utf8,items Int64',
      fields.join(),
    )
    for (const [index, row] of sample.receipts.entries()) {
      const got = table.get(index)
      const cents = got.total[0]
      const same =
        got.shop === row.shop &&
        got.card === row.card &&
        Number(got.contributor) === row.contributor &&
        (cents / 100).toFixed(2) === row.total &&
        new Date(Number(got.day)).toISOString().slice(0, 10) === row.day
      count(same, `row ${index}`)
    }
  })
  await kind('SQLite, read back', async (count) => {
    const bytes = toSqliteFile(sql, schema, sample)
    const back = []
    const readers = { sqlite: createSqliteReader(sql) }
    for await (const row of openExport({ source: 'rows', name: 'r.sqlite', bytes, readers })) {
      back.push({
        ...row,
        total: Number(row.total).toFixed(2),
        card: row.card === null ? null : row.card === 1,
      })
    }
    count(contentDigest({ receipts: back }) === contentDigest(sample), 'content digest')
  })
  await kind('FIT, against fit-file-parser', async (count) => {
    const bytes = activities()['ride.fit']
    const Parser = FitParser.default ?? FitParser
    const parsed = await new Promise((settle, fail) => {
      new Parser({ force: false, mode: 'list' }).parse(Buffer.from(bytes), (error, data) =>
        error ? fail(new Error(error)) : settle(data),
      )
    })
    const own = []
    for await (const sample of openExport({ source: 'activity', name: 'ride.fit', bytes })) own.push(sample)
    count(parsed.records.length === own.length, 'samples')
    for (const [index, theirs] of parsed.records.entries()) {
      const ours = own[index]
      const close = (a, b) => Math.abs(a - b) < 1e-6
      const same =
        Date.parse(ours.time) === new Date(theirs.timestamp).getTime() &&
        close(ours.latitude, theirs.position_lat) &&
        close(ours.longitude, theirs.position_long) &&
        ours.heartRate === theirs.heart_rate &&
        close(ours.altitude, theirs.altitude)
      count(same, `sample ${index}`)
    }
  })
}
