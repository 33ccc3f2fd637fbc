import * as nodeCrypto from 'node:crypto'

/** Bytes of a leaf hash. */
export const leafBytes = 32

/**
 * SHA-256 of bytes, put where it is wanted: there is one for each row and one for each node of the tree. A string of bytes is the form
 * in which Node hands it over without memory of its own outside of the heap, at a third of the time.
 *
 * @param bytes - the bytes
 * @param into - where the 32 bytes go
 * @param at - from which place on
 */
export function sha256Into(bytes: Uint8Array, into: Uint8Array, at: number): void {
  const text = nodeCrypto.hash('sha256', bytes, 'binary')
  for (let index = 0; index < leafBytes; index += 1) into[at + index] = text.charCodeAt(index)
}

/** SHA-256 of bytes. @param parts - bytes, hashed one behind the other @returns 32 bytes */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = new Uint8Array(leafBytes)
  sha256Into(Buffer.concat(parts), hash, 0)
  return hash
}

/**
 * The first six bytes of a leaf as a number, which is below 2^53 and in the leaves' order.
 *
 * @param hashes - leaves, one behind the other
 * @param at - where the leaf begins
 * @returns the number
 */
export function leafPrefix(hashes: Uint8Array, at: number): number {
  const high = ((hashes[at] ?? 0) << 16) | ((hashes[at + 1] ?? 0) << 8) | (hashes[at + 2] ?? 0)
  const low = ((hashes[at + 3] ?? 0) << 16) | ((hashes[at + 4] ?? 0) << 8) | (hashes[at + 5] ?? 0)
  return high * 0x1_00_00_00 + low
}

/**
 * Which of two leaves comes first?
 *
 * @param a - leaves, one behind the other
 * @param atA - where the one begins
 * @param b - leaves
 * @param atB - where the other begins
 * @returns below 0, 0 or above 0, as comparing functions give it
 */
export function compareLeaves(a: Uint8Array, atA: number, b: Uint8Array, atB: number): number {
  for (let index = 0; index < leafBytes; index += 1) {
    const difference = (a[atA + index] ?? 0) - (b[atB + index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
