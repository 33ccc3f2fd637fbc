/**
 * Judges a share of contributions again, by what was known when they were judged first: the same code must say the same.
 * @module
 */
import { type Digest, digestOf, type JsonValue } from '@sealpool/crypto'
import { type PocVerdict, selectForAudit, verdictDigest } from '@sealpool/poc'
import type { AuditLog } from '../audit/audit-file.js'
import {
  type DueAudit,
  dueAudits,
  forgetAudit,
  type KnownWhenJudged,
  noteAudit,
  putOffAudit,
} from '../state/verdict-audit-table.js'
import { endedByClock } from './ended-by-clock.js'
import type { IngestContext } from './ingest-context.js'
import { type Judgement, runProof } from './judge-contribution.js'
import { openStored } from './open-stored.js'
import { overwriteOpened } from './overwrite-opened.js'
import { rewardOnce } from './reward-once.js'
import { lastingScope, type ServedPool } from './served-pool.js'
import { type Scaling, scaleVerdict } from './value-verdict.js'

/** How long after a difference, or while a blob is away, it is tried again. */
const againSeconds = 3_600

/**
 * @param isRefined whether the refiner had a word in it, as since the release that asks it before a verdict is signed
 * @returns the digest of all that a verdict follows from besides the file and what the pool holds
 */
function rulesOf({ limits }: Pick<IngestContext, 'limits'>, pool: ServedPool, isRefined: boolean): Digest {
  return digestOf({
    poc: pool.poc.digest,
    farming: pool.farming,
    limits: limits.proof,
    ...(isRefined ? { refiner: { digest: pool.refiner.digest, limits: limits.refiner } } : {}),
    // Absent rather than null: what was noted before there was such a setting stays what it was.
    ...(pool.verification === null ? {} : { verification: pool.verification }),
  } as unknown as JsonValue)
}

/**
 * Whether a verdict is to be judged again, and by what. The choice is the pool's secret: nobody can tell whose verdict is looked at twice.
 * @returns undefined for a verdict that is not chosen, or that no proof was asked for
 */
export function chosenForAudit(
  context: Pick<IngestContext, 'keys' | 'limits'>,
  pool: ServedPool,
  judged: {
    readonly judgement: Judgement
    readonly at: number
    readonly scaling: Scaling | null
    readonly rewarded: number
  },
): KnownWhenJudged | undefined {
  const { judgement, at, scaling, rewarded } = judged
  const { contribution } = judgement.verdict
  if (pool.auditShare === 0 || judgement.asked === undefined || endedByClock(judgement.verdict))
    return undefined
  const beacon = context.keys.poolSecret('verdict-audit', lastingScope(pool))
  if (!selectForAudit({ beacon, contribution, rate: pool.auditShare })) return undefined
  return { rules: rulesOf(context, pool, true), at, ...judgement.asked, scaling, rewarded }
}

/** What audits work with. */
export interface VerdictAuditContext {
  readonly ingest: IngestContext
  readonly audit: Pick<AuditLog, 'write'>
}

/**
 * Judges the next chosen contributions of a pool again, one after the other. A difference stands in the audit log with both digests, and is
 * tried again every hour: it ends when the verdict comes out the same.
 * @returns how many were judged again
 */
export async function auditVerdicts(
  { ingest, audit }: VerdictAuditContext,
  pool: ServedPool,
): Promise<number> {
  const { store, now, settings } = ingest
  const due = await dueAudits(store, pool.address, { at: now(), limit: settings.concurrency })
  let done = 0
  for (const one of due) {
    const { contribution, known, state } = one
    const isRefined = known.rules === rulesOf(ingest, pool, true)
    if (!isRefined && known.rules !== rulesOf(ingest, pool, false)) {
      await forgetAudit(store, contribution.id)
      continue
    }
    const opened = await openStored(ingest, pool, contribution)
    // Its pool has another policy since, whose keys do not open it: it could never come out the same again.
    if (opened.kind === 'refused' && opened.code === 'WRONG_POLICY') {
      await forgetAudit(store, contribution.id)
      continue
    }
    const verdict =
      opened.kind === 'opened'
        ? await judgeAgain(ingest, pool, { ...one, isRefined }, opened).finally(() => overwriteOpened(opened))
        : undefined
    if (verdict === undefined || endedByClock(verdict)) {
      await putOffAudit(store, contribution.id, now() + againSeconds)
      continue
    }
    done += 1
    const digest = verdictDigest(verdict)
    if (digest === contribution.verdictDigest) {
      await noteAudit(store, contribution.id, { state: 'same' })
      if (state === 'differs')
        audit.write({ event: 'verdict-same-again', facts: { contribution: contribution.id } })
      continue
    }
    await noteAudit(store, contribution.id, { state: 'differs', again: now() + againSeconds })
    audit.write({
      event: 'verdict-differs',
      facts: {
        contribution: contribution.id,
        pool: pool.address,
        signed: contribution.verdictDigest ?? '',
        again: digest,
      },
    })
  }
  return done
}

async function judgeAgain(
  { runtime, limits, giveWay }: IngestContext,
  pool: ServedPool,
  { contribution, known, isRefined }: DueAudit & { readonly isRefined: boolean },
  opened: { readonly bytes: Uint8Array; readonly mediaType: string },
): Promise<PocVerdict> {
  const { verdict } = await runProof(contribution, pool, opened, {
    runtime,
    limits,
    at: known.at,
    giveWay,
    isRefined,
    isCompared: known.novelty !== null,
    noveltyOf: async () => known.novelty ?? 1,
    accountOf: async () => known.account ?? { accepted: false },
  })
  const { scaling, rewarded = 0 } = known
  return pool.farming === null || scaling === null
    ? rewardOnce(verdict, rewarded, false)
    : rewardOnce(scaleVerdict(pool.farming, verdict, scaling), rewarded, true)
}
