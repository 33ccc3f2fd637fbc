import { digestToHex, sha256Digest } from '@sealpool/crypto'

/** Hexadecimal digits of a pseudonym: 60 bits, so that it is a positive BIGINT. Two of a million people meet once in 2 million keys. */
const digits = 15

/**
 * The integer that a contributor has under a key: the first 60 bits of SHA-256 over the key, the integer that the loader gave, and
 * the key again. Joins need equal integers in the tables of one statement only, so every job can have a key of its own, and what is
 * seen of one (a shard, a plan of joins, a memory image) says nothing in another.
 *
 * @param key secret text, 64 hexadecimal digits
 */
export function joinPseudonym(key: string, contributor: bigint): bigint {
  const text = `${key}:${contributor}:${key}`
  // The digest's hexadecimal form begins with 0x.
  return BigInt(digestToHex(sha256Digest(new TextEncoder().encode(text))).slice(0, 2 + digits))
}

/** The same in DuckDB. */
export function pseudonymSql(key: string, column: string): string {
  return `CAST('0x' || left(sha256('${key}:' || ${column} || ':${key}'), ${digits}) AS BIGINT)`
}

/** A key as text. */
export function pseudonymText(key: Uint8Array): string {
  return [...key].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
