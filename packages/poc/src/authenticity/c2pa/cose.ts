import { concatBytes } from '@sealpool/crypto'

/**
 * The bytes that a COSE_Sign1 signature covers (RFC 9052 section 4.4): an array of "Signature1", the protected header, no external
 * data and the payload.
 *
 * @param protectedBytes the protected header as it stands
 * @param payload detached payload
 */
export function encodeSigStructure(protectedBytes: Uint8Array, payload: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode('Signature1')
  return concatBytes(
    Uint8Array.of(0x84, 0x60 | text.length),
    text,
    byteString(protectedBytes),
    byteString(new Uint8Array(0)),
    byteString(payload),
  )
}

/** A definite byte string with the shortest length (RFC 8949 section 4.2.1). */
function byteString(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  const head =
    length < 24
      ? [0x40 | length]
      : length < 256
        ? [0x58, length]
        : length < 65_536
          ? [0x59, length >> 8, length & 255]
          : [0x5a, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255]
  return concatBytes(Uint8Array.from(head), bytes)
}
