import * as openpgp from 'openpgp'
import { describe, expect, it } from 'vitest'
import type { Backend } from './aead/backend.js'
import { CryptoError } from './errors.js'
import * as crypto from './index.js'
import { sealEcies } from './interop/ecies.js'
import * as interop from './interop/index.js'
import { runSession, testMembers, testSession } from './testing/committee.js'
import { sealEnvelope } from './threshold/index.js'

/** What a caller without types gives where bytes are meant. */
const text = 'policy A' as unknown as Uint8Array
const bytes = new Uint8Array([1, 2, 3])
const random = crypto.platformRandom
const { privateKey, publicKey } = crypto.deriveKeyPair(new Uint8Array(32).fill(7))
const identity = crypto.hpkeIdentity({ privateKey })
const recipient = crypto.hpkeRecipient({ publicKey })
const members = testMembers('text', 2)
const { key } = runSession(members, testSession(members, 2))
const context = {
  chainId: 1,
  pool: `0x${'11'.repeat(20)}`,
  policyDigest: `sha256:${'22'.repeat(32)}`,
  epoch: 1,
  mediaType: 'text/plain',
} as const
const secpKey = crypto.decodeHex(`0x02${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}`)

const ofBackend = (backend: Backend): Readonly<Record<string, () => unknown>> => {
  const sender = () => crypto.hpkeSender({ publicKey, info: bytes, backend, random })
  const receiver = async () => {
    const { enc } = await sender()
    return crypto.hpkeReceiver({ privateKey, enc, info: bytes, backend })
  }
  const hpke = { publicKey, info: bytes, aad: bytes, plaintext: bytes, backend, random }
  return {
    'hpkeSeal plaintext': () => crypto.hpkeSeal({ ...hpke, plaintext: text }),
    'hpkeSeal aad': () => crypto.hpkeSeal({ ...hpke, aad: text }),
    'hpkeSeal info': () => crypto.hpkeSeal({ ...hpke, info: text }),
    'hpkeSeal publicKey': () => crypto.hpkeSeal({ ...hpke, publicKey: text }),
    'hpkeOpen message': () => crypto.hpkeOpen({ ...hpke, privateKey, message: text }),
    'hpkeOpen aad': async () =>
      crypto.hpkeOpen({ ...hpke, privateKey, message: await crypto.hpkeSeal(hpke), aad: text }),
    'context seal plaintext': async () => (await sender()).context.seal(text),
    'context seal aad': async () => (await sender()).context.seal(bytes, text),
    'context open ciphertext': async () => (await receiver()).open(text),
    'context open aad': async () => (await receiver()).open(bytes, text),
    'context exportSecret': async () => (await receiver()).exportSecret(text, 32),
    'sealBytes plaintext': () => crypto.sealBytes(text, { recipients: [recipient], context, backend }),
    'openBytes sealed': () => crypto.openBytes(text, { identities: [identity], backend }),
    'sealEcies plaintext': () => sealEcies({ publicKey: secpKey, plaintext: text, random, backend }),
    'sealEcies publicKey': () => sealEcies({ publicKey: text, plaintext: bytes, random, backend }),
  }
}
const elsewhere: Readonly<Record<string, () => unknown>> = {
  concatBytes: () => crypto.concatBytes(bytes, text),
  'equalBytes left': () => crypto.equalBytes(text, bytes),
  'equalBytes right': () => crypto.equalBytes(bytes, text),
  encodeHex: () => crypto.encodeHex(text),
  encodeBase64Url: () => crypto.encodeBase64Url(text),
  encodeArmor: () => crypto.encodeArmor(text),
  sha256Digest: () => crypto.sha256Digest(text),
  'sealAge plaintext': () => interop.sealAge(text, { recipients: [interop.encodeAgeRecipient(publicKey)] }),
  'sealPasswordFile plaintext': () =>
    interop.sealPasswordFile({ openpgp: openpgp as never, plaintext: text, password: 'x' }),
  'sealEnvelope plaintext': () =>
    sealEnvelope({ publicKey: key.publicKey, label: bytes, plaintext: text, random }),
  'sealEnvelope label': () =>
    sealEnvelope({ publicKey: key.publicKey, label: text, plaintext: bytes, random }),
}
const attempts = [
  ...(['auto', 'pure', 'webcrypto'] as const).flatMap((backend) =>
    Object.entries(ofBackend(backend)).map(([name, attempt]) => [`${name} (${backend})`, attempt] as const),
  ),
  ...Object.entries(elsewhere),
]

describe('text where bytes are meant', () => {
  it.each(attempts)(
    'is refused by %s: it is neither bound as nothing nor sealed as nothing',
    async (_, attempt) => {
      const refusal = await (async () => attempt())().then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(refusal).toBeInstanceOf(CryptoError)
    },
  )
})
