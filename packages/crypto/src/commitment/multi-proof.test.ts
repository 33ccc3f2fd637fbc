import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { merkleProof, merkleRoot, verifyMerkleProof } from './merkle.js'
import { merkleMultiProof, verifyMerkleMultiProof } from './multi-proof.js'

const leavesOf = (count: number) => Array.from({ length: count }, (_, index) => new Uint8Array([index, 7]))
const claimOf = (leaves: readonly Uint8Array[], indices: readonly number[]) => ({
  leaves: indices.map((index) => ({ index, leaf: leaves[index] ?? new Uint8Array() })),
  count: leaves.length,
  proof: merkleMultiProof(leaves, indices),
  root: merkleRoot(leaves),
})

describe('a multi-proof', () => {
  test('verifies for every set of leaves of every small tree', () => {
    for (let count = 1; count <= 9; count++) {
      const leaves = leavesOf(count)
      for (let set = 1; set < 2 ** count; set++) {
        const indices = leaves.map((_, index) => index).filter((index) => (set >> index) & 1)
        expect(verifyMerkleMultiProof(claimOf(leaves, indices)), `${count} ${set}`).toBe(true)
      }
    }
  })

  test('of one leaf is the audit path, and of all leaves is empty', () => {
    const leaves = leavesOf(13)
    for (let index = 0; index < 13; index++) {
      expect(merkleMultiProof(leaves, [index])).toEqual(merkleProof(leaves, index))
    }
    expect(merkleMultiProof(leaves, [...leaves.keys()])).toEqual([])
  })

  test('never repeats a hash and is no longer than single proofs together', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.array(fc.nat(), { minLength: 1 }), (count, picks) => {
        const leaves = leavesOf(count).map((leaf, index) => new Uint8Array([...leaf, index >> 8]))
        const indices = [...new Set(picks.map((pick) => pick % count))].sort((one, two) => one - two)
        const claim = claimOf(leaves, indices)
        expect(verifyMerkleMultiProof(claim)).toBe(true)
        const hex = claim.proof.map((hash) => Buffer.from(hash).toString('hex'))
        expect(new Set(hex).size).toBe(hex.length)
        const single = indices.reduce((sum, index) => sum + merkleProof(leaves, index).length, 0)
        expect(claim.proof.length).toBeLessThanOrEqual(single)
      }),
    )
  })

  const leaves = leavesOf(11)
  const good = claimOf(leaves, [2, 5, 10])
  const [first, second, third] = good.leaves
  test.each<readonly [string, unknown]>([
    ['another leaf', { leaves: [first, { index: 5, leaf: new Uint8Array([9]) }, third] }],
    ['another place', { leaves: [first, { ...second, index: 4 }, third] }],
    [
      'two leaves swapped',
      { leaves: [{ ...first, leaf: second?.leaf }, { ...second, leaf: first?.leaf }, third] },
    ],
    ['leaves out of order', { leaves: [second, first, third] }],
    ['a leaf twice', { leaves: [first, first, second, third] }],
    ['a leaf too few', { leaves: [first, second] }],
    ['no leaves', { leaves: [] }],
    ['a leaf past the end', { leaves: [first, second, { ...third, index: 11 }] }],
    ['a negative place', { leaves: [{ ...first, index: -1 }, second, third] }],
    ['a place with a fraction', { leaves: [{ ...first, index: 2.5 }, second, third] }],
    ['another count', { count: 10 }],
    ['a larger count', { count: 12 }],
    ['an endless count', { count: Number.POSITIVE_INFINITY }],
    ['a hash too many', { proof: [...good.proof, new Uint8Array(32)] }],
    ['a hash too few', { proof: good.proof.slice(0, -1) }],
    ['hashes in another order', { proof: [...good.proof].reverse() }],
    ['a short hash', { proof: good.proof.map((hash) => hash.slice(1)) }],
    ['no proof', { proof: undefined }],
    ['another root', { root: new Uint8Array(32) }],
    ['a root that is text', { root: 'root' }],
    ['leaves that are null', { leaves: [null] }],
    ['a leaf that is text', { leaves: [{ index: 2, leaf: 'text' }] }],
    ['a proof of a million hashes', { proof: Array.from({ length: 1e6 }, () => new Uint8Array(32)) }],
  ])('with %s is refused', (_name, change) => {
    expect(verifyMerkleMultiProof({ ...good, ...(change as object) })).toBe(false)
  })

  test('a tree of 2^53 leaves costs no more than its height', () => {
    const claim = {
      leaves: [{ index: 2 ** 52, leaf: new Uint8Array() }],
      count: 2 ** 53 - 1,
      root: new Uint8Array(32),
    }
    expect(
      verifyMerkleMultiProof({ ...claim, proof: Array.from({ length: 53 }, () => new Uint8Array(32)) }),
    ).toBe(false)
  })

  test.each([[[]], [[3, 3]], [[4, 3]], [[11]], [[-1]], [[0.5]]])(
    'is not made for the places %j',
    (indices) => {
      expect(() => merkleMultiProof(leaves, indices)).toThrow(
        expect.objectContaining({ code: 'MERKLE_INPUT_INVALID' }),
      )
    },
  )
})

test('arrays with holes are answered with false, in either kind of proof', () => {
  const holes = new Array(1) as Uint8Array[]
  const leaf = new Uint8Array([1])
  const root = new Uint8Array(32)
  expect(verifyMerkleProof({ leaf, index: 0, count: 2, proof: holes, root })).toBe(false)
  expect(verifyMerkleMultiProof({ leaves: [{ index: 0, leaf }], count: 2, proof: holes, root })).toBe(false)
  expect(verifyMerkleMultiProof({ leaves: new Array(1), count: 2, proof: [root], root })).toBe(false)
})
