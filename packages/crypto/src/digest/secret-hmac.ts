import { sha256 } from '@noble/hashes/sha2.js'

/** Bytes that SHA-256 takes at a time. */
const blockLength = 64

/**
 * HMAC-SHA-256 that leaves no copy of its key. The library's lays the padded key into a short array, which V8 keeps among its own objects
 * and copies out as soon as somebody asks for the buffer behind it: the first place stays as it was, with a key under a public pad.
 * Source: RFC 2104, section 2.
 *
 * @param key - the secret, not changed; of at most 64 bytes, such as a derived key
 * @param message - what is authenticated
 * @returns the MAC, 32 bytes
 * @throws RangeError for a longer key, which would have to be hashed first
 */
export function secretHmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  if (key.length > blockLength) throw new RangeError('a derived key is no longer than a block')
  const pad = new Uint8Array(new ArrayBuffer(blockLength))
  const begun = (byte: number) => {
    pad.fill(byte)
    for (const [at, secret] of key.entries()) pad[at] = secret ^ byte
    return sha256.create().update(pad)
  }
  const inner = begun(0x36).update(message).digest()
  const mac = begun(0x5c).update(inner).digest()
  pad.fill(0)
  return mac
}
