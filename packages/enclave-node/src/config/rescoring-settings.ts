/**
 * Whether what an earlier proof of contribution judged is judged again, as settings of a pool. All of it is measured.
 * @module
 */
import { digestOf, type JsonObject, type JsonValue } from '@sealpool/crypto'
import type { RescoringReward } from '@sealpool/poc'
import * as z from 'zod'

/** The policies under which it was sealed, as they were voted on: each must say in `code.rescoring` that the present proof may. */
const earlier = z.array(z.record(z.string(), z.json())).min(1).max(20)

/** null: what was judged stays as it was judged, and is not opened again. */
export const rescoringSchema = z
  .strictObject({
    earlier,
    /** Share of the accepted contributions that is judged again; who, follows from a key of the node. */
    share: z.number().gt(0).max(1).default(1),
    /** `keep`: the new score is only told; `difference`: a higher one earns what it is higher. Nothing is ever taken back. */
    rule: z.enum(['keep', 'difference']).default('keep'),
  })
  .nullable()
  .default(null)

/** What a validator judges again when the pool's home asks; null: nothing. Share and rule are the home's. */
export const rescoredForOthersSchema = z.strictObject({ earlier }).nullable().default(null)

/** What a pool has judged again, as its settings give it. */
export interface PoolRescoring {
  readonly earlier: readonly Readonly<Record<string, unknown>>[]
  readonly share: number
  readonly rule: RescoringReward
}

/** @returns the measured part of what a home judges again */
export function measuredRescoring({ earlier, share, rule }: PoolRescoring): JsonObject {
  return { ...measuredEarlier({ earlier }), share, rule }
}

/** @returns the measured part of what is judged again anywhere: policies by their digests, in an order that says nothing */
export function measuredEarlier({ earlier }: Pick<PoolRescoring, 'earlier'>): JsonObject {
  return { earlier: earlier.map((policy) => digestOf(policy as JsonValue)).sort() }
}
