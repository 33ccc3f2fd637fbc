/**
 * Has the validators of a pool judge a contribution that is judged again: what they agree on counts, as it does of a first verdict.
 * @module
 */
import { NodeError } from '../errors.js'
import type { OwnVerdict } from '../validation/ask-validators.js'
import type { AgreementDecision } from '../validation/decide-agreement.js'
import type { IngestContext } from './ingest-context.js'
import type { ServedPool } from './served-pool.js'
import { tellDisputes } from './tell-disputes.js'

/** Why enough validators have not said the same yet. */
export interface WaitsForValidators {
  readonly kind: 'later'
  readonly reason: string
  readonly validators: {
    /** How often in a row enough of them have answered in vain; 0 when they were not there to answer. */
    readonly timesInVain: number
    /** Unix seconds at which they may be asked again. */
    readonly againAt: number
  }
}

/**
 * Asks the pool's validators about one contribution, whose file was sealed under the older policy that `own.told.rescored` names.
 * @returns what they came to, whatever this node has said itself
 * @throws NodeError `VALIDATION_WITHHELD` when the node was opened without them, `KEYS_MOVED`
 */
export async function agreeOnRescored(
  ingest: Pick<IngestContext, 'store' | 'validation'>,
  pool: ServedPool,
  own: OwnVerdict,
): Promise<Extract<AgreementDecision, { readonly kind: 'agreed' }> | WaitsForValidators> {
  const { validation } = ingest
  if (validation === undefined) {
    const why = 'its validators were not opened with the node'
    throw new NodeError('VALIDATION_WITHHELD', `pool ${pool.address}`, why)
  }
  const { id } = own.contribution
  const [decision] = await validation.agree(pool, [own])
  if (decision === undefined) throw new RangeError('there is a decision on every contribution')
  await tellDisputes(ingest, pool, id, decision)
  if (decision.kind === 'agreed') return decision
  const isLacked = validation.timesLacked(id).byAny > 0
  return {
    kind: 'later',
    // It is told of what is left out in the end, which is nobody's whose validators are away.
    reason:
      decision.reason === 'VALIDATORS_DISAGREE'
        ? decision.reason
        : isLacked
          ? 'VALIDATORS_LACK_FILE'
          : 'VALIDATORS_WITHHOLD',
    validators: { timesInVain: validation.timesInVain(id), againAt: validation.againAt(pool, id) },
  }
}
