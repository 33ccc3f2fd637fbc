import { describe, expect, test } from 'vitest'
import { seededRandom } from '../testing/committee.js'
import { generator, groupOrder, scalarBytes } from '../threshold/group.js'
import { areBits, encryptBit, readBit } from './bit-proof.js'

const publicKey = generator().multiply(7n)
const context = new Uint8Array([1])
const { bytes } = encryptBit({ publicKey, bit: 1, context, random: seededRandom('bit') })
const read = (value: Uint8Array) => readBit(value, { publicKey, context })

describe('an encrypted bit of unknown origin', () => {
  test('is read when it has its form', () => {
    const claim = read(bytes)
    expect(claim !== undefined && areBits([claim], publicKey)).toBe(true)
  })

  test('is refused when it is shorter or longer', () => {
    expect(read(bytes.subarray(1))).toBeUndefined()
    expect(read(bytes.slice(0, -1))).toBeUndefined()
    expect(read(new Uint8Array([...bytes, 0]))).toBeUndefined()
  })

  test.each([198, 230, 262])('is refused when the scalar at %i is not reduced', (at) => {
    const wrong = bytes.slice()
    wrong.set(new Uint8Array(32).fill(255), at)
    expect(read(wrong)).toBeUndefined()
    const order = groupOrder()
    wrong.set(scalarBytes(order - 1n), at)
    expect(read(wrong)).toBeDefined()
    // The order itself, which is one more.
    wrong[at + 31] = (wrong[at + 31] ?? 0) + 1
    expect(read(wrong)).toBeUndefined()
  })
})
