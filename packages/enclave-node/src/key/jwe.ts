/**
 * JSON Web Encryption (RFC 7516, flattened) under ECDH-ES+A256KW and A256GCM (RFC 7518): how key brokers of the Trustee kind
 * answer.
 * @module
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { concatBytes, decodeBase64Url, encodeBase64Url, type JsonObject } from '@sealpool/crypto'
import * as z from 'zod'

const part = z.string().max(65_536)
const jweSchema = z.object({
  protected: part,
  encrypted_key: part,
  iv: part,
  ciphertext: part,
  tag: part,
  aad: part.optional(),
})
const headerSchema = z.object({
  alg: z.literal('ECDH-ES+A256KW'),
  enc: z.literal('A256GCM'),
  epk: z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: part, y: part }),
  apu: part.optional(),
  apv: part.optional(),
})

/**
 * Concat KDF of RFC 7518 section 4.6.2, for keys of up to 256 bits.
 * @param options `secret`: what both sides agreed on; `bits`: 8 to 256
 */
export function concatKdf(options: {
  readonly secret: Uint8Array
  readonly algorithm: string
  readonly apu: Uint8Array
  readonly apv: Uint8Array
  readonly bits: number
}): Uint8Array {
  const { secret, algorithm, apu, apv, bits } = options
  const number = (value: number) => {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setUint32(0, value)
    return bytes
  }
  const counted = (bytes: Uint8Array) => concatBytes(number(bytes.length), bytes)
  const info = concatBytes(
    counted(new TextEncoder().encode(algorithm)),
    counted(apu),
    counted(apv),
    number(bits),
  )
  const digest = createHash('sha256')
    .update(concatBytes(number(1), secret, info))
    .digest()
  return Uint8Array.from(digest.subarray(0, bits / 8))
}

/**
 * Opens an encrypted answer.
 * @param value JSON of unknown origin
 * @param privateKey P-256
 * @returns the content; undefined when it is no such answer, or not for this key, or changed
 */
export function openJwe(value: unknown, privateKey: KeyObject): Uint8Array | undefined {
  try {
    const jwe = jweSchema.parse(value)
    const header = headerSchema.parse(JSON.parse(new TextDecoder().decode(decodeBase64Url(jwe.protected))))
    // A point that is not on the curve is refused by OpenSSL as a key.
    const ephemeral = createPublicKey({ key: { ...header.epk }, format: 'jwk' })
    const wrapping = concatKdf({
      secret: diffieHellman({ privateKey, publicKey: ephemeral }),
      algorithm: header.alg,
      apu: decodeBase64Url(header.apu ?? ''),
      apv: decodeBase64Url(header.apv ?? ''),
      bits: 256,
    })
    const unwrap = createDecipheriv('id-aes256-wrap', wrapping, new Uint8Array(8).fill(0xa6))
    const key = Buffer.concat([unwrap.update(decodeBase64Url(jwe.encrypted_key)), unwrap.final()])
    const open = createDecipheriv('aes-256-gcm', key, decodeBase64Url(jwe.iv), { authTagLength: 16 })
    const associated = jwe.aad === undefined ? jwe.protected : `${jwe.protected}.${jwe.aad}`
    open.setAAD(Buffer.from(associated, 'ascii'))
    open.setAuthTag(decodeBase64Url(jwe.tag))
    return Uint8Array.from(Buffer.concat([open.update(decodeBase64Url(jwe.ciphertext)), open.final()]))
  } catch {
    // Whatever it is, and whatever OpenSSL says of it, it is not an answer to this key.
    return undefined
  }
}

/** P-256 coordinates, base64url. */
const coordinateSchema = z.object({ x: z.string(), y: z.string() })

/**
 * Encrypts to a P-256 key, as a broker answers.
 * @param content at most some kilobytes
 * @param key coordinates of unknown origin
 * @returns the flattened JWE; undefined when the key is no point of the curve
 */
export function sealJwe(
  content: Uint8Array,
  key: { readonly x: string; readonly y: string },
): JsonObject | undefined {
  let recipient: KeyObject
  try {
    recipient = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: key.x, y: key.y }, format: 'jwk' })
  } catch {
    return undefined
  }
  const ephemeral = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x, y } = coordinateSchema.parse(ephemeral.publicKey.export({ format: 'jwk' }))
  const algorithm = 'ECDH-ES+A256KW'
  const header = encodeBase64Url(
    new TextEncoder().encode(
      JSON.stringify({ alg: algorithm, enc: 'A256GCM', epk: { kty: 'EC', crv: 'P-256', x, y } }),
    ),
  )
  const none = new Uint8Array(0)
  const secret = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: recipient })
  const wrapping = concatKdf({ secret, algorithm, apu: none, apv: none, bits: 256 })
  const [contentKey, iv] = [randomBytes(32), randomBytes(12)]
  const wrap = createCipheriv('id-aes256-wrap', wrapping, new Uint8Array(8).fill(0xa6))
  const cipher = createCipheriv('aes-256-gcm', contentKey, iv)
  cipher.setAAD(Buffer.from(header, 'ascii'))
  return {
    protected: header,
    encrypted_key: encodeBase64Url(concatBytes(wrap.update(contentKey), wrap.final())),
    iv: encodeBase64Url(iv),
    ciphertext: encodeBase64Url(concatBytes(cipher.update(content), cipher.final())),
    tag: encodeBase64Url(cipher.getAuthTag()),
  }
}
