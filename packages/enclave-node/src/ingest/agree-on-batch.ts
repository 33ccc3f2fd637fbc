/**
 * Has the validators of a pool judge what this node has judged: what they agree on counts, whatever this node said itself.
 * @module
 */
import { type PocVerdict, verdictDigest } from '@sealpool/poc'
import { NodeError } from '../errors.js'
import { holdContribution } from '../state/contribution-table.js'
import type { OwnVerdict } from '../validation/ask-validators.js'
import type { WaitingReason } from '../validation/decide-agreement.js'
import type { PoolContent } from './content-indexes.js'
import { endedByClock } from './ended-by-clock.js'
import type { IngestContext } from './ingest-context.js'
import type { Judged } from './judge-batch.js'
import type { ServedPool } from './served-pool.js'
import { tellDisputes } from './tell-disputes.js'

/** What a contribution that waits says to people. */
export const waitingTexts: Readonly<Record<WaitingReason | 'VALIDATORS_LACK_FILE', string>> = {
  VALIDATORS_AWAY:
    'too few of the pool’s validators have given a verdict that counts; they are asked again, and nothing is recorded until enough agree',
  VALIDATORS_LACK_FILE:
    'a validator of the pool does not get the file; when it lies in a store of its owner’s own, a sealed copy is put beside the pool’s other ones for it, and it is asked again; let the store answer every node, or contribute again with the file in the pool’s store',
  VALIDATORS_DISAGREE:
    'the pool’s validators contradict each other and no verdict has enough of them; the disputes are recorded, and they are asked again',
}

/** Seconds until validators who contradict each other are asked again: the same code says the same again. */
const contradictedSeconds = 3_600
/** A score as the chain takes it. */
const units = 10_000

/**
 * Asks the pool's validators about a batch. Those without an agreement wait. Whatever this node took for granted that did not come so (one
 * that it accepted waits, is refused, or has another score) ends the batch: what it judged after that is judged anew.
 * @param own in the order of judging
 * @returns what counts; `asJudged` is false when this node took something in that does not stand so
 */
export async function agreeOnBatch(
  context: IngestContext,
  pool: ServedPool,
  own: readonly Judged[],
  content: () => Promise<PoolContent>,
): Promise<{ readonly judged: readonly Judged[]; readonly asJudged: boolean }> {
  const { validation } = context
  if (validation === undefined) {
    const why = 'its validators were not opened with the node'
    throw new NodeError('VALIDATION_WITHHELD', `pool ${pool.address}`, why)
  }
  if (own.length === 0) return { judged: own, asJudged: true }
  const decisions = await validation.agree(pool, own.map(ownVerdict))
  const agreed: Judged[] = []
  let asJudged = true
  for (const [place, one] of own.entries()) {
    const decision = decisions[place]
    if (decision === undefined) throw new RangeError('there is a decision on every contribution')
    await tellDisputes(context, pool, one.contribution.id, decision)
    if (decision.kind === 'waits') {
      await hold(context, pool, one, decision.reason)
      // Nothing that was judged after it went by one that this node refused.
      asJudged &&= !one.verdict.valid
    } else if (asJudged) {
      const { verdict, record } = decision
      asJudged = verdictDigest(one.verdict) === verdictDigest(verdict)
      agreed.push({ ...(asJudged ? one : await overruled(one, verdict, content)), agreement: record })
    }
  }
  return { judged: agreed, asJudged }
}

/** What this node says itself, with what it alone can know. */
function ownVerdict(judged: Judged): OwnVerdict {
  const { contribution, verdict, at, opening, duplicateOf, isHeld = false, asked, scaling, rewarded } = judged
  return {
    contribution,
    verdict,
    at,
    mediaType: opening.kind === 'opened' ? opening.mediaType : '',
    file: opening.kind === 'later' ? undefined : opening.file,
    told: {
      opening: openingOf(opening),
      clock: endedByClock(verdict),
      duplicateOf: duplicateOf ?? null,
      isHeld,
      novelty: asked?.novelty ?? null,
      account: asked?.account ?? null,
      scaling,
      ...(rewarded === 0 ? {} : { rewarded }),
    },
  }
}

function openingOf(opening: Judged['opening']): OwnVerdict['told']['opening'] {
  if (opening.kind === 'opened') return null
  return opening.kind === 'refused'
    ? { code: opening.code, place: opening.place }
    : { code: 'BLOB_MISSING', place: 'locator' }
}

/** What is stored of a contribution on which the others have agreed otherwise than this node. */
async function overruled(
  { contribution, content: compared, farming, ...own }: Judged,
  verdict: PocVerdict,
  content: () => Promise<PoolContent>,
): Promise<Judged> {
  const accepted = verdict.valid && compared !== undefined
  return {
    ...own,
    contribution,
    content: compared,
    verdict,
    // Stored of what is accepted alone.
    farming: farming && { ...farming, earned: Math.round(verdict.score * units) },
    prints: accepted ? (own.prints ?? (await content()).add(contribution.id, compared)) : null,
  }
}

async function hold(
  { store, validation, now }: IngestContext,
  pool: ServedPool,
  { contribution }: Judged,
  waits: WaitingReason,
): Promise<void> {
  const lacks = waits === 'VALIDATORS_AWAY' && (validation?.timesLacked(contribution.id).byAny ?? 0) > 0
  const reason = lacks ? 'VALIDATORS_LACK_FILE' : waits
  const at =
    waits === 'VALIDATORS_DISAGREE'
      ? now() + contradictedSeconds
      : (validation?.againAt(pool, contribution.id) ?? now())
  await holdContribution(store, contribution.id, { reason, reasonText: waitingTexts[reason], at })
}
