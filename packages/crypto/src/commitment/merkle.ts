import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes, isBytes, requireByteString } from '../encoding/bytes.js'
import { isList, isPlain, requireList } from '../encoding/options.js'
import { CryptoError } from '../errors.js'

const leafPrefix = /* @__PURE__ */ new Uint8Array([0])
const nodePrefix = /* @__PURE__ */ new Uint8Array([1])

/**
 * What is hashed for a leaf (RFC 6962 section 2.1), for callers that hash elsewhere.
 *
 * @param parts - the leaf, in parts that are joined
 * @returns the bytes whose SHA-256 is the leaf's hash
 */
export function leafPreimage(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concatBytes(leafPrefix, ...parts)
}

/**
 * The hash of a leaf.
 *
 * @param parts - the leaf, in parts that are joined
 * @returns 32 bytes
 */
export function leafHash(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = sha256.create().update(leafPrefix)
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/**
 * The hashes of a list's leaves.
 *
 * @param leaves - the list, each leaf any bytes
 * @returns 32 bytes for each
 * @throws CryptoError `OPTION_INVALID` for what is no list of bytes
 */
export function hashesOf(leaves: readonly Uint8Array[]): Uint8Array[] {
  return requireList(leaves, 'leaves').map((leaf, index) => {
    requireByteString(leaf, `leaves[${index}]`)
    return leafHash(leaf)
  })
}

/**
 * The hash of an inner node.
 *
 * @param left - 32 bytes
 * @param right - 32 bytes
 * @returns 32 bytes
 */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concatBytes(nodePrefix, left, right))
}

/**
 * The Merkle Tree Hash of a list (RFC 6962 section 2.1): leaves and inner nodes are hashed under different
 * prefixes, so no inner node passes for a leaf. An empty list has the SHA-256 of nothing.
 *
 * @param leaves - the list, each leaf any bytes
 * @returns the root, 32 bytes
 * @example
 * ```ts
 * import { merkleProof, merkleRoot, verifyMerkleProof } from '@sealpool/crypto'
 * const leaves = ['a', 'b', 'c'].map((text) => new TextEncoder().encode(text))
 * const [leaf] = leaves.slice(2)
 * const root = merkleRoot(leaves)
 * console.log(leaf && verifyMerkleProof({ leaf, index: 2, count: 3, proof: merkleProof(leaves, 2), root })) // true
 * ```
 */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  return rootOfHashes(hashesOf(leaves))
}

/**
 * {@link merkleRoot} of leaves that were hashed already.
 *
 * @param hashes - of {@link leafHash}, in order
 * @returns the root, 32 bytes
 */
export function rootOfHashes(hashes: readonly Uint8Array[]): Uint8Array {
  let level = hashes
  while (level.length > 1) level = nextLevel(level)
  return level[0] ?? sha256(new Uint8Array())
}

/**
 * The audit path of one leaf (RFC 6962 section 2.1.1), from the leaf's sibling to the root's child.
 *
 * @param leaves - the whole list
 * @param index - the leaf's place, from 0
 * @returns hashes of 32 bytes each
 * @throws CryptoError `MERKLE_INPUT_INVALID` when there is no such leaf
 */
export function merkleProof(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  return proofOfHashes(hashesOf(leaves), index)
}

/**
 * {@link merkleProof} of leaves that were hashed already.
 *
 * @param hashes - of {@link leafHash}, in order
 * @param index - the leaf's place, from 0
 * @returns hashes of 32 bytes each
 * @throws CryptoError `MERKLE_INPUT_INVALID` when there is no such leaf
 */
export function proofOfHashes(hashes: readonly Uint8Array[], index: number): Uint8Array[] {
  if (!Number.isInteger(index) || index < 0 || index >= hashes.length) {
    throw new CryptoError('MERKLE_INPUT_INVALID', 'index', `expected a leaf's place below ${hashes.length}`)
  }
  const proof: Uint8Array[] = []
  let level = hashes
  for (let place = index; level.length > 1; place = Math.floor(place / 2)) {
    const sibling = level[place % 2 === 0 ? place + 1 : place - 1]
    if (sibling !== undefined) proof.push(sibling)
    level = nextLevel(level)
  }
  return proof
}

/**
 * The level above. Pairing neighbours and carrying an odd last node upward builds the same tree as RFC 6962's split at
 * the largest power of two, without recursion.
 *
 * @param level - hashes, at least one
 * @returns half as many, rounded up
 */
export function nextLevel(level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = []
  for (let index = 0; index < level.length; index += 2) {
    const left = level[index]
    const right = level[index + 1]
    if (left !== undefined) above.push(right === undefined ? left : nodeHash(left, right))
  }
  return above
}

/** What {@link verifyMerkleProof} takes. */
export interface MerkleProofClaim {
  readonly leaf: Uint8Array
  /** The leaf's place, from 0. */
  readonly index: number
  /** How many leaves the tree has. */
  readonly count: number
  /** The audit path, from the leaf's sibling upward. */
  readonly proof: readonly Uint8Array[]
  /** 32 bytes. */
  readonly root: Uint8Array
}

/**
 * Whether a leaf stands at a place of a tree (RFC 9162 section 2.1.3.2). The path must have exactly the length that
 * place and count ask for. A root does not bind `count` (the last of three leaves passes for the last of two, too): take it
 * from where the root comes from, a signed tree head for one, and never from whoever gives the proof.
 *
 * @param claim - see {@link MerkleProofClaim}; hostile values are answered with `false`
 * @returns true only when the path leads to the root
 */
export function verifyMerkleProof(claim: MerkleProofClaim): boolean {
  if (!isPlain(claim)) return false
  const { leaf, index, count, proof, root } = claim
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(count) || index < 0 || index >= count)
    return false
  if (!isBytes(leaf) || !isBytes(root)) return false
  if (!isList(proof) || proof.length > 53) return false
  let node = index
  let last = count - 1
  let hash = leafHash(leaf)
  for (const sibling of proof) {
    // Here and not by `every`, which passes over the holes of an array.
    if (last === 0 || !isBytes(sibling) || sibling.length !== 32) return false
    if (node % 2 === 1) {
      hash = nodeHash(sibling, hash)
    } else if (node === last) {
      // No sibling at this level or at the next ones, up to the first level where the node is a right child.
      while (node % 2 === 0 && node !== 0) {
        node /= 2
        last = Math.floor(last / 2)
      }
      hash = nodeHash(sibling, hash)
    } else {
      hash = nodeHash(hash, sibling)
    }
    node = Math.floor(node / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 && equalBytes(hash, root)
}
