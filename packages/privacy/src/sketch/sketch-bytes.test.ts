import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bloomBytes, bloomFilter, bloomFromBytes } from './bloom.js'
import { hyperLogLog, hyperLogLogBytes, hyperLogLogFromBytes } from './hyper-log-log.js'
import { minHash, minHashBytes, minHashFromBytes } from './min-hash.js'

const options = { items: ['a', 'b'], key: new Uint8Array(32).fill(1), use: 'tags' }

test('sketches survive their bytes, the smallest and the largest shapes too', () => {
  for (const orders of [16, 4096]) {
    const sketch = minHash({ ...options, orders })
    expect(minHashFromBytes(minHashBytes(sketch))).toEqual(sketch)
  }
  for (const precision of [4, 16]) {
    const sketch = hyperLogLog({ ...options, precision })
    expect(hyperLogLogFromBytes(hyperLogLogBytes(sketch))).toEqual(sketch)
  }
  for (const falsePositives of [0.5, 1e-9]) {
    const sketch = bloomFilter({ ...options, capacity: 50, falsePositives })
    expect(bloomFromBytes(bloomBytes(sketch))).toEqual(sketch)
  }
})

test('bytes of no sketch are none', () => {
  for (const length of [0, 60, 66, 4 * 4096 + 4])
    expect(minHashFromBytes(new Uint8Array(length))).toBeUndefined()
  for (const length of [0, 8, 17, 2 ** 17])
    expect(hyperLogLogFromBytes(new Uint8Array(length))).toBeUndefined()
  expect(hyperLogLogFromBytes(new Uint8Array(16).fill(34))).toBeUndefined()
  expect(hyperLogLogFromBytes(new Uint8Array(16).fill(33))).toBeDefined()
  for (const first of [0, 31]) expect(bloomFromBytes(new Uint8Array(20).fill(first))).toBeUndefined()
  expect(bloomFromBytes(new Uint8Array(8).fill(1))).toBeUndefined()
  expect(bloomFromBytes(new Uint8Array(9).fill(1))).toBeDefined()
})

test('any bytes give a sketch or nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      for (const read of [minHashFromBytes, hyperLogLogFromBytes, bloomFromBytes])
        expect(() => read(bytes)).not.toThrow()
    }),
  )
})
