import { sha256 } from '@noble/hashes/sha2.js'
import { canonicalBytes, type JsonValue } from '@sealpool/crypto'
import type { AuthenticityFinding } from './finding.js'

/**
 * A finding with what its signature covers. The bytes of a file are not fixed by it (unsigned headers, base64 with and without
 * padding, `s` and `n - s`, `7` and `"0x7"`): whoever wants to know whether a contribution came before has to ask for this.
 */
export interface SignedFinding extends AuthenticityFinding {
  /**
   * SHA-256 of what is signed, in one form; undefined when it is not authentic. A hash without a key lets whoever has it test a
   * guess, so it goes into a keyed fingerprint and nowhere else: never into a verdict, a log or a fact.
   */
  readonly signedContent: Uint8Array | undefined
  /**
   * Where a file holds as many signed statements as somebody puts into it (letters of a mailbox, records of a device): a hash of each that
   * this finding is on, as private as `signedContent`. Whoever leaves some out has another file and no other statements.
   */
  readonly statements?: readonly Uint8Array[]
  /** Names of the header fields of a mail that the signature covers wholly, in lower case. */
  readonly signedHeaders?: readonly string[]
  /** Those fields by name in their relaxed form, all of a name together, an empty text for absence that is signed. Private. */
  readonly signedFields?: ReadonlyMap<string, string>
  /** An earlier part of the file says the same under a signature, so that this one counts for nothing. */
  readonly repeated?: boolean
}

/**
 * Adds what is signed to a finding.
 *
 * @param found a finding
 * @param content gives the parts of what is signed, each JSON or bytes; it is asked for authentic findings alone
 * @returns the finding with a hash over all parts, each with its length
 */
export function withSignedContent<Found extends AuthenticityFinding>(
  found: Found,
  content: () => readonly (JsonValue | Uint8Array)[],
): Found & SignedFinding {
  if (!found.authentic) return { ...found, signedContent: undefined }
  const hash = sha256.create()
  for (const part of content()) {
    const bytes = part instanceof Uint8Array ? part : canonicalBytes(part)
    const length = new DataView(new ArrayBuffer(8))
    length.setBigUint64(0, BigInt(bytes.length))
    hash.update(new Uint8Array(length.buffer)).update(bytes)
  }
  return { ...found, signedContent: hash.digest() }
}

/** Several hashes of 32 bytes as a set: in rising order, each once. */
export function hashSet(hashes: Iterable<Uint8Array>): Uint8Array {
  const distinct = new Map<string, Uint8Array>()
  for (const hash of hashes) distinct.set(String.fromCharCode(...hash), hash)
  const sorted = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1))
  // Not joined by a call with as many arguments as a file has records.
  const bytes = new Uint8Array(sorted.length * 32)
  sorted.forEach(([, hash], index) => {
    bytes.set(hash, index * 32)
  })
  return bytes
}
