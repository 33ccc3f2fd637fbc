import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { importAeadKey } from '../aead/aead.js'
import { concatBytes } from '../encoding/bytes.js'
import { decodeHex, encodeHex } from '../encoding/hex.js'
import { platformRandom } from '../platform.js'
import { keyAgreement, publicKeyOf, requireSharedSecret } from '../recipient/x25519.js'
import { type HpkeAead, type HpkeContext, hpkeSchedule } from './context.js'
import { hpkeOpen, hpkeReceiver, hpkeSeal, hpkeSender } from './hpke.js'
import { deriveKeyPair, derivePrivateKey, x25519Kem } from './x25519-kem.js'

const hex = (digits: string) => decodeHex(`0x${digits}`)
const backends = ['native', 'pure'] as const

interface Vector {
  readonly name: string
  readonly aead: HpkeAead
  readonly messages: readonly (readonly [number, string, string])[]
  readonly exports: readonly (readonly [string, string])[]
  readonly [field: string]: unknown
}
const published = JSON.parse(
  readFileSync(new URL('../../../../conformance/vectors/rfc9180.json', import.meta.url), 'utf8'),
) as { readonly info: string; readonly plaintext: string; readonly cases: readonly Vector[] }
const info = hex(published.info)
const plaintext = hex(published.plaintext)
const aad = hex('436f756e742d30')

describe.each(published.cases.map((vector) => [vector.name, vector] as const))('RFC 9180 %s', (_, vector) => {
  const value = (name: string) => hex(vector[name] as string)
  const sender =
    vector['skS'] === undefined ? undefined : { privateKey: value('skS'), publicKey: value('pkS') }
  const { aead } = vector

  test('derives the key pairs from their key material', () => {
    expect(derivePrivateKey(value('ikmE'))).toEqual(value('skE'))
    expect(publicKeyOf(value('skE'))).toEqual(value('enc'))
    expect(deriveKeyPair(value('ikmR'))).toEqual({ privateKey: value('skR'), publicKey: value('pkR') })
    if (sender !== undefined) expect(deriveKeyPair(value('ikmS'))).toEqual(sender)
  })

  test.each(backends)('encapsulates and decapsulates to the shared secret (%s)', async (backend) => {
    const random = () => value('ikmE')
    const sent = await x25519Kem.encapsulate({
      publicKey: value('pkR'),
      random,
      backend,
      senderPrivateKey: sender?.privateKey,
    })
    expect(sent).toEqual({ enc: value('enc'), sharedSecret: value('sharedSecret') })
    const senderPublicKey = sender?.publicKey
    const key = x25519Kem.prepare(value('skR'))
    expect(await key.decapsulate({ enc: value('enc'), backend, senderPublicKey })).toEqual(
      value('sharedSecret'),
    )
  })

  test.runIf(vector['key'] !== undefined)('schedules key, nonce and exporter secret', () => {
    const sharedSecret = value('sharedSecret')
    const mode = sender === undefined ? 'base' : 'auth'
    const schedule = hpkeSchedule({ kemId: 0x20, mode, sharedSecret, info, aead })
    expect(schedule.key).toEqual(value('key'))
    expect(schedule.baseNonce).toEqual(value('baseNonce'))
    expect(schedule.exporterSecret()).toEqual(value('exporterSecret'))
  })

  test.each(aead === 'aes-128-gcm' ? backends : (['auto', 'pure'] as const))(
    'seals and opens its messages in order, and exports its secrets (%s)',
    async (backend) => {
      const side = { info, aead, backend }
      const { enc, context: sending } = await hpkeSender({
        ...side,
        publicKey: value('pkR'),
        random: () => value('ikmE'),
        ...(sender && { senderPrivateKey: sender.privateKey }),
      })
      expect(enc).toEqual(value('enc'))
      const receiving = await hpkeReceiver({
        ...side,
        privateKey: value('skR'),
        enc,
        ...(sender && { senderPublicKey: sender.publicKey }),
      })
      const wanted = new Map(vector.messages.map(([sequence, ...rest]) => [sequence, rest] as const))
      const last = Math.max(...wanted.keys())
      for (let sequence = 0; sequence <= last; sequence++) {
        const [associated, ciphertext] = wanted.get(sequence) ?? ['', undefined]
        const message = await sending.seal(plaintext, hex(associated))
        if (ciphertext !== undefined) expect(encodeHex(message)).toBe(`0x${ciphertext}`)
        expect(await receiving.open(message, hex(associated))).toEqual(plaintext)
      }
      for (const [context, secret] of vector.exports) {
        expect(sending.exportSecret(hex(context), 32)).toEqual(hex(secret))
        expect(receiving.exportSecret(hex(context), 32)).toEqual(hex(secret))
      }
    },
  )
})

