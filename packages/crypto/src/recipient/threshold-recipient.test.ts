import { describe, expect, test } from 'vitest'
import { sha256Digest } from '../digest/digest.js'
import { equalBytes } from '../encoding/bytes.js'
import { parseHeader } from '../sealed-file/header.js'
import { openBytes } from '../sealed-file/open.js'
import { sealBytes, sealedSize } from '../sealed-file/seal.js'
import {
  bytesOf,
  codeOf,
  context,
  pool,
  recipients,
  repeatable,
  withHeader,
} from '../testing/sealed-fixture.js'
import { thresholdIdentity, thresholdRecipient } from './threshold-recipient.js'

// A simulation of a scheme, not a secure one: it shows that framing and binding work.
const label = { scheme: 'simulated/1', keyId: 'committee-7' }
const mask = (fileKey: Uint8Array) => fileKey.map((byte) => byte ^ 0x5a)
const seen: string[] = []
const recipient = thresholdRecipient({
  ...label,
  envelopeLength: 64,
  wrap({ fileKey, context: bound }) {
    seen.push(sha256Digest(bound))
    const envelope = new Uint8Array(64)
    envelope.set(mask(fileKey))
    envelope.set(Buffer.from(sha256Digest(bound).slice(7), 'hex'), 32)
    return envelope
  },
})
const identity = thresholdIdentity({
  ...label,
  unwrap({ envelope, context: bound }) {
    const digest = Buffer.from(sha256Digest(bound).slice(7), 'hex')
    return equalBytes(envelope.slice(32), digest) ? mask(envelope.slice(0, 32)) : undefined
  },
})
const sealing = { recipients: [...recipients, recipient], context, chunkSize: 64 }
const seal = (seed = 1) => sealBytes(bytesOf(100), { ...sealing, random: repeatable(seed) })

describe('a threshold recipient', () => {
  const request = { binding: bytesOf(32), context, random: repeatable(), backend: 'auto' } as const
  const fileKey = bytesOf(32)

  test('is made of plain options with a function', async () => {
    for (const wrap of [undefined, null, {}, 'wrap']) {
      const options = { ...label, envelopeLength: 64, wrap } as never
      expect(await codeOf(() => thresholdRecipient(options))).toBe('RECIPIENT_INVALID')
    }
    for (const none of [undefined, null, 5, Object.create(label)]) {
      expect(await codeOf(() => thresholdRecipient(none))).toBe('OPTION_INVALID')
      expect(await codeOf(() => thresholdIdentity(none))).toBe('OPTION_INVALID')
    }
  })

  test('lends its scheme a copy of a whole file key, and wipes that', async () => {
    const lent: Uint8Array[] = []
    const lending = thresholdRecipient({
      ...label,
      envelopeLength: 1,
      wrap({ fileKey: given }) {
        lent.push(given)
        expect(given).toEqual(fileKey)
        return new Uint8Array(1)
      },
    })
    const own = fileKey.slice()
    await lending.wrap({ ...request, fileKey: own })
    expect(own).toEqual(fileKey)
    expect(lent).toEqual([new Uint8Array(32)])
    for (const wrong of [bytesOf(31), bytesOf(33), new Uint8Array(), 'x'.repeat(32)]) {
      expect(await codeOf(() => lending.wrap({ ...request, fileKey: wrong as never }))).toBe('KEY_INVALID')
    }
    expect(lent).toHaveLength(1)
  })

  test('gives its scheme a source that is checked, and a context that names scheme and key', async () => {
    const bound = new Set<string>()
    const of = (change: object) =>
      thresholdRecipient({
        ...label,
        ...change,
        envelopeLength: 8,
        wrap({ context: given, random }) {
          bound.add(sha256Digest(given))
          return random(8)
        },
      })
    for (const change of [{}, { scheme: 'simulated/2' }, { keyId: 'committee-8' }]) {
      await of(change).wrap({ ...request, fileKey })
    }
    expect(bound.size).toBe(3)
    const random = () => new Uint8Array(7)
    expect(await codeOf(() => of({}).wrap({ ...request, fileKey, random }))).toBe('RANDOM_INVALID')
  })
})

