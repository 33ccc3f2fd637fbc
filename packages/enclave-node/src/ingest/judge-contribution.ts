/**
 * Judges one opened contribution: is its content new, and what does the pool's proof of contribution say?
 * @module
 */
import { contentFingerprint, PocError, type PocVerdict, runPoc } from '@sealpool/poc'
import type { JobRuntime, Limits } from '@sealpool/sandbox'
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
 * Judges an opened contribution.
 * @returns the verdict; content that cannot be read, and code that fails on it, gives a refusal and no error
 */
export async function judgeContribution(
  contribution: ContributionRow,
  pool: ServedPool,
  opened: { readonly bytes: Uint8Array; readonly mediaType: string },
  context: JudgeContext,
): Promise<Judgement> {
  const fingerprint = contentFingerprint({ key: context.fingerprintKey, ...opened })
  const holder = await context.holderOf(fingerprint)
  if (holder !== undefined && holder !== contribution.id) {
    return { verdict: refusedVerdict(contribution, pool, 'DUPLICATE_CONTENT', 'content'), fingerprint }
  }
  const run = (): Promise<PocVerdict> =>
    runPoc({
      poc: pool.poc,
      runtime: context.runtime,
      limits: context.limits,
      contribution: {
        id: contribution.id,
        pool: pool.address,
        owner: contribution.owner,
        mediaType: opened.mediaType,
        bytes: opened.bytes,
      },
      facts: { uniqueness: { duplicate: false } },
    })
  try {
    // A lost child may have been the machine's fault; a second loss is the content's, and must not hold up the others.
    const verdict = await run().catch((error: unknown) => {
      if (error instanceof PocError && error.code === 'RUNTIME_FAILED') return run()
      throw error
    })
    return { verdict, fingerprint }
  } catch (error) {
    const failed =
      error instanceof PocError && (error.code === 'RUNTIME_FAILED' || error.code === 'VERDICT_INVALID')
    if (!failed) throw error
    return { verdict: refusedVerdict(contribution, pool, 'PROOF_FAILED', error.place), fingerprint }
  }
}
