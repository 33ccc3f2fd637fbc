/**
 * Opens JSON Web Encryption (RFC 7516, flattened) under ECDH-ES+A256KW and A256GCM (RFC 7518): how key brokers of the Trustee kind
 * answer.
 * @module
 */
import { createDecipheriv, createHash, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto'
import { concatBytes, decodeBase64Url } from '@sealpool/crypto'
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
