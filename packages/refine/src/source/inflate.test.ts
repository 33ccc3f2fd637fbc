import { deflateRawSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeDecompress } from '../platform.js'
import { property } from '../testing/property.js'
import { type Decompress, inflate, webDecompress } from './inflate.js'

const node = nodeDecompress() as Decompress
const limits = { expandedBytes: 1 << 24, ratio: 200 }
const zeros = (count: number) => new Uint8Array(count)
const bytesOf = (text: string) => new TextEncoder().encode(text)

async function* cut(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function expand(
  chunks: AsyncIterable<Uint8Array>,
  options: { readonly format?: 'gzip' | 'deflate-raw'; readonly decompress?: Decompress } = {},
): Promise<string> {
  const parts: Uint8Array[] = []
  const { format = 'gzip', decompress = node } = options
  for await (const part of inflate(chunks, format, limits, { bytes: 0 }, decompress)) parts.push(part)
  return Buffer.concat(parts).toString()
}

const [one, two] = [gzipSync('one,'), gzipSync('two')]
const refusal = { code: 'COMPRESSION_INVALID', place: 'source' }

describe('gzip', () => {
  test.each([1, 3, one.length, one.length + 5, 1000])(
    'members are read to the last, cut every %s bytes',
    async (size) => {
      expect(await expand(cut(Buffer.concat([one, two]), size))).toBe('one,two')
      expect(await expand(cut(Buffer.concat([one, two, zeros(1000)]), size))).toBe('one,two')
    },
  )

  test.each<[string, readonly Uint8Array[]]>([
    ['a member behind zeros', [one, zeros(9), two]],
    ['a member behind one zero', [one, zeros(1), two]],
    ['a byte behind zeros', [one, zeros(600), Uint8Array.of(1)]],
    ['text behind zeros', [one, two, zeros(512), bytesOf('day,steps\n')]],
    ['text behind the end', [one, bytesOf('day,steps\n')]],
    ['a member that is cut off', [one, two.subarray(0, -1)]],
    ['the head of a member', [one, two.subarray(0, 2)]],
    ['nothing', []],
  ])('refused: %s', async (_, parts) => {
    const bytes = Buffer.concat(parts)
    for (const size of [1, 7, one.length, one.length + 9, 1000]) {
      await expect(expand(cut(bytes, size)), `cut every ${size}`).rejects.toMatchObject(refusal)
    }
  })

  property(
    'what comes out is what went in, or nothing does',
    [
      fc.array(fc.string({ maxLength: 50 }), { minLength: 1, maxLength: 4 }),
      fc.nat(20),
      fc.uint8Array({ maxLength: 5 }),
      fc.integer({ min: 1, max: 100 }),
    ],
    async (texts, padding, rest, size) => {
      const bytes = Buffer.concat([...texts.map((text) => gzipSync(text)), zeros(padding), rest])
      const outcome = expand(cut(bytes, size))
      if (rest.some((byte) => byte !== 0)) await expect(outcome).rejects.toMatchObject(refusal)
      else expect(await outcome).toBe(texts.join(''))
    },
  )
})

describe('deflate', () => {
  const raw = deflateRawSync('one')
  test('ends where its bytes end', async () => {
    expect(await expand(cut(raw, 2), { format: 'deflate-raw' })).toBe('one')
    for (const rest of [zeros(1), bytesOf('x')]) {
      const bytes = Buffer.concat([raw, rest])
      for (const size of [1, raw.length, 100])
        await expect(expand(cut(bytes, size), { format: 'deflate-raw' })).rejects.toMatchObject(refusal)
    }
  })
})

describe.each([
  ['node', node],
  ['web', webDecompress],
] as const)('with the decompression of %s', (_, decompress) => {
  test('a fault of the source is told as it is', async () => {
    async function* failing() {
      yield one.subarray(0, 5)
      throw new Error('the disk is gone')
    }
    await expect(expand(failing(), { decompress })).rejects.toThrow('the disk is gone')
    await expect(expand(cut(one.subarray(0, -3), 4), { decompress })).rejects.toMatchObject(refusal)
    expect(await expand(cut(one, 4), { decompress })).toBe('one,')
  })

  test('a bomb is stopped, and the source with it', async () => {
    const bomb = gzipSync(zeros(1 << 23))
    let ended = false
    async function* source() {
      try {
        for (;;) yield* cut(bomb, 1 << 10)
      } finally {
        ended = true
      }
    }
    await expect(expand(source(), { decompress })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    await expect.poll(() => ended).toBe(true)
  })

  test('who stops early stops the source', async () => {
    let ended = false
    async function* source() {
      try {
        for (;;) yield* cut(gzipSync(Buffer.from(String(Math.PI).repeat(10_000))), 100)
      } finally {
        ended = true
      }
    }
    for await (const part of inflate(source(), 'gzip', limits, { bytes: 0 }, decompress)) {
      expect(part.length).toBeGreaterThan(0)
      break
    }
    await expect.poll(() => ended).toBe(true)
  })
})
