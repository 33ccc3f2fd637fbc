/**
 * Has the present proof of a pool judge again what an earlier proof accepted, where the policy that it was sealed under allows it. The first
 * verdict stays as it is, here and on the chain: the second stands beside it, and a signed statement tells both.
 * @module
 */
import { type Digest, digestOf, encodeHex } from '@sealpool/crypto'
import { RESCORING_ENTRIES, type Rescoring, rescoringStatement, selectForAudit } from '@sealpool/poc'
import type { AuditLog } from '../audit/audit-file.js'
import { addRewarded } from '../state/earlier-rewards.js'
import { NOT_HELD } from '../state/forget-rescored.js'
import {
  beginRescoring,
  countRescored,
  dueRescored,
  endRescoringPart,
  findRescoringRun,
  hasUnrecorded,
  judgedEarlier,
  leaveRescored,
  nextRescoringNumber,
  nextRescoringPart,
  putOffRescored,
  putOffRescoringRun,
  type RescoringRun,
  storeRescored,
} from '../state/rescoring-table.js'
import type { IngestContext } from './ingest-context.js'
import { judgeRescored } from './judge-rescored.js'
import { lastingScope, type ServedPool, type ServedRescoring } from './served-pool.js'

/** What rescoring works with. */
export interface RescoringContext {
  readonly ingest: IngestContext
  readonly audit: Pick<AuditLog, 'write'>
}

/**
 * Does the next step of a pool's rescoring: chooses, judges a few, or signs a part. Each is one transaction, so that a stop loses at most what
 * was being judged.
 * @returns how many contributions were judged, left out or put off, and parts signed; 0 when there is nothing to do now
 */
export async function rescoreContributions(context: RescoringContext, pool: ServedPool): Promise<number> {
  const { rescoring } = pool
  if (rescoring === null) return 0
  const { ingest } = context
  const run =
    (await findRescoringRun(ingest.store, pool.address, runOf(pool, rescoring))) ??
    (await begin(ingest, pool, rescoring))
  if (run === undefined || run.state === 'signed') return 0
  const judged = await judgeNext(ingest, pool, rescoring, run)
  return judged > 0 ? judged : signPart(context, pool, rescoring, run)
}

/** A run is what it is done by: with another share, rule or list of policies it is another, of those that the proof has not judged yet. */
function runOf({ policyDigest, poc }: ServedPool, { earlier, share, rule }: ServedRescoring): Digest {
  const older = earlier.map((one) => one.policyDigest).sort()
  return digestOf({ policy: policyDigest, poc: poc.digest, older, share, rule })
}

/** Decides who is chosen: told when it is done, and guessed by nobody before. */
function beaconOf({ keys }: IngestContext, pool: ServedPool): Uint8Array {
  return keys.poolSecret('rescoring-sample', lastingScope(pool))
}

/** Chooses; undefined while verdicts are on their way to the chain: what is accepted is known when they stand there. */
function begin(
  ingest: IngestContext,
  pool: ServedPool,
  rescoring: ServedRescoring,
): Promise<RescoringRun | undefined> {
  const beacon = beaconOf(ingest, pool)
  return ingest.store.transaction(async (tx) => {
    if (await hasUnrecorded(tx, pool.address)) return undefined
    const present = pool.poc.digest
    const earlier = rescoring.earlier.map(({ poc }) => poc)
    const accepted = await judgedEarlier(tx, pool.address, { earlier, present })
    const chosen = accepted.filter(
      ({ contribution, isRescored }) =>
        !isRescored && selectForAudit({ beacon, contribution, rate: rescoring.share }),
    )
    const run = {
      pool: pool.address,
      run: runOf(pool, rescoring),
      accepted: accepted.length,
      chosen: chosen.length,
    }
    await beginRescoring(
      tx,
      run,
      present,
      chosen.map(({ contribution }) => contribution),
    )
    return { ...run, state: 'judging' }
  })
}

async function judgeNext(
  ingest: IngestContext,
  pool: ServedPool,
  { earlier, rule }: ServedRescoring,
  run: RescoringRun,
): Promise<number> {
  const { store, settings, now } = ingest
  const poc = pool.poc.digest
  const due = await dueRescored(store, run, { at: now(), limit: settings.concurrency })
  for (const { id, attempts } of due) {
    const outcome = await judgeRescored(ingest, pool, { earlier, rule, id })
    if (outcome.kind === 'judged') {
      // Taken back while it was judged: then the part says so.
      await store.transaction(async (tx) => {
        if (!(await storeRescored(tx, poc, outcome))) await leaveRescored(tx, id, poc, NOT_HELD)
      })
    } else if (outcome.kind === 'left') await leaveRescored(store, id, poc, outcome.reason)
    else if (outcome.validators !== undefined) {
      const { timesInVain, againAt } = outcome.validators
      if (timesInVain >= mostInVain) await leaveRescored(store, id, poc, outcome.reason)
      else await putOffRescored(store, id, poc, againAt)
      if (timesInVain > 0) continue
      // They were not there: nothing else is judged before they may be.
      await putOffRescoringRun(store, run, Math.max(againAt, now() + backOff(attempts)))
      break
    }
    // A store that is away is nobody's fault, and waited for.
    else if (outcome.reason !== 'BLOB_STORE_FAILED' && attempts + 1 >= settings.missingBlobTries)
      await leaveRescored(store, id, poc, outcome.reason)
    else
      await putOffRescored(
        store,
        id,
        poc,
        now() + Math.max(settings.missingBlobWaitSeconds, backOff(attempts)),
      )
  }
  return due.length
}

/** So often validators who answer are asked about one contribution: their waits between double, to an hour in all. */
const mostInVain = 8

/** Seconds after so many attempts in vain. */
function backOff(attempts: number): number {
  return Math.min(2 ** Math.min(attempts, 8), 300)
}

/** Signs the next part: as many as one statement holds, or what is left when all are judged. */
async function signPart(
  { ingest, audit }: RescoringContext,
  pool: ServedPool,
  { share, rule }: ServedRescoring,
  run: RescoringRun,
): Promise<number> {
  const poc = pool.poc.digest
  const beacon = beaconOf(ingest, pool)
  const signed = await ingest.store.transaction(async (tx) => {
    const { due, done } = await countRescored(tx, run)
    if (due > 0 && done < RESCORING_ENTRIES) return undefined
    const part = await nextRescoringPart(tx, run, RESCORING_ENTRIES)
    const rescoring: Rescoring = {
      pool: pool.address,
      number: await nextRescoringNumber(tx, pool.address),
      policy: pool.policyDigest,
      poc,
      rule,
      sample: { share, beacon: encodeHex(beacon) },
      accepted: run.accepted,
      chosen: run.chosen,
      last: due === 0 && done <= RESCORING_ENTRIES,
      ...part,
    }
    const statement = ingest.sign(rescoringStatement(rescoring))
    for (const { contribution, difference } of part.entries)
      if (difference > 0) await addRewarded(tx, pool.address, contribution, difference)
    await endRescoringPart(tx, run, {
      poc,
      number: rescoring.number,
      last: rescoring.last,
      contributions: [...part.entries, ...part.left].map(({ contribution }) => contribution),
      statement,
    })
    return rescoring
  })
  if (signed === undefined) return 0
  const { number, entries, left } = signed
  audit.write({
    event: 'rescoring-signed',
    facts: { pool: pool.address, number, judged: entries.length, left: left.length },
  })
  return 1
}
