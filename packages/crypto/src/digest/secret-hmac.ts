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
  const pad = new Uint8Array(new ArrayBuffer(blockLength))
  pad.set(key)
  const begunWith = (mask: number) => {
    pad.forEach((byte, at) => {
      pad[at] = byte ^ mask
    })
    return sha256.create().update(pad)
  }
  const inner = begunWith(0x36).update(message).digest()
  // What was put on for the inner hash comes off.
  const mac = begunWith(0x36 ^ 0x5c)
    .update(inner)
    .digest()
  pad.fill(0)
  return mac
}
