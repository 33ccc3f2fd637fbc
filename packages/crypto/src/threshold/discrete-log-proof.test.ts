import { describe, expect, it } from 'vitest'
import { concatBytes } from '../encoding/bytes.js'
import { seededRandom } from '../testing/committee.js'
import { proveDiscreteLog, verifyDiscreteLog } from './discrete-log-proof.js'
import { generator, scalarBytes } from './group.js'

const secret = 7n
const other = generator().multiply(11n)
const pairs = [
  { base: generator(), image: generator().multiply(secret) },
  { base: other, image: other.multiply(secret) },
]
const context = new Uint8Array([1, 2])
const proof = proveDiscreteLog({ secret, pairs, context, random: seededRandom('proof') })
const holds = (value: Uint8Array, more: object = {}) =>
  verifyDiscreteLog({ pairs, context, proof: value, ...more })

describe('a proof of equal discrete logarithms', () => {
  it('holds for its statement and context only', () => {
    expect(holds(proof)).toBe(true)
    expect(holds(proof, { context: new Uint8Array([1]) })).toBe(false)
    expect(holds(proof, { pairs: [...pairs].reverse() })).toBe(false)
    expect(holds(proof, { pairs: pairs.slice(0, 1) })).toBe(false)
  })

  it('has exactly 64 bytes', () => {
    expect(holds(proof.slice(0, 63))).toBe(false)
    expect(holds(concatBytes(proof, new Uint8Array(1)))).toBe(false)
    for (const value of [null, undefined, [...proof], 'x'.repeat(64)])
      expect(holds(value as unknown as Uint8Array)).toBe(false)
  })

  it('has scalars below the order of the group', () => {
    const beyond = new Uint8Array(32).fill(255)
    expect(holds(concatBytes(beyond, proof.slice(32)))).toBe(false)
    expect(holds(concatBytes(proof.slice(0, 32), beyond))).toBe(false)
  })

  it('never stands on neutral commitments: who makes them tells the secret', () => {
    expect(holds(concatBytes(scalarBytes(5n), scalarBytes(5n * secret)))).toBe(false)
  })
})
