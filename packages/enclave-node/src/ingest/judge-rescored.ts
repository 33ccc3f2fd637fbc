/**
 * Judges one contribution by its pool's present proof, beside the verdict that an earlier one gave.
 * @module
 */
import type { Digest } from '@sealpool/crypto'
import {
  FULL_SCORE,
  type PocVerdict,
  parsePocVerdict,
  type RescoredContribution,
  type RescoringReward,
  rescoringDifference,
  scoreUnits,
  verdictDigest,
} from '@sealpool/poc'
import { isAcceptedConsent } from '../config/consent-settings.js'
import { subjectOf } from '../key/node-signer.js'
import { accountHolder } from '../state/content-table.js'
import type { ContributionRow } from '../state/contribution-table.js'
import { rewardedBesides } from '../state/earlier-rewards.js'
import { NOT_HELD } from '../state/forget-rescored.js'
import { rescoredHolder, stillAccepted, type storeRescored } from '../state/rescoring-table.js'
import { findVerdict } from '../state/verdict-table.js'
import { isFitHeader } from '../validation/questions-of.js'
import type { ToldFacts } from '../validation/told-facts.js'
import { agreeOnRescored, type WaitsForValidators } from './agree-on-rescored.js'
import { endedByClock } from './ended-by-clock.js'
import type { IngestContext } from './ingest-context.js'
import { judgeContribution } from './judge-contribution.js'
import type { OpenedContribution } from './open-contribution.js'
import { openStored } from './open-stored.js'
import { overwriteOpened } from './overwrite-opened.js'
import { lastingScope, type ServedPool, type ServedRescoring } from './served-pool.js'

/** What became of a contribution that was chosen. */
export type RescoredOutcome =
  | ({ readonly kind: 'judged' } & Parameters<typeof storeRescored>[2])
  /** It gets no second verdict. */
  | { readonly kind: 'left'; readonly reason: string }
  /** It may, later. */
  | { readonly kind: 'later'; readonly reason: string; readonly validators?: never }
  | WaitsForValidators

/**
 * Opens and judges one contribution again. The proof is told what was known first: the time of its block, and that it is as new as its first
 * verdict says, since nothing that came after it counts against it.
 * @returns both verdicts as a line of the statement, with the signed second one
 */
export async function judgeRescored(
  ingest: IngestContext,
  pool: ServedPool,
  asked: Pick<ServedRescoring, 'earlier' | 'rule'> & { readonly id: string },
): Promise<RescoredOutcome> {
  const { store } = ingest
  const contribution = await stillAccepted(store, asked.id)
  const first = await findVerdict(store, asked.id)
  if (contribution === undefined || first === undefined) return { kind: 'left', reason: NOT_HELD }
  // What its owner agreed to may count no more.
  if (!isAcceptedConsent(pool, contribution)) return { kind: 'left', reason: 'CONSENT_NOT_ACCEPTED' }
  const before = parsePocVerdict(first.statement.body)
  const opened = await openUnder(ingest, pool, asked.earlier, contribution, before)
  if (opened.kind === 'later') return opened
  if (opened.kind === 'refused') return { kind: 'left', reason: opened.code }
  try {
    // No question to a validator holds it: see `isFitHeader`.
    if (pool.validators !== null && !isFitHeader(opened.file.header))
      return { kind: 'left', reason: 'SEALED_FILE_INVALID' }
    return await judgeOpened(ingest, pool, { rule: asked.rule, contribution, before, opened })
  } finally {
    overwriteOpened(opened)
  }
}

/** Opens it with the key of the policy that it was sealed under: which one, its sealed header says, and no other key opens it. */
async function openUnder(
  ingest: IngestContext,
  pool: ServedPool,
  earlier: ServedRescoring['earlier'],
  contribution: ContributionRow,
  before: PocVerdict,
): Promise<OpenedEarlier | Exclude<OpenedContribution, { readonly kind: 'opened' }>> {
  // What a validator does not get from its owner's store it finds beside the pool's other copies.
  const keeping = pool.validators !== null && (ingest.validation?.timesLacked(contribution.id).byAny ?? 0) > 0
  for (const { policyDigest, poc } of earlier) {
    if (poc !== before.poc) continue
    const opened = await openStored(ingest, { ...pool, policyDigest }, contribution, { keeping })
    if (opened.kind === 'opened') return { ...opened, policyDigest }
    if (opened.kind !== 'refused' || opened.code !== 'WRONG_POLICY') return opened
  }
  return { kind: 'refused', code: 'WRONG_POLICY', place: 'context.policyDigest' }
}