describe('a threshold stanza', () => {
  test('opens through the functions that the caller gave, and is counted in the size', async () => {
    const sealed = await seal()
    expect(sealed.length).toBe(sealedSize(100, sealing))
    expect((await openBytes(sealed, { identities: [identity] })).plaintext).toEqual(bytesOf(100))
    expect((await openBytes(sealed, { identities: [pool] })).plaintext).toEqual(bytesOf(100))
  })

  test('is bound to the file: each file has its own context, and a moved envelope does not open', async () => {
    seen.length = 0
    const [one, two] = [await seal(1), await seal(2)]
    expect(new Set(seen).size).toBe(2)
    const foreign = parseHeader(two).recipients.at(-1)
    const moved = withHeader(one, (header) => ({
      ...header,
      recipients: [...parseHeader(one).recipients.slice(0, -1), foreign ?? {}],
    }))
    expect(await codeOf(() => openBytes(moved, { identities: [identity] }))).toBe('WRAP_REFUSED')
  })

  test('of another scheme or committee is not ours', async () => {
    const sealed = await seal()
    for (const change of [{ scheme: 'simulated/2' }, { keyId: 'committee-8' }]) {
      const other = thresholdIdentity({ ...label, ...change, unwrap: () => new Uint8Array(32) })
      expect(await codeOf(() => openBytes(sealed, { identities: [other] }))).toBe('NO_MATCHING_IDENTITY')
    }
  })

  test('that gives a wrong file key, or none of 32 bytes, opens nothing', async () => {
    const sealed = await seal()
    const giving = (fileKey: Uint8Array) => thresholdIdentity({ ...label, unwrap: () => fileKey })
    expect(await codeOf(() => openBytes(sealed, { identities: [giving(new Uint8Array(32))] }))).toBe(
      'HEADER_REFUSED',
    )
    expect(await codeOf(() => openBytes(sealed, { identities: [giving(new Uint8Array(31))] }))).toBe(
      'WRAP_REFUSED',
    )
  })

  test.each([
    ['scheme', { scheme: 'Not Allowed' }],
    ['scheme', { scheme: ['tdh2'] as unknown as string }],
    ['keyId', { keyId: 'with blank' }],
    ['envelopeLength', { envelopeLength: 0 }],
    ['envelopeLength', { envelopeLength: 65_537 }],
    ['envelopeLength', { envelopeLength: 1.5 }],
  ])('with a bad %s is refused', async (place, change) => {
    const make = () =>
      thresholdRecipient({ ...label, envelopeLength: 64, wrap: () => new Uint8Array(64), ...change })
    expect(make).toThrow(expect.objectContaining({ code: 'RECIPIENT_INVALID', place }))
  })

  test('whose scheme gives an envelope of another length is refused', async () => {
    const short = thresholdRecipient({ ...label, envelopeLength: 64, wrap: () => new Uint8Array(63) })
    const sealed = () => sealBytes(bytesOf(1), { ...sealing, recipients: [short], random: repeatable() })
    expect(await codeOf(sealed)).toBe('RECIPIENT_INVALID')
    const list = thresholdRecipient({
      ...label,
      envelopeLength: 64,
      wrap: () => new Array(64).fill(1) as never,
    })
    const listed = () => sealBytes(bytesOf(1), { ...sealing, recipients: [list], random: repeatable() })
    await expect(listed()).rejects.toMatchObject({ code: 'RECIPIENT_INVALID', place: 'wrap' })
  })

  test.each([
    ['no envelope', { envelope: undefined }],
    ['an empty envelope', { envelope: '' }],
    ['an envelope that is no base64url', { envelope: 'A' }],
    ['a scheme in capitals', { scheme: 'TDH2' }],
    ['a field too many', { more: 1 }],
    ['a key id with a blank', { keyId: 'a b' }],
  ])('with %s makes the header invalid', async (_name, change) => {
    const sealed = await seal()
    const changed = withHeader(sealed, (header) => {
      const stanzas = parseHeader(sealed).recipients
      const last = Object.fromEntries(
        Object.entries({ ...stanzas.at(-1), ...change }).filter(([, value]) => value !== undefined),
      )
      return { ...header, recipients: [...stanzas.slice(0, -1), last] as never }
    })
    expect(await codeOf(() => openBytes(changed, { identities: [pool] }))).toBe('HEADER_INVALID')
  })
})
