/**
 * What a round of ingest does for one pool.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import type { AuditLog } from '../audit/audit-file.js'
import { rewrapContributions } from '../incident/rewrap-contributions.js'
import { auditVerdicts } from '../ingest/audit-verdicts.js'
import type { IngestContext } from '../ingest/ingest-context.js'
import { judgeBatch } from '../ingest/judge-batch.js'
import { recordMerkleVerdicts, signMerkleVerdicts } from '../ingest/merkle-verdicts.js'
import { recordVerdicts } from '../ingest/record-verdicts.js'
import { recordRefinements, refineNext } from '../ingest/refine-batch.js'
import { rescoreContributions } from '../ingest/rescore-contributions.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { switchConsents } from '../ingest/switch-consents.js'
import { switchPolicy } from '../ingest/switch-policy.js'
import { seeLive } from '../live/see-live.js'
import { switchKeep } from '../live/switch-keep.js'
import { platformRandom } from '../platform.js'
import { consentsApply } from '../state/consent-table.js'
import { keptAs } from '../state/kept-as.js'
import { policyApplies } from '../state/policy-table.js'
import { countDiffering } from '../state/verdict-audit-table.js'
import type { NodeLogger } from './logger.js'

/** Rounds of ingest over single pools. */
export interface PoolIngest {
  /** One round over a pool whose key stands on the chain. @returns how many things were done */
  step(pool: ServedPool): Promise<number>
  /** Verdicts that came out otherwise when they were judged again, as the last round without other work found them. */
  differing(): number
}

/** @param options `presentEpoch`: of a pool's key, 0 before the first; `onSwitched`: told when copies are due for removal */
export function poolIngest(options: {
  readonly ingest: IngestContext
  readonly audit: Pick<AuditLog, 'write'>
  readonly log: NodeLogger
  readonly firstEpoch: (pool: Address) => number
  readonly presentEpoch: (pool: Address) => number
  readonly onSwitched: () => void
}): PoolIngest {
  const { ingest, audit, log, firstEpoch, presentEpoch, onSwitched } = options
  const { store } = ingest
  let differing = 0

  const step = async (pool: ServedPool): Promise<number> => {
    const switched = await switchKeep(ingest, pool, audit)
    if (switched > 0) {
      log.info({ pool: pool.name, keep: pool.keep }, 'switched what is kept of contributions')
      onSwitched()
    }
    const changed = await switchPolicy(ingest, pool, audit)
    if (changed > 0) log.info({ pool: pool.name }, 'made the tables under the present policy')
    const consented = await switchConsents(ingest, pool, audit)
    if (consented > 0) log.info({ pool: pool.name }, 'switched the consents that count')
    const moved = await moveToPresentKey(pool)
    const judged = await judgeBatch(ingest, pool)
    if (judged > 0) await recordVerdicts(ingest)
    if ((await signMerkleVerdicts(ingest, pool)) > 0) await recordMerkleVerdicts(ingest)
    // Refined in few large parts: when nothing more is waiting to be judged.
    const refined = judged === 0 ? await takeIn(pool) : 0
    if (judged > 0 || refined > 0) log.info({ pool: pool.name, judged, refined }, 'ingested')
    // Nothing waits for an audit.
    const audited = judged + refined > 0 ? 0 : await auditVerdicts({ ingest, audit }, pool)
    const rescored = judged + refined > 0 ? 0 : await rescoreContributions({ ingest, audit }, pool)
    if (rescored > 0) log.info({ pool: pool.name, rescored }, 'judged again by the present proof')
    if (judged + refined === 0) differing = await countDiffering(store)
    return switched + changed + consented + moved + judged + refined + audited + rescored
  }

  /** Takes accepted contributions into the tables; of a live pool, of which none are kept, it only looks what their rows are. */
  const takeIn = async (pool: ServedPool): Promise<number> => {
    // Until a switch is over, nothing new is kept in the manner of either.
    if ((await keptAs(store, pool.address)) !== pool.keep) return 0
    if (!(await consentsApply(store, pool.address, pool.consents))) return 0
    if (!(await policyApplies(store, pool.address, pool.policyDigest))) return 0
    if (pool.keep === 'live') return seeLive(ingest, pool)
    const refined = await refineNext(ingest, pool)
    if (refined > 0) await recordRefinements(ingest)
    return refined
  }

  /** What was sealed to a key that an incident gave up is read with the present one from here on. */
  const moveToPresentKey = async (pool: ServedPool): Promise<number> => {
    const first = firstEpoch(pool.address)
    const epoch = presentEpoch(pool.address)
    // A live pool's owners give the file as it was sealed: the node keeps no header of it.
    if (first === 1 || epoch < first || pool.keep === 'live') return 0
    const moved = await rewrapContributions(ingest, pool, epoch, platformRandom)
    if (moved > 0) log.info({ pool: pool.name, epoch, moved }, 'moved contributions to the present key')
    return moved
  }

  return { step, differing: () => differing }
}
