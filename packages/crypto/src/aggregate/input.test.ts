import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../canonical-json/canonicalize.js'
import { sha256Digest } from '../digest/digest.js'
import { decodeHex, encodeHex, type Hex } from '../encoding/hex.js'
import { type SignedStatement, signStatement } from '../statement/statement.js'
import {
  define,
  inputs,
  inputsFor,
  key,
  people,
  random,
  resign,
  sum,
  values,
} from '../testing/aggregate-question.js'
import { testMembers } from '../testing/committee.js'
import { generator, pointBytes } from '../threshold/group.js'
import { type AggregateDefinition, combineInputs, encryptInput } from './index.js'

describe('an input', () => {
  const [input] = inputs as [SignedStatement]
  const [signingKey, otherKey] = people as [Uint8Array, Uint8Array]
  const refusedFor = (value: unknown, definition: AggregateDefinition = sum): string => {
    const rest = definition === sum ? inputs.slice(1) : inputsFor(definition, [0, 0, 0, 0]).slice(1)
    return combineInputs(definition, [...rest, value])
      .refused.map(({ reason }) => reason)
      .join()
  }

  it('with any bit of a ciphertext or proof flipped is refused', () => {
    const bits = input.statement.body['bits'] as Hex[]
    const [first] = bits as [Hex]
    for (let place = 0; place < 294; place += 7) {
      const bytes = decodeHex(first)
      bytes[place] = (bytes[place] ?? 0) ^ (1 << (place % 8))
      const changed = resign(input, signingKey, {
        ...input.statement.body,
        bits: [encodeHex(bytes), ...bits.slice(1)],
      })
      expect(refusedFor(changed), `byte ${place}`).toContain('not proven to be 0 or 1')
    }
  })

  const changes: readonly (readonly [string, (body: JsonObject) => JsonObject, string])[] = [
    [
      'bits in another order',
      (body) => ({ ...body, bits: [...(body['bits'] as Hex[])].reverse() }),
      'not proven',
    ],
    ['a bit too few', (body) => ({ ...body, bits: (body['bits'] as Hex[]).slice(1) }), 'items'],
    ['a proof it does not need', (body) => ({ ...body, one: `0x${'00'.repeat(64)}` }), 'no such proof'],
    ['a field too many', (body) => ({ ...body, more: 1 }), 'exactly the fields'],
    [
      'a bit of no length',
      (body) => ({ ...body, bits: (body['bits'] as Hex[]).map(() => '0x') }),
      'expected 294 bytes',
    ],
  ]
  it.each(changes)('with %s is refused', (_, change, reason) => {
    expect(refusedFor(resign(input, signingKey, change(input.statement.body)))).toContain(reason)
  })

  it('copied by somebody else is refused, under the old name and under the own', () => {
    expect(refusedFor(resign(input, otherKey, input.statement.body))).toContain('signed by somebody else')
    const strangers = testMembers('copyist', 1)[0]?.signingKey as Uint8Array
    const renamed =
      encryptInput({ key, definition: sum, value: 0, signingKey: strangers, random }).statement.body[
        'contributor'
      ] ?? null
    expect(refusedFor(resign(input, strangers, { ...input.statement.body, contributor: renamed }))).toContain(
      'not proven',
    )
  })

  it('under a signature that its signer never gave is refused', () => {
    const forged = signStatement({ ...input, privateKey: otherKey })
    expect(refusedFor({ ...forged, signer: input.signer })).toContain('not its signer’s')
    expect(refusedFor({ ...input, signature: forged.signature })).toContain('not its signer’s')
  })

  it('that is another kind of statement, or of another version, is refused however well it is signed', () => {
    for (const other of [{ type: 'sealpool/aggregate-claim' }, { version: 2 }]) {
      const statement = { ...input.statement, ...other }
      expect(refusedFor(signStatement({ ...input, statement, privateKey: signingKey }))).toContain(
        'expected sealpool/aggregate-input, version 1',
      )
    }
  })

  it('that claims facts for a contract is refused', () => {
    const context = { ...input.context, facts: [{ type: 'uint256' as const, value: '1' }] }
    expect(refusedFor(signStatement({ ...input, context, privateKey: signingKey }))).toContain(
      'another question',
    )
  })

  it('to another question, pool or chain is refused', () => {
    for (const change of [
      { chainId: 1 },
      { pool: `0x${'33'.repeat(20)}` as Hex },
      { question: sha256Digest(new Uint8Array()) },
    ]) {
      const other = define(sum.measure, change)
      const [foreign] = inputsFor(other, [1]) as [SignedStatement]
      expect(refusedFor(foreign)).toContain('another question')
      const moved = signStatement({ ...foreign, context: input.context, privateKey: signingKey })
      expect(refusedFor(moved)).toContain('not proven')
    }
  })

  it('of a histogram that names no bin or two is refused, although each bit is proven', () => {
    const histogram = define({ kind: 'histogram', bins: 3 })
    const [vote, other] = inputsFor(histogram, [0, 1]) as [SignedStatement, SignedStatement]
    expect(
      refusedFor(
        resign(vote, signingKey, { ...vote.statement.body, one: other.statement.body['one'] ?? null }),
        histogram,
      ),
    ).toContain('exactly one bin')
    const again = encryptInput({ key, definition: histogram, value: 1, signingKey, random })
    const mixed = [
      (vote.statement.body['bits'] as Hex[])[0],
      ...(again.statement.body['bits'] as Hex[]).slice(1),
    ] as Hex[]
    expect(
      refusedFor(resign(vote, signingKey, { ...vote.statement.body, bits: mixed }), histogram),
    ).toContain('exactly one bin')
  })

  it('is made for the committee that the contributor knows alone, whatever point the question names', () => {
    const own = pointBytes(generator().multiply(7n))
    for (const [name, value] of [
      ['publicKey', encodeHex(own)],
      ['session', sha256Digest(own)],
      ['chainId', 1],
      ['registry', `0x${'ab'.repeat(20)}`],
      ['pool', `0x${'ab'.repeat(20)}`],
    ] as const) {
      const definition = define(sum.measure, { [name]: value })
      expect(() => encryptInput({ key, definition, value: 4, signingKey, random })).toThrow(
        expect.objectContaining({ code: 'AGGREGATE_INVALID', place: `$.${name}` }),
      )
    }
    const missing = undefined as never
    expect(() => encryptInput({ key: missing, definition: sum, value: 4, signingKey, random })).toThrow(
      expect.objectContaining({ code: 'SESSION_INVALID' }),
    )
  })

  it('of a value out of bounds is not made, and the error does not tell the value', () => {
    for (const value of [-4, 11, 0.5, Number.NaN, 123_456_789]) {
      const attempt = () => encryptInput({ key, definition: sum, value, signingKey, random })
      expect(attempt).toThrow(expect.objectContaining({ code: 'AGGREGATE_INVALID', place: 'value' }))
      expect(attempt).not.toThrow(/123456789/)
    }
  })

  it('tells nothing when the source of random bytes repeats itself: no two of its points are the same', () => {
    const constant = (length: number) => new Uint8Array(length).fill(7)
    const { bits } = encryptInput({ key, definition: sum, value: 4, signingKey, random: constant }).statement
      .body as { bits: Hex[] }
    const points = bits.flatMap((bit) => [bit.slice(2, 68), bit.slice(68, 134)])
    expect(new Set(points).size).toBe(points.length)
  })

  it('is another each time, also of the same value', () => {
    const [again] = inputsFor(sum, values) as [SignedStatement]
    expect(again.statement.body['bits']).not.toEqual(input.statement.body['bits'])
  })
})
