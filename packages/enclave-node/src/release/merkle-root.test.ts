import { verdictsRoot } from '@sealpool/attest'
import { bytesToDigest, digestToBytes, merkleRoot, sha256Digest } from '@sealpool/crypto'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { merkleRootInTurns } from './merkle-root.js'

it('is the root that receipts are verified by', async () => {
  const leaves = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 70 })
  await fc.assert(
    fc.asyncProperty(leaves, async (given) => {
      expect(await merkleRootInTurns(given)).toBe(bytesToDigest(merkleRoot(given)))
      const verdicts = given.map(sha256Digest)
      expect(await merkleRootInTurns(verdicts.map(digestToBytes))).toBe(verdictsRoot(verdicts))
    }),
  )
})

it('lets others have their turn', async () => {
  let turns = 0
  const count = (): void => {
    turns += 1
    timer = setImmediate(count)
  }
  let timer = setImmediate(count)
  const leaves = Array.from({ length: 6_000 }, (_, index) => Uint8Array.of(index % 256, index >> 8))
  expect(await merkleRootInTurns(leaves)).toBe(bytesToDigest(merkleRoot(leaves)))
  clearImmediate(timer)
  expect(turns).toBeGreaterThanOrEqual(5)
})