describe('a conversation', () => {
  const keys = deriveKeyPair(new Uint8Array(32).fill(1))
  const setUp = async () => {
    const { enc, context } = await hpkeSender({ publicKey: keys.publicKey, info, random: platformRandom })
    return { sending: context, receiving: await hpkeReceiver({ privateKey: keys.privateKey, enc, info }) }
  }

  test('refuses a replayed, a reordered and a dropped message, and goes on with the right one', async () => {
    const { sending, receiving } = await setUp()
    const [first, second, third] = [
      await sending.seal(plaintext),
      await sending.seal(plaintext),
      await sending.seal(plaintext),
    ]
    await expect(receiving.open(second)).rejects.toMatchObject({ code: 'HPKE_OPEN_REFUSED' })
    expect(await receiving.open(first)).toEqual(plaintext)
    await expect(receiving.open(first)).rejects.toMatchObject({ code: 'HPKE_OPEN_REFUSED' })
    await expect(receiving.open(third)).rejects.toMatchObject({ code: 'HPKE_OPEN_REFUSED' })
    expect(await receiving.open(second)).toEqual(plaintext)
    expect(await receiving.open(third)).toEqual(plaintext)
  })

  test('numbers messages by the order of the calls, also when they overlap', async () => {
    const { sending, receiving } = await setUp()
    const texts = Array.from({ length: 20 }, (_, index) => new Uint8Array([index]))
    const sealed = await Promise.all(texts.map((text) => sending.seal(text)))
    expect(await Promise.all(sealed.map((message) => receiving.open(message)))).toEqual(texts)
  })

  test('goes in one direction: neither end can use the key and the nonces of the other', async () => {
    const { sending, receiving } = await setUp()
    expect(Object.keys(sending).sort()).toEqual(['exportSecret', 'seal'])
    expect(Object.keys(receiving).sort()).toEqual(['exportSecret', 'open'])
  })

  test('is answered under a key pair of the exported secret, not under its own key', async () => {
    const { sending, receiving } = await setUp()
    const answerKeys = (context: HpkeContext) => deriveKeyPair(context.exportSecret(info, 32))
    const random = platformRandom
    const { publicKey } = answerKeys(receiving)
    const message = await hpkeSeal({ publicKey, info, aad, plaintext, random })
    const { privateKey } = answerKeys(sending)
    expect(await hpkeOpen({ privateKey, info, aad, message })).toEqual(plaintext)
  })

  test.each([0, -1, 1.5, 8161, Number.NaN])('exports no secret of %s bytes', async (length) => {
    const { sending } = await setUp()
    expect(() => sending.exportSecret(info, length)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })

  test('takes no AEAD that RFC 9180 does not name, and no encapsulated key of another length', async () => {
    const aead = 'xchacha20-poly1305' as unknown as HpkeAead
    await expect(
      hpkeSender({ publicKey: keys.publicKey, info, random: platformRandom, aead }),
    ).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    for (const enc of [new Uint8Array(31), 'enc' as unknown as Uint8Array]) {
      await expect(hpkeReceiver({ privateKey: keys.privateKey, enc, info })).rejects.toMatchObject({
        code: 'HPKE_OPEN_REFUSED',
      })
    }
  })
})

describe('auth mode', () => {
  const recipient = deriveKeyPair(new Uint8Array(32).fill(1))
  const sender = deriveKeyPair(new Uint8Array(32).fill(2))
  const other = deriveKeyPair(new Uint8Array(32).fill(3))
  const good = { privateKey: recipient.privateKey, senderPublicKey: sender.publicKey, info, aad }
  const seal = (senderPrivateKey?: Uint8Array) =>
    hpkeSeal({
      publicKey: recipient.publicKey,
      info,
      aad,
      plaintext,
      random: platformRandom,
      ...(senderPrivateKey && { senderPrivateKey }),
    })

  test('opens what the named sender sealed', async () => {
    expect(await hpkeOpen({ ...good, message: await seal(sender.privateKey) })).toEqual(plaintext)
  })

  test('refuses another sender, no sender, and a sender where none was asked for', async () => {
    for (const message of [await seal(other.privateKey), await seal()]) {
      await expect(hpkeOpen({ ...good, message })).rejects.toMatchObject({ code: 'HPKE_OPEN_REFUSED' })
    }
    const message = await seal(sender.privateKey)
    const { senderPublicKey: _, ...anybody } = good
    await expect(hpkeOpen({ ...anybody, message })).rejects.toMatchObject({ code: 'HPKE_OPEN_REFUSED' })
  })

  test('is left by leaving the key out, and not by undefined, another name or another kind of object', async () => {
    const message = await seal()
    const { senderPublicKey, ...anybody } = good
    const opening = { ...anybody, message }
    const sending = { publicKey: recipient.publicKey, info, random: platformRandom }
    const { enc } = await hpkeSender(sending)
    const receiving = { privateKey: recipient.privateKey, enc, info }
    const calls: readonly (() => Promise<unknown>)[] = [
      () => hpkeOpen({ ...opening, senderPublicKey: undefined } as never),
      () => hpkeOpen({ ...opening, sendrPublicKey: senderPublicKey } as never),
      () => hpkeOpen(Object.assign(Object.create({ senderPublicKey }), opening) as never),
      () => hpkeOpen([] as never),
      () => hpkeReceiver({ ...receiving, senderPublicKey: undefined } as never),
      () => hpkeReceiver({ ...receiving, senderpublickey: senderPublicKey } as never),
      () => hpkeSeal({ ...sending, aad, plaintext, senderPrivateKey: undefined } as never),
      () => hpkeSeal({ ...sending, aad, plaintext, senderKey: sender.privateKey } as never),
      () => hpkeSender({ ...sending, senderPrivateKey: undefined } as never),
    ]
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    for (const value of [null, 'key', 7, []]) {
      const open = hpkeOpen({ ...opening, senderPublicKey: value } as never)
      await expect(open).rejects.toMatchObject({ code: 'KEY_INVALID' })
    }
  })

  test('sends under no key of zeros, which everybody has: of a buffer that was wiped before the call', async () => {
    const [publicKey, senderPrivateKey] = [recipient.publicKey, new Uint8Array(32)]
    const given = { publicKey, senderPrivateKey, info, random: platformRandom }
    const refused = { code: 'KEY_INVALID', place: 'senderPrivateKey' }
    await expect(seal(senderPrivateKey)).rejects.toMatchObject(refused)
    await expect(hpkeSender(given)).rejects.toMatchObject(refused)
    for (const backend of ['auto', 'pure'] as const) {
      await expect(x25519Kem.encapsulate({ ...given, backend })).rejects.toMatchObject(refused)
    }
  })

  test('refuses a sender’s key of low order or another length', async () => {
    const message = await seal(sender.privateKey)
    for (const senderPublicKey of [new Uint8Array(32), new Uint8Array(31)]) {
      await expect(hpkeOpen({ ...good, message, senderPublicKey })).rejects.toMatchObject({
        code: 'KEY_INVALID',
        place: 'senderPublicKey',
      })
    }
  })
})

describe('hpkeSeal and hpkeOpen', () => {
  const keys = deriveKeyPair(new Uint8Array(32).fill(1))
  const seal = (backend: 'native' | 'pure') =>
    hpkeSeal({
      publicKey: keys.publicKey,
      info,
      aad,
      plaintext,
      random: (n) => new Uint8Array(n).fill(5),
      backend,
    })

  test('give the same bytes natively and in JavaScript, and open each other', async () => {
    const native = await seal('native')
    expect(await seal('pure')).toEqual(native)
    for (const backend of backends) {
      expect(await hpkeOpen({ privateKey: keys.privateKey, info, aad, message: native, backend })).toEqual(
        plaintext,
      )
    }
  })

  test('carry any message', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), fc.uint8Array(), fc.uint8Array(), async (what, about, beside) => {
        const message = await hpkeSeal({
          publicKey: keys.publicKey,
          info: about,
          aad: beside,
          plaintext: what,
          random: platformRandom,
        })
        expect(message.length).toBe(what.length + 48)
        expect(await hpkeOpen({ privateKey: keys.privateKey, info: about, aad: beside, message })).toEqual(
          what,
        )
      }),
      { numRuns: 20 },
    )
  })

  test.each(backends)('refuse every change of one byte, and every truncation (%s)', async (backend) => {
    const message = await seal(backend)
    const open = (bytes: Uint8Array) =>
      hpkeOpen({ privateKey: keys.privateKey, info, aad, message: bytes, backend })
    const step = backend === 'native' ? 1 : 5
    for (let index = 0; index < message.length; index += step) {
      const changed = message.slice()
      changed[index] = (changed[index] ?? 0) ^ 1
      await expect(open(changed)).rejects.toMatchObject({ code: 'HPKE_OPEN_REFUSED' })
      await expect(open(message.slice(0, index))).rejects.toMatchObject({ code: 'HPKE_OPEN_REFUSED' })
    }
  })

  test('open with a key that was made ready once', async () => {
    const ready = x25519Kem.prepare(keys.privateKey)
    for (const backend of [...backends, ...backends]) {
      const message = await seal(backend)
      expect(await hpkeOpen({ privateKey: ready, info, aad, message, backend })).toEqual(plaintext)
    }
    expect(ready.publicKey).toEqual(keys.publicKey)
  })

  test('refuse another key, info or associated data', async () => {
    const message = await seal('native')
    const good = { privateKey: keys.privateKey, info, aad, message }
    const nothing = null as unknown as Uint8Array
    for (const change of [
      { privateKey: new Uint8Array(32).fill(9) },
      { info: aad },
      { aad: info },
      { message: nothing },
    ]) {
      await expect(hpkeOpen({ ...good, ...change })).rejects.toMatchObject({ code: 'HPKE_OPEN_REFUSED' })
    }
  })
})

