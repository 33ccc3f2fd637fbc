import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { needBytes, needBytesList } from '../encoding/argument.js'
import { isBytes } from '../encoding/is-bytes.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { AttestError } from '../errors.js'

/**
 * Hash of a leaf (RFC 9162 2.1.1): SHA-256 of 0x00 and the entry.
 *
 * @param entry bytes of the entry
 * @returns 32 bytes
 */
export function leafHash(entry: Uint8Array): Uint8Array {
  needBytes(entry, 'entry')
  return sha256(concatBytes(Uint8Array.of(0), entry))
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concatBytes(Uint8Array.of(1), left, right))
}

/** The largest power of two below `size`, which is above one. */
function split(size: number): number {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}

/**
 * Root of a tree (RFC 9162 2.1.1).
 *
 * @param hashes hashes of the leaves, in order
 * @returns 32 bytes
 */
export function treeRoot(hashes: readonly Uint8Array[]): Uint8Array {
  needBytesList(hashes, 'hashes')
  let level = [...hashes]
  while (level.length > 1) {
    const above: Uint8Array[] = []
    for (let i = 0; i < level.length; i += 2) {
      const [left, right] = [level[i], level[i + 1]]
      if (left !== undefined) above.push(right === undefined ? left : nodeHash(left, right))
    }
    level = above
  }
  return level[0] ?? sha256(new Uint8Array())
}

/**
 * Path that proves a leaf in a tree (RFC 9162 2.1.3.1).
 *
 * @param hashes hashes of all leaves
 * @param index of the leaf
 * @returns hashes from the leaf’s sibling upwards
 * @throws AttestError `BAD_ARGUMENT` when there is no such leaf
 */
export function inclusionProof(hashes: readonly Uint8Array[], index: number): Uint8Array[] {
  needBytesList(hashes, 'hashes')
  if (!Number.isInteger(index) || index < 0 || index >= hashes.length) {
    throw new AttestError('BAD_ARGUMENT', 'index', `There is no leaf ${index} among ${hashes.length}`)
  }
  if (hashes.length === 1) return []
  const middle = split(hashes.length)
  return index < middle
    ? [...inclusionProof(hashes.slice(0, middle), index), treeRoot(hashes.slice(middle))]
    : [...inclusionProof(hashes.slice(middle), index - middle), treeRoot(hashes.slice(0, middle))]
}

/**
 * Path that proves a smaller tree to be the beginning of this one (RFC 9162 2.1.4.1).
 *
 * @param hashes hashes of all leaves
 * @param size of the smaller tree
 * @returns the hashes that show the smaller tree within the larger
 * @throws AttestError `BAD_ARGUMENT` when it is not between 0 and the whole size
 */
export function consistencyProof(hashes: readonly Uint8Array[], size: number): Uint8Array[] {
  needBytesList(hashes, 'hashes')
  if (!Number.isInteger(size) || size < 0 || size > hashes.length) {
    throw new AttestError(
      'BAD_ARGUMENT',
      'size',
      `There is no tree of ${size} leaves in one of ${hashes.length}`,
    )
  }
  return size === 0 ? [] : subproof(hashes, size, true)
}

function subproof(hashes: readonly Uint8Array[], size: number, whole: boolean): Uint8Array[] {
  if (size === hashes.length) return whole ? [] : [treeRoot(hashes)]
  const middle = split(hashes.length)
  const [left, right] = [hashes.slice(0, middle), hashes.slice(middle)]
  return size <= middle
    ? [...subproof(left, size, whole), treeRoot(right)]
    : [...subproof(right, size - middle, false), treeRoot(left)]
}

/** Callers without types, and kept states, may give anything. */
const isHash = (value: unknown): value is Uint8Array => isBytes(value) && value.length === 32
const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

// Not `every` alone: it leaves holes out.
const wellFormed = (proof: readonly Uint8Array[]) =>
  Array.isArray(proof) && proof.length <= 64 && Array.from<unknown>(proof).every(isHash)

/** A tree as somebody remembers it. */
type Tree = { readonly size: number; readonly root: Uint8Array }
const isTree = (tree: Tree | null | undefined) => isSize(tree?.size) && isHash(tree?.root)

/**
 * What must be a tree's size and root is: one that is lost or another kind of value compares with nothing.
 *
 * @throws AttestError `BAD_ARGUMENT`
 */
export function needTree(tree: Tree, place: string): void {
  if (!isTree(tree))
    throw new AttestError('BAD_ARGUMENT', place, 'A size of at least 0 and a root of 32 bytes are expected')
}

/**
 * Whether a leaf stands at a place of a tree (RFC 9162 2.1.3.2).
 *
 * @param claim leaf, its index, the tree’s size and root, and the proof
 * @returns true only when the path has the right length and leads to the root; hostile values give false
 */
export function verifyInclusion(claim: {
  readonly leaf: Uint8Array
  readonly index: number
  readonly size: number
  readonly proof: readonly Uint8Array[]
  readonly root: Uint8Array
}): boolean {
  if (claim === undefined || claim === null) return false
  const { index, size, proof, root } = claim
  if (!isSize(index) || !isTree({ size, root }) || index >= size) return false
  if (!isHash(claim.leaf) || !wellFormed(proof)) return false
  let [node, last] = [index, size - 1]
  let hash = claim.leaf
  for (const sibling of proof) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash)
      while (node % 2 === 0 && node !== 0) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
    } else hash = nodeHash(hash, sibling)
    ;[node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  }
  return last === 0 && sameBytes(hash, root)
}

/**
 * Whether one tree is the beginning of another (RFC 9162 2.1.4.2): nothing was changed or taken away.
 *
 * @param claim both trees’ sizes and roots, and the proof
 * @returns true only when the path has the right length and leads to both roots; hostile values give false
 */
export function verifyConsistency(claim: {
  readonly first: { readonly size: number; readonly root: Uint8Array }
  readonly second: { readonly size: number; readonly root: Uint8Array }
  readonly proof: readonly Uint8Array[]
}): boolean {
  if (claim === undefined || claim === null) return false
  const { first, second, proof } = claim
  if (!isTree(first) || !isTree(second)) return false
  if (first.size > second.size || !wellFormed(proof)) return false
  if (first.size === second.size) return proof.length === 0 && sameBytes(first.root, second.root)
  if (first.size === 0) return proof.length === 0 && sameBytes(first.root, treeRoot([]))
  // When the first size is a power of two its root is itself a node of the path, and is left out of the proof.
  let power = first.size
  while (power % 2 === 0) power /= 2
  const path = power === 1 ? [first.root, ...proof] : [...proof]
  const [start, ...rest] = path
  if (start === undefined) return false
  let [node, last] = [first.size - 1, second.size - 1]
  while (node % 2 === 1) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  let [before, after] = [start, start]
  for (const hash of rest) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      before = nodeHash(hash, before)
      after = nodeHash(hash, after)
      while (node % 2 === 0 && node !== 0) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
    } else after = nodeHash(after, hash)
    ;[node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  }
  return last === 0 && sameBytes(before, first.root) && sameBytes(after, second.root)
}
