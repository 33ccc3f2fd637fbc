import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { parquetMetadata } from 'hyparquet'
import { expect, test } from 'vitest'
import type { JsonValue } from '../define/record-types.js'
import { RefineError } from '../errors.js'
import { defaultSourceLimits, type SourceLimits } from '../source/source-limits.js'
import { openExport } from '../with-platform.js'
import { hyparquetReader } from './index.js'
import { pageUnpackers, type UnpackPage } from './unpack-page.js'

const unpackers = await pageUnpackers(
  new Set(['SNAPPY', 'GZIP', 'ZSTD', 'LZ4_RAW', 'LZ4', 'UNCOMPRESSED', 'BROTLI']),
)
const gzip = unpackers.GZIP as UnpackPage
const zstd = unpackers.ZSTD as UnpackPage
const text = Buffer.from('The same words, again and again. '.repeat(2_000))
/** A frame of Zstandard (RFC 8878) that says `size` and has blocks, each of one byte that is repeated. */
const frame = (size: number, ...blocks: readonly number[]) => {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0])
  head.writeUInt32LE(size, 5)
  const bodies = blocks.map((length, index) => {
    const block = Buffer.from([0, 0, 0, 65])
    block.writeUIntLE((length << 3) | 2 | (index === blocks.length - 1 ? 1 : 0), 0, 3)
    return block
  })
  return new Uint8Array(Buffer.concat([head, ...bodies]))
}

test('only what a file names is made ready', async () => {
  expect(Object.keys(unpackers).sort()).toEqual(['GZIP', 'LZ4_RAW', 'SNAPPY', 'ZSTD'])
  expect(await pageUnpackers(new Set(['UNCOMPRESSED']))).toEqual({})
})

test('gzip: one member and several', () => {
  expect(Buffer.from(gzip(gzipSync(text), text.length))).toEqual(text)
  const two = Buffer.concat([gzipSync(text.subarray(0, 40_000)), gzipSync(text.subarray(40_000))])
  expect(Buffer.from(gzip(two, text.length))).toEqual(text)
  expect(gzip(gzipSync(''), 0)).toHaveLength(0)
})

test('gzip: what is damaged, ends early, goes on, or is of another length is refused', () => {
  const packed = gzipSync(text)
  const changed = (from: number, value: number) => {
    const copy = Buffer.from(packed)
    copy[copy.length - from] = value
    return copy
  }
  for (const [page, length] of [
    [packed, text.length - 1],
    [packed, text.length + 1],
    [packed, 2 ** 27 + 1],
    [packed.subarray(0, -1), text.length],
    [packed.subarray(0, -9), text.length],
    [packed.subarray(0, 5), text.length],
    [Buffer.alloc(0), 0],
    [Buffer.concat([packed, Buffer.from('more')]), text.length],
    [changed(8, (packed.at(-8) ?? 0) ^ 1), text.length],
    [changed(4, (packed.at(-4) ?? 0) ^ 1), text.length],
    [Buffer.concat([changed(8, (packed.at(-8) ?? 0) ^ 1), gzipSync('')]), text.length],
  ] as const)
    expect(() => gzip(page, length)).toThrow()
})

test('gzip: a bomb is stopped where the page ends', () => {
  const bomb = gzipSync(Buffer.alloc(2 ** 28))
  const started = process.cpuUsage()
  expect(() => gzip(bomb, 1_000)).toThrow('longer than the page')
  // Whole, it would take seconds of the processor.
  expect(process.cpuUsage(started).user).toBeLessThan(1_000_000)
})

test('lz4: a page that is too large is refused before anything is made for it', () => {
  const lz4 = unpackers.LZ4_RAW as UnpackPage
  expect([...lz4(Uint8Array.from([0x20, 1, 2]), 2)]).toEqual([1, 2])
  expect(() => lz4(Uint8Array.from([0x20, 1, 2]), 2 ** 27 + 1)).toThrow('too large a page')
})

test('zstd: frames, and their end', () => {
  expect(Buffer.from(zstd(frame(3_000, 1_000, 2_000), 3_000))).toEqual(Buffer.alloc(3_000, 65))
  expect(zstd(frame(0, 0), 0)).toHaveLength(0)
})

