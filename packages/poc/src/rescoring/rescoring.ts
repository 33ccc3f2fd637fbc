/**
 * What a pool's approved proof says of contributions that an earlier proof judged: the old verdict beside the new one.
 * @module
 */
import { type Address, type Digest, decodeHex, type JsonObject } from '@sealpool/crypto'
import * as z from 'zod'
import { payDifference } from '../farming/pay-difference.js'
import { selectForAudit } from '../farming/select-audit.js'
import { FULL_SCORE } from '../verdict/score-units.js'
import { invalid } from '../verdict/statement-form.js'

/** What a contribution earns by a new score. Neither takes anything back. */
export type RescoringReward =
  /** Nothing: the new score is only told. */
  | 'keep'
  /** What the new score is better than all that was rewarded for it before. */
  | 'difference'

/** A contribution under both proofs; scores in ten-thousandths of a full score. */
export type RescoredContribution = {
  readonly contribution: string
  readonly owner: Address
  /** Salted commitment of its plaintext, as it stands on chain. */
  readonly commitment: Digest
  readonly before: {
    /** Code that judged it first. */
    readonly poc: Digest
    /** Digest of that verdict, as it stands on chain. */
    readonly verdict: Digest
    /** Score that the chain rewarded. */
    readonly score: number
    /** What had been rewarded besides: for older versions of it, or by earlier rescoring. */
    readonly rewarded: number
  }
  readonly after: {
    /** Digest of the verdict by the new code. */
    readonly verdict: Digest
    readonly refused: boolean
    /** The new code's own score; 0 when refused. */
    readonly score: number
    /** What of it counts, where the first score was scaled by a farming rule: the same share; else all. */
    readonly worth: number
  }
  /** What it earns by the rule. */
  readonly difference: number
}

/** A contribution that was chosen, and got no second verdict. */
export type LeftContribution = {
  readonly contribution: string
  /** For example `NOT_HELD`, `BLOB_MISSING`, `CONSENT_NOT_ACCEPTED`. */
  readonly reason: string
}

/** One part of a rescoring. A type and no interface: so it is JSON by its type as well. */
export type Rescoring = {
  readonly pool: Address
  /** Number of the statement in its pool, from 1. */
  readonly number: number
  /** Policy and code that count now. */
  readonly policy: Digest
  readonly poc: Digest
  readonly rule: RescoringReward
  /** Who was chosen: with this beacon and share `selectForAudit` says the same. 32 bytes in hexadecimal. */
  readonly sample: { readonly share: number; readonly beacon: string }
  /** Accepted contributions that an earlier code judged, and how many of them were chosen. */
  readonly accepted: number
  readonly chosen: number
  /** Whether no other part follows. */
  readonly last: boolean
  readonly entries: readonly RescoredContribution[]
  readonly left: readonly LeftContribution[]
}

/** Entries that one statement holds at most, those that were left out included. */
export const RESCORING_ENTRIES = 200

/**
 * What a contribution earns by another score.
 *
 * @param options `rule`; ten-thousandths: `worth` of the new score, `score` that the chain rewarded first, `rewarded` besides
 * @returns ten-thousandths, never below 0
 * @throws PocError `OPTION_INVALID` for what are no ten-thousandths
 * @example
 * ```ts
 * import { rescoringDifference } from '@sealpool/poc'
 * console.log(rescoringDifference({ rule: 'difference', worth: 9_000, score: 7_000, rewarded: 500 })) // 1500
 * console.log(rescoringDifference({ rule: 'keep', worth: 9_000, score: 7_000, rewarded: 500 })) // 0
 * ```
 */
export function rescoringDifference(options: {
  readonly rule: RescoringReward
  readonly worth: number
  readonly score: number
  readonly rewarded: number
}): number {
  const { rule, worth, score, rewarded } = options
  const difference = payDifference({ worth, rewarded: score + rewarded })
  return rule === 'keep' ? 0 : difference
}

// Made on first use: whoever imports this package for `definePoc` alone does not pull it into a bundle.
function makeSchema() {
  const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)
  const address = z.string().regex(/^0x[0-9a-f]{40}$/)
  const units = z.int().min(0).max(FULL_SCORE)
  const count = z.int().nonnegative()
  const contribution = z.string().regex(/^(0|[1-9]\d{0,76})$/)
  return z.strictObject({
    pool: address,
    number: z.int().positive(),
    policy: digest,
    poc: digest,
    rule: z.enum(['keep', 'difference']),
    sample: z.strictObject({
      share: z.number().gt(0).max(1),
      beacon: z.string().regex(/^0x[0-9a-f]{64}$/),
    }),
    accepted: count,
    chosen: count,
    last: z.boolean(),
    entries: z
      .array(
        z.strictObject({
          contribution,
          owner: address,
          commitment: digest,
          before: z.strictObject({ poc: digest, verdict: digest, score: units, rewarded: count }),
          after: z.strictObject({ verdict: digest, refused: z.boolean(), score: units, worth: units }),
          difference: units,
        }),
      )
      .max(RESCORING_ENTRIES),
    left: z
      .array(z.strictObject({ contribution, reason: z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/) }))
      .max(RESCORING_ENTRIES),
  })
}

let schema: ReturnType<typeof makeSchema> | undefined

/**
 * Reads a rescoring and holds it against itself: who was chosen, each once; what each earns; nothing for what is refused.
 *
 * @param body of a statement, hostile
 * @returns the rescoring, typed
 * @throws PocError `STATEMENT_INVALID` naming the field
 */
export function parseRescoring(body: JsonObject): Rescoring {
  schema ??= makeSchema()
  const parsed = schema.safeParse(body)
  if (!parsed.success) throw invalid(['statement.body', ...(parsed.error.issues[0]?.path ?? [])].join('.'))
  const rescoring = parsed.data as Rescoring
  assertSound(rescoring)
  return rescoring
}

function assertSound({ entries, left, sample, rule, poc, accepted, chosen }: Rescoring): void {
  if (chosen > accepted) throw invalid('statement.body.chosen')
  if (entries.length + left.length > Math.min(chosen, RESCORING_ENTRIES))
    throw invalid('statement.body.entries')
  const beacon = decodeHex(sample.beacon)
  const seen = new Set<string>()
  for (const [name, lines] of [
    ['entries', entries],
    ['left', left],
  ] as const) {
    for (const [index, { contribution }] of lines.entries()) {
      const isChosen = selectForAudit({ beacon, contribution, rate: sample.share })
      if (!isChosen || seen.has(contribution)) throw invalid(`statement.body.${name}.${index}.contribution`)
      seen.add(contribution)
    }
  }
  for (const [index, { before, after, difference }] of entries.entries()) {
    const place = `statement.body.entries.${index}`
    if (before.poc === poc) throw invalid(`${place}.before.poc`)
    if (after.worth > after.score || (after.refused && after.score > 0)) throw invalid(`${place}.after`)
    const { score, rewarded } = before
    if (difference !== rescoringDifference({ rule, worth: after.worth, score, rewarded }))
      throw invalid(`${place}.difference`)
  }
}
