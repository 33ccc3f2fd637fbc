/**
 * What a job reads of each pool, as the receipt names it.
 * @module
 */
import { verdictsRoot } from '@sealpool/attest'
import { type Address, bytesToDigest, canonicalBytes, type Digest, merkleRoot } from '@sealpool/crypto'
import type { ServedPool } from '../ingest/served-pool.js'
import { refinedInputs } from '../state/contribution-table.js'
import type { Reservation } from '../state/job-table.js'
import type { Sql } from '../state/state-store.js'

/** The accepted and refined contributions of a pool at one moment. */
export interface PoolInputs {
  readonly pool: Address
  /** Merkle root over the canonical JSON of `{ contribution, blob, commitment }`, by id. */
  readonly root: Digest
  readonly count: number
  /** Number of different wallets. */
  readonly contributors: number
  /** Digests of the verdicts, by id of the contribution. */
  readonly verdicts: readonly Digest[]
  readonly verdictsRoot: Digest
}

/** @returns the inputs of each pool, in order */
export async function jobInputs(sql: Sql, pools: readonly ServedPool[]): Promise<readonly PoolInputs[]> {
  const all: PoolInputs[] = []
  for (const { address } of pools) {
    const inputs = await refinedInputs(sql, address)
    const verdicts = inputs.map(({ verdictDigest }) => verdictDigest)
    all.push({
      pool: address,
      root: bytesToDigest(
        merkleRoot(
          inputs.map(({ id, blobDigest, commitment }) =>
            canonicalBytes({ contribution: id, blob: blobDigest, commitment }),
          ),
        ),
      ),
      count: inputs.length,
      contributors: new Set(inputs.map(({ contributor }) => contributor)).size,
      verdicts,
      verdictsRoot: verdictsRoot(verdicts),
    })
  }
  return all
}

/** The inputs that a job was given, whatever came in or was taken back since. */
export function reservedInputs({ inputs }: Reservation): readonly PoolInputs[] {
  return inputs.map(({ pool, root, count, contributors, verdicts }) => ({
    pool,
    root,
    count,
    contributors,
    verdicts,
    verdictsRoot: verdictsRoot(verdicts),
  }))
}

/** The verdict digests by pool, as they are kept beside the receipt. */
export function verdictsByPool(inputs: readonly PoolInputs[]): Readonly<Record<string, readonly Digest[]>> {
  return Object.fromEntries(inputs.map(({ pool, verdicts }) => [pool, verdicts]))
}
