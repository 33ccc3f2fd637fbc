import { secp256k1, secp256k1_FROST, secp256k1_hasher } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeHex } from '../encoding/hex.js'
import { runSession, seededRandom, testMembers, testSession } from '../testing/committee.js'
import { secondGenerator } from './group.js'
import {
  combinePartialDecryptions,
  decryptPartially,
  envelopeOverhead,
  sealEnvelope,
  type ThresholdKey,
  type ThresholdShare,
  verifyPartialDecryption,
} from './index.js'
import { lagrangeAtZero } from './polynomial.js'

const random = seededRandom('threshold test')
const text = (value: string) => new TextEncoder().encode(value)
const label = text('pool 7, policy 3, epoch 1')

/** The secret of a key, which nobody may put together outside a test. */
function secretOf(shares: readonly ThresholdShare[]): bigint {
  const weights = lagrangeAtZero(shares.map(({ index }) => index))
  const { ORDER } = secp256k1.Point.Fn
  return shares.reduce((sum, share, place) => {
    return (sum + BigInt(encodeHex(share.secret)) * (weights[place] ?? 0n)) % ORDER
  }, 0n)
}
const publicOf = (secret: bigint) => encodeHex(secp256k1.Point.BASE.multiply(secret).toBytes(true))

/** Opens an envelope by the shares of some members. */
function open(key: ThresholdKey, shares: readonly ThresholdShare[], envelope: Uint8Array): Uint8Array {
  const partials = shares.map((share) => decryptPartially({ share, envelope, label, random }))
  return combinePartialDecryptions({ key, envelope, label, partials }).plaintext
}

