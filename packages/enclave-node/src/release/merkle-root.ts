/**
 * Merkle roots over all contributions of a pool, by the platform's own SHA-256 and in turns: at 20,000 leaves the portable one takes most
 * of a second, in which nobody would be answered.
 * @module
 */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { bytesToDigest, type Digest } from '@sealpool/crypto'

const leafPrefix = Uint8Array.of(0)
const nodePrefix = Uint8Array.of(1)
/** Hashes between two turns of others: a few milliseconds. */
const hashesPerTurn = 2_000

/**
 * @param leaves bytes of each leaf
 * @returns the root that `merkleRoot` of `@sealpool/crypto` has (RFC 6962)
 */
export async function merkleRootInTurns(leaves: Iterable<Uint8Array>): Promise<Digest> {
  let hashed = 0
  const hash = async (...parts: readonly Uint8Array[]): Promise<Uint8Array> => {
    hashed += 1
    if (hashed % hashesPerTurn === 0) await setImmediate()
    const one = createHash('sha256')
    for (const part of parts) one.update(part)
    return one.digest()
  }
  let level: Uint8Array[] = []
  for (const leaf of leaves) level.push(await hash(leafPrefix, leaf))
  while (level.length > 1) {
    const above: Uint8Array[] = []
    for (let index = 0; index < level.length; index += 2) {
      const [left, right] = level.slice(index, index + 2)
      if (left !== undefined) above.push(right === undefined ? left : await hash(nodePrefix, left, right))
    }
    level = above
  }
  return bytesToDigest(level[0] ?? createHash('sha256').digest())
}
