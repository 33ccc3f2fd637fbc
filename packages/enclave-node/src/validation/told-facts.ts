/**
 * What a pool's home alone can know of a contribution, and tells those who judge it besides: what the pool holds already, and that
 * a file does not open. All of it goes into the digest of the inputs that every validator signs, so that the home answers for it;
 * everything else (the chain's record, the file, the block's time, the code, the rules) each validator finds out itself.
 * @module
 */
import type { Address, Digest } from '@sealpool/crypto'
import { FULL_SCORE, verdictInputs } from '@sealpool/poc'
import * as z from 'zod'
import { measuredConsents } from '../config/consent-settings.js'
import { digestSchema } from '../config/digest-schema.js'
import type { JudgingLimits } from '../ingest/judge-contribution.js'
import type { JudgedPool } from '../ingest/served-pool.js'
import { neverOpened } from '../state/contribution-state.js'

const id = z.string().regex(/^(0|[1-9]\d{0,17})$/)
const count = z.int().min(0)

/** Facts as they come from the home. */
export const toldFactsSchema = z.strictObject({
  /** Why the home could not open the file; null when it could. */
  opening: z.strictObject({ code: z.enum(neverOpened), place: z.string().max(100) }).nullable(),
  /** A clock ended the home's own run of the proof, or of the refiner. */
  clock: z.boolean(),
  /** The contribution that holds the same content. */
  duplicateOf: id.nullable(),
  /** The pool holds every statement that its sources signed, in one contribution or in many. */
  isHeld: z.boolean(),
  /** How new the content is to the pool; null where the proof did not ask. */
  novelty: z.number().min(0).max(1).nullable(),
  /** What the pool's register says of the account; null where the proof did not ask. */
  account: z
    .strictObject({
      accepted: z.boolean(),
      contributor: z.exactOptional(z.string().regex(/^0x[0-9a-f]{40}$/)),
    })
    .nullable(),
  /** By what a score is scaled; null where the pool has no farming rule, or nothing was opened. */
  scaling: z
    .strictObject({
      history: z.strictObject({
        ofIdentity: count,
        ofCluster: z.strictObject({ count, earned: z.number().min(0) }),
      }),
      novelty: z.number().min(0).max(1),
      size: z.exactOptional(z.strictObject({ items: count, typical: z.int().min(1) })),
    })
    .nullable(),
  /** Ten-thousandths that its lineage or the same content was rewarded with before; absent: none. */
  rewarded: z.exactOptional(z.int().min(1).max(FULL_SCORE)),
  /**
   * An earlier proof accepted it, and it is judged again: the policy that it was sealed under. Nothing is scaled then, since the statement of
   * both verdicts says what of the new one counts.
   */
  rescored: z.exactOptional(z.strictObject({ policy: digestSchema })),
})

/** What the home told. */
export type ToldFacts = z.output<typeof toldFactsSchema>

/** @returns the digest of all that a contribution is judged by besides its file and the code, see `verdictInputs` */
export function inputsOf(judged: {
  /** 32 bytes that the pool's home shares with its validators. */
  readonly key: Uint8Array
  readonly pool: JudgedPool
  readonly limits: JudgingLimits
  readonly owner: Address
  readonly at: number
  /** Empty when nothing was opened. */
  readonly mediaType: string
  readonly told: ToldFacts
}): Digest {
  const { key, pool, limits, owner, at, mediaType, told } = judged
  const { opening, clock, duplicateOf, isHeld, novelty, account, scaling, rewarded, rescored } = told
  return verdictInputs({
    key,
    mediaType,
    facts: {
      uniqueness: { duplicate: duplicateOf !== null || isHeld, ...(novelty === null ? {} : { novelty }) },
      ...(account === null ? {} : { account }),
      at,
      owner,
    },
    limits: limits.proof,
    budget: pool.verification ?? undefined,
    ...(pool.farming === null || scaling === null
      ? {}
      : { scaling: { rule: { ...pool.farming }, ...scaling } }),
    ...(rewarded === undefined ? {} : { rewarded }),
    told: {
      opening,
      clock,
      duplicateOf,
      isHeld,
      // Who did not ask the refiner has judged by something else.
      refiner: { digest: pool.refiner.digest, limits: { ...limits.refiner } },
      // Absent rather than null: what was signed before there were such settings keeps its digest.
      ...(pool.consents === null ? {} : { consents: measuredConsents(pool.consents) }),
      ...(rescored === undefined ? {} : { rescored }),
    },
  })
}

/** What a validator is asked to judge. */
export interface WishedVerdict {
  readonly id: string
  /** Block in which the contribution came. */
  readonly block: string
  /** Header of the file, sealed to the validator as well; null when the home cannot open the file. */
  readonly header: Uint8Array | null
  readonly told: ToldFacts
}

/** One question to a validator. */
export interface ValidationWish {
  readonly pool: Address
  /** Digest of the code that is to judge. */
  readonly poc: Digest
  /** Key of the inputs' digest, 32 bytes. */
  readonly key: Uint8Array
  readonly items: readonly WishedVerdict[]
}

/** Most contributions in one question: a body of the API holds them with headers of several recipients. */
export const itemsAtOnce = 8
/** Longest header that is sent: some eighty recipients. */
export const longestHeader = 24_000
