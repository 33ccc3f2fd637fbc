import * as z from 'zod'

const columnSchema = z.string().min(1).max(255)

/** Which part of a result somebody gets. */
export const resultViewSchema = z.discriminatedUnion('kind', [
  /** All of it. */
  z.strictObject({ kind: z.literal('whole') }),
  /** These columns of the answer, by their names in it; its rows are then in no order of the answer's own. */
  z.strictObject({
    kind: z.literal('columns'),
    columns: z
      .array(columnSchema)
      .min(1)
      .max(100)
      .refine((columns) => new Set(columns).size === columns.length, 'a column is listed twice'),
  }),
  /** How many rows the answer has. */
  z.strictObject({ kind: z.literal('count') }),
  /** Nothing but the receipt, which everybody gets. */
  z.strictObject({ kind: z.literal('receipt') }),
])

/** Which part of a result somebody gets. */
export type ResultView = z.output<typeof resultViewSchema>
