/**
 * Judges one opened contribution: is its content new, and what does the pool's proof of contribution say?
 * @module
 */
import {
  type AccountFact,
  type AccountPort,
  accountPseudonym,
  type ContentItems,
  decideAccount,
  describePoc,
  type ItemSource,
  PocError,
  type PocVerdict,
  runPoc,
  type VerifiedContribution,
  verifyContribution,
} from '@sealpool/poc'
import { type JobRuntime, type Limits, SandboxError } from '@sealpool/sandbox'
import type { AccountHolder } from '../state/content-table.js'
import type { IngestRefusal } from '../state/contribution-state.js'
import type { ContributionRow } from '../state/contribution-table.js'
import { type RefinerRefusal, refineToJudge } from './refine-to-judge.js'
import type { JudgedPool, ServedPool } from './served-pool.js'

/** A verdict, and what an accepted contribution claims. */
export interface Judgement {
  readonly verdict: PocVerdict
  /** Present when the file could be opened. */
  readonly fingerprint: string | undefined
  /** What later contributions are compared with; only where the proof names its items, or its sources sign statement by statement. */
  readonly content?: ItemSource | undefined
  /** How new that is to the pool, from 0 to 1. */
  readonly novelty?: number | undefined
  /** The contribution of the pool that holds the same content, where that is why it is refused. */
  readonly duplicateOf?: string
  /** The pool holds each statement of it, in one contribution or in many, and that is why it is refused. */
  readonly isHeld?: true
  /** The account that it came with; only where the proof reads one. */
  readonly account?: ClaimedAccount | undefined
  /** What the proof was told of the pool; absent when it was not asked. */
  readonly asked?: AskedOfPool
}

/** What a proof was told of the pool; null where it did not ask. */
export interface AskedOfPool {
  readonly novelty: number | null
  readonly account: AccountFact | null
}

/** An account under the pool's pseudonym, and the number of the person who counts as its contributor. */
export interface ClaimedAccount {
  readonly pseudonym: string
  readonly contributor: number
}

/** What one run of the approved code may use. */
export interface JudgingLimits {
  readonly proof: Limits
  readonly refiner: Limits
}

/** What judging needs. */
export interface JudgeContext {
  readonly runtime: JobRuntime
  readonly limits: JudgingLimits
  /** Key of the pool's fingerprints. */
  readonly fingerprintKey: Uint8Array
  /** Id of the accepted contribution that holds a fingerprint, if any. */
  readonly holderOf: (fingerprint: string) => Promise<string | undefined>
  /** Time of the contribution's block in unix seconds: what expires is judged by it, and by no clock. */
  readonly at: number
  /** How new a content is to the pool, from 0 to 1; asked where there is something to compare. */
  readonly noveltyOf: (content: ItemSource) => Promise<number>
  /** Whether the pool holds every single item of a content. */
  readonly holdsAll: (content: ContentItems) => Promise<boolean>
  /** Key of the pool's pseudonyms of accounts. */
  readonly accountKey: Uint8Array
  /** Who holds an account in the pool, if anybody does. */
  readonly accountHolder: (pseudonym: string) => Promise<AccountHolder | undefined>
  /** Lets others have a turn while many signatures are verified. */
  readonly giveWay: () => Promise<void>
}

/**
 * A verdict that the node gives without asking the proof of contribution.
 * @param code the reason
 * @param place where it was found, never a value
 */
export function refusedVerdict(
  contribution: Pick<ContributionRow, 'id'>,
  pool: Pick<JudgedPool, 'address' | 'poc'>,
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
  let account: ClaimedAccount | undefined
  const judgement = await judgeOpened(contribution, pool, opened, {
    ...context,
    accountOf: async (named) => {
      const decided = await decideClaim(contribution, pool, named, context)
      account = decided.claim
      return decided.fact
    },
  })
  return account === undefined ? judgement : { ...judgement, account }
}

/**
 * Judges an opened contribution as {@link judgeContribution} does, by what is known of accounts from wherever.
 * @returns the verdict
 */
export async function judgeOpened(
  contribution: Pick<ContributionRow, 'id' | 'owner'>,
  pool: JudgedPool,
  opened: { readonly bytes: Uint8Array; readonly mediaType: string },
  context: Omit<JudgeContext, 'accountKey' | 'accountHolder'> & Pick<ProofContext, 'accountOf'>,
): Promise<Judgement> {
  const { runtime, limits, at, giveWay, noveltyOf, accountOf } = context
  const judged = { mediaType: opened.mediaType, bytes: opened.bytes, owner: contribution.owner }
  const { sources, examines } = await describePoc(pool.poc, runtime)
  // Nodes read nothing at providers: they have no way out but to their settings' own, and no validator could ask again with a token that
  // is over. Refused before any code sees the file: the contributor's token may be in it.
  if (sources.some(({ kind }) => kind === 'oauth-read-back'))
    return {
      verdict: refusedVerdict(contribution, pool, 'SOURCE_NOT_SERVED', 'poc.sources'),
      fingerprint: undefined,
    }
  const budget = pool.verification ?? undefined
  const print = await twice(async () => {
    const verified = await verifyContribution({ ...judged, sources, at, budget, between: giveWay })
    return { verified, fingerprint: verified.fingerprint(context.fingerprintKey) }
  })
  if ('place' in print) {
    return {
      verdict: refusedVerdict(contribution, pool, 'PROOF_FAILED', print.place),
      fingerprint: undefined,
    }
  }
  const { verified, fingerprint } = print.value
  const holder = await context.holderOf(fingerprint)
  if (holder !== undefined && holder !== contribution.id) {
    const verdict = refusedVerdict(contribution, pool, 'DUPLICATE_CONTENT', 'content')
    return { verdict, fingerprint, duplicateOf: holder }
  }
  const namesItems = examines.includes('items')
  const { statements } = verified
  // A part of a mailbox is another file with another fingerprint; its letters are those that were paid.
  if (!namesItems && statements !== undefined && (await context.holdsAll(statements))) {
    return {
      verdict: refusedVerdict(contribution, pool, 'DUPLICATE_CONTENT', 'content'),
      fingerprint,
      isHeld: true,
    }
  }
  const isCompared = namesItems || statements !== undefined
  const proof = { runtime, limits, at, giveWay, verified, isRefined: true, isCompared, noveltyOf, accountOf }
  return { ...(await runProof(contribution, pool, opened, proof)), fingerprint }
}

