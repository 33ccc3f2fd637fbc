import { aeadSizes, aeadTagLength, importAeadKey } from '../aead/aead.js'
import type { Backend } from '../aead/backend.js'
import { bigEndian } from '../encoding/bytes.js'
import { CryptoError } from '../errors.js'
import { type SealSuite, truncated } from './header.js'

/**
 * A payload in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizar 2015): each chunk is sealed alone, its
 * place and whether it is the last stand in the nonce.
 */
export interface PayloadCipher {
  /** Ciphertext and tag of one chunk; written to `into` when that is given, which has their length. */
  seal(index: number, last: boolean, plaintext: Uint8Array, into?: Uint8Array): Promise<Uint8Array>
  /**
   * The plaintext of one chunk.
   *
   * @throws CryptoError `CHUNK_REFUSED` when it is not authentic at this place
   */
  open(index: number, last: boolean, sealed: Uint8Array): Promise<Uint8Array>
  /** Overwrites what is held of its key, when the payload is done. */
  forget(): void
}

/** Most chunks of a payload. 2^40 of the smallest size are 64 TiB; the index stays far inside the nonce and inside exact integers. */
export const maximumChunks = 2 ** 40

/**
 * Makes a payload's cipher.
 *
 * @param suite - which cipher
 * @param key - 32 bytes, used for this payload only
 * @param backend - where to compute
 * @returns the cipher
 */
export async function payloadCipher(
  suite: SealSuite,
  key: Uint8Array,
  backend: Backend,
): Promise<PayloadCipher> {
  const aead = await importAeadKey(suite, key, backend)
  const counterLength = aeadSizes[suite].nonce - 1
  const nonceOf = (index: number, last: boolean): Uint8Array => {
    if (index >= maximumChunks) {
      throw new CryptoError('CHUNK_REFUSED', `chunk ${index}`, 'at most 2^40 chunks')
    }
    const nonce = new Uint8Array(counterLength + 1)
    nonce.set(bigEndian(index, counterLength))
    nonce[counterLength] = last ? 1 : 0
    return nonce
  }
  return {
    seal: async (index, last, plaintext, into) => aead.seal(nonceOf(index, last), plaintext, undefined, into),
    async open(index, last, sealed) {
      const plaintext = await aead.open(nonceOf(index, last), sealed)
      // Only an empty payload ends in an empty chunk, so that each plaintext has one length of payload.
      if (plaintext === undefined || (plaintext.length === 0 && index > 0)) {
        const why = 'not authentic at this place: altered, moved or cut'
        throw new CryptoError('CHUNK_REFUSED', `chunk ${index}`, why)
      }
      return plaintext
    },
    forget: () => aead.forget(),
  }
}

/** How a payload of some length is divided. */
export interface PayloadLayout {
  /** Number of chunks, at least 1. */
  readonly chunks: number
  /** Bytes of the whole plaintext. */
  readonly plaintextLength: number
  /** Bytes of the whole payload. */
  readonly payloadLength: number
}

/**
 * The layout of a plaintext's payload.
 *
 * @param plaintextLength - in bytes
 * @param chunkSize - plaintext bytes per chunk
 * @returns the layout
 */
export function layoutOfPlaintext(plaintextLength: number, chunkSize: number): PayloadLayout {
  const chunks = Math.max(1, Math.ceil(plaintextLength / chunkSize))
  return { chunks, plaintextLength, payloadLength: plaintextLength + chunks * aeadTagLength }
}

/**
 * The layout of a payload as found.
 *
 * @param payloadLength - in bytes
 * @param chunkSize - plaintext bytes per chunk
 * @returns the layout
 * @throws CryptoError `TRUNCATED` when no plaintext has a payload of this length, of 2^40 chunks at most
 */
export function layoutOfPayload(payloadLength: number, chunkSize: number): PayloadLayout {
  const chunks = Math.max(1, Math.ceil(payloadLength / (chunkSize + aeadTagLength)))
  const plaintextLength = payloadLength - chunks * aeadTagLength
  if (plaintextLength < 0 || chunks > maximumChunks) throw truncated()
  const { chunks: needed } = layoutOfPlaintext(plaintextLength, chunkSize)
  if (needed !== chunks) throw truncated()
  return { chunks, plaintextLength, payloadLength }
}
