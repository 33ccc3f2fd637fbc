/**
 * For how long the node keeps what, as settings. All of it is measured: whoever verifies the node knows it.
 * @module
 */
import * as z from 'zod'

const days = z.int().min(1).max(36_500).nullable().default(null)

/** What a pool declares; null: its contributions stay until their owners take them back, their copies for ever. */
export const poolRetentionSchema = z
  .strictObject({
    /** Days after its block for which a contribution's rows are used and kept; null: until its owner takes it back. */
    contributionDays: days,
    /**
     * Days for which the blob store keeps the sealed copy of a contribution that was withdrawn (since then) or refused (since its
     * block); that of one whose time is over goes with it. Null: the node removes no copies.
     */
    copyDays: days,
    /** Days for which signed facts about tables are told. */
    factsDays: days,
  })
  .nullable()
  .default(null)

/** What the node declares for jobs, which may be over several pools; null: answers stay. */
export const jobRetentionSchema = z
  .strictObject({
    /** Days after a job's receipt for which its sealed answer, its plan and its manifest are kept. */
    answerDays: z.int().min(1).max(36_500),
  })
  .nullable()
  .default(null)

/** What a pool declares. */
export type PoolRetention = NonNullable<z.output<typeof poolRetentionSchema>>
/** What the node declares for jobs. */
export type JobRetention = NonNullable<z.output<typeof jobRetentionSchema>>