test('zstd: what is damaged, ends early, goes on, or is of another length is refused', () => {
  const page = frame(3_000, 1_000, 2_000)
  for (const [packed, length] of [
    [page, 2_999],
    [page, 3_001],
    [page, 1_000_000],
    [page, 2 ** 27 + 1],
    [page.subarray(0, -1), 3_000],
    [page.subarray(0, -4), 3_000],
    [page.subarray(0, 3), 3_000],
    [Buffer.concat([page, Buffer.from('more')]), 3_000],
    [frame(2_000, 1_000, 2_000), 3_000],
    // One that is well formed and too large.
    [frame(2 ** 27 + 2 ** 17, ...Array.from({ length: 1_025 }, () => 2 ** 17)), 2 ** 27 + 2 ** 17],
    [frame(10, ...Array.from({ length: 10_000 }, () => 131_072)), 10],
    [new Uint8Array(100), 100],
    [new Uint8Array(), 10],
  ] as const)
    expect(() => zstd(packed, length)).toThrow()
  expect(zstd(page, 3_000)).toHaveLength(3_000)
})

const folder = mkdtempSync(join(tmpdir(), 'sealpool-packed-'))
const packed: { [codec: string]: Uint8Array } = {}
const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
for (const codec of ['uncompressed', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4_raw'])
  for (const version of ['V1', 'V2']) {
    const path = join(folder, 'a.parquet')
    await connection.run(
      `COPY (SELECT i AS id, i % 7 = 0 AS seventh, CASE WHEN i % 5 > 0 THEN 'shop ' || i % 11 END AS shop, (i * 7 / 100)::DECIMAL(9, 2) AS total, md5(i::VARCHAR) AS note
        FROM range(5000) t(i)) TO '${path}' (FORMAT parquet, COMPRESSION ${codec}, PARQUET_VERSION ${version}, ROW_GROUP_SIZE 2048)`,
    )
    packed[`${codec} ${version}`] = new Uint8Array(readFileSync(path))
  }
connection.closeSync()
instance.closeSync()
rmSync(folder, { recursive: true })

async function read(bytes: Uint8Array, limits: Partial<SourceLimits> = {}) {
  const records: JsonValue[] = []
  for await (const record of openExport({
    source: 'rows',
    name: 'a.parquet',
    bytes,
    readers: { parquet: hyparquetReader },
    limits: { ...defaultSourceLimits, ...limits },
  }))
    records.push(record)
  return records
}

test.each(['V1', 'V2'])('files of DuckDB give the same rows by every method, %s', async (version) => {
  const want = await read(packed[`uncompressed ${version}`] ?? new Uint8Array())
  expect(want).toHaveLength(5_000)
  for (const codec of ['snappy', 'gzip', 'zstd', 'lz4_raw'])
    expect(await read(packed[`${codec} ${version}`] ?? new Uint8Array())).toEqual(want)
  await expect(read(packed[`brotli ${version}`] ?? new Uint8Array())).rejects.toMatchObject({
    code: 'PARQUET_INVALID',
    message: expect.stringContaining('other than Snappy, gzip, Zstandard or LZ4'),
  })
})

/** Three bytes of a footer's number, as Thrift's compact protocol writes it, and the same for 1. */
const three = (value: number) => [((2 * value) & 127) | 128, ((2 * value) >> 7) | 128, (2 * value) >> 14]
const one = [0x82, 0x80, 0]

test.each(['snappy', 'gzip', 'zstd', 'lz4_raw'])(
  'what comes out of pages by %s counts, whatever the footer says',
  async (codec) => {
    const lying = Buffer.from(packed[`${codec} V1`] ?? new Uint8Array())
    const { row_groups: groups } = parquetMetadata(Uint8Array.from(lying).buffer)
    for (const { total_byte_size: size } of groups)
      lying.set(one, lying.lastIndexOf(Buffer.from(three(Number(size)))))
    const bytes = Uint8Array.from(lying)
    expect(await read(bytes)).toHaveLength(5_000)
    await expect(read(bytes, { expandedBytes: 100_000 })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      place: 'page',
    })
    await expect(
      read(packed[`${codec} V1`] ?? new Uint8Array(), { expandedBytes: 100_000 }),
    ).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', place: 'footer' })
  },
)

test.each(['gzip', 'zstd', 'lz4_raw'])(
  'any changed byte of a page by %s gives rows or a typed error',
  async (codec) => {
    const whole = packed[`${codec} V1`] ?? new Uint8Array()
    const footer = new DataView(whole.buffer, whole.byteOffset).getUint32(whole.length - 8, true)
    const step = Math.max(997, Math.floor(whole.length / 100))
    let refused = 0
    for (let at = 4; at < whole.length - 8 - footer; at += step) {
      const changed = Uint8Array.from(whole)
      changed[at] = (changed[at] ?? 0) ^ 0x55
      try {
        await read(changed)
      } catch (error) {
        expect(error).toBeInstanceOf(RefineError)
        refused += 1
      }
    }
    expect(refused).toBeGreaterThan(10)
  },
)
