/**
 * Takes the next contributions of a pool from `seen` to `judged`: opened side by side, judged one after the other in
 * the order of the chain (so that of two equal contents the earlier one counts), stored in one transaction together
 * with the signed batch that will go on chain.
 * @module
 */

import type { Hex, SignedStatement } from '@sealpool/crypto'
import { type PocVerdict, scoreUnits, verdictDigest } from '@sealpool/poc'
import { subjectOf } from '../key/node-signer.js'
import {
  type AccountHolder,
  accountHolder,
  type ContentPrints,
  contentGeneration,
  storeContent,
} from '../state/content-table.js'
import { type IngestRefusal, ingestRefusalText } from '../state/contribution-state.js'
import { type ContributionRow, markJudged, nextContributions, stillIn } from '../state/contribution-table.js'
import { rewardedBefore, storeRewardedBefore } from '../state/earlier-rewards.js'
import { type FarmingEntry, storeFarmingEntry } from '../state/farming-table.js'
import { noteBlob } from '../state/meta-table.js'
import { type AgreementRecord, storeAgreement } from '../state/verdict-agreement-table.js'
import { type KnownWhenJudged, storeAudit } from '../state/verdict-audit-table.js'
import {
  claimFingerprint,
  fingerprintHolder,
  insertVerdict,
  type VerdictEntry,
} from '../state/verdict-table.js'
import { traced } from '../trace/tracer.js'
import { isFitHeader } from '../validation/questions-of.js'
import { agreeOnBatch } from './agree-on-batch.js'
import { chosenForAudit } from './audit-verdicts.js'
import type { PoolContent } from './content-indexes.js'
import type { IngestContext } from './ingest-context.js'
import { type Judgement, judgeContribution, refusedVerdict } from './judge-contribution.js'
import type { ClosedContribution, OpenedContribution } from './open-contribution.js'
import { giveUp, isMissing, openToJudge } from './open-to-judge.js'
import { overwriteCompared, overwriteOpened } from './overwrite-opened.js'
import { rewardOnce } from './reward-once.js'
import { lastingScope, type ServedPool } from './served-pool.js'
import { type Scaling, valueVerdict } from './value-verdict.js'
import { storeVerdictBatch } from './verdict-batch.js'

/** Seconds in which blobs are fetched for one batch. */
const openSeconds = 30

/** A contribution that this node has judged, before anything is signed. */
export interface Judged extends Judgement {
  readonly contribution: ContributionRow
  /** Time of its block. */
  readonly at: number
  readonly opening: ClosedContribution
  /** What its score was scaled by, or would be. */
  readonly scaling: Scaling | null
  /** Ten-thousandths that its lineage or the same content was rewarded with before. */
  readonly rewarded: number
  /** What its validators came to, where the pool has any. */
  readonly agreement?: AgreementRecord
  readonly blobSize: number | undefined
  readonly prints: ContentPrints | null
  /** What it earned, where the pool has a farming rule and it was accepted. */
  readonly farming: FarmingEntry | undefined
  /** By what it is judged again; undefined when it was not chosen. */
  readonly known: KnownWhenJudged | undefined
}

/**
 * Judges the next batch of a pool.
 * @returns how many contributions were judged or put off; 0 when there is nothing to do now
 */
export async function judgeBatch(context: IngestContext, pool: ServedPool): Promise<number> {
  const { store, settings } = context
  const rows = await nextContributions(store, pool.address, 'seen', settings.batchSize, context.now())
  if (rows.length === 0) return 0
  return traced(context.trace, 'ingest.judge', { pool: pool.address }, () =>
    judgeAndStore(context, pool, rows),
  )
}

