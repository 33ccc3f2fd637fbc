import { readFileSync } from 'node:fs'
import { ml_kem768_x25519 as XWing } from '@noble/post-quantum/hybrid.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes } from '../encoding/bytes.js'
import { decodeHex } from '../encoding/hex.js'
import { hpkeOpen, hpkeSeal } from '../hpke/hpke.js'
import { hpkeIdentity } from '../recipient/hpke-recipient.js'
import { walletIdentity, walletRecipient } from '../recipient/wallet.js'
import { parseHeader } from '../sealed-file/header.js'
import { openBytes } from '../sealed-file/open.js'
import { sealBytes } from '../sealed-file/seal.js'
import {
  bytesOf,
  codeOf,
  context,
  poolKey,
  recipients,
  repeatable,
  withHeader,
} from '../testing/sealed-fixture.js'
import { xwingKem } from './xwing-kem.js'
import { deriveXwingKeyPair, xwingIdentity, xwingRecipient } from './xwing-recipient.js'

const hex = (digits: string) => decodeHex(`0x${digits}`)
const backends = ['native', 'pure'] as const
interface Vector {
  readonly seed: string
  readonly eseed: string
  readonly sharedSecret: string
}
const { cases } = JSON.parse(
  readFileSync(new URL('../../../../conformance/vectors/xwing.json', import.meta.url), 'utf8'),
) as { readonly cases: readonly Vector[] }
const key = deriveXwingKeyPair(new Uint8Array(32).fill(1))
const none = new Uint8Array()

describe('X-Wing', () => {
  test.each(cases.flatMap((vector) => backends.map((backend) => [vector.seed, backend, vector] as const)))(
    'gives the draft’s secret for %s (%s)',
    async (_, backend, vector) => {
      const prepared = xwingKem.prepare(hex(vector.seed))
      const sent = await xwingKem.encapsulate({
        publicKey: prepared.publicKey,
        random: () => hex(vector.eseed),
        backend,
      })
      expect(sent.sharedSecret).toEqual(hex(vector.sharedSecret))
      expect(await prepared.decapsulate({ enc: sent.enc, backend })).toEqual(hex(vector.sharedSecret))
    },
  )

  test('agrees with noble’s own X-Wing on keys, ciphertexts and secrets', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 64, maxLength: 64 }),
        async (seed, eseed) => {
          const { publicKey } = XWing.keygen(seed)
          const prepared = xwingKem.prepare(seed)
          expect(prepared.publicKey).toEqual(publicKey)
          const sent = await xwingKem.encapsulate({ publicKey, random: () => eseed, backend: 'auto' })
          const theirs = XWing.encapsulate(publicKey, eseed)
          expect(sent).toEqual({ enc: theirs.cipherText, sharedSecret: theirs.sharedSecret })
          expect(XWing.decapsulate(sent.enc, seed)).toEqual(sent.sharedSecret)
        },
      ),
      { numRuns: 5 },
    )
  })

  test('a changed encapsulated key opens nothing, wherever it was changed', async () => {
    const message = await hpkeSeal({
      kem: xwingKem,
      publicKey: key.publicKey,
      info: none,
      aad: none,
      plaintext: bytesOf(32),
      random: repeatable(),
    })
    expect(message.length).toBe(1120 + 48)
    const open = (bytes: Uint8Array) =>
      hpkeOpen({ kem: xwingKem, privateKey: key.privateKey, info: none, aad: none, message: bytes })
    expect(await open(message)).toEqual(bytesOf(32))
    for (let index = 0; index < message.length; index += 97) {
      const changed = message.map((byte, at) => (at === index ? byte ^ 4 : byte))
      expect(await codeOf(() => open(changed))).toBe('HPKE_OPEN_REFUSED')
    }
    const lowOrder = concatBytes(message.slice(0, 1088), new Uint8Array(32), message.slice(1120))
    expect(await codeOf(() => open(lowOrder))).toBe('HPKE_OPEN_REFUSED')
    expect(await codeOf(() => open(message.slice(1)))).toBe('HPKE_OPEN_REFUSED')
  })

  test('a public key whose lattice part is not reduced or whose curve part has low order is refused', async () => {
    const unreduced = key.publicKey.map((byte, index) => (index < 2 ? 0xff : byte))
    const lowOrder = concatBytes(key.publicKey.slice(0, 1184), new Uint8Array(32))
    for (const publicKey of [unreduced, lowOrder, key.publicKey.slice(1)]) {
      expect(await codeOf(() => xwingRecipient({ publicKey }))).toBe('KEY_INVALID')
      const sending = { publicKey, random: repeatable(), backend: 'auto' } as const
      expect(await codeOf(() => xwingKem.encapsulate(sending))).toBe('KEY_INVALID')
    }
  })

  test('does not pretend to authenticate a sender', async () => {
    const sending = { publicKey: key.publicKey, random: repeatable(), backend: 'auto' } as const
    const senderPrivateKey = new Uint8Array(32).fill(4)
    expect(await codeOf(() => xwingKem.encapsulate({ ...sending, senderPrivateKey }))).toBe('OPTION_INVALID')
    const { enc } = await xwingKem.encapsulate(sending)
    const prepared = xwingKem.prepare(key.privateKey)
    expect(
      await codeOf(() => prepared.decapsulate({ enc, backend: 'auto', senderPublicKey: senderPrivateKey })),
    ).toBe('OPTION_INVALID')
  })

  test('makes keys of at least 32 bytes of material', async () => {
    expect(await codeOf(() => deriveXwingKeyPair(new Uint8Array(31)))).toBe('KEY_INVALID')
    expect(await codeOf(() => xwingIdentity({ privateKey: new Uint8Array(31) }))).toBe('KEY_INVALID')
  })
})

