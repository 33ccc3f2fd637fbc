/**
 * Judges a contribution of another home's pool: from the chain's record, the stored file and the approved code, by the facts that
 * only the home can know.
 * @module
 */
import type { BlobStore } from '@sealpool/client'
import { CryptoError, canonicalize, type JsonValue, parseHeader } from '@sealpool/crypto'
import type { AccountFact, PocVerdict } from '@sealpool/poc'
import type { JobRuntime } from '@sealpool/sandbox'
import { isAcceptedConsent } from '../config/consent-settings.js'
import { endedByClock } from '../ingest/ended-by-clock.js'
import { type JudgingLimits, judgeOpened, refusedVerdict } from '../ingest/judge-contribution.js'
import { openContribution } from '../ingest/open-contribution.js'
import { overwriteOpened } from '../ingest/overwrite-opened.js'
import { rewardOnce } from '../ingest/reward-once.js'
import type { JudgedPool } from '../ingest/served-pool.js'
import { scaleVerdict } from '../ingest/value-verdict.js'
import type { IngestRefusal } from '../state/contribution-state.js'
import type { ChainContribution } from '../state/contribution-table.js'
import type { ToldFacts, WishedVerdict } from './told-facts.js'

/** Why a validator signs nothing on one contribution; no reason depends on what is in it. */
export const withheldReasons = [
  /** The chain has no such contribution of this pool in that block. */
  'CONTRIBUTION_UNKNOWN',
  /** The validator has not read the chain so far. */
  'CHAIN_BEHIND',
  /** Its blob store does not have the file, or does not answer. */
  'BLOB_AWAY',
  /** The header that came is not that of the file on the chain. */
  'HEADER_UNFIT',
  /** It finds something else than the home when it opens the file. */
  'OPENING_DIFFERS',
  /** The policy that it was sealed under is none of those that are judged again here. */
  'RESCORING_NOT_SERVED',
  /** The proof asked for a fact that the home has not told. */
  'FACT_NOT_TOLD',
  /** A clock ended its run, and not the home's: that is no word about the contribution. */
  'BY_THE_CLOCK',
  /** Its time for one question is over. */
  'TURN_OVER',
] as const
/** One of {@link withheldReasons}. */
export type WithheldReason = (typeof withheldReasons)[number]

/** Nothing is signed on a contribution. */
export class Withheld extends Error {
  override readonly name = 'Withheld'
  readonly reason: WithheldReason

  constructor(reason: WithheldReason) {
    super(reason)
    this.reason = reason
  }
}

/** What judging for another home needs. */
export interface JudgeToldContext {
  readonly blobStore: Pick<BlobStore, 'get'>
  readonly runtime: JobRuntime
  readonly limits: JudgingLimits
  readonly maximumBlobBytes: number
  /** Opens what was sealed to this node. */
  readonly privateKey: Uint8Array
  readonly giveWay: () => Promise<void>
}

/** Refusals that hang on the file's key: who has no key to the file cannot come to them. */
const byKey: readonly IngestRefusal[] = [
  'NO_KEY_FOR_NODE',
  'SEALED_FILE_INVALID',
  'SEALED_FILE_TAMPERED',
  'COMMITMENT_MISMATCH',
]

/**
 * Judges one contribution.
 * @param contribution as this node has read it from the chain, addresses in lower case
 * @param at time of its block
 * @returns the verdict, and the media type of what was opened
 * @throws Withheld when it has nothing to sign
 */
export async function judgeTold(
  pool: JudgedPool,
  {
    contribution,
    at,
    header,
    told,
  }: Pick<WishedVerdict, 'header' | 'told'> & {
    readonly contribution: ChainContribution
    readonly at: number
  },
  context: JudgeToldContext,
): Promise<{ readonly verdict: PocVerdict; readonly mediaType: string }> {
  // As at home, nothing is fetched or opened whose owner has not agreed to a text that counts.
  const opened = isAcceptedConsent(pool, contribution)
    ? await openTold(
        told.rescored === undefined ? pool : { ...pool, policyDigest: told.rescored.policy },
        contribution,
        header,
        context,
      )
    : ({ kind: 'refused', code: 'CONSENT_NOT_ACCEPTED', place: 'consentDigest' } as const)
  if (opened.kind === 'later') {
    if (told.opening?.code !== 'BLOB_MISSING' || opened.reason !== 'BLOB_MISSING')
      throw new Withheld('BLOB_AWAY')
    return { verdict: refusedVerdict(contribution, pool, 'BLOB_MISSING', 'locator'), mediaType: '' }
  }
  if (opened.kind === 'refused') {
    // What it cannot try for want of a key is the home's word; anything else it must have found itself.
    const untried = header === null && opened.code === 'NO_KEY_FOR_NODE'
    const { opening } = told
    const same = untried
      ? opening !== null && byKey.includes(opening.code)
      : opening?.code === opened.code && opening.place === opened.place
    if (!same || opening === null) throw new Withheld('OPENING_DIFFERS')
    return { verdict: refusedVerdict(contribution, pool, opening.code, opening.place), mediaType: '' }
  }
  const { verdict } = await judgeOpened(contribution, pool, opened, {
    runtime: context.runtime,
    limits: context.limits,
    giveWay: context.giveWay,
    at,
    // It is compared with nothing here: whose copy it is, the home says.
    fingerprintKey: new Uint8Array(32),
    holderOf: async () => told.duplicateOf ?? undefined,
    holdsAll: async () => told.isHeld,
    noveltyOf: async () => factOf(told.novelty),
    accountOf: async (): Promise<AccountFact> => factOf(told.account),
  }).finally(() => overwriteOpened(opened))
  if (endedByClock(verdict) && !told.clock) throw new Withheld('BY_THE_CLOCK')
  return { verdict: scaled(pool, verdict, told), mediaType: opened.mediaType }
}

function scaled({ farming }: JudgedPool, verdict: PocVerdict, told: ToldFacts): PocVerdict {
  if (!verdict.valid || told.rescored !== undefined) return verdict
  return farming === null
    ? rewardOnce(verdict, told.rewarded ?? 0, false)
    : rewardOnce(scaleVerdict(farming, verdict, factOf(told.scaling)), told.rewarded ?? 0, true)
}

function factOf<Fact>(fact: Fact | null): Fact {
  if (fact === null) throw new Withheld('FACT_NOT_TOLD')
  return fact
}

function openTold(
  pool: JudgedPool,
  contribution: ChainContribution,
  header: Uint8Array | null,
  { blobStore, maximumBlobBytes, privateKey }: JudgeToldContext,
) {
  let file: Uint8Array | undefined
  return openContribution(contribution, pool, {
    maximumBlobBytes,
    keys: { poolKey: () => ({ privateKey }) },
    blobStore: {
      get: async (...asked) => {
        file = await blobStore.get(...asked)
        return file
      },
    },
    rewrapped: async () => {
      if (header === null || file === undefined) return undefined
      const stored = partsOf(file)
      // What is no sealed file is found to be none without a header.
      if (stored === undefined) return undefined
      if (stored !== partsOf(header)) throw new Withheld('HEADER_UNFIT')
      return { header, epoch: contribution.epoch }
    },
  })
}

/** What a header says in the open, and to which wallets: whoever has the file's key could write it otherwise. */
function partsOf(file: Uint8Array): string | undefined {
  try {
    const { context, recipients } = parseHeader(file)
    const wallets = recipients.flatMap(({ type, address }) => (type === 'wallet' ? [address ?? null] : []))
    return canonicalize({ context, wallets } as unknown as JsonValue)
  } catch (error) {
    if (error instanceof CryptoError) return undefined
    throw error
  }
}
