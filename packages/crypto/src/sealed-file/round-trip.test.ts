import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { verifyCommitment } from '../commitment/salted.js'
import { sha256Digest } from '../digest/digest.js'
import { equalBytes } from '../encoding/bytes.js'
import type { Kem } from '../hpke/kem.js'
import { x25519Kem } from '../hpke/x25519-kem.js'
import { platformRandom } from '../platform.js'
import { xwingKem } from '../post-quantum/xwing-kem.js'
import { hpkeRecipient } from '../recipient/hpke-recipient.js'
import {
  bytesOf,
  codeOf,
  context,
  pool,
  poolKey,
  recipients,
  repeatable,
  scope,
  sealedOf,
  stranger,
  through,
  wallet,
} from '../testing/sealed-fixture.js'
import { parseHeader } from './header.js'
import { openBytes, openStream } from './open.js'
import { addRecipient, listRecipients } from './rewrap.js'
import { seal, sealBytes, sealedSize } from './seal.js'

const suites = ['aes-256-gcm', 'xchacha20-poly1305'] as const
const edges = [0, 1, 63, 64, 65, 127, 128, 129, 640]

describe.each(suites)('%s', (suite) => {
  test.each(edges)('opens what was sealed, for every recipient, over %i bytes', async (length) => {
    const sealed = await sealedOf(length, { suite })
    for (const identity of [pool, wallet]) {
      const opened = await openBytes(sealed, { identities: [stranger, identity], expect: context })
      expect(opened.plaintext).toEqual(bytesOf(length))
      expect(opened.context).toEqual(context)
    }
    expect(sealed.length).toBe(sealedSize(length, { recipients, context, chunkSize: 64, suite }))
  })

  test('gives the same bytes natively and in JavaScript, and each opens the other', async () => {
    for (const length of edges) {
      const native = await sealedOf(length, { suite, backend: 'native' })
      expect(await sealedOf(length, { suite, backend: 'pure' })).toEqual(native)
      for (const backend of ['native', 'pure'] as const) {
        expect((await openBytes(native, { identities: [pool], backend })).plaintext).toEqual(bytesOf(length))
      }
    }
  })

  test('streams byte by byte to the same file and back', async () => {
    for (const length of edges) {
      const options = { recipients, context, random: repeatable(), chunkSize: 64, suite }
      const sealed = await through(seal(options), bytesOf(length), 1)
      expect(sealed).toEqual(await sealedOf(length, { suite }))
      const opening = openStream({ identities: [wallet], expect: context })
      expect(await through(opening, sealed, 1)).toEqual(bytesOf(length))
      expect(await opening.context).toEqual(context)
    }
  })
})

test('any plaintext, chunk size and division into pieces goes round', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 600 }),
      fc.integer({ min: 64, max: 200 }),
      fc.integer({ min: 1, max: 700 }),
      fc.constantFrom(...suites),
      async (plaintext, chunkSize, piece, suite) => {
        const options = { recipients, context, random: platformRandom, chunkSize, suite }
        const whole = await sealBytes(plaintext, options)
        const streamed = await through(seal(options), plaintext, piece)
        expect(streamed.length).toBe(whole.length)
        expect((await openBytes(streamed, { identities: [pool] })).plaintext).toEqual(plaintext)
        expect(await through(openStream({ identities: [pool] }), whole, piece)).toEqual(plaintext)
      },
    ),
    { numRuns: 40 },
  )
})

test('the default chunk size is 256 KiB, and sizes around it go round', async () => {
  for (const length of [262_143, 262_144, 262_145, 524_288]) {
    const sealed = await sealBytes(bytesOf(length), { recipients, context, random: platformRandom })
    expect(parseHeader(sealed).chunkSize).toBe(262_144)
    const { plaintext } = await openBytes(sealed, { identities: [pool] })
    expect(equalBytes(plaintext, bytesOf(length))).toBe(true)
  }
})

test('the format stays as it is (fixed digest of a file from repeatable randomness)', async () => {
  expect(sha256Digest(await sealedOf(200))).toBe(
    'sha256:a5a1d076e4bfe0d4e171bb6a18f0eb3d663bb54e6cf64580815c5b27f2e2b4bf',
  )
})

test('every file has its own salt, keys and ciphertext', async () => {
  const [first, second] = await Promise.all(
    [1, 2].map(() => sealBytes(bytesOf(100), { recipients, context, random: platformRandom })),
  )
  if (first === undefined || second === undefined) throw new Error('two files')
  expect(parseHeader(first).salt).not.toEqual(parseHeader(second).salt)
  const tail = (file: Uint8Array) => file.slice(parseHeader(file).payloadOffset)
  expect(tail(first)).not.toEqual(tail(second))
})

test('the ciphertext does not show the plaintext', async () => {
  const marker = new TextEncoder().encode('a marker that would be seen')
  const sealed = await sealBytes(marker, { recipients, context, random: platformRandom })
  expect(Buffer.from(sealed).includes(Buffer.from(marker))).toBe(false)
})

test('without a commitment one is made that recipients can verify', async () => {
  const plaintext = bytesOf(100_000)
  const sealed = await sealBytes(plaintext, {
    recipients,
    context: { ...scope, mediaType: 'text/csv' },
    random: platformRandom,
  })
  const opened = await openBytes(sealed, { identities: [wallet] })
  const claim = { root: opened.context.commitment, bytes: opened.plaintext, salt: opened.commitmentSalt }
  expect(verifyCommitment(claim)).toBe(true)
  expect(verifyCommitment({ ...claim, bytes: plaintext.slice(1) })).toBe(false)
})

