import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { bytesOf, codeOf, context, pool, sealedOf, stranger } from '../testing/sealed-fixture.js'
import { parseHeader } from './header.js'
import { openRange, sealedReader } from './range.js'

let sealed: Uint8Array
let offset: number
beforeAll(async () => {
  sealed = await sealedOf(1000)
  offset = parseHeader(sealed).payloadOffset
})

function counted(bytes: Uint8Array) {
  const reads: [number, number][] = []
  return {
    reads,
    size: bytes.length,
    read(at: number, length: number) {
      reads.push([at, at + length])
      return bytes.slice(at, at + length)
    },
  }
}
const range = (bytes: Uint8Array, start: number, end: number) =>
  openRange({ source: counted(bytes), identities: [pool], start, end })

test('gives every part of the plaintext, with context and length', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 1000 }), fc.nat({ max: 1000 }), async (one, two) => {
      const [start, end] = one < two ? [one, two] : [two, one]
      const opened = await range(sealed, start, end)
      expect(opened.plaintext).toEqual(bytesOf(1000).slice(start, end))
      expect(opened).toMatchObject({ context, plaintextLength: 1000 })
    }),
    { numRuns: 60 },
  )
})

test('reads the header and no chunk but those in which the part lies', async () => {
  const source = counted(sealed)
  await openRange({ source, identities: [pool], start: 130, end: 200 })
  expect(source.reads).toEqual([
    [0, 13],
    [13, offset],
    [offset + 2 * 80, offset + 4 * 80],
  ])
  const last = counted(sealed)
  await openRange({ source: last, identities: [pool], start: 999, end: 1000 })
  expect(last.reads[2]).toEqual([offset + 15 * 80, sealed.length])
  const nothing = counted(sealed)
  expect((await openRange({ source: nothing, identities: [pool], start: 5, end: 5 })).plaintext.length).toBe(
    0,
  )
  expect(nothing.reads.length).toBe(2)
})

test.each([-1, 1.5, Number.NaN, '300' as unknown as number])(
  'refuses a source of size %s unread',
  async (size) => {
    const source = { size, read: () => expect.unreachable() }
    await expect(sealedReader({ source, identities: [pool] })).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      place: 'source.size',
    })
  },
)

test('refuses a read that gives text or an array of the right length', async () => {
  for (const made of [
    (length: number) => 'x'.repeat(length),
    (length: number) => new Array(length).fill(1),
  ]) {
    const read = (at: number, length: number) => (at > 0 ? made(length) : sealed.slice(at, at + length))
    const source = { size: sealed.length, read: read as () => Uint8Array }
    expect(await codeOf(() => sealedReader({ source, identities: [pool] }))).toBe('SOURCE_FAILED')
  }
})

test('makes no room for more bytes than a source can give, whatever size it claims', async () => {
  const source = { size: 2 ** 40, read: (at: number, length: number) => sealed.slice(at, at + length) }
  const reader = await sealedReader({ source, identities: [pool] })
  expect(await codeOf(() => reader.read(0, reader.plaintextLength))).toBe('SOURCE_FAILED')
})

test('takes no source that claims more than 2^40 chunks', async () => {
  const claiming = (chunks: number) => {
    const read = (at: number, length: number) => sealed.slice(at, at + length)
    return sealedReader({ source: { size: offset + 80 * chunks, read }, identities: [pool] })
  }
  expect((await claiming(2 ** 40)).plaintextLength).toBe(2 ** 46)
  for (const chunks of [2 ** 40 + 1, 2 ** 41]) expect(await codeOf(() => claiming(chunks))).toBe('TRUNCATED')
})

test('does not read the payload when context or identity are wrong', async () => {
  const source = counted(sealed)
  const options = { source, identities: [pool], start: 0, end: 1, expect: { epoch: 2 } }
  expect(await codeOf(() => openRange(options))).toBe('CONTEXT_MISMATCH')
  expect(await codeOf(() => openRange({ ...options, expect: {}, identities: [stranger] }))).toBe(
    'NO_MATCHING_IDENTITY',
  )
  expect(source.reads.every(([, end]) => end <= offset)).toBe(true)
})

test('opens an empty file and an exact multiple of the chunk size', async () => {
  expect((await range(await sealedOf(0), 0, 0)).plaintextLength).toBe(0)
  expect((await range(await sealedOf(128), 64, 128)).plaintext).toEqual(bytesOf(128).slice(64))
})

describe('refuses', () => {
  test.each([
    [-1, 5],
    [5, 4],
    [0, 1001],
    [0.5, 1],
    [0, Number.NaN],
  ])('the range %d to %d', async (start, end) => {
    expect(await codeOf(() => range(sealed, start, end))).toBe('RANGE_INVALID')
  })

  test('a changed chunk inside the range, though not one outside', async () => {
    const changed = sealed.slice()
    changed[offset + 85] = (changed[offset + 85] ?? 0) ^ 1
    expect(await codeOf(() => range(changed, 64, 65))).toBe('CHUNK_REFUSED')
    expect(await codeOf(() => range(changed, 0, 64))).toBe('accepted')
  })

  test('chunks that were moved, and a file that was cut after a chunk, when the range reaches there', async () => {
    const moved = sealed.slice()
    moved.copyWithin(offset, offset + 80, offset + 160)
    expect(await codeOf(() => range(moved, 0, 1))).toBe('CHUNK_REFUSED')
    const cut = sealed.slice(0, offset + 3 * 80)
    expect(await codeOf(() => range(cut, 190, 192))).toBe('CHUNK_REFUSED')
    expect(await codeOf(() => range(cut, 0, 193))).toBe('RANGE_INVALID')
    expect(await codeOf(() => range(sealed.slice(0, offset + 83), 0, 1))).toBe('TRUNCATED')
    expect(await codeOf(() => range(sealed.slice(0, offset - 1), 0, 0))).toBe('TRUNCATED')
    expect(await codeOf(() => range(sealed.slice(0, 5), 0, 0))).toBe('TRUNCATED')
  })

  test('a source that fails, gives too little or lies about its size', async () => {
    const failing = { size: 100, read: () => Promise.reject(new Error('offline')) }
    const short = {
      size: sealed.length,
      read: (at: number, length: number) => sealed.slice(at, at + length - 1),
    }
    const longer = {
      size: sealed.length + 80,
      read: (at: number, length: number) => sealed.slice(at, at + length),
    }
    const options = { identities: [pool], start: 0, end: 1000 }
    for (const source of [failing, short, longer, { ...short, size: -1 }, { ...short, size: 0.5 }]) {
      expect(await codeOf(() => openRange({ ...options, source }))).toBe('SOURCE_FAILED')
    }
  })
})