describe('X25519', () => {
  // RFC 7748 section 6.1.
  const alice = hex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a')
  const alicePublic = hex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a')
  const bob = hex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb')
  const bobPublic = hex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f')
  const shared = hex('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742')

  test.each(backends)('agrees as published (%s)', async (backend) => {
    expect(await keyAgreement(alice, backend).agree(bobPublic)).toEqual(shared)
    expect(await keyAgreement(bob, backend).agree(alicePublic)).toEqual(shared)
    expect(await keyAgreement(bob, backend).publicKey()).toEqual(bobPublic)
  })

  const lowOrder = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    // Not reduced forms of 0 and 1.
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ].map(hex)
  const withTopBit = lowOrder.map((point) =>
    concatBytes(point.slice(0, 31), new Uint8Array([(point[31] ?? 0) | 128])),
  )

  test.each([...lowOrder, ...withTopBit].map((point) => [encodeHex(point), point] as const))(
    'refuses the point of low order %s, as recipient and as encapsulated key',
    async (_name, point) => {
      for (const backend of backends) {
        await expect(keyAgreement(alice, backend).agree(point)).rejects.toMatchObject({ code: 'KEY_INVALID' })
      }
      await expect(
        hpkeSeal({ publicKey: point, info, aad, plaintext, random: platformRandom }),
      ).rejects.toMatchObject({ code: 'KEY_INVALID' })
      const message = concatBytes(point, new Uint8Array(16))
      await expect(hpkeOpen({ privateKey: alice, info, aad, message })).rejects.toMatchObject({
        code: 'HPKE_OPEN_REFUSED',
      })
    },
  )

  test('refuses a public key that is not reduced, and takes the largest one that is', async () => {
    const largest = hex('ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')
    expect((await keyAgreement(alice).agree(largest)).length).toBe(32)
    const twoPlusPrime = hex('efffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')
    const topBit = bobPublic.map((byte, index) => (index === 31 ? byte | 128 : byte))
    for (const point of [twoPlusPrime, topBit]) {
      await expect(keyAgreement(alice).agree(point)).rejects.toMatchObject({ code: 'KEY_INVALID' })
    }
    const inner = largest.map((byte, index) => (index === 7 ? 0xfe : index === 0 ? 0xff : byte))
    expect((await keyAgreement(alice).agree(inner)).length).toBe(32)
  })

  test('refuses a shared secret of zeros, wherever it comes from', () => {
    expect(() => requireSharedSecret(new Uint8Array(32))).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID' }),
    )
    expect(requireSharedSecret(shared)).toBe(shared)
  })

  test('refuses keys of another length', async () => {
    expect(() => keyAgreement(alice.slice(1))).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }))
    await expect(keyAgreement(alice).agree(bobPublic.slice(1))).rejects.toMatchObject({ code: 'KEY_INVALID' })
    expect(() => derivePrivateKey(alice.slice(1))).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }))
  })
})