async function judgeAndStore(
  context: IngestContext,
  pool: ServedPool,
  rows: readonly ContributionRow[],
): Promise<number> {
  const { store } = context
  const generation = await contentGeneration(store)
  const content = () =>
    context.contents.open(
      store,
      pool.address,
      generation,
      context.keys.poolSecret('content-prints', lastingScope(pool)),
    )
  let own: readonly Judged[] = []
  try {
    own = await judgeRows(context, pool, rows, content)
    const { judged, asJudged } =
      pool.validators === null
        ? { judged: own, asJudged: true }
        : await agreeOnBatch(context, pool, own, content)
    // What this node took in, and does not stand so, is in the index in memory.
    if (!asJudged) context.contents.forget(pool.address)
    if (judged.length > 0 && !(await storeJudged(context, pool, judged, generation))) {
      context.contents.forget(pool.address)
    }
  } catch (error) {
    // It may hold what was accepted and is not stored.
    context.contents.forget(pool.address)
    throw error
  } finally {
    for (const { content: compared } of own) overwriteCompared(compared)
  }
  return rows.length
}

async function judgeRows(
  context: IngestContext,
  pool: ServedPool,
  rows: readonly ContributionRow[],
  content: () => Promise<PoolContent>,
): Promise<readonly Judged[]> {
  const { settings, chain } = context
  const times = new Map<Hex, Promise<number>>()
  const timeOf = (block: Hex): Promise<number> => {
    const known = times.get(block)
    if (known !== undefined) return known
    const asked = chain.blockTime(block)
    times.set(block, asked)
    return asked
  }
  const judged: Judged[] = []
  let waited = 0
  // A window at a time, so that no more than `concurrency` plaintexts are in memory.
  for (let first = 0; first < rows.length; first += settings.concurrency) {
    // Owners' own stores that are slow must not hold up the node's other work: what is left is next in the next round.
    if (waited > openSeconds) break
    const begun = context.now()
    const opened = await Promise.all(
      rows.slice(first, first + settings.concurrency).map(async (contribution) => {
        const lacked = pool.validators === null ? undefined : context.validation?.timesLacked(contribution.id)
        const [opening, at] = await Promise.all([
          openToJudge(context, pool, contribution, lacked),
          timeOf(contribution.blockHash),
        ])
        return { contribution, opening, at, isLacked: isMissing(context, lacked) }
      }),
    )
    waited += Math.abs(context.now() - begun)
    for (const { contribution, opening, at, isLacked } of opened) {
      if (opening.kind === 'later' && !isLacked && !(await giveUp(context, contribution, opening.reason)))
        continue
      const fit = pool.validators === null ? opening : fitForValidators(opening)
      let waits = false
      try {
        const one = await judge({ context, pool, contribution, opening: fit, at, before: judged, content })
        judged.push(one)
        // Validators may overrule this node: then it is compared once more.
        waits = one.content !== undefined && 'bytes' in one.content
      } finally {
        if (!waits) overwriteOpened(opening)
      }
    }
  }
  return judged
}

