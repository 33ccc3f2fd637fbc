import initSqlJs, { type SqlJsStatic } from 'sql.js'
import { beforeAll, describe, expect, test } from 'vitest'
import type { JsonValue } from '../define/record-types.js'
import { openSource } from '../source/open-export.js'
import { createSqliteReader } from './index.js'

let sql: SqlJsStatic
beforeAll(async () => {
  sql = await initSqlJs()
})

function databaseOf(statements: string): Uint8Array {
  const database = new sql.Database()
  try {
    database.run(statements)
    return database.export()
  } finally {
    database.close()
  }
}

async function read(bytes: Uint8Array): Promise<JsonValue[]> {
  const records: JsonValue[] = []
  const readers = { sqlite: createSqliteReader(sql) }
  for await (const record of openSource({ source: 'rows', bytes, readers })) records.push(record)
  return records
}

describe('texts of an SQLite database', () => {
  test.each(['UTF-8', 'UTF-16le', 'UTF-16be'])(
    'in %s are read, also such as look replaced',
    async (encoding) => {
      const bytes = databaseOf(
        `PRAGMA encoding = '${encoding}'; CREATE TABLE "t""x" ("a ""b" TEXT, n INTEGER);
       INSERT INTO "t""x" VALUES ('é😀', 1), ('a' || char(0xfffd) || 'b', NULL), ('a' || char(0) || 'b', 2)`,
      )
      expect(await read(bytes)).toEqual([
        { 'a "b': 'é😀', n: 1 },
        { 'a "b': 'a\ufffdb', n: null },
        { 'a "b': 'a\0b', n: 2 },
      ])
    },
  )

  test.each([
    ['UTF-8', "x'61ff62'"],
    ['UTF-8', "x'eda080'"],
    ['UTF-16le', "x'00d86100'"],
    ['UTF-16be', "x'd8000061'"],
  ])('in %s that are none (%s) are refused, not replaced', async (encoding, bytes) => {
    const file = databaseOf(
      `PRAGMA encoding = '${encoding}'; CREATE TABLE t (a TEXT);
       INSERT INTO t VALUES ('good'), (char(0xfffd)), (CAST(${bytes} AS TEXT))`,
    )
    await expect(read(file)).rejects.toMatchObject({ code: 'ENCODING_INVALID', place: 'row 3' })
  })

  test('a column whose name is no text is refused', async () => {
    const file = databaseOf(`CREATE TABLE t ("\ufffd" TEXT); INSERT INTO t VALUES ('x')`)
    await expect(read(file)).rejects.toMatchObject({ code: 'ENCODING_INVALID', place: 'table' })
  })
})

test('a database that is too large to be read whole is refused by its size', async () => {
  const reading = createSqliteReader(sql)(
    { size: 2 ** 31, read: async () => new Uint8Array() },
    { ...limits, recordBytes: 1, entries: 1, expandedBytes: 1, ratio: 1, nesting: 1 },
  )
  await expect(reading[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
})
const limits = { bytes: 2 ** 40, depth: 1, records: 1, columns: 1, fieldLength: 1 }
