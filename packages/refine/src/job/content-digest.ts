import {
  canonicalBytes,
  type Digest,
  digestOf,
  encodeHex,
  type JsonValue,
  merkleRoot,
  sha256Digest,
} from '@sealpool/crypto'
import type { Row } from '../schema/table-schema.js'

/** Refined tables: name to rows. */
export type Tables = Readonly<Record<string, readonly Row[]>>

/** A row behind its salt, and its leaf hash (RFC 6962, 2.1), by which leaves are ordered. */
function leafOf(salt: Uint8Array, row: Uint8Array): { readonly bytes: Uint8Array; readonly hash: string } {
  const preimage = new Uint8Array(1 + salt.length + row.length)
  preimage.set(salt, 1)
  preimage.set(row, 1 + salt.length)
  return { bytes: preimage.subarray(1), hash: sha256Digest(preimage) }
}

/**
 * Digest of refined content: the same rows give the same digest, in whatever order they came, in however many batches and
 * from whatever source format. Per table it is the RFC 6962 Merkle root of the canonical rows (RFC 8785) in the order of their
 * leaf hashes, so a single row can be shown to be in it, and a job over any number of rows sorts hashes and no rows.
 *
 * Rows come from small domains: without a salt this digest can be tested against guesses and must not leave the enclave.
 * With a secret salt of 32 bytes it is a commitment and can be published.
 *
 * @param tables - tables as `refineBatch` returns them; batches may be concatenated
 * @param options - `salt`: secret bytes, in front of every row and in the whole
 * @returns the digest
 */
export function contentDigest(tables: Tables, options: { readonly salt?: Uint8Array } = {}): Digest {
  const salt = options.salt ?? new Uint8Array()
  return digestOfRoots(
    salt,
    Object.entries(tables).map(([name, rows]) => {
      const leaves = rows.map((row) => leafOf(salt, canonicalBytes(row as JsonValue)))
      leaves.sort((a, b) => (a.hash < b.hash ? -1 : 1))
      return { name, rows: rows.length, root: merkleRoot(leaves.map(({ bytes }) => bytes)) }
    }),
  )
}

/** A table of which only the Merkle root is known. */
export interface TableRoot {
  readonly name: string
  readonly rows: number
  /** Root over the leaves in the order of their hashes, 32 bytes. */
  readonly root: Uint8Array
}

/**
 * {@link contentDigest} of tables whose roots are known.
 *
 * @param salt - secret bytes, or none
 * @param tables - every table of the content
 * @returns the digest
 */
export function digestOfRoots(salt: Uint8Array, tables: readonly TableRoot[]): Digest {
  return digestOf({
    format: 'sealpool/content',
    version: 2,
    salt: encodeHex(salt),
    tables: tables
      .map(({ name, rows, root }) => ({ name, rows, root: encodeHex(root) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  })
}