async function judge(options: {
  readonly context: IngestContext
  readonly pool: ServedPool
  readonly contribution: ContributionRow
  readonly opening: OpenedContribution
  readonly at: number
  /** Those of the batch that were judged already. */
  readonly before: readonly Judged[]
  readonly content: () => Promise<PoolContent>
}): Promise<Judged> {
  const { context, pool, contribution, opening, before, content } = options
  const { keys, runtime, limits, store, giveWay } = context
  const judgement: Judgement =
    opening.kind === 'opened'
      ? await judgeContribution(contribution, pool, opening, {
          runtime,
          limits,
          fingerprintKey: keys.poolSecret('content-fingerprint', lastingScope(pool)),
          holderOf: async (fingerprint) =>
            before.find((other) => other.verdict.valid && other.fingerprint === fingerprint)?.contribution
              .id ?? (await fingerprintHolder(store, pool.address, fingerprint)),
          at: options.at,
          giveWay,
          noveltyOf: async (asked) => (await content()).noveltyOf(asked),
          holdsAll: async (asked) => (await content()).holdsAll(asked),
          accountKey: keys.poolSecret('account-pseudonym', lastingScope(pool)),
          accountHolder: async (pseudonym) =>
            (await accountHolder(store, pool.address, pseudonym)) ?? claimantIn(before, pseudonym),
        })
      : {
          verdict:
            opening.kind === 'refused'
              ? refusedVerdict(contribution, pool, opening.code, opening.place)
              : refusedVerdict(contribution, pool, 'BLOB_MISSING', 'locator'),
          fingerprint: undefined,
        }
  const compared = judgement.verdict.valid ? judgement.content : undefined
  // Validators may come to another verdict than this node, and scale it by the same.
  const weighed =
    judgement.verdict.valid ||
    (pool.validators !== null &&
      opening.kind === 'opened' &&
      judgement.duplicateOf === undefined &&
      judgement.isHeld === undefined)
  const valued =
    pool.farming === null || !weighed
      ? undefined
      : await valueVerdict(
          {
            sql: store,
            pool: pool.address,
            rule: pool.farming,
            before: before.flatMap(({ verdict, farming }) =>
              verdict.valid && farming !== undefined ? [farming] : [],
            ),
          },
          {
            verdict: judgement.verdict,
            identity: judgement.account?.contributor ?? contribution.contributor,
            fingerprint: judgement.fingerprint,
            at: options.at,
            novelty: judgement.novelty ?? 1,
            size: judgement.content === undefined ? undefined : (await content()).sizeOf(judgement.content),
            nearest:
              judgement.content === undefined ? undefined : (await content()).nearestTo(judgement.content),
          },
        )
  const { fingerprint } = judgement
  const rewarded = weighed
    ? await rewardedBefore(store, pool.address, { contribution: contribution.id, fingerprint })
    : 0
  const verdict = judgement.verdict.valid
    ? rewardOnce(valued?.verdict ?? judgement.verdict, rewarded, valued !== undefined)
    : judgement.verdict
  const scaling = valued?.scaling ?? null
  return {
    ...judgement,
    content: pool.validators === null ? undefined : judgement.content,
    verdict,
    farming: valued && { ...valued.entry, earned: scoreUnits(verdict) },
    scaling,
    rewarded,
    known: chosenForAudit(context, pool, { judgement, at: options.at, scaling, rewarded }),
    contribution,
    at: options.at,
    opening: closed(pool, opening),
    prints: compared === undefined ? null : (await content()).add(contribution.id, compared),
    blobSize: opening.kind === 'opened' ? opening.blobSize : undefined,
  }
}

/** Plaintexts, and headers that nobody is sent, go as soon as they are judged. */
function closed({ validators }: ServedPool, opening: OpenedContribution): ClosedContribution {
  if (opening.kind === 'later') return opening
  const file = validators === null ? undefined : opening.file
  if (opening.kind === 'opened') return { kind: 'opened', mediaType: opening.mediaType, file }
  return { kind: 'refused', code: opening.code, place: opening.place, file }
}

/**
 * A question to a validator holds so many recipients, and each under a name of its own: what is sealed otherwise is refused, else it would wait
 * for ever, and its batch with it.
 */
function fitForValidators(opening: OpenedContribution): OpenedContribution {
  if (opening.kind === 'later' || opening.file === undefined || isFitHeader(opening.file.header))
    return opening
  // Whatever else is wrong with it, a validator finds out without the file's key.
  return opening.kind === 'opened' || opening.code === 'WRONG_OWNER'
    ? { kind: 'refused', code: 'SEALED_FILE_INVALID', place: '$.recipients' }
    : { ...opening, file: undefined }
}

/** The first of a batch that came with an account. */
function claimantIn(before: readonly Judged[], pseudonym: string): AccountHolder | undefined {
  const first = before.find(({ verdict, account }) => verdict.valid && account?.pseudonym === pseudonym)
  if (first?.account === undefined) return undefined
  return { owner: first.contribution.owner, contributor: first.account.contributor }
}

