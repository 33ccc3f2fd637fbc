import { describe, expect, test } from 'vitest'
import {
  type Backend,
  derivePoolKey,
  encodeHex,
  hpkeIdentity,
  hpkeRecipient,
  openBytes,
  openRange,
  openStream,
  seal,
  sealBytes,
  sha256Digest,
  walletIdentity,
  walletRecipient,
} from '../index.js'
import {
  bytesOf,
  context,
  pool,
  recipients,
  repeatable,
  scope,
  sealedOf,
  through,
} from '../testing/sealed-fixture.js'

const suites = ['aes-256-gcm', 'xchacha20-poly1305'] as const
const backends: readonly Backend[] = ['native', 'pure', 'auto']

describe('in a browser', () => {
  test('is a secure context with native X25519, so that the native path is really taken', async () => {
    expect(globalThis.isSecureContext).toBe(true)
    const pair = await crypto.subtle.generateKey('X25519', false, ['deriveBits'])
    expect('publicKey' in pair).toBe(true)
  })

  test('a file is sealed with the platform’s randomness and opened by both recipients', async () => {
    const key = derivePoolKey({ root: new Uint8Array(32).fill(3), ...scope })
    const wallet = walletIdentity({ signature: `0x${'11'.repeat(64)}1b`, address: scope.pool })
    const plaintext = bytesOf(200_000)
    const sealed = await sealBytes(plaintext, {
      recipients: [hpkeRecipient(key), walletRecipient(wallet)],
      context: { ...scope, mediaType: 'text/csv' },
    })
    for (const identity of [hpkeIdentity(key), wallet]) {
      const opened = await openBytes(sealed, { identities: [identity], expect: scope })
      expect(encodeHex(opened.plaintext)).toBe(encodeHex(plaintext))
    }
  })

  test.each(suites)(
    '%s gives the same bytes natively and in JavaScript, and the same as Node',
    async (suite) => {
      for (const length of [0, 1, 63, 64, 65, 200]) {
        const native = await sealedOf(length, { suite, backend: 'native' })
        expect(encodeHex(await sealedOf(length, { suite, backend: 'pure' }))).toBe(encodeHex(native))
        for (const backend of backends) {
          const opened = await openBytes(native, { identities: [pool], backend })
          expect(encodeHex(opened.plaintext)).toBe(encodeHex(bytesOf(length)))
        }
      }
      if (suite === 'aes-256-gcm') {
        expect(sha256Digest(await sealedOf(200, { suite }))).toBe(
          'sha256:a5a1d076e4bfe0d4e171bb6a18f0eb3d663bb54e6cf64580815c5b27f2e2b4bf',
        )
      }
    },
  )

  test('streams and ranges agree with whole files', async () => {
    const sealed = await sealedOf(300)
    const streamed = await through(
      seal({ recipients, context, random: repeatable(), chunkSize: 64 }),
      bytesOf(300),
      7,
    )
    expect(encodeHex(streamed)).toBe(encodeHex(sealed))
    expect(encodeHex(await through(openStream({ identities: [pool] }), sealed, 11))).toBe(
      encodeHex(bytesOf(300)),
    )
    const source = {
      size: sealed.length,
      read: (at: number, length: number) => sealed.slice(at, at + length),
    }
    const part = await openRange({ source, identities: [pool], start: 100, end: 150 })
    expect(encodeHex(part.plaintext)).toBe(encodeHex(bytesOf(300).slice(100, 150)))
  })

  test('the promise of the context rejects when the reader cancels, the writer aborts or the source fails', async () => {
    const reason = new Error('gone')
    const cancelled = openStream({ identities: [pool] })
    await cancelled.readable.cancel(reason)
    await expect(cancelled.context).rejects.toBe(reason)
    const aborted = openStream({ identities: [pool] })
    await aborted.writable.abort(reason)
    await expect(aborted.context).rejects.toBe(reason)
    const failed = openStream({ identities: [pool] })
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(reason)
      },
    })
    await expect(source.pipeTo(failed.writable)).rejects.toBe(reason)
    await expect(failed.context).rejects.toBe(reason)
  })

  test.each(backends)('a changed file is refused with the same code (%s)', async (backend) => {
    const sealed = await sealedOf(100)
    const changed = sealed.slice()
    changed[sealed.length - 1] = (sealed[sealed.length - 1] ?? 0) ^ 1
    await expect(openBytes(changed, { identities: [pool], backend })).rejects.toMatchObject({
      code: 'CHUNK_REFUSED',
    })
  })
})
