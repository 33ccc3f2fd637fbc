import { describe, expect, it } from 'vitest'
import { concatBytes } from '../encoding/bytes.js'
import { runSession, seededRandom, testMembers, testSession } from '../testing/committee.js'
import { proveDiscreteLog } from './discrete-log-proof.js'
import { checkEnvelope, envelopeOverhead, maximumEnvelopeContent, sealEnvelope } from './envelope.js'
import { generator, hashParts, pointBytes, secondGenerator } from './group.js'
import { combinePartialDecryptions, decryptPartially, verifyPartialDecryption } from './partial-decryption.js'
import { knownPoint, parseThresholdKey, parseThresholdSession, thresholdSessionDigest } from './session.js'

const random = seededRandom('envelope')
const members = testMembers('envelope', 3)
const { key, shares } = runSession(members, testSession(members, 2))
const label = new Uint8Array([1, 2, 3])
const plaintext = new Uint8Array(32).fill(7)
const envelope = sealEnvelope({ publicKey: key.publicKey, label, plaintext, random })
const refused = expect.objectContaining({ code: 'ENVELOPE_REFUSED' })
const check = (bytes: Uint8Array, options: object = {}) =>
  checkEnvelope({ publicKey: key.publicKey, label, envelope: bytes, ...options })

describe('an envelope', () => {
  it('differs in every byte that matters from one sealing to the next, and never shows what is in it', () => {
    const again = sealEnvelope({ publicKey: key.publicKey, label, plaintext, random })
    expect(again.slice(0, 33)).not.toEqual(envelope.slice(0, 33))
    expect(again.slice(130)).not.toEqual(envelope.slice(130))
    expect(again).toHaveLength(envelopeOverhead + plaintext.length)
    expect(Buffer.from(envelope).includes(Buffer.from(plaintext))).toBe(false)
  })

  it('is bytes: nothing else of its length is one', () => {
    for (const wrong of [null, 'x'.repeat(envelope.length), [...envelope], { length: envelope.length }]) {
      expect(() => check(wrong as never)).toThrow(refused)
    }
  })

  it('shares no point and no key with another of other content, though the source of random bytes repeats itself', () => {
    const constant = (length: number) => new Uint8Array(length).fill(7)
    const seal = (content: Uint8Array, more: object = {}) =>
      sealEnvelope({ publicKey: key.publicKey, label, plaintext: content, random: constant, ...more })
    const one = seal(plaintext)
    for (const other of [
      seal(new Uint8Array(32).fill(8)),
      seal(plaintext, { label: new Uint8Array(1) }),
      seal(plaintext, { publicKey: key.members[0]?.verificationKey }),
    ]) {
      expect(other.slice(0, 33)).not.toEqual(one.slice(0, 33))
      expect(other.slice(33, 66)).not.toEqual(one.slice(33, 66))
      expect(other.slice(130)).not.toEqual(one.slice(130))
    }
    expect(seal(plaintext)).toEqual(one)
  })

  it('has the length of some content, however rightly it is proven', () => {
    const secret = 12345n
    const [point, twin] = [generator().multiply(secret), secondGenerator().multiply(secret)]
    const publicKey = knownPoint(key.publicKey)
    const provenOf = (length: number) => {
      const ciphertext = new Uint8Array(length)
      const pairs = [
        { base: generator(), image: point },
        { base: secondGenerator(), image: twin },
      ]
      const bound = hashParts('envelope', pointBytes(publicKey), label, ciphertext)
      const proof = proveDiscreteLog({ secret, pairs, context: bound, random })
      return concatBytes(pointBytes(point), pointBytes(twin), proof, ciphertext)
    }
    for (const length of [16, 16 + maximumEnvelopeContent]) {
      expect(check(provenOf(length)).ciphertext).toHaveLength(length)
    }
    for (const length of [0, 15, 17 + maximumEnvelopeContent]) {
      expect(() => check(provenOf(length))).toThrow(refused)
    }
  })

  it('that was checked is opened as it was then', () => {
    const bytes = Buffer.from(envelope)
    const { ciphertext } = check(bytes)
    bytes.fill(0)
    expect(ciphertext).toEqual(envelope.slice(130))
  })

  it('is neither sealed nor checked with options that are none', () => {
    const invalid = expect.objectContaining({ code: 'OPTION_INVALID' })
    const sealing = { publicKey: key.publicKey, label, plaintext, random }
    const array = Array.from(plaintext)
    for (const change of [{ label: 'x' }, { label: undefined }, { plaintext: 'x' }, { plaintext: array }])
      expect(() => sealEnvelope({ ...sealing, ...change } as never)).toThrow(invalid)
    expect(() => check(envelope, { label: undefined })).toThrow(invalid)
    for (const options of [null, undefined, 5])
      expect(() => verifyPartialDecryption(options as never)).toThrow(invalid)
  })

  it('is refused by everybody when any one bit of it is flipped', () => {
    for (let place = 0; place < envelope.length; place++) {
      const altered = envelope.slice()
      altered[place] = (altered[place] ?? 0) ^ (1 << (place % 8))
      expect(() => check(altered), `byte ${place}`).toThrow(refused)
    }
  })

  it('is refused when it is cut, lengthened or of another type', () => {
    for (let length = 0; length < envelope.length; length += 7)
      expect(() => check(envelope.slice(0, length))).toThrow(refused)
    expect(() => check(concatBytes(envelope, new Uint8Array(1)))).toThrow(refused)
    expect(() => check(new Uint8Array(envelopeOverhead + maximumEnvelopeContent + 1))).toThrow(refused)
    expect(() => check('0x00' as unknown as Uint8Array)).toThrow(refused)
  })

  it('is refused under another label or another key, before a member gives anything away', () => {
    const other = runSession(testMembers('other', 3), testSession(testMembers('other', 3), 2))
    expect(() => check(envelope, { label: new Uint8Array([1, 2, 4]) })).toThrow(refused)
    expect(() => check(envelope, { publicKey: other.key.publicKey })).toThrow(refused)
    const [share] = shares as [(typeof shares)[0]]
    expect(() => decryptPartially({ share, envelope, label: new Uint8Array(), random })).toThrow(refused)
    expect(() => combinePartialDecryptions({ key: other.key, envelope, label, partials: [] })).toThrow(
      refused,
    )
  })

  it('whose two points have different logarithms is refused, although each is a point (the check of TDH2)', () => {
    const secret = 5n
    const point = generator().multiply(secret)
    const twin = secondGenerator().multiply(6n)
    const ciphertext = envelope.slice(130)
    const context = hashParts('envelope', pointBytes(knownPoint(key.publicKey)), label, ciphertext)
    const pairs = [
      { base: generator(), image: point },
      { base: secondGenerator(), image: twin },
    ]
    const proof = proveDiscreteLog({ secret, pairs, context, random })
    expect(() => check(concatBytes(pointBytes(point), pointBytes(twin), proof, ciphertext))).toThrow(refused)
  })

  it('made well around a ciphertext of something else is said to be its maker’s doing', () => {
    const secret = 5n
    const point = generator().multiply(secret)
    const twin = secondGenerator().multiply(secret)
    const ciphertext = new Uint8Array(48)
    const context = hashParts('envelope', pointBytes(knownPoint(key.publicKey)), label, ciphertext)
    const pairs = [
      { base: generator(), image: point },
      { base: secondGenerator(), image: twin },
    ]
    const proof = proveDiscreteLog({ secret, pairs, context, random })
    const bad = concatBytes(pointBytes(point), pointBytes(twin), proof, ciphertext)
    const partials = shares.map((share) => decryptPartially({ share, envelope: bad, label, random }))
    expect(() => combinePartialDecryptions({ key, envelope: bad, label, partials })).toThrow(
      expect.objectContaining({ code: 'ENVELOPE_REFUSED', message: expect.stringContaining('its maker') }),
    )
  })

  it('takes 65,536 bytes and no more, and only a point as its key', () => {
    const seal = (length: number, publicKey: string = key.publicKey) =>
      sealEnvelope({
        publicKey: publicKey as `0x${string}`,
        label,
        plaintext: new Uint8Array(length),
        random,
      })
    expect(seal(0)).toHaveLength(envelopeOverhead)
    expect(seal(maximumEnvelopeContent)).toHaveLength(envelopeOverhead + maximumEnvelopeContent)
    expect(() => seal(maximumEnvelopeContent + 1)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
    for (const wrong of [
      '0x',
      `0x02${'ff'.repeat(32)}`,
      `0x00${'00'.repeat(32)}`,
      key.publicKey.toUpperCase(),
    ]) {
      expect(() => seal(1, wrong)).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }))
    }
  })

  it('is opened in part only with the share of that member', () => {
    const [one, two] = shares as [(typeof shares)[0], (typeof shares)[0]]
    for (const share of [
      { ...one, index: 2 },
      { ...one, secret: two.secret },
      { ...one, index: 9 },
    ]) {
      expect(() => decryptPartially({ share, envelope, label, random })).toThrow(
        expect.objectContaining({ code: 'SHARE_INVALID' }),
      )
    }
    expect(() =>
      decryptPartially({ share: { ...one, secret: new Uint8Array(32) }, envelope, label, random }),
    ).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }))
  })
})

