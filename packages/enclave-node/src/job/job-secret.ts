import { canonicalBytes, decodeHex } from '@sealpool/crypto'
import { keyedFingerprint } from '@sealpool/privacy'
import { lastingScope } from '../ingest/served-pool.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import type { PlannedJob } from './planned-job.js'

/** What the secrets of a job follow from. */
export interface JobSecretOptions {
  readonly keys: NodeKeyRing
  readonly planned: PlannedJob
  /** Ids of the contributions that the job reads, by pool address. */
  readonly contributions: ReadonlyMap<string, readonly string[]>
}

/**
 * A secret of one job: the same for the same plan on the same contributions, however often the job is run, and another one for
 * every other plan, every other set of contributions and every other purpose.
 * @param purpose what it is for
 * @returns 32 bytes, from the first charged pool's secret for that purpose
 */
export function jobSecret(
  purpose: 'job-noise' | 'job-pseudonyms' | 'job-deal' | 'job-share',
  options: JobSecretOptions,
): Uint8Array {
  const { keys, planned, contributions } = options
  const [first] = planned.charges
  if (first === undefined) throw new Error('a job that charges no pool has no secret')
  const inputs = planned.charges
    .map(({ pool }) => ({
      pool: pool.address.toLowerCase(),
      contributions: [...(contributions.get(pool.address) ?? [])].sort(),
    }))
    .sort((a, b) => (a.pool < b.pool ? -1 : 1))
  return decodeHex(
    `0x${keyedFingerprint({
      key: keys.poolSecret(purpose, lastingScope(first.pool)),
      domain: `${purpose}/seed`,
      data: canonicalBytes({ plan: planned.planDigest, inputs }),
    })}`,
  )
}