/**
 * Stores judgements with the signed batch.
 * @returns false when what they were compared with counts no more, one that was accepted included, or blocks are gone: nothing is stored
 *   then, they are judged anew
 */
async function storeJudged(
  context: IngestContext,
  pool: ServedPool,
  judged: readonly Judged[],
  generation: string,
): Promise<boolean> {
  return context.store.transaction(async (tx) => {
    if ((await contentGeneration(tx)) !== generation) return false
    // The chain goes on meanwhile: what was withdrawn or is gone since gets no verdict.
    const still = await stillIn(
      tx,
      'seen',
      judged.map(({ contribution }) => contribution.id),
    )
    const current = judged.filter(({ contribution }) => still.has(contribution.id))
    // The others were compared with it, and the index in memory holds it.
    if (judged.some(({ contribution, verdict }) => verdict.valid && !still.has(contribution.id))) return false
    // Entries of Merkle batches get their verdicts under one root, when the whole batch is decided.
    const single = current.filter(({ contribution }) => contribution.merkle === null)
    const entries: VerdictEntry[] = single.map(({ contribution, verdict }) => ({
      contributionId: contribution.id,
      score: scoreUnits(verdict),
      refused: !verdict.valid,
      verdictDigest: verdictDigest(verdict),
    }))
    const batch = entries.length === 0 ? null : await storeVerdictBatch(context, tx, pool.address, entries)
    for (const one of current) {
      const { contribution, verdict } = one
      const digest = verdictDigest(verdict)
      await insertVerdict(tx, {
        contribution: contribution.id,
        digest,
        statement: signOwn(context, pool, one),
      })
      if (one.agreement !== undefined) await storeAgreement(tx, contribution.id, one.agreement)
      await markJudged(tx, contribution.id, {
        score: scoreUnits(verdict),
        verdictDigest: digest,
        batch: contribution.merkle === null ? batch : null,
        ...reasonOf(verdict),
        contributor: verdict.valid ? (one.account?.contributor ?? null) : null,
      })
      await storeContent(tx, pool.address, contribution.id, {
        prints: one.prints,
        account: verdict.valid ? (one.account?.pseudonym ?? null) : null,
      })
      if (one.known !== undefined) await storeAudit(tx, pool.address, contribution.id, one.known)
      if (verdict.valid && one.farming !== undefined) await storeFarmingEntry(tx, pool.address, one.farming)
      if (verdict.valid && one.rewarded > 0)
        await storeRewardedBefore(tx, pool.address, contribution.id, one.rewarded)
      // Of a live pool nothing is expected to lie in the blob store.
      if (one.blobSize !== undefined && pool.keep === 'escrow') {
        await noteBlob(tx, { digest: contribution.blobDigest, purpose: 'contribution', size: one.blobSize })
      }
      if (verdict.valid && one.fingerprint !== undefined) {
        await claimFingerprint(tx, pool.address, one.fingerprint, contribution.id)
      }
    }
    return true
  })
}

/** The verdict as this node records it. */
function signOwn(
  { sign }: IngestContext,
  pool: ServedPool,
  { verdict, contribution }: Pick<Judged, 'verdict' | 'contribution'>,
): SignedStatement {
  return sign({
    type: 'sealpool/verdict',
    body: verdict,
    pool: pool.address,
    subject: subjectOf(contribution.id),
    nonce: '0',
  })
}

function reasonOf(verdict: PocVerdict): {
  readonly reason: string | null
  readonly reasonText: string | null
} {
  if (verdict.valid) return { reason: null, reasonText: null }
  const reason = verdict.refusal?.code ?? 'PROOF_REFUSED'
  return {
    reason,
    reasonText: Object.hasOwn(ingestRefusalText, reason)
      ? ingestRefusalText[reason as IngestRefusal]
      : ingestRefusalText.PROOF_REFUSED,
  }
}
