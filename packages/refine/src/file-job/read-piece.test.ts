import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import type { RefinerSchema } from '../schema/table-schema.js'
import { fullLimits } from '../source/source-limits.js'
import type { WorkerData } from './piece-message.js'
import { createPieceReader } from './piece-pool.js'
import { type CallFunctions, emptyCache, readPiece } from './read-piece.js'

const text = (from: string) => ({ from, by: 'own' })
const schema: RefinerSchema = {
  id: 'pairs',
  version: '1.0.0',
  source: 'rows',
  notes: [],
  tables: {
    pairs: {
      description: 'd',
      columns: {
        first: { type: 'integer', nullable: true, description: 'd' },
        second: { type: 'integer', nullable: true, description: 'd' },
      },
    },
  },
  direct: { table: 'pairs', columns: { first: text('a'), second: text('b') } },
}
const data: WorkerData = {
  schema,
  limits: fullLimits({ bytes: 2 ** 30, depth: 8, records: 1e6, columns: 10, fieldLength: 1000 }),
  contributor: 1,
  format: 'csv',
  header: ['a', 'b'],
  salt: new Uint8Array(),
  digest: false,
}
const twice: CallFunctions = async (calls) =>
  calls.map(({ values }) => values.map((value) => (value === null ? null : 2 * Number(value))))
const noMap = async () => {
  throw new Error('nothing is mapped here')
}
const host = (call: CallFunctions) => ({ call, map: noMap })
const pagesOf = async (piece: ReturnType<typeof readPiece>) => (await piece).tables[0]?.pages ?? []
const rowsOf = (count: number, first = 0) =>
  new TextEncoder().encode(
    Array.from({ length: count }, (_, row) => `${first + row},${first + row}\n`).join(''),
  )
/** The int64 values of a page of a nullable column in which no value is null. */
function valuesOf(page: Uint8Array | undefined, count: number): bigint[] {
  const bytes = page ?? new Uint8Array()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: count }, (_, row) => view.getBigInt64(bytes.length - 8 * (count - row), true))
}

test('two columns of one function have their values also where the function has more than are kept', async () => {
  const count = 200_001
  const cache = emptyCache()
  const pages = await pagesOf(readPiece(rowsOf(count), data, cache, host(twice)))
  for (const page of [pages[1], pages[2]]) {
    const values = valuesOf(page, count)
    expect(values.at(0)).toBe(0n)
    expect(values.at(-1)).toBe(400_000n)
    // 4 bytes of length, 3 of the run's head, the levels, the values: none is null.
    expect(page?.length).toBe(4 + 3 + Math.ceil(count / 8) + 8 * count)
  }
  expect(cache.values.get('own')).toBeUndefined()
})

test('a piece that waits keeps the values that it did not ask for, whatever another piece does', async () => {
  const cache = emptyCache()
  await readPiece(rowsOf(10), data, cache, host(twice))
  let release = () => {}
  const held = new Promise<void>((settle) => {
    release = settle
  })
  const waiting = readPiece(
    rowsOf(20),
    data,
    cache,
    host(async (calls) => {
      await held
      return twice(calls)
    }),
  )
  await readPiece(rowsOf(200_001, 1_000), data, cache, host(twice))
  release()
  expect(valuesOf((await pagesOf(waiting))[1], 20)).toEqual(
    Array.from({ length: 20 }, (_, row) => BigInt(2 * row)),
  )
})

const built = (() => {
  try {
    return existsSync(createRequire(import.meta.url).resolve('@sealpool/refine/piece-worker'))
  } catch {
    return false
  }
})()
test.skipIf(!built)('a thread answers several pieces that wait for functions at once', async () => {
  let secondIsAnswered: () => void = () => undefined
  const second = new Promise<void>((resolve) => {
    secondIsAnswered = resolve
  })
  const reader = createPieceReader(data, {
    workers: 1,
    free: () => undefined,
    call: async (calls) => {
      if (calls[0]?.values[0] === '0') await second
      else secondIsAnswered()
      return twice(calls)
    },
  })
  try {
    expect(reader.width).toBe(3)
    const results = await Promise.all([reader.read(rowsOf(3), noMap), reader.read(rowsOf(3, 100), noMap)])
    expect(results.map(({ tables }) => valuesOf(tables[0]?.pages[2], 3))).toEqual([
      [0n, 2n, 4n],
      [200n, 202n, 204n],
    ])
  } finally {
    await reader.close()
  }
})

const direct: WorkerData = {
  ...data,
  schema: {
    ...schema,
    direct: { table: 'pairs', columns: { first: { from: 'a' }, second: { from: 'b', optional: true } } },
  },
}
/** Thousands of rows read in a thread, or here, while the memory of pages goes back and forth; what stood in it before is larger and smaller. */
async function readInTurn(workers: number) {
  const reader = createPieceReader(direct, { workers, free: () => undefined, call: twice })
  const buffers: { readonly buffer: ArrayBufferLike; readonly length: number }[] = []
  try {
    for (const [index, count] of [20_000, 19_000, 20, 18_000].entries()) {
      const { tables } = await reader.read(rowsOf(count, index), noMap)
      const pages = tables[0]?.pages ?? []
      expect(valuesOf(pages[1], count)).toEqual(
        Array.from({ length: count }, (_, row) => BigInt(index + row)),
      )
      expect(valuesOf(pages[0], count)).toEqual(Array.from({ length: count }, () => 1n))
      for (const buffer of new Set(pages.map((page) => page.buffer)))
        buffers.push({ buffer, length: buffer.byteLength })
      reader.reuse(pages)
    }
  } finally {
    await reader.close()
  }
  return buffers
}
test('memory of pages that were stored serves the next ones', async () => {
  const buffers = await readInTurn(0)
  expect(buffers).toHaveLength(4)
  expect(new Set(buffers.map(({ buffer }) => buffer)).size).toBe(1)
})
test.skipIf(!built)('also that of a thread, to which it is moved back', async () => {
  const buffers = await readInTurn(1)
  const [first] = buffers
  // Moved away each time but the last, and as large for twenty rows as for thousands.
  expect(buffers.map(({ buffer }) => buffer.byteLength)).toEqual([0, 0, 0, first?.length])
  expect(buffers.map(({ length }) => length)).toEqual(buffers.map(() => first?.length))
})
