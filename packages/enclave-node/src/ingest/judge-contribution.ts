/**
 * Judges one opened contribution: is its content new, and what does the pool's proof of contribution say?
 * @module
 */
import { contributionFingerprint, describePoc, PocError, type PocVerdict, runPoc } from '@sealpool/poc'
import { type JobRuntime, type Limits, SandboxError } from '@sealpool/sandbox'
import type { IngestRefusal } from '../state/contribution-state.js'
import type { ContributionRow } from '../state/contribution-table.js'
import type { ServedPool } from './served-pool.js'

/** A verdict, and the fingerprint that an accepted contribution claims. */
export interface Judgement {
  readonly verdict: PocVerdict
  /** Present when the file could be opened. */
  readonly fingerprint: string | undefined
}

/** What judging needs. */
export interface JudgeContext {
  readonly runtime: JobRuntime
  readonly limits: Limits
  /** Key of the pool's fingerprints. */
  readonly fingerprintKey: Uint8Array
  /** Id of the accepted contribution that holds a fingerprint, if any. */
  readonly holderOf: (fingerprint: string) => Promise<string | undefined>
}

/**
 * A verdict that the node gives without asking the proof of contribution.
 * @param code the reason
 * @param place where it was found, never a value
 */
export function refusedVerdict(
  contribution: Pick<ContributionRow, 'id'>,
  pool: ServedPool,
  code: IngestRefusal,
  place: string,
): PocVerdict {
  return {
    contribution: contribution.id,
    pool: pool.address,
    poc: pool.poc.digest,
    valid: false,
    score: 0,
    authenticity: 0,
    ownership: 0,
    quality: 0,
    uniqueness: 0,
    attributes: {},
    refusal: { code, place },
    evidence: [],
  }
}

/**
 * Judges an opened contribution. Its fingerprint is over what the proof's sources signed, so that one authentic export in another
 * spelling is the same content.
 * @returns the verdict; content that cannot be read, and code that fails on it, gives a refusal and no error
 */
export async function judgeContribution(
  contribution: ContributionRow,
  pool: ServedPool,
  opened: { readonly bytes: Uint8Array; readonly mediaType: string },
  context: JudgeContext,
): Promise<Judgement> {
  const { runtime, limits } = context
  const judged = { mediaType: opened.mediaType, bytes: opened.bytes, owner: contribution.owner }
  const { sources } = await describePoc(pool.poc, runtime)
  const print = await twice(async () =>
    contributionFingerprint({ key: context.fingerprintKey, ...judged, sources }),
  )
  if ('place' in print) {
    return {
      verdict: refusedVerdict(contribution, pool, 'PROOF_FAILED', print.place),
      fingerprint: undefined,
    }
  }
  const fingerprint = print.value
  const holder = await context.holderOf(fingerprint)
  if (holder !== undefined && holder !== contribution.id) {
    return { verdict: refusedVerdict(contribution, pool, 'DUPLICATE_CONTENT', 'content'), fingerprint }
  }
  const verdict = await twice(() =>
    runPoc({
      poc: pool.poc,
      runtime,
      limits,
      contribution: { id: contribution.id, pool: pool.address, ...judged },
      facts: { uniqueness: { duplicate: false } },
    }),
  )
  return 'place' in verdict
    ? { verdict: refusedVerdict(contribution, pool, 'PROOF_FAILED', verdict.place), fingerprint }
    : { verdict: verdict.value, fingerprint }
}

/** Runs a proof again when it failed: the machine may have been at fault. A second failure is the content's, and must not hold up the others. */
async function twice<T>(run: () => Promise<T>): Promise<{ readonly value: T } | { readonly place: string }> {
  try {
    const value = await run().catch((error: unknown) => {
      if (failedPlace(error) === undefined) throw error
      return run()
    })
    return { value }
  } catch (error) {
    const place = failedPlace(error)
    if (place === undefined) throw error
    return { place }
  }
}

const proofFailures: readonly string[] = ['RUNTIME_FAILED', 'VERDICT_INVALID']

/**
 * Where a proof failed, when that may cost its contribution; undefined for what is the pool's or the machine's fault (code that is
 * none, a store or a sandbox that is away, a node that stops). An error of the language itself is what a file that nobody foresaw
 * gives: it must cost one contribution, and not stop its pool for good.
 */
function failedPlace(error: unknown): string | undefined {
  if (error instanceof PocError) {
    const isMachine = error.cause instanceof SandboxError && error.cause.code !== 'INPUT_NOT_JSON'
    return proofFailures.includes(error.code) && !isMachine ? error.place : undefined
  }
  return error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError
    ? 'proof'
    : undefined
}
