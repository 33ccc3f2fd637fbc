import { sha256 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sha256Digest } from '../digest/digest.js'
import { bigEndian, concatBytes } from '../encoding/bytes.js'
import { decodeHex, encodeHex } from '../encoding/hex.js'
import { merkleProof, merkleRoot, verifyMerkleProof } from './merkle.js'
import { commitPlaintext, openCommitment, verifyCommitment, verifyCommitmentOpening } from './salted.js'

// Leaves and roots of the Certificate Transparency reference tests (transparency-dev/merkle, testonly).
const leaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => decodeHex(`0x${hex}`))
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]
// Audit paths of the same tests: leaf place, tree size, path.
const paths: readonly (readonly [number, number, readonly string[]])[] = [
  [
    0,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    5,
    8,
    [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  [
    1,
    5,
    [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
]
const root = (count: number) => decodeHex(`0x${roots[count]}`)

// RFC 6962 section 2.1 written down literally, as an independent check of the level-by-level code.
function definition(list: readonly Uint8Array[]): Uint8Array {
  if (list.length === 0) return sha256(new Uint8Array())
  if (list.length === 1) return sha256(concatBytes(new Uint8Array([0]), list[0] ?? new Uint8Array()))
  let split = 1
  while (split * 2 < list.length) split *= 2
  return sha256(
    concatBytes(new Uint8Array([1]), definition(list.slice(0, split)), definition(list.slice(split))),
  )
}

describe('Merkle tree', () => {
  test.each(roots.map((hex, count) => [count, hex] as const))(
    'has the published root over %i leaves',
    (count, hex) => {
      expect(encodeHex(merkleRoot(leaves.slice(0, count)))).toBe(`0x${hex}`)
    },
  )

  test.each(paths)('has the published path of leaf %i of %i', (index, count, path) => {
    const proof = merkleProof(leaves.slice(0, count), index)
    expect(proof.map(encodeHex)).toEqual(path.map((hash) => `0x${hash}`))
    const leaf = leaves[index] ?? new Uint8Array()
    expect(verifyMerkleProof({ leaf, index, count, proof, root: root(count) })).toBe(true)
  })

  test('agrees with the recursive definition, and proves every leaf', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 5 }), { minLength: 1, maxLength: 40 }), (list) => {
        const top = merkleRoot(list)
        expect(top).toEqual(definition(list))
        list.forEach((leaf, index) => {
          const claim = { leaf, index, count: list.length, proof: merkleProof(list, index), root: top }
          expect(verifyMerkleProof(claim)).toBe(true)
        })
      }),
      { numRuns: 40 },
    )
  })

  const leaf = leaves[2] ?? new Uint8Array()
  const good = { leaf, index: 2, count: 7, proof: merkleProof(leaves.slice(0, 7), 2), root: root(7) }
  test.each([
    ['another leaf', { leaf: decodeHex('0x11') }],
    ['another place', { index: 3 }],
    ['a place past the end', { index: 7 }],
    ['a place that is no whole number', { index: 2.5 }],
    ['a smaller tree', { count: 4 }],
    ['a larger tree', { count: 9 }],
    ['a missing hash', { proof: good.proof.slice(1) }],
    ['an added hash', { proof: [...good.proof, new Uint8Array(32)] }],
    ['hashes in another order', { proof: [...good.proof].reverse() }],
    ['a short hash', { proof: [new Uint8Array(31), ...good.proof.slice(1)] }],
    ['another root', { root: root(6) }],
    ['a truncated root', { root: root(7).slice(0, 31) }],
    [
      'a path of absurd length',
      { proof: Array.from({ length: 60 }, () => new Uint8Array(32)), count: 2 ** 52 },
    ],
  ])('refuses a proof with %s', (_name, change) => {
    expect(verifyMerkleProof(good)).toBe(true)
    expect(verifyMerkleProof({ ...good, ...change })).toBe(false)
  })

  test('does not take an inner node for a leaf', () => {
    const inner = concatBytes(
      ...leaves.slice(0, 2).map((each) => sha256(concatBytes(new Uint8Array([0]), each))),
    )
    const proof = merkleProof(leaves.slice(0, 4), 0).slice(1)
    expect(verifyMerkleProof({ leaf: inner, index: 0, count: 2, proof, root: root(4) })).toBe(false)
  })

  test('refuses a path past the root, even towards a root that would fit', () => {
    const [first, second] = leaves
    if (first === undefined || second === undefined) throw new Error('two leaves')
    const proof = merkleProof([first, second], 1)
    expect(verifyMerkleProof({ leaf: second, index: 1, count: 2, proof, root: root(2) })).toBe(true)
    expect(verifyMerkleProof({ leaf: second, index: 0, count: 1, proof, root: root(2) })).toBe(false)
  })

  test('answers hostile values with false', () => {
    const hostile = [[null], [7], ['x'], null, 'x']
    for (const proof of hostile) {
      expect(verifyMerkleProof({ ...good, proof: proof as unknown as Uint8Array[] })).toBe(false)
    }
    const none = null as unknown as Uint8Array
    expect(verifyMerkleProof({ ...good, root: none })).toBe(false)
    expect(verifyMerkleProof({ ...good, leaf: none })).toBe(false)
  })

  test('refuses to prove a leaf that is not there', () => {
    for (const index of [-1, 8, 0.5]) {
      expect(() => merkleProof(leaves, index)).toThrow(
        expect.objectContaining({ code: 'MERKLE_INPUT_INVALID' }),
      )
    }
  })
})

