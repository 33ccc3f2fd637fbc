import { derivePoolKey, hpkeIdentity, hpkeRecipient, sealBytes, sha256Digest } from '@sealpool/crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PocError } from '../errors.js'
import { contentSketch } from './content-sketch.js'
import { decodeNearDuplicateIndex, decodeRowIndex, encodeIndex, openIndex, sealIndex } from './index-file.js'
import { createNearDuplicateIndex } from './near-duplicate-index.js'
import { createRowIndex } from './row-index.js'

const key = new Uint8Array(32).fill(1)
const other = new Uint8Array(32).fill(2)
const file = (seed: number, count = 40) => ({
  mediaType: 'text/csv',
  bytes: new TextEncoder().encode(
    [
      'id,value',
      ...Array.from({ length: count }, (_, row) => `canary-${seed}-${row},${(seed * 31 + row) % 97}`),
    ].join('\n'),
  ),
})
const sketch = (seed: number) => contentSketch({ key, ...file(seed) })
const near = (count: number, from = 0) => {
  const index = createNearDuplicateIndex()
  for (let seed = from; seed < from + count; seed++) index.add(sketch(seed))
  return index
}
const rows = (...seeds: readonly number[]) => {
  const index = createRowIndex({ key })
  for (const seed of seeds) index.add(file(seed))
  return index
}
const nearFile = (count: number) => encodeIndex({ kind: 'near', index: near(count), key })
const rowFile = (...seeds: readonly number[]) => encodeIndex({ kind: 'rows', index: rows(...seeds), key })
/** A change with its checksum made true again. */
const changed = (bytes: Uint8Array, change: (bytes: Uint8Array) => void) => {
  const copy = Uint8Array.from(bytes)
  change(copy)
  copy.set(Buffer.from(sha256Digest(copy.subarray(0, -32)).slice(7), 'hex'), copy.length - 32)
  return copy
}
const placeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof PocError && error.code === 'INDEX_INVALID') return error.place
    throw error
  }
  return 'accepted'
}

