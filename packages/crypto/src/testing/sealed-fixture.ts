import type { Backend } from '../aead/backend.js'
import { canonicalBytes, parseCanonical } from '../canonical-json/canonical-bytes.js'
import type { JsonObject } from '../canonical-json/canonicalize.js'
import { bigEndian, concatBytes, type Random } from '../encoding/bytes.js'
import { CryptoError } from '../errors.js'
import { derivePoolKey } from '../pool-key/derive.js'
import { hpkeIdentity, hpkeRecipient } from '../recipient/hpke-recipient.js'
import { walletIdentity, walletRecipient } from '../recipient/wallet.js'
import type { SealSuite } from '../sealed-file/header.js'
import { parseHeader, prefixLength } from '../sealed-file/header.js'
import { sealBytes } from '../sealed-file/seal.js'

/** Pool, policy and epoch of every test file. */
export const scope = {
  chainId: 31337,
  pool: '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512',
  policyDigest: `sha256:${'ab'.repeat(32)}`,
  epoch: 1,
} as const
/** The context of every test file. */
export const context = { ...scope, commitment: `sha256:${'cd'.repeat(32)}`, mediaType: 'text/csv' } as const
/** The pool's key. */
export const poolKey = derivePoolKey({ root: new Uint8Array(32).fill(1), ...scope })
/** Opens as the pool. */
export const pool = hpkeIdentity(poolKey)
/** Opens as the contributor's wallet. */
export const wallet = walletIdentity({
  signature: `0x${'11'.repeat(32)}${'22'.repeat(32)}1b`,
  address: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
})
/** Both recipients of every test file. */
export const recipients = [hpkeRecipient(poolKey), walletRecipient(wallet)]
/** Opens nothing here. */
export const stranger = hpkeIdentity({ privateKey: new Uint8Array(32).fill(9) })

/**
 * A source that repeats itself in every run, and differs from call to call.
 *
 * @param seed - start
 * @returns the source
 */
export function repeatable(seed = 1): Random {
  let state = seed
  return (length) =>
    new Uint8Array(length).map(() => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state >>> 24
    })
}

/** Bytes that are easy to tell apart. */
export const bytesOf = (length: number): Uint8Array =>
  new Uint8Array(length).map((_, index) => (index * 7) & 255)

/** Seals some bytes in chunks of 64 bytes. */
export const sealedOf = (
  length: number,
  options: { suite?: SealSuite; backend?: Backend; seed?: number; chunkSize?: number } = {},
): Promise<Uint8Array> =>
  sealBytes(bytesOf(length), {
    recipients,
    context,
    random: repeatable(options.seed),
    chunkSize: options.chunkSize ?? 64,
    suite: options.suite,
    backend: options.backend,
  })

/** The code of the typed error that some work ends with, or `accepted`. */
export async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work()
  } catch (error) {
    if (error instanceof CryptoError) return error.code
    throw error
  }
  return 'accepted'
}

/** A sealed file whose header's JSON was changed by an attacker who has no key: the old MAC stands behind it. */
export function withHeader(sealed: Uint8Array, change: (header: JsonObject) => JsonObject): Uint8Array {
  const { encoded, mac, payloadOffset } = parseHeader(sealed)
  const json = canonicalBytes(change(parseCanonical(encoded.subarray(prefixLength)) as JsonObject))
  return concatBytes(
    encoded.subarray(0, 9),
    bigEndian(json.length, 4),
    json,
    mac,
    sealed.subarray(payloadOffset),
  )
}

/** A sealed file whose header's JSON was replaced by some text. */
export function withHeaderText(sealed: Uint8Array, text: string): Uint8Array {
  const { encoded, mac, payloadOffset } = parseHeader(sealed)
  const json = new TextEncoder().encode(text)
  return concatBytes(
    encoded.subarray(0, 9),
    bigEndian(json.length, 4),
    json,
    mac,
    sealed.subarray(payloadOffset),
  )
}

/** Sends bytes through a transform in pieces of some size and collects what comes out. */
export async function through(
  transform: { writable: WritableStream<Uint8Array>; readable: ReadableStream<Uint8Array> },
  bytes: Uint8Array,
  piece: number,
): Promise<Uint8Array> {
  let offset = 0
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (offset >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(offset, offset + piece))
      offset += piece
    },
  })
  const parts: Uint8Array[] = []
  const reader = source.pipeThrough(transform).getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) parts.push(next.value)
  return concatBytes(...parts)
}