describe('salted commitment', () => {
  const salt = new Uint8Array(32).fill(3)
  const bytes = new Uint8Array(1000).map((_, index) => index)

  test('follows the format of docs/formats/sealed-file.md (fixed value)', () => {
    expect(commitPlaintext(bytes, { salt, chunkSize: 300 })).toEqual({
      root: 'sha256:e64f93eb327f249bfcc708e29a538c73caf49158909a3f1ed91e7a112aabc714',
      chunkSize: 300,
      length: 1000,
      count: 4,
    })
  })

  test('binds plaintext, salt, chunk size and length', () => {
    const { root: committed } = commitPlaintext(bytes, { salt, chunkSize: 300 })
    expect(verifyCommitment({ root: committed, bytes, salt, chunkSize: 300 })).toBe(true)
    expect(verifyCommitment({ root: committed, bytes: bytes.slice(1), salt, chunkSize: 300 })).toBe(false)
    expect(verifyCommitment({ root: committed, bytes, salt: new Uint8Array(32), chunkSize: 300 })).toBe(false)
    expect(verifyCommitment({ root: committed, bytes, salt, chunkSize: 301 })).toBe(false)
    expect(verifyCommitment({ root: committed, bytes, salt })).toBe(false)
  })

  test('hides equal chunks from each other', () => {
    const same = new Uint8Array(64)
    const first = openCommitment(same, { salt, chunkSize: 32, index: 0 })
    const second = openCommitment(same, { salt, chunkSize: 32, index: 1 })
    expect(first.chunk).toEqual(second.chunk)
    expect(first.chunkSalt).not.toEqual(second.chunkSalt)
    expect(first.proof[0]).not.toEqual(second.proof[0])
  })

  test('opens any chunk of any plaintext', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 40 }),
        (some, chunkSize) => {
          const commitment = commitPlaintext(some, { salt, chunkSize })
          for (let index = 0; index < commitment.count; index++) {
            const opening = openCommitment(some, { salt, chunkSize, index })
            expect(verifyCommitmentOpening(commitment.root, opening)).toBe(true)
          }
        },
      ),
      { numRuns: 30 },
    )
  })

  const commitment = commitPlaintext(bytes, { salt, chunkSize: 300 })
  const opening = openCommitment(bytes, { salt, chunkSize: 300, index: 3 })
  test.each([
    ['another chunk', { chunk: opening.chunk.map((byte) => byte ^ 1) }],
    ['a chunk that is cut', { chunk: opening.chunk.slice(1) }],
    ['another place', { index: 2 }],
    ['a place past the end', { index: 4, chunk: new Uint8Array() }],
    ['another length', { length: 1001 }],
    ['another chunk size', { chunkSize: 301 }],
    ['an impossible chunk size', { chunkSize: 0 }],
    ['another salt', { chunkSalt: new Uint8Array(32) }],
    ['a salt that is no bytes', { chunkSalt: null as unknown as Uint8Array }],
    ['a shorter salt', { chunkSalt: opening.chunkSalt.slice(1) }],
    ['another tree', { treeRoot: new Uint8Array(32) }],
  ])('refuses an opening with %s', (_name, change) => {
    expect(verifyCommitmentOpening(commitment.root, opening)).toBe(true)
    expect(verifyCommitmentOpening(commitment.root, { ...opening, ...change })).toBe(false)
  })

  test('refuses a chunk of another length, even if a dishonest writer committed to one', () => {
    const label = new TextEncoder().encode('sealpool/commitment/1')
    const chunkSalt = new Uint8Array(32)
    const chunk = new Uint8Array(10)
    const treeRoot = merkleRoot([concatBytes(chunkSalt, chunk)])
    const top = (length: number) =>
      sha256Digest(concatBytes(label, bigEndian(300, 4), bigEndian(length, 8), treeRoot))
    const dishonest = { index: 0, chunk, chunkSize: 300, chunkSalt, proof: [], treeRoot }
    expect(verifyCommitmentOpening(top(10), { ...dishonest, length: 10 })).toBe(true)
    expect(verifyCommitmentOpening(top(11), { ...dishonest, length: 11 })).toBe(false)
  })

  test('commits to an empty plaintext', () => {
    const empty = commitPlaintext(new Uint8Array(), { salt })
    expect(empty.count).toBe(0)
    expect(verifyCommitment({ root: empty.root, bytes: new Uint8Array(), salt })).toBe(true)
  })

  test.each([
    ['a short salt', { salt: new Uint8Array(16) }],
    ['chunk size 0', { salt, chunkSize: 0 }],
    ['a broken chunk size', { salt, chunkSize: 1.5 }],
  ])('refuses %s', (_name, options) => {
    expect(() => commitPlaintext(bytes, options)).toThrow(
      expect.objectContaining({ code: 'COMMITMENT_INVALID' }),
    )
  })
})