describe('sessions and keys of unknown origin', () => {
  const session = testSession(members, 2, { previous: key })
  type Json = Parameters<typeof parseThresholdSession>[0]
  const parse = (change: object) => parseThresholdSession({ ...session, ...change } as unknown as Json)
  const [one, two, three] = session.members as [
    (typeof session.members)[0],
    (typeof session.members)[0],
    (typeof session.members)[0],
  ]
  const cases: readonly (readonly [string, object])[] = [
    ['$.type', { type: 'sealpool/other' }],
    ['$.type', { version: 2 }],
    ['$.chainId', { chainId: 0 }],
    ['$.chainId', { chainId: 1.5 }],
    ['$.registry', { registry: '0x1' }],
    ['$.pool', { pool: `0x${'AB'.repeat(20)}` }],
    ['$.purpose', { purpose: 'sha256:1' }],
    ['$.threshold', { threshold: 1 }],
    ['$.threshold', { threshold: 4 }],
    ['$.members', { members: [one] }],
    ['$.members', { members: Array.from({ length: 101 }, () => one) }],
    ['$.members[1].address', { members: [one, { ...two, address: one.address }, three] }],
    ['$.members[1].encryptionKey', { members: [one, { ...two, encryptionKey: one.encryptionKey }, three] }],
    ['$.members[0].encryptionKey', { members: [{ ...one, encryptionKey: `0x02${'ff'.repeat(32)}` }, two] }],
    ['$.members[0]', { members: [{ ...one, more: 1 }, two] }],
    ['$.previous', { previous: 7 }],
    ['$.previous.session', { previous: { ...key, session: 'x' } }],
    ['$.previous.publicKey', { previous: { ...key, publicKey: '0x' } }],
    ['$.previous.threshold', { previous: { ...key, threshold: 4 } }],
    ['$.previous.type', { previous: { ...key, type: 'x' } }],
    ['$.previous.chainId', { chainId: 2 }],
    ['$.previous.registry', { registry: `0x${'23'.repeat(20)}` }],
    ['$.previous.pool', { pool: `0x${'23'.repeat(20)}` }],
    ['$.previous.chainId', { previous: { ...key, chainId: 0 } }],
    ['$.previous.registry', { previous: { ...key, registry: 'x' } }],
    [
      '$.previous.members[0].verificationKey',
      { previous: { ...key, members: key.members.map((each) => ({ ...each, verificationKey: '0x' })) } },
    ],
    ['$', { more: 1 }],
  ]
  it.each(cases)('are refused at %s for %o', (place, change) => {
    expect(() => parse(change)).toThrow(expect.objectContaining({ code: 'SESSION_INVALID', place }))
  })

  it('are read back as they were, and every field changes the digest', () => {
    expect(parse({})).toEqual(session)
    expect(parseThresholdKey(key as unknown as Json)).toEqual(key)
    const changes = [
      { chainId: 2, previous: null },
      { pool: `0x${'23'.repeat(20)}`, previous: null },
      { threshold: 3 },
      { previous: null },
      { members: [two, one, three] },
    ]
    const digests = [{}, ...changes].map((change) =>
      thresholdSessionDigest({ ...session, ...change } as typeof session),
    )
    expect(new Set(digests).size).toBe(digests.length)
  })
})
