/**
 * What a job reads of each pool, as the receipt names it.
 * @module
 */
import { verdictsRoot } from '@sealpool/attest'
import { type Address, bytesToDigest, canonicalBytes, type Digest, merkleRoot } from '@sealpool/crypto'
import type { ServedPool } from '../ingest/served-pool.js'
import type { LiveSets } from '../live/live-tables.js'
import { countWithheld } from '../state/consent-table.js'
import { type RefinedInput, refinedInputs, refinedInputsDigest } from '../state/contribution-table.js'
import type { Reservation } from '../state/job-table.js'
import type { Sql } from '../state/state-store.js'
import { readVerdictList } from '../state/verdict-list-table.js'
import { lately } from './lately.js'

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
  /** Of a live pool: how many accepted contributions were not to be had. */
  readonly leftOut?: number
  /** How many accepted contributions no job uses, because their owners' text counts no more; absent: any text counts. */
  readonly withheld?: number
}

/** Inputs that were gathered lately, by the digest of what they were gathered from; some megabytes each in a pool of 20,000. */
const gathered = lately<PoolInputs>(8)
/** Roots of lists, by their names, which are digests as well: jobs over one head of a pool have one list. */
const roots = lately<Digest>(100)

/**
 * @param live what was fetched of live pools
 * @returns the inputs of each pool, in order
 */
export async function jobInputs(
  sql: Sql,
  pools: readonly ServedPool[],
  live?: LiveSets,
): Promise<readonly PoolInputs[]> {
  const all: PoolInputs[] = []
  for (const { address, consents } of pools) {
    const withheld = consents === null ? {} : { withheld: await countWithheld(sql, address) }
    const had = live?.get(address)
    if (had !== undefined) {
      all.push({ ...gather(address, had.inputs), leftOut: had.leftOut, ...withheld })
      continue
    }
    const digest = await refinedInputsDigest(sql, address)
    const found = await gathered(
      `${address} ${digest}`,
      async () => gather(address, await refinedInputs(sql, address)),
      // Outside of a transaction something may have come, or gone, between the two reads.
      async () => (await refinedInputsDigest(sql, address)) === digest,
    )
    all.push(consents === null ? found : { ...found, ...withheld })
  }
  return all
}

function gather(pool: Address, inputs: readonly RefinedInput[]): PoolInputs {
  const verdicts = inputs.map(({ verdictDigest }) => verdictDigest)
  return {
    pool,
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
  }
}

/** @returns the inputs that a job was given, whatever came in or was taken back since. @throws NodeError `STATE_UNREADABLE` */
export async function reservedInputs(sql: Sql, { inputs }: Reservation): Promise<readonly PoolInputs[]> {
  const all: PoolInputs[] = []
  for (const { pool, root, count, contributors, verdictList, leftOut, withheld } of inputs) {
    const verdicts = await readVerdictList(sql, verdictList)
    const ofVerdicts = await roots(verdictList, async () => verdictsRoot(verdicts))
    const counts = {
      ...(leftOut === undefined ? {} : { leftOut }),
      ...(withheld === undefined ? {} : { withheld }),
    }
    all.push({ pool, root, count, contributors, verdicts, verdictsRoot: ofVerdicts, ...counts })
  }
  return all
}

/** The verdict digests by pool, as they are kept beside the receipt. */
export function verdictsByPool(inputs: readonly PoolInputs[]): Readonly<Record<string, readonly Digest[]>> {
  return Object.fromEntries(inputs.map(({ pool, verdicts }) => [pool, verdicts]))
}
