import { equalBytes, isBytes } from '../encoding/bytes.js'
import { isList, isPlain, requireList } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import { hashesOf, leafHash, nextLevel, nodeHash } from './merkle.js'

/** What {@link verifyMerkleMultiProof} takes. */
export interface MerkleMultiProofClaim {
  /** The leaves and their places, in ascending order of place. */
  readonly leaves: readonly { readonly index: number; readonly leaf: Uint8Array }[]
  /** How many leaves the tree has. */
  readonly count: number
  /** The hashes that the leaves do not give, level by level from the leaves up, each from left to right. */
  readonly proof: readonly Uint8Array[]
  /** 32 bytes. */
  readonly root: Uint8Array
}

/**
 * One proof for several leaves of a Merkle tree (RFC 6962 section 2.1): hashes that two leaves share are not repeated,
 * and those that follow from the leaves are left out.
 *
 * @param leaves - the whole list
 * @param indices - the leaves' places, ascending, none twice; at least one
 * @returns hashes of 32 bytes each
 * @throws CryptoError `MERKLE_INPUT_INVALID` for no leaf, a place twice, out of order or outside the list
 * @example
 * ```ts
 * import { merkleMultiProof, merkleRoot, verifyMerkleMultiProof } from '@sealpool/crypto'
 * const leaves = ['a', 'b', 'c', 'd', 'e'].map((text) => new TextEncoder().encode(text))
 * const chosen = [1, 4].map((index) => ({ index, leaf: leaves[index] ?? new Uint8Array() }))
 * const proof = merkleMultiProof(leaves, [1, 4])
 * console.log(proof.length) // 2
 * console.log(verifyMerkleMultiProof({ leaves: chosen, count: 5, proof, root: merkleRoot(leaves) })) // true
 * ```
 */
export function merkleMultiProof(leaves: readonly Uint8Array[], indices: readonly number[]): Uint8Array[] {
  return multiProofOfHashes(hashesOf(leaves), isList(indices) ? requireList(indices, 'indices') : indices)
}

/**
 * {@link merkleMultiProof} of leaves that were hashed already.
 *
 * @param hashes - in order
 * @param indices - ascending
 * @returns hashes of 32 bytes each
 * @throws CryptoError `MERKLE_INPUT_INVALID`
 */
export function multiProofOfHashes(hashes: readonly Uint8Array[], indices: readonly number[]): Uint8Array[] {
  if (!areIndices(indices, hashes.length)) {
    const why = `expected ascending places below ${hashes.length}, at least one and none twice`
    throw new CryptoError('MERKLE_INPUT_INVALID', 'indices', why)
  }
  const proof: Uint8Array[] = []
  let level = hashes
  let places = indices
  while (level.length > 1) {
    const known = new Set(places)
    for (const place of places) {
      const beside = siblingOf(place)
      const sibling = level[beside]
      if (sibling !== undefined && !known.has(beside)) proof.push(sibling)
    }
    level = nextLevel(level)
    places = parentsOf(places)
  }
  return proof
}

/**
 * Whether leaves stand at their places of a tree. The proof must have exactly the hashes that places and count ask for. A
 * root does not bind `count`: take it from where the root comes from.
 *
 * @param claim - see {@link MerkleMultiProofClaim}; hostile values are answered with `false`
 * @returns true only when all leaves lead to the root
 */
export function verifyMerkleMultiProof(claim: MerkleMultiProofClaim): boolean {
  if (!isPlain(claim)) return false
  const { leaves, count, proof, root } = claim
  if (!isList(leaves) || !isList(proof) || !isBytes(root)) return false
  const wellFormed = leaves.every(
    (each: unknown) =>
      typeof each === 'object' && each !== null && isBytes((each as { leaf?: unknown }).leaf),
  )
  if (!wellFormed) return false
  const hashes = leaves.map(({ index, leaf }) => ({ index, hash: leafHash(leaf) }))
  const found = multiProofRoot(hashes, count, proof)
  return found !== undefined && equalBytes(found, root)
}

/**
 * The root to which hashed leaves and a proof lead.
 *
 * @param hashes - of {@link leafHash}, with their places, ascending
 * @param count - how many leaves the tree has
 * @param proof - as in {@link MerkleMultiProofClaim}
 * @returns 32 bytes, or undefined when the proof does not have exactly the hashes that are needed
 */
export function multiProofRoot(
  hashes: readonly { readonly index: number; readonly hash: Uint8Array }[],
  count: number,
  proof: readonly Uint8Array[],
): Uint8Array | undefined {
  if (!Number.isSafeInteger(count) || !isList(proof)) return undefined
  if (
    !areIndices(
      hashes.map(({ index }) => index),
      count,
    )
  ) {
    return undefined
  }
  // No leaf needs more than 53 hashes, for no tree has more than 2^53 leaves.
  if (proof.length > 53 * hashes.length) return undefined
  if (!proof.every((hash) => isBytes(hash) && hash.length === 32)) return undefined
  let used = 0
  let level = hashes
  for (let size = count; size > 1; size = Math.ceil(size / 2)) {
    const above: { index: number; hash: Uint8Array }[] = []
    for (let at = 0; at < level.length; at++) {
      const node = level[at]
      if (node === undefined) return undefined
      const beside = siblingOf(node.index)
      const parent = Math.floor(node.index / 2)
      const following = level[at + 1]
      if (beside >= size) {
        // An odd last node is carried upward as it is.
        above.push({ index: parent, hash: node.hash })
      } else if (following?.index === beside) {
        above.push({ index: parent, hash: nodeHash(node.hash, following.hash) })
        at += 1
      } else {
        const sibling = proof[used++]
        if (sibling === undefined) return undefined
        const hash = beside < node.index ? nodeHash(sibling, node.hash) : nodeHash(node.hash, sibling)
        above.push({ index: parent, hash })
      }
    }
    level = above
  }
  const top = level[0]
  return used === proof.length ? top?.hash : undefined
}

function areIndices(indices: unknown, count: number): indices is readonly number[] {
  if (!isList(indices) || indices.length === 0) return false
  return indices.every(
    (index: unknown, at) =>
      Number.isSafeInteger(index) &&
      (index as number) < count &&
      (index as number) > (at === 0 ? -1 : (indices[at - 1] as number)),
  )
}

function siblingOf(place: number): number {
  return place % 2 === 0 ? place + 1 : place - 1
}

function parentsOf(places: readonly number[]): number[] {
  return [...new Set(places.map((place) => Math.floor(place / 2)))]
}
