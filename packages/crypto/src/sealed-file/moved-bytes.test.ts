import { describe, expect, test } from 'vitest'
import { deriveKeyPair } from '../hpke/x25519-kem.js'
import { addRecipient, hpkeOpen, hpkeSeal, openBytes, removeRecipient, sealBytes } from '../index.js'
import { hpkeRecipient } from '../recipient/hpke-recipient.js'
import { codeOf, context, pool, recipients, sealedOf } from '../testing/sealed-fixture.js'

const identities = [pool]
const key = deriveKeyPair(new Uint8Array(32).fill(9))
const recipient = hpkeRecipient(key)

type Growable = ArrayBuffer & { resize(length: number): void }

/** The bytes over a buffer that can shrink. */
function resizable(bytes: Uint8Array): Uint8Array {
  const Resizable = ArrayBuffer as unknown as new (
    length: number,
    options: { maxByteLength: number },
  ) => ArrayBuffer
  const view = new Uint8Array(new Resizable(bytes.length, { maxByteLength: bytes.length }))
  view.set(bytes)
  return view
}

const moves: readonly (readonly [string, (bytes: Uint8Array) => void])[] = [
  ['transferred', (bytes) => void structuredClone(0, { transfer: [bytes.buffer as ArrayBuffer] })],
  ['shortened', (bytes) => (bytes.buffer as Growable).resize(bytes.length - 40)],
  ['emptied', (bytes) => (bytes.buffer as Growable).resize(0)],
]

describe.each(moves)('bytes that are %s after the call', (_, move) => {
  const after = async (given: Uint8Array, work: (bytes: Uint8Array) => Promise<unknown>) => {
    const bytes = resizable(given)
    return codeOf(() => {
      const promise = work(bytes)
      move(bytes)
      return promise
    })
  }

  test('are not sealed', async () => {
    for (const commitment of [context.commitment, undefined]) {
      const options = { recipients, context: { ...context, commitment } }
      expect(await after(new Uint8Array(1000), (bytes) => sealBytes(bytes, options))).toBe('OPTION_INVALID')
    }
  })

  test('are not opened', async () => {
    const sealed = await sealedOf(1000)
    expect(await after(sealed, (bytes) => openBytes(bytes, { identities }))).toBe('OPTION_INVALID')
  })

  test('get no other header', async () => {
    const sealed = await sealedOf(1000)
    const both = await addRecipient(sealed, { identities, recipient })
    const { keyId } = recipient
    expect(await after(sealed, (bytes) => addRecipient(bytes, { identities, recipient }))).toBe(
      'OPTION_INVALID',
    )
    expect(await after(both, (bytes) => removeRecipient(bytes, { identities, keyId }))).toBe('OPTION_INVALID')
  })

  test('are sealed as they were, as a message', async () => {
    const none = new Uint8Array()
    const [plaintext, aad] = [resizable(new Uint8Array(100).fill(1)), resizable(new Uint8Array(50).fill(2))]
    const sealing = hpkeSeal({ publicKey: key.publicKey, info: none, aad, plaintext })
    move(plaintext)
    move(aad)
    const opening = {
      privateKey: key.privateKey,
      info: none,
      aad: new Uint8Array(50).fill(2),
      message: await sealing,
    }
    expect(await hpkeOpen(opening)).toEqual(new Uint8Array(100).fill(1))
  })
})

test('no bytes that are transferred are refused by name, too', async () => {
  const [, move] = moves[0] ?? []
  const plaintext = new Uint8Array()
  const sealing = codeOf(() => {
    const promise = sealBytes(plaintext, { recipients, context })
    move?.(plaintext)
    return promise
  })
  expect(await sealing).toBe('OPTION_INVALID')
})