describe('a sealed file', () => {
  const identity = xwingIdentity(key)
  const sealing = { context, random: repeatable(), chunkSize: 64 }

  test('opens for an X-Wing recipient beside X25519 ones, in either backend', async () => {
    const sealed = await sealBytes(bytesOf(200), {
      ...sealing,
      recipients: [...recipients, xwingRecipient(key)],
    })
    for (const backend of backends) {
      for (const each of [identity, hpkeIdentity(poolKey)]) {
        const opened = await openBytes(sealed, { identities: [each], backend })
        expect(opened.plaintext).toEqual(bytesOf(200))
      }
    }
  })

  test('opens for a wallet whose signature makes an X-Wing key', async () => {
    const options = {
      signature: `0x${'11'.repeat(64)}1b`,
      address: `0x${'ef'.repeat(20)}`,
      kem: xwingKem,
    } as const
    const wallet = walletIdentity(options)
    const recipient = walletRecipient({ ...options, publicKey: wallet.publicKey })
    const sealed = await sealBytes(bytesOf(9), { ...sealing, recipients: [recipient] })
    expect((await openBytes(sealed, { identities: [walletIdentity(options)] })).plaintext).toEqual(bytesOf(9))
    const withoutKem = walletIdentity({ signature: options.signature, address: options.address })
    expect(await codeOf(() => openBytes(sealed, { identities: [withoutKem] }))).toBe('NO_MATCHING_IDENTITY')
  })

  test('does not let an X-Wing stanza pass for an X25519 one', async () => {
    const sealed = await sealBytes(bytesOf(9), { ...sealing, recipients: [xwingRecipient(key)] })
    const relabelled = withHeader(sealed, (header) => ({
      ...header,
      recipients: parseHeader(sealed).recipients.map((stanza) => ({ ...stanza, kem: 'x25519' })),
    }))
    expect(await codeOf(() => openBytes(relabelled, { identities: [identity] }))).toBe('HEADER_INVALID')
  })
})
