/**
 * Facts about a pool's tables that the node signs: the settings of a pool.
 * @module
 */
import * as z from 'zod'

const epsilon = z.number().min(0.000_001).max(1_000)

/** A pool's facts; null: the node tells none. Measured. */
export const factsSettings = z
  .strictObject({
    /** Privacy that one set of facts costs, all tables together, keywords aside. */
    epsilon,
    /** Fewest contributors of the first set; never fewer than the policy's smallest group. */
    from: z.int().min(2).max(1_000_000_000).default(100),
    /** By which factor the contributors must have grown for another set. */
    growth: z.number().min(1.5).max(1_000).default(10),
    /** Most sets that are signed, ever. One that is given up was charged all the same, and is tried again after a growing pause. */
    most: z.int().min(1).max(20).default(3),
    /** Most rows of a table, by contributors and rows of one: of each a beginning of its keyword cell is in memory. */
    maximumRows: z.int().min(1).max(10_000_000).default(200_000),
    /** Words that enough people use, of one text column. */
    keywords: z
      .strictObject({
        table: z.string(),
        column: z.string(),
        epsilon,
        delta: z.number().gt(0).max(0.001),
        wordsPerPerson: z.int().min(1).max(1_000).default(20),
      })
      .nullable()
      .default(null),
  })
  .nullable()
  .default(null)

/** The facts that a pool's settings ask for. */
export type PoolFacts = NonNullable<z.output<typeof factsSettings>>
