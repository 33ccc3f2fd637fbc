import { concatHex, type Hex, keccak256 } from 'viem'
import { ContractsError } from '../errors.js'

/** A Merkle tree over hashes, as the contracts' proofs expect it. */
export interface MerkleTree {
  readonly root: Hex
  /**
   * The proof of a leaf, from its neighbour up to the root's child.
   *
   * @throws {ContractsError} `ARGUMENT_INVALID` when there is no such leaf.
   */
  proof(index: number): Hex[]
}

/**
 * Builds a Merkle tree of sorted pairs (keccak-256); a node without a neighbour moves up as it is. Leaves must be hashes of
 * something that is not 64 bytes long, or an inner node could pass for one.
 *
 * @param leaves At least one, 32 bytes each.
 * @returns the root, and the proof of each leaf by its place in `leaves`
 * @throws {ContractsError} `ARGUMENT_INVALID` when there is none.
 * @see OpenZeppelin MerkleProof
 */
export function merkleTree(leaves: readonly Hex[]): MerkleTree {
  if (leaves.length === 0)
    throw new ContractsError('ARGUMENT_INVALID', 'merkleTree', 'a tree has at least one leaf')
  let level = leaves.map((leaf) => leaf.toLowerCase() as Hex)
  const levels = [level]
  while (level.length > 1) {
    const next: Hex[] = []
    for (let index = 0; index < level.length; index += 2) {
      const left = level[index] as Hex
      const right = level[index + 1]
      next.push(right === undefined ? left : pair(left, right))
    }
    levels.push(next)
    level = next
  }
  const root = level[0] as Hex
  return {
    root,
    proof(index) {
      if (!Number.isInteger(index) || index < 0 || index >= leaves.length) {
        throw new ContractsError('ARGUMENT_INVALID', 'merkleTree.proof', `there is no leaf ${index}`)
      }
      const path: Hex[] = []
      let place = index
      for (const level of levels.slice(0, -1)) {
        const neighbour = level[place ^ 1]
        if (neighbour !== undefined) path.push(neighbour)
        place >>= 1
      }
      return path
    },
  }
}

/** Hash of two nodes, the smaller first. */
function pair(left: Hex, right: Hex): Hex {
  return keccak256(left < right ? concatHex([left, right]) : concatHex([right, left]))
}