describe('sealing refuses', () => {
  const options = { recipients, context, random: platformRandom }
  const [first] = recipients
  if (first === undefined) throw new Error('a recipient')
  test.each([
    ['no recipients', { recipients: [] }, 'RECIPIENT_INVALID'],
    ['a recipient twice', { recipients: [first, first] }, 'RECIPIENT_INVALID'],
    [
      'over 10,000 recipients',
      { recipients: Array.from({ length: 10_001 }, () => first) },
      'RECIPIENT_INVALID',
    ],
    ['chunks too small', { chunkSize: 63 }, 'HEADER_INVALID'],
    ['chunks too large', { chunkSize: 4_194_305 }, 'HEADER_INVALID'],
    ['an unknown suite', { suite: 'rot13' as 'aes-256-gcm' }, 'HEADER_INVALID'],
    ['an unknown backend', { backend: 'fast' as 'pure' }, 'OPTION_INVALID'],
    ['a context with another field', { context: { ...context, note: 1 } }, 'CONTEXT_INVALID'],
    ['chain 0', { context: { ...context, chainId: 0 } }, 'CONTEXT_INVALID'],
    ['an epoch past 32 bits', { context: { ...context, epoch: 2 ** 32 } }, 'CONTEXT_INVALID'],
    ['no pool', { context: { ...context, pool: '0x00' as const } }, 'CONTEXT_INVALID'],
    ['no policy', { context: { ...context, policyDigest: 'sha256:' as const } }, 'CONTEXT_INVALID'],
    ['a malformed media type', { context: { ...context, mediaType: 'csv' } }, 'CONTEXT_INVALID'],
    ['a source that gives too little', { random: () => new Uint8Array(3) }, 'RANDOM_INVALID'],
  ])('%s', async (_name, change, code) => {
    expect(await codeOf(() => sealBytes(bytesOf(3), { ...options, ...change }))).toBe(code)
    expect(await codeOf(() => through(seal({ ...options, ...change }), bytesOf(3), 1))).toBe(code)
  })
  test('a stream without commitment, and one that carries text', async () => {
    const bare = { ...options, context: { ...scope, mediaType: 'text/csv' } as unknown as typeof context }
    expect(await codeOf(() => through(seal(bare), bytesOf(3), 1))).toBe('CONTEXT_INVALID')
    const sealing = seal(options)
    const drained = sealing.readable.pipeTo(new WritableStream()).catch(() => undefined)
    const write = sealing.writable.getWriter().write('text' as unknown as Uint8Array)
    expect(await codeOf(() => write)).toBe('OPTION_INVALID')
    await drained
  })
  test('text instead of bytes, and impossible sizes', async () => {
    expect(await codeOf(() => sealBytes('x' as unknown as Uint8Array, options))).toBe('OPTION_INVALID')
    expect(await codeOf(() => sealedSize(-1, options))).toBe('OPTION_INVALID')
    expect(await codeOf(() => sealedSize(1.5, options))).toBe('OPTION_INVALID')
  })
})

test('an address in the context may be in any letter case', async () => {
  const capitals = { ...context, pool: `0x${context.pool.slice(2).toUpperCase()}` } as const
  const sealed = await sealBytes(bytesOf(3), { recipients, context: capitals, random: platformRandom })
  const opened = await openBytes(sealed, { identities: [pool], expect: { pool: capitals.pool } })
  expect(opened.context.pool).toBe(context.pool)
})

describe('ten thousand recipients', () => {
  const many = (count: number, kem: Kem) => {
    const { publicKey } = kem.deriveKeyPair(new Uint8Array(32).fill(3))
    const one = hpkeRecipient({ publicKey, kem })
    // Stanzas of the right size; ten thousand real wraps would take ten seconds and show nothing more.
    return Array.from({ length: count }, (_, at) => {
      const keyId = `sha256:${String(at).padStart(64, '0')}`
      const template = { ...one.template, keyId }
      return { ...one, keyId, template, wrap: async () => template }
    })
  }
  const options = { context, chunkSize: 64, random: repeatable() }

  test('fit into a header over X25519, and the last of them opens the file, whole and streamed', async () => {
    const recipients = [...many(9_999, x25519Kem), hpkeRecipient(poolKey)]
    const file = await sealBytes(bytesOf(100), { ...options, recipients })
    expect(file.length).toBe(sealedSize(100, { ...options, recipients }))
    expect((await openBytes(file, { identities: [pool] })).plaintext).toEqual(bytesOf(100))
    expect(await through(openStream({ identities: [pool] }), file, 65_536)).toEqual(bytesOf(100))
    expect(listRecipients(file)).toHaveLength(10_000)
    const one = hpkeRecipient({ ...poolKey, keyId: 'one-more' })
    const added = addRecipient(file, { identities: [pool], recipient: one, random: repeatable() })
    await expect(added).rejects.toMatchObject({ code: 'RECIPIENT_INVALID' })
  })

  test('are about 2,400 over X-Wing', () => {
    const size = (count: number) => sealedSize(0, { ...options, recipients: many(count, xwingKem) })
    expect(size(2_400)).toBeLessThan(4_194_304)
    expect(() => size(2_500)).toThrow(expect.objectContaining({ code: 'HEADER_TOO_LARGE' }))
    expect(() => sealedSize(0, { ...options, recipients: many(10_001, x25519Kem) })).toThrow(
      expect.objectContaining({ code: 'RECIPIENT_INVALID' }),
    )
  })
})
