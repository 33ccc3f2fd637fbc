import {
  canonicalBytes,
  type Digest,
  digestOf,
  encodeHex,
  type JsonValue,
  merkleRoot,
} from '@sealpool/crypto'
import type { Row } from '../schema/table-schema.js'

/** Refined tables: name to rows. */
export type Tables = Readonly<Record<string, readonly Row[]>>

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/**
 * Digest of refined content: the same rows give the same digest, in whatever order they came, in however many batches and
 * from whatever source format. Per table it is the RFC 6962 Merkle root of the sorted canonical rows (RFC 8785), so a
 * single row can be shown to be in it.
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
  return digestOf({
    format: 'sealpool/content',
    version: 1,
    salt: encodeHex(salt),
    tables: Object.entries(tables)
      .map(([name, rows]) => {
        const leaves = rows.map((row) => canonicalBytes(row as JsonValue)).sort(compareBytes)
        const salted = leaves.map((leaf) => {
          const bytes = new Uint8Array(salt.length + leaf.length)
          bytes.set(salt)
          bytes.set(leaf, salt.length)
          return bytes
        })
        return { name, rows: rows.length, root: encodeHex(merkleRoot(salted)) }
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  } as JsonValue)
}