/** What the proof of contribution runs with. */
export interface ProofContext
  extends Pick<JudgeContext, 'runtime' | 'limits' | 'at' | 'noveltyOf' | 'giveWay'> {
  /** What its sources came to, where they were verified already. */
  readonly verified?: VerifiedContribution
  /** Whether the refiner has a word: it had none in verdicts of earlier releases. */
  readonly isRefined: boolean
  /** Whether the pool is asked how new it is. */
  readonly isCompared: boolean
  /** What is known of an account. */
  readonly accountOf: (named: Parameters<AccountPort>[0]) => Promise<AccountFact>
}

/**
 * Has the pool's proof of contribution judge an opened file, and its refiner what the proof accepts: a file that gives no rows is refused.
 * @returns the verdict, with what the proof was told of the pool
 */
export async function runProof(
  contribution: Pick<ContributionRow, 'id' | 'owner'>,
  pool: JudgedPool,
  opened: { readonly bytes: Uint8Array; readonly mediaType: string },
  { runtime, limits, at, isCompared, verified, ...context }: ProofContext,
): Promise<Pick<Judgement, 'verdict' | 'content' | 'novelty'> & { readonly asked: AskedOfPool }> {
  const judged = { mediaType: opened.mediaType, bytes: opened.bytes, owner: contribution.owner }
  const refused = (code: IngestRefusal, place: string) => refusedVerdict(contribution, pool, code, place)
  let compared: { readonly content: ItemSource; readonly novelty: number } | undefined
  let account: AccountFact | null = null
  const verdict = await twice(() =>
    runPoc({
      poc: pool.poc,
      runtime,
      limits: limits.proof,
      budget: pool.verification ?? undefined,
      between: context.giveWay,
      contribution: { id: contribution.id, pool: pool.address, ...judged },
      facts: {
        at,
        verified,
        // Without items and statements files would be compared as they are, which anybody gets around: then only copies count.
        uniqueness: isCompared
          ? async ({ content }) => {
              const novelty = await context.noveltyOf(content)
              compared = { content, novelty }
              return { duplicate: false, novelty }
            }
          : { duplicate: false },
        account: async (named) => {
          account = await context.accountOf(named)
          return account
        },
      },
    }),
  )
  const asked = { novelty: compared?.novelty ?? null, account }
  if ('place' in verdict) return { verdict: refused('PROOF_FAILED', verdict.place), asked }
  if (!verdict.value.valid || !context.isRefined) return { verdict: verdict.value, ...compared, asked }
  const rows = await twice(() => refineToJudge(pool, opened, { runtime, limits: limits.refiner }))
  const unfit = 'place' in rows ? refusedByRefiner : rows.value
  return {
    verdict: unfit === undefined ? verdict.value : refused(unfit.code, unfit.place),
    ...compared,
    asked,
  }
}

/** Of a file at which its code, or the reader before it, failed in a way that nobody foresaw. */
const refusedByRefiner: RefinerRefusal = { code: 'REFINER_REFUSED', place: 'refiner.FAILED' }

/** Decides by the pool's rule about the account that an export names. */
async function decideClaim(
  { owner, contributor }: ContributionRow,
  { accountRule }: ServedPool,
  named: Parameters<AccountPort>[0],
  { accountKey, accountHolder }: JudgeContext,
): Promise<{ readonly claim: ClaimedAccount; readonly fact: Awaited<ReturnType<AccountPort>> }> {
  const pseudonym = pseudonymOf(accountKey, named)
  const holder = await accountHolder(pseudonym)
  const decision = decideAccount({ rule: accountRule, holder: holder?.owner, claimant: owner })
  return {
    // Whoever holds the account is who counts, also after the wallet that had it first has withdrawn.
    claim: { pseudonym, contributor: holder?.contributor ?? contributor },
    fact:
      decision.reason === 'MERGED' && decision.contributor !== null
        ? { accepted: true, contributor: decision.contributor }
        : { accepted: decision.accepted },
  }
}

/** An account of invisible characters alone is the fault of its contribution. */
function pseudonymOf(key: Uint8Array, named: Parameters<AccountPort>[0]): string {
  try {
    return accountPseudonym({ key, ...named })
  } catch (cause) {
    if (!(cause instanceof PocError) || cause.code !== 'OPTION_INVALID') throw cause
    throw new PocError('VERDICT_INVALID', 'account', 'the export names an account without a name', { cause })
  }
}

/** Runs code again when it failed: the machine may have been at fault. A second failure is the content's, and must not hold up the others. */
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
  if (error instanceof SandboxError) return error.code === 'INPUT_NOT_JSON' ? 'input' : undefined
  return error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError
    ? 'proof'
    : undefined
}
