import { describe, expect, test } from 'vitest'
import { platformRandom } from '../platform.js'
import { hpkeRecipient } from '../recipient/hpke-recipient.js'
import type { Identity, Recipient } from '../recipient/recipient.js'
import { thresholdIdentity, thresholdRecipient } from '../recipient/threshold-recipient.js'
import {
  bytesOf,
  codeOf,
  context,
  pool,
  poolKey,
  recipients,
  scope,
  sealedOf,
} from '../testing/sealed-fixture.js'
import { openBytes } from './open.js'
import { addRecipient, rewriteHeader } from './rewrap.js'
import { seal, sealBytes } from './seal.js'

// Schemes that hide nothing: what is looked at is whose the bytes are.
const label = { scheme: 'simulated/1', keyId: 'committee' }
const wrapping = (keyId: string, wrap: (fileKey: Uint8Array) => Uint8Array): Recipient =>
  thresholdRecipient({ ...label, keyId, envelopeLength: 32, wrap: ({ fileKey }) => wrap(fileKey) })
const plain = wrapping('committee', (fileKey) => fileKey.slice())
const wiping = wrapping('wiping', (fileKey) => {
  const envelope = fileKey.slice()
  fileKey.fill(0)
  return envelope
})
const reading = (keyId: string): Identity =>
  thresholdIdentity({ ...label, keyId, unwrap: ({ envelope }) => envelope })
// Whoever guesses that the file key is nothing but zeros.
const anybody = (keyId: string): Identity =>
  thresholdIdentity({ ...label, keyId, unwrap: () => new Uint8Array(32) })
const hpke = hpkeRecipient(poolKey)
const options = { context, random: platformRandom, chunkSize: 64 }
const opened = async (file: Uint8Array, identity: Identity) =>
  (await openBytes(file, { identities: [identity] })).plaintext

describe('a recipient that wipes the file key which it is given', () => {
  test.each<readonly [string, readonly Recipient[]]>([
    ['alone', [wiping]],
    ['first', [wiping, hpke]],
    ['last', [hpke, wiping]],
    ['between', [hpke, wiping, plain]],
  ])('%s, opens the file to nobody and closes it to nobody', async (_, wrapped) => {
    const file = await sealBytes(bytesOf(100), { ...options, recipients: wrapped })
    expect(await codeOf(() => opened(file, anybody('wiping')))).toBe('HEADER_REFUSED')
    expect(await opened(file, reading('wiping'))).toEqual(bytesOf(100))
    if (wrapped.includes(hpke)) expect(await opened(file, pool)).toEqual(bytesOf(100))
    if (wrapped.includes(plain)) expect(await opened(file, reading('committee'))).toEqual(bytesOf(100))
  })

  test('leaves a stream’s payload key as it is', async () => {
    const { readable, writable } = seal({ ...options, recipients: [wiping, hpke] })
    const writer = writable.getWriter()
    const written = writer.write(bytesOf(100)).then(() => writer.close())
    const file = new Uint8Array(
      await new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer(),
    )
    await written
    expect(await codeOf(() => opened(file, anybody('wiping')))).toBe('HEADER_REFUSED')
    expect(await opened(file, pool)).toEqual(bytesOf(100))
  })

  test('closes no file to which it is added', async () => {
    const file = await sealedOf(100)
    const added = await addRecipient(file, { identities: [pool], recipient: wiping, random: platformRandom })
    for (const identity of [pool, reading('wiping')])
      expect(await opened(added, identity)).toEqual(bytesOf(100))
    const source = { size: file.length, read: (at: number, length: number) => file.slice(at, at + length) }
    const { header, payloadOffset } = await rewriteHeader({
      source,
      identities: [pool],
      add: [wiping, plain],
      random: platformRandom,
    })
    const rewritten = new Uint8Array([...header, ...file.slice(payloadOffset)])
    for (const identity of [pool, reading('wiping'), reading('committee')])
      expect(await opened(rewritten, identity)).toEqual(bytesOf(100))
  })

  test('and spoils all else that it is given, spoils it for itself', async () => {
    const spoiling: Recipient = {
      ...plain,
      keyId: 'spoiling',
      template: { ...plain.template, keyId: 'spoiling' },
      async wrap(request) {
        const stanza = await plain.wrap({ ...request, fileKey: request.fileKey.slice() })
        request.binding.fill(0)
        Object.assign(request.context, { epoch: 9 })
        return { ...stanza, keyId: 'spoiling' }
      },
    }
    const file = await sealBytes(bytesOf(9), { ...options, recipients: [spoiling, ...recipients] })
    expect(await openBytes(file, { identities: [pool] })).toMatchObject({ plaintext: bytesOf(9), context })
    const added = await addRecipient(await sealedOf(9), {
      identities: [pool],
      recipient: spoiling,
      random: platformRandom,
    })
    expect(await openBytes(added, { identities: [pool] })).toMatchObject({ plaintext: bytesOf(9), context })
  })
})

test('what a recipient was given is wiped once its wrap has settled, also when it failed', async () => {
  const given: Uint8Array[] = []
  const keeping = wrapping('keeping', (fileKey) => {
    given.push(fileKey)
    return fileKey.slice()
  })
  const failing = wrapping('failing', (fileKey) => {
    given.push(fileKey)
    throw new Error('out of reach')
  })
  await sealBytes(bytesOf(9), { ...options, recipients: [keeping] })
  await expect(sealBytes(bytesOf(9), { ...options, recipients: [failing] })).rejects.toThrow('out of reach')
  expect(given).toEqual([new Uint8Array(32), new Uint8Array(32)])
})

test('an identity keeps its file key: nothing wipes it, and what it does to it later changes nothing', async () => {
  const file = await sealBytes(bytesOf(100), { ...options, recipients: [plain, hpke] })
  let kept: Uint8Array | undefined
  const caching = thresholdIdentity({
    ...label,
    unwrap({ envelope }) {
      kept ??= envelope
      return kept
    },
  })
  expect(await opened(file, caching)).toEqual(bytesOf(100))
  await addRecipient(file, { identities: [caching], recipient: wiping, random: platformRandom })
  expect(await opened(file, caching)).toEqual(bytesOf(100))
  const own = kept as Uint8Array | undefined
  expect(own?.some((byte) => byte !== 0)).toBe(true)
})

test('an identity that spoils its request spoils nothing for the next', async () => {
  const spoiling: Identity = {
    ...pool,
    async unwrap(request) {
      request.binding.fill(0)
      Object.assign(request.context, { epoch: 9 })
      return undefined
    },
  }
  const file = await sealedOf(100)
  expect(await openBytes(file, { identities: [spoiling, pool] })).toMatchObject({ context })
})

test('a file key of nothing but zeros is refused when sealing', async () => {
  let draws = 0
  const random = (length: number) => {
    draws += 1
    return draws === 1 ? new Uint8Array(length) : platformRandom(length)
  }
  const bare = { ...scope, mediaType: 'text/csv' }
  const work = sealBytes(bytesOf(9), { recipients, context: bare, random })
  await expect(work).rejects.toMatchObject({ code: 'RANDOM_INVALID', place: 'random' })
})
