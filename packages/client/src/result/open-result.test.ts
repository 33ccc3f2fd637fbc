import { commitResult, type ResultView } from '@sealpool/attest'
import {
  canonicalBytes,
  decodeBase64Url,
  deriveKeyPair,
  digestOf,
  hpkeRecipient,
  type JsonValue,
  sealBytes,
  sha256Digest,
} from '@sealpool/crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deployment, policy, pool } from '../testing/simulated-pool.js'
import { openResult } from './open-result.js'

const consumer = deriveKeyPair(new Uint8Array(32).fill(5))
const stranger = deriveKeyPair(new Uint8Array(32).fill(6))
const answer = { columns: ['wage'], rows: [[9.02]] }

const sealed = (plaintext: Uint8Array, publicKey = consumer.publicKey) =>
  sealBytes(plaintext, {
    recipients: [hpkeRecipient({ publicKey })],
    context: {
      chainId: deployment.chainId,
      pool,
      policyDigest: digestOf(policy),
      epoch: 1,
      mediaType: 'application/json',
    },
  })
const { privateKey } = consumer
const file = await sealed(canonicalBytes(answer))

describe('openResult', () => {
  test('gives the value, its canonical bytes and their digest', async () => {
    const digest = sha256Digest(canonicalBytes(answer))
    expect(await openResult({ sealed: file, privateKey, expectedDigest: digest })).toEqual({
      value: answer,
      bytes: canonicalBytes(answer),
      digest,
    })
    expect((await openResult({ sealed: file, privateKey })).digest).toBe(digest)
  })

  test('does not open with another key', async () => {
    await expect(openResult({ sealed: file, privateKey: stranger.privateKey })).rejects.toMatchObject({
      code: 'NO_MATCHING_IDENTITY',
    })
  })

  test('refuses a result that is not the one that was named', async () => {
    const refused = openResult({ sealed: file, privateKey, expectedDigest: digestOf('another') })
    await expect(refused).rejects.toMatchObject({ code: 'RESULT_INVALID' })
  })

  const table = { columns: [{ name: 'wage' }], rows: [[9.02], [8]], intervals: [[null], [null]] }
  const views: readonly ResultView[] = [{ kind: 'whole' }, { kind: 'count' }]
  const commitment = commitResult({ answer: table, views, salt: new Uint8Array(32).fill(8) })
  const copy = async (view: ResultView) => sealed(commitment.document(view))

  test('opens a view under the one digest of the result, and says which', async () => {
    const expectedDigest = commitment.digest
    const opened = await openResult({ sealed: await copy({ kind: 'count' }), privateKey, expectedDigest })
    expect(opened).toEqual({
      value: { count: 2 },
      view: { kind: 'count' },
      bytes: commitment.document({ kind: 'count' }),
      digest: expectedDigest,
    })
    const whole = await openResult({ sealed: await copy({ kind: 'whole' }), privateKey, expectedDigest })
    expect(whole).toMatchObject({ value: table, view: { kind: 'whole' } })
  })

  test('refuses a view of another result, and one that was changed', async () => {
    const bytes = commitment.document({ kind: 'count' })
    // What the digest of the result is of: whoever has a view knows it, and could seal it to another recipient.
    const { views: all } = JSON.parse(new TextDecoder().decode(bytes)) as { views: JsonValue }
    const allViews = canonicalBytes({ format: 'sealpool/result-views', version: 1, views: all })
    expect(sha256Digest(allViews)).toBe(commitment.digest)
    const changed = new TextEncoder().encode(
      new TextDecoder().decode(bytes).replace('"count":2', '"count":3'),
    )
    for (const [plaintext, expectedDigest] of [
      [bytes, digestOf('another')],
      [changed, commitment.digest],
      [canonicalBytes(table), commitment.digest],
      [new TextEncoder().encode('{'), commitment.digest],
      [allViews, commitment.digest],
      [allViews, undefined],
      [bytes, undefined],
    ] as const) {
      const expected = expectedDigest === undefined ? {} : { expectedDigest }
      const refused = openResult({ sealed: await sealed(plaintext), privateKey, ...expected })
      await expect(refused).rejects.toMatchObject({ name: 'ClientError', code: 'RESULT_INVALID' })
    }
  })

  test.each([
    ['spaces', '{"a": 1}'],
    ['another order', '{"b":1,"a":2}'],
    ['no JSON', 'wage: 9.02'],
    ['nothing', ''],
  ])('refuses JSON that is not canonical: %s', async (_name, text) => {
    const odd = await sealed(new TextEncoder().encode(text))
    await expect(openResult({ sealed: odd, privateKey })).rejects.toMatchObject({ code: 'RESULT_INVALID' })
  })

  test('refuses the file with any one bit changed, always with a typed error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length * 8 - 1), async (bit) => {
        const changed = file.slice()
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const error: unknown = await openResult({ sealed: changed, privateKey }).then(
          () => undefined,
          (reason: unknown) => reason,
        )
        expect(error).toMatchObject({
          code: expect.any(String) as string,
          place: expect.any(String) as string,
        })
      }),
      { numRuns: 60 },
    )
  })

  test.each([0, 1, 40])('refuses a file cut to %i bytes', async (length) => {
    await expect(openResult({ sealed: file.slice(0, length), privateKey })).rejects.toMatchObject({
      name: 'CryptoError',
    })
  })

  test('refuses a private key of another length', async () => {
    await expect(openResult({ sealed: file, privateKey: decodeBase64Url('AAAA') })).rejects.toMatchObject({
      code: 'KEY_INVALID',
    })
  })
})
