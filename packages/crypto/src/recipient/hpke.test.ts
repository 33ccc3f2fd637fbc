import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { importAeadKey } from '../aead/aead.js'
import { concatBytes } from '../encoding/bytes.js'
import { decodeHex, encodeHex } from '../encoding/hex.js'
import { platformRandom } from '../platform.js'
import {
  decapsulate,
  deriveKeyPair,
  derivePrivateKey,
  encapsulate,
  type HpkeAead,
  hpkeOpen,
  hpkeSchedule,
  hpkeSeal,
} from './hpke.js'
import { keyAgreement, publicKeyOf, requireSharedSecret } from './x25519.js'

const hex = (digits: string) => decodeHex(`0x${digits}`)
const backends = ['native', 'pure'] as const

// RFC 9180 appendix A.1.1 (AES-128-GCM) and A.2.1 (ChaCha20-Poly1305), base mode, sequence number 0.
const info = hex('4f6465206f6e2061204772656369616e2055726e')
const plaintext = hex('4265617574792069732074727574682c20747275746820626561757479')
const aad = hex('436f756e742d30')
const vectors: readonly (readonly [HpkeAead, Record<string, string>])[] = [
  [
    'aes-128-gcm',
    {
      ikmE: '7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234',
      skE: '52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736',
      enc: '37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431',
      ikmR: '6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037',
      skR: '4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8',
      pkR: '3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d',
      sharedSecret: 'fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc',
      key: '4531685d41d65f03dc48f6b8302c05b0',
      baseNonce: '56d890e5accaaf011cff4b7d',
      exporterSecret: '45ff1c2e220db587171952c0592d5f5ebe103f1561a2614e38f2ffd47e99e3f8',
      ciphertext:
        'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a',
    },
  ],
  [
    'chacha20-poly1305',
    {
      ikmE: '909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b',
      skE: 'f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600',
      enc: '1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a',
      skR: '8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb',
      pkR: '4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a',
      sharedSecret: '0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7',
      key: 'ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91',
      baseNonce: '5c4d98150661b848853b547f',
      exporterSecret: 'a3b010d4994890e2c6968a36f64470d3c824c8f5029942feb11e7a74b2921922',
      ciphertext:
        '1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28',
    },
  ],
]

describe.each(vectors)('RFC 9180 vector for %s', (aead, vector) => {
  const value = (name: string) => hex(vector[name] ?? 'missing')

  test('derives the key pairs from their key material', () => {
    expect(derivePrivateKey(value('ikmE'))).toEqual(value('skE'))
    expect(publicKeyOf(value('skE'))).toEqual(value('enc'))
    expect(publicKeyOf(value('skR'))).toEqual(value('pkR'))
    if (vector['ikmR'] !== undefined) {
      expect(deriveKeyPair(value('ikmR'))).toEqual({ privateKey: value('skR'), publicKey: value('pkR') })
    }
  })

  test.each(backends)('encapsulates and decapsulates to the shared secret (%s)', async (backend) => {
    const sent = await encapsulate(value('pkR'), value('skE'), backend)
    expect(sent).toEqual({ enc: value('enc'), sharedSecret: value('sharedSecret') })
    const agreement = keyAgreement(value('skR'), backend)
    expect(await decapsulate(value('enc'), agreement, value('pkR'))).toEqual(value('sharedSecret'))
  })

  test('schedules key, nonce and exporter secret', () => {
    expect(hpkeSchedule(value('sharedSecret'), info, aead)).toEqual({
      key: value('key'),
      baseNonce: value('baseNonce'),
      exporterSecret: value('exporterSecret'),
    })
  })

  test.each(aead === 'aes-128-gcm' ? backends : (['auto'] as const))(
    'seals the message (%s)',
    async (backend) => {
      const key = await importAeadKey(aead, value('key'), backend)
      expect(encodeHex(await key.seal(value('baseNonce'), plaintext, aad))).toBe(`0x${vector['ciphertext']}`)
      expect(await key.open(value('baseNonce'), value('ciphertext'), aad)).toEqual(plaintext)
    },
  )
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