test.each(['aes-256-gcm', 'xchacha20-poly1305'] as const)(
  '%s keys of another length are refused',
  async (name) => {
    for (const backend of ['native', 'pure'] as const) {
      await expect(importAeadKey(name, new Uint8Array(16), backend)).rejects.toMatchObject({
        code: 'KEY_INVALID',
      })
    }
  },
)

test('an AEAD that RFC 9180 does not name is refused, and a single message is always under AES-256-GCM', async () => {
  const { publicKey, privateKey } = deriveKeyPair(new Uint8Array(32).fill(3))
  const none = new Uint8Array()
  const enc = new Uint8Array(32).fill(9)
  for (const aead of ['rot13', 'xchacha20-poly1305', 'toString', null] as never[]) {
    const refused = expect.objectContaining({ code: 'OPTION_INVALID', place: 'aead' })
    await expect(hpkeSender({ publicKey, info: none, random: platformRandom, aead })).rejects.toThrow(refused)
    await expect(hpkeReceiver({ privateKey, enc, info: none, aead })).rejects.toThrow(refused)
  }
  const stray = { aead: 'chacha20-poly1305' } as object
  const plaintext = new Uint8Array([1, 2, 3])
  const sending = { publicKey, info: none, aad: none, plaintext, random: platformRandom }
  const message = await hpkeSeal(sending)
  expect(await hpkeOpen({ privateKey, info: none, aad: none, message })).toEqual(plaintext)
  for (const call of [
    () => hpkeSeal({ ...sending, ...stray }),
    () => hpkeOpen({ privateKey, info: none, aad: none, message, ...stray }),
  ]) {
    await expect(call()).rejects.toMatchObject({ code: 'OPTION_INVALID', place: 'options' })
  }
})