describe('the file of an index', () => {
  test.each([0, 1, 30, 1500])(
    'gives a near-duplicate index of %i entries back, which goes on as it was',
    (count) => {
      const index = near(count)
      const again = decodeNearDuplicateIndex({ ...encodeIndex({ kind: 'near', index, key }), key })
      expect(again.size).toBe(count)
      for (let seed = 0; seed < count + 5; seed += 7)
        expect(again.nearest(sketch(seed))).toEqual(index.nearest(sketch(seed)))
      index.add(sketch(9000))
      again.add(sketch(9000))
      expect(again.toBytes()).toEqual(index.toBytes())
      expect(again.nearest(sketch(9000))).toMatchObject({ entry: count, similarity: 1 })
    },
  )
  test('of courses is none of contents, and the other way round', () => {
    const index = near(3)
    const { bytes } = encodeIndex({ kind: 'courses', index, key })
    expect(decodeNearDuplicateIndex({ kind: 'courses', bytes, key }).toBytes()).toEqual(index.toBytes())
    expect(placeOf(() => decodeNearDuplicateIndex({ bytes, key }))).toBe('kind')
    expect(placeOf(() => decodeNearDuplicateIndex({ kind: 'courses', ...nearFile(3), key }))).toBe('kind')
  })
  test('gives a row index back; the order of filling leaves no trace', () => {
    const made = rowFile(1, 2, 3)
    expect(rowFile(3, 1, 2).digest).toBe(made.digest)
    const again = decodeRowIndex({ bytes: made.bytes, key, digest: made.digest })
    // 120 rows as they are, and the 114 that say enough without the names of their columns.
    expect(again.size).toBe(234)
    expect(again.novelty(file(2))).toBe(0)
    expect(again.novelty(file(4))).toBe(1)
    again.add(file(4))
    expect(encodeIndex({ kind: 'rows', index: again, key }).digest).toBe(rowFile(4, 3, 2, 1).digest)
    expect(decodeRowIndex({ ...rowFile(), key }).size).toBe(0)
  })
  test('holds nothing of the content and nothing of the key', () => {
    for (const { bytes } of [nearFile(3), rowFile(1)]) {
      const text = Buffer.from(bytes).toString('latin1')
      expect(text).not.toContain('canary')
      expect(text).not.toContain(Buffer.from(key).toString('latin1').slice(0, 8))
    }
  })
  test('of another kind, version, length, key or moment is refused at its place', () => {
    const { bytes, digest } = nearFile(3)
    const read = (given: Uint8Array, own = {}) =>
      placeOf(() => decodeNearDuplicateIndex({ bytes: given, key, ...own }))
    expect(read(bytes, { digest })).toBe('accepted')
    expect(read(bytes, { digest: nearFile(2).digest })).toBe('digest')
    expect(read(bytes, { key: other })).toBe('key')
    expect(read(rowFile(1).bytes)).toBe('kind')
    expect(placeOf(() => decodeRowIndex({ bytes, key }))).toBe('kind')
    expect(read(changed(bytes, (own) => own.set([1], 7)))).toBe('version')
    expect(read(changed(bytes, (own) => own.set([0], 0)))).toBe('magic')
    expect(read(new Uint8Array())).toBe('magic')
    expect(read(bytes.subarray(0, 40))).toBe('magic')
    expect(read(bytes.subarray(0, -1))).toBe('length')
    expect(read(Uint8Array.from([...bytes, 0]))).toBe('length')
    expect(read(changed(bytes, (own) => own.fill(255, 25, 29)))).toBe('length')
    for (let at = 29; at < bytes.length; at += 13) {
      const damaged = Uint8Array.from(bytes)
      damaged[at] = (damaged[at] ?? 0) ^ 1
      expect(read(damaged)).toBe('checksum')
    }
    expect(() => encodeIndex({ kind: 'near', index: near(1), key: key.subarray(1) })).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID' }),
    )
    expect(() => decodeNearDuplicateIndex({ bytes, key: key.subarray(1) })).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID' }),
    )
  })
  test('with a row that is none, or twice, is refused though its checksum is right', () => {
    const { bytes } = rowFile(1)
    const read = (given: Uint8Array) => placeOf(() => decodeRowIndex({ bytes: given, key }))
    expect(read(bytes)).toBe('accepted')
    expect(read(changed(bytes, (own) => own.fill(0, 33, 37)))).toBe('rows')
    expect(read(changed(bytes, (own) => own.copyWithin(29, 37, 45)))).toBe('rows')
  })
  test('keeps rows apart whose first half is zero, or whose slot is the same', () => {
    const { bytes } = rowFile(1)
    const few = Uint8Array.from([
      ...bytes.subarray(0, 25),
      3,
      0,
      0,
      0,
      ...new Uint8Array(24),
      ...new Uint8Array(32),
    ])
    const view = new DataView(few.buffer)
    for (const [row, high] of [0, 5, 9].entries()) {
      view.setUint32(29 + 8 * row, high)
      view.setUint32(33 + 8 * row, 1)
    }
    const index = decodeRowIndex({ bytes: changed(few, () => {}), key })
    expect(index.size).toBe(3)
    expect(index.toBytes()).toEqual(few.subarray(29, 53))
  })
  test('of any bytes is an index or an error', () => {
    const { bytes } = rowFile(1)
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(bytes.length - 1),
        fc.nat(255),
        (any, at, byte) => {
          const one = changed(bytes, (own) => {
            own[at] = byte
          })
          for (const given of [any, one, Uint8Array.from([...bytes.subarray(0, 9), ...any])]) {
            for (const read of [decodeNearDuplicateIndex, decodeRowIndex])
              placeOf(() => read({ bytes: given, key }))
          }
        },
      ),
    )
  })
  test('bytes that are no whole entries are not taken by the indexes themselves', () => {
    for (const make of [
      () => createNearDuplicateIndex({ from: new Uint8Array(67) }),
      () => createRowIndex({ key, from: new Uint8Array(7) }),
      () => createRowIndex({ key, from: new Uint8Array(8) }),
    ]) {
      expect(make).toThrow(expect.objectContaining({ code: 'OPTION_INVALID', place: 'from' }))
    }
  })
})

test('a sealed index opens for its enclave alone, and no other sealed file is taken for one', async () => {
  const scope = {
    chainId: 31337,
    pool: '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512',
    policyDigest: `sha256:${'ab'.repeat(32)}`,
    epoch: 1,
  } as const
  const pool = derivePoolKey({ root: new Uint8Array(32).fill(9), ...scope })
  const made = rowFile(1, 2)
  const sealed = await sealIndex(made, { recipients: [hpkeRecipient(pool)], scope })
  expect(Buffer.from(sealed).includes(Buffer.from(made.bytes.subarray(40, 80)))).toBe(false)
  const options = { identities: [hpkeIdentity(pool)], expect: scope }
  expect(await openIndex(sealed, options)).toEqual(made)
  await expect(openIndex(sealed, { ...options, expect: { ...scope, epoch: 2 } })).rejects.toMatchObject({
    code: 'CONTEXT_MISMATCH',
  })
  const stranger = derivePoolKey({ root: new Uint8Array(32).fill(8), ...scope })
  await expect(
    openIndex(sealed, { ...options, identities: [hpkeIdentity(stranger)] }),
  ).rejects.toBeInstanceOf(Error)
  const contribution = await sealBytes(made.bytes, {
    recipients: [hpkeRecipient(pool)],
    context: { ...scope, mediaType: 'text/csv' },
  })
  await expect(openIndex(contribution, options)).rejects.toMatchObject({ code: 'CONTEXT_MISMATCH' })
  sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1
  await expect(openIndex(sealed, options)).rejects.toMatchObject({ code: 'CHUNK_REFUSED' })
})
