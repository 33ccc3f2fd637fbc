import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { parquetMetadata } from 'hyparquet'
import { afterAll, expect, test } from 'vitest'
import { columnValues } from './column-values.js'
import { pageUnpackers, type UnpackPage } from './unpack-page.js'

const folder = mkdtempSync(join(tmpdir(), 'sealpool-column-'))
afterAll(() => rmSync(folder, { recursive: true }))
const unpackers = await pageUnpackers(new Set(['SNAPPY', 'GZIP', 'ZSTD']))

async function written(codec: string, version: string): Promise<Uint8Array<ArrayBuffer>> {
  const path = join(folder, `${codec}.parquet`)
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(
    `COPY (SELECT i AS id, CASE WHEN i % 5 > 0 THEN 'shop ' || i % 11 END AS shop, md5(i::VARCHAR) AS note
      FROM range(5000) t(i)) TO '${path}' (FORMAT parquet, COMPRESSION ${codec}, PARQUET_VERSION ${version}, ROW_GROUP_SIZE 2048)`,
  )
  connection.closeSync()
  instance.closeSync()
  return Uint8Array.from(readFileSync(path))
}

/** All columns of all row groups, with how often each place was unpacked and how often bytes were read. */
async function columnsOf(bytes: Uint8Array<ArrayBuffer>, unpack: UnpackPage) {
  const metadata = parquetMetadata(bytes.buffer)
  const found: { readonly name: string; readonly values: unknown[]; readonly times: readonly number[] }[] = []
  let reads = 0
  for (const group of metadata.row_groups)
    for (const [at, { meta_data: chunk }] of group.columns.entries()) {
      const column = metadata.schema[at + 1]
      if (chunk === undefined || column === undefined) throw new Error('no flat file')
      const times = new Map<number, number>()
      const values = await columnValues({
        metadata,
        group,
        column,
        chunk,
        read: async (start, end) => {
          reads += 1
          return bytes.slice(start, end)
        },
        unpack: (packed, length) => {
          times.set(packed.byteOffset, (times.get(packed.byteOffset) ?? 0) + 1)
          return unpack(packed, length)
        },
        parsers: {},
        most: 1_000_000,
      })
      found.push({ name: column.name, values: [...(values ?? [])], times: [...times.values()] })
    }
  return { found, reads }
}

test.each([
  ['snappy', 'V1', unpackers.SNAPPY],
  ['gzip', 'V1', unpackers.GZIP],
  ['gzip', 'V2', unpackers.GZIP],
  ['zstd', 'V2', unpackers.ZSTD],
])('each page by %s, %s, is read and unpacked once', async (codec, version, unpack) => {
  if (unpack === undefined) throw new Error('no such codec')
  const bytes = await written(codec, version)
  const { found, reads } = await columnsOf(bytes, unpack)
  expect(reads).toBe(9)
  expect(found.flatMap(({ times }) => times).length).toBeGreaterThan(8)
  expect(new Set(found.flatMap(({ times }) => times))).toEqual(new Set([1]))
  const valuesOf = (name: string) => found.filter((one) => one.name === name).flatMap(({ values }) => values)
  expect(valuesOf('id').map(Number)).toEqual(Array.from({ length: 5_000 }, (_, id) => id))
  expect(valuesOf('shop').map((shop) => shop ?? null)).toEqual(
    Array.from({ length: 5_000 }, (_, id) => (id % 5 > 0 ? `shop ${id % 11}` : null)),
  )
  expect(new Set(valuesOf('note')).size).toBe(5_000)
})