describe('a key of n members of whom t open', () => {
  it('has the secret that any t shares interpolate to, and t - 1 shares lead elsewhere', () => {
    const sizes = fc
      .integer({ min: 2, max: 6 })
      .chain((n) => fc.tuple(fc.integer({ min: 2, max: n }), fc.constant(n)))
    fc.assert(
      fc.property(sizes, fc.infiniteStream(fc.nat()), ([threshold, count], picks) => {
        const members = testMembers(`${threshold} of ${count}`, count)
        const { key, shares } = runSession(members, testSession(members, threshold))
        const order = [...shares].sort(() => ((picks.next().value ?? 0) % 2 === 0 ? 1 : -1))
        expect(publicOf(secretOf(order.slice(0, threshold)))).toBe(key.publicKey)
        expect(publicOf(secretOf(order.slice(0, threshold - 1)))).not.toBe(key.publicKey)
        for (const share of shares) {
          expect(publicOf(BigInt(encodeHex(share.secret)))).toBe(
            key.members[share.index - 1]?.verificationKey,
          )
        }
      }),
      { numRuns: 12 },
    )
  }, 60_000)

  it('is the key that noble’s FROST combines from the same shares', () => {
    const members = testMembers('differential', 5)
    const { key, shares } = runSession(members, testSession(members, 3))
    const theirs = shares.slice(1, 4).map(({ index, secret }) => ({
      identifier: secp256k1_FROST.Identifier.fromNumber(index),
      signingShare: secret,
    }))
    const secret = secp256k1_FROST.combineSecret(theirs, { min: 3, max: 5 })
    expect(encodeHex(secp256k1.getPublicKey(secret, true))).toBe(key.publicKey)
  })

  it('opens an envelope with any t of its members, in any order', () => {
    const members = testMembers('open', 4)
    const { key, shares } = runSession(members, testSession(members, 3))
    const envelope = sealEnvelope({ publicKey: key.publicKey, label, plaintext: text('file key'), random })
    expect(envelope).toHaveLength(8 + envelopeOverhead)
    const subsets = [
      [0, 1, 2],
      [3, 1, 0],
      [2, 3, 1],
      [0, 1, 2, 3],
    ]
    for (const subset of subsets) {
      const chosen = subset.map((place) => shares[place] as ThresholdShare)
      expect(open(key, chosen, envelope)).toEqual(text('file key'))
    }
  })

  it('opens nothing with t - 1 members, nor with one member’s part twice', () => {
    const members = testMembers('open', 4)
    const { key, shares } = runSession(members, testSession(members, 3))
    const envelope = sealEnvelope({ publicKey: key.publicKey, label, plaintext: text('file key'), random })
    const two = shares.slice(0, 2)
    expect(() => open(key, two, envelope)).toThrow(expect.objectContaining({ code: 'SHARES_MISSING' }))
    expect(() => open(key, [...two, ...two], envelope)).toThrow(
      expect.objectContaining({ code: 'SHARES_MISSING' }),
    )
  })

  it('passes on to other members and another threshold, and old envelopes open with the new shares alone', () => {
    const old = testMembers('old', 3)
    const first = runSession(old, testSession(old, 2))
    const envelope = sealEnvelope({ publicKey: first.key.publicKey, label, plaintext: text('kept'), random })
    const next = testMembers('next', 5)
    const second = runSession(next, testSession(next, 4, { previous: first.key }), {
      members: old,
      shares: first.shares,
    })
    expect(second.key.publicKey).toBe(first.key.publicKey)
    expect(second.key.session).not.toBe(first.key.session)
    expect(open(second.key, second.shares.slice(1), envelope)).toEqual(text('kept'))
    const [outdated] = first.shares as [ThresholdShare]
    const mixed = [...second.shares.slice(0, 3), outdated].map((share) =>
      decryptPartially({ share, envelope, label, random }),
    )
    expect(() => combinePartialDecryptions({ key: second.key, envelope, label, partials: mixed })).toThrow(
      expect.objectContaining({
        code: 'SHARES_MISSING',
        message: expect.stringContaining('wrong at the places 3'),
      }),
    )
    expect(publicOf(secretOf([...second.shares.slice(0, 3), { ...outdated, index: 5 }]))).not.toBe(
      first.key.publicKey,
    )
  })

  it('is refreshed to the same members: new shares, same public key, old and new shares do not mix', () => {
    const members = testMembers('refresh', 3)
    const first = runSession(members, testSession(members, 2))
    const session = testSession(members, 2, { previous: first.key })
    const second = runSession(members, session, { members, shares: first.shares })
    expect(second.key.publicKey).toBe(first.key.publicKey)
    second.shares.forEach((share, place) => {
      expect(share.secret).not.toEqual(first.shares[place]?.secret)
    })
    const [oldShare] = first.shares as [ThresholdShare]
    expect(publicOf(secretOf([oldShare, ...second.shares.slice(1, 2)]))).not.toBe(first.key.publicKey)
  })

  it('tells an honest part from a wrong one', () => {
    const members = testMembers('parts', 3)
    const { key, shares } = runSession(members, testSession(members, 2))
    const envelope = sealEnvelope({ publicKey: key.publicKey, label, plaintext: text('x'), random })
    const parts = shares.map((share) => decryptPartially({ share, envelope, label, random }))
    const [one, two] = parts as [(typeof parts)[0], (typeof parts)[0]]
    const judge = (partial: unknown) => verifyPartialDecryption({ key, envelope, label, partial })
    expect(parts.map(judge)).toEqual([true, true, true])
    const flipped = `${one.proof.slice(0, -1)}${one.proof.endsWith('0') ? '1' : '0'}`
    for (const wrong of [
      { ...one, member: 2 },
      { ...one, point: two.point },
      { ...one, proof: flipped },
      { ...one, proof: two.proof },
      { ...one, member: 4 },
      { ...one, more: 1 },
      null,
      7,
    ]) {
      expect(judge(wrong)).toBe(false)
    }
    const other = sealEnvelope({ publicKey: key.publicKey, label, plaintext: text('x'), random })
    expect(verifyPartialDecryption({ key, envelope: other, label, partial: one })).toBe(false)
    const combined = combinePartialDecryptions({
      key,
      envelope,
      label,
      partials: [{ ...one, point: two.point }, ...parts.slice(1)],
    })
    expect(combined).toEqual({ plaintext: text('x'), wrong: [0] })
  })
})

it('has a second generator that is a text hashed to the curve, so that nobody knows its logarithm', () => {
  const hashed = secp256k1_hasher.hashToCurve(text('second generator'), {
    DST: 'sealpool/threshold/1/secp256k1_XMD:SHA-256_SSWU_RO_',
  })
  expect(secondGenerator().toAffine()).toEqual(hashed.toAffine())
})