/** What was opened, and the policy that it was sealed under. */
type OpenedEarlier = Extract<OpenedContribution, { readonly kind: 'opened' }> & {
  readonly policyDigest: Digest
}

async function judgeOpened(
  ingest: IngestContext,
  pool: ServedPool,
  given: {
    readonly rule: RescoringReward
    readonly contribution: ContributionRow
    readonly before: PocVerdict
    readonly opened: OpenedEarlier
  },
): Promise<RescoredOutcome> {
  const { store, keys, runtime, limits, chain, giveWay, sign } = ingest
  const { rule, contribution, before, opened } = given
  const { id } = contribution
  const poc = pool.poc.digest
  const at = await chain.blockTime(contribution.blockHash)
  const own = await judgeContribution(contribution, pool, opened, {
    runtime,
    limits,
    fingerprintKey: keys.poolSecret('content-fingerprint', lastingScope(pool)),
    // It was accepted: what the pool holds now, itself included, is no reason to refuse it.
    holderOf: async () => undefined,
    holdsAll: async () => false,
    at,
    giveWay,
    noveltyOf: async () => before.uniqueness,
    accountKey: keys.poolSecret('account-pseudonym', lastingScope(pool)),
    accountHolder: async (pseudonym) =>
      (await accountHolder(store, pool.address, pseudonym)) ?? (await rescoredHolder(store, poc, pseudonym)),
  })
  const { account, asked } = own
  const told: ToldFacts = {
    opening: null,
    clock: endedByClock(own.verdict),
    duplicateOf: null,
    isHeld: false,
    novelty: asked?.novelty ?? null,
    account: asked?.account ?? null,
    scaling: null,
    rescored: { policy: opened.policyDigest },
  }
  const { mediaType, file } = opened
  const judged = { contribution, verdict: own.verdict, at, mediaType, told, file }
  const counted = pool.validators === null ? own : await agreeOnRescored(ingest, pool, judged)
  if ('reason' in counted) return counted
  const { verdict } = counted
  // What a clock ended says nothing of the contribution.
  if (verdict.refusal !== null && endedByClock(verdict))
    return { kind: 'later', reason: verdict.refusal.code }
  const score = scoreUnits(verdict)
  const first = {
    score: contribution.score ?? 0,
    rewarded: await rewardedBesides(store, id),
  }
  const worth = Math.floor((score * shareThatCounts(before)) / FULL_SCORE)
  const entry: RescoredContribution = {
    contribution: id,
    owner: contribution.owner,
    commitment: contribution.commitment,
    before: { poc: before.poc, verdict: verdictDigest(before), ...first },
    after: { verdict: verdictDigest(verdict), refused: !verdict.valid, score, worth },
    difference: rescoringDifference({ rule, worth, ...first }),
  }
  const statement = sign({
    type: 'sealpool/rescored-verdict',
    body: verdict,
    pool: pool.address,
    subject: subjectOf(id),
    nonce: '0',
  })
  return {
    kind: 'judged',
    entry,
    statement,
    account: verdict.valid ? (account?.pseudonym ?? null) : null,
    agreement: 'record' in counted ? counted.record : null,
  }
}

/** Lines of a farming rule and of earlier rewards, which a verdict's evidence ends with. */
const linesOfNode = 3

/** Share of a proof's score that its pool's farming rule let count, in ten-thousandths: a copy is none the less one for another proof. */
function shareThatCounts({ evidence }: PocVerdict): number {
  const line = evidence.slice(-linesOfNode).find(({ check }) => check === 'pool.farming')
  return Math.round((line?.degree ?? 1) * FULL_SCORE)
}
