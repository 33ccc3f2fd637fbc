/**
 * Holds what another node answered against what the plan declares, as far as that can be seen without the data: an answer that has
 * anything more, or something else, does not leave.
 * @module
 */
import { canonicalize, type JsonValue } from '@sealpool/crypto'
import * as z from 'zod'
import type { PlannedJob } from '../job/planned-job.js'

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()])
const text = z.string().max(4_000)

const queryAnswer = z.strictObject({
  columns: z.array(z.strictObject({ name: z.string(), kind: z.string() })),
  rows: z.array(z.array(cell)).max(1_000_000),
  intervals: z.array(
    z.array(
      z.union([z.strictObject({ low: z.number(), high: z.number(), confidence: z.number() }), z.null()]),
    ),
  ),
  suppressedGroups: z.literal('unknown'),
  charge: z.record(z.string(), z.json()),
  notes: z.array(text).max(100),
})
const queryPlan = z.looseObject({
  columns: z.array(z.looseObject({ name: z.string(), kind: z.string() })),
  pools: z.array(z.looseObject({ name: z.string(), charge: z.json() })),
})

const computeAnswer = z.strictObject({
  coefficients: z
    .array(z.strictObject({ name: z.string(), value: z.number(), low: z.number(), high: z.number() }))
    .max(1_000),
  notes: z.array(text).max(100),
  charge: z.record(z.string(), z.json()),
})
const computePlan = z.looseObject({
  model: z.looseObject({ features: z.array(z.looseObject({ name: z.string() })) }),
  charge: z.record(z.string(), z.json()),
})

/**
 * @param planned what this node planned itself
 * @param answer of the node that ran it
 * @returns whether the answer has the columns, the charge and nothing else of what the plan declares
 */
export function isAnswerOf({ kind, plan }: Pick<PlannedJob, 'kind' | 'plan'>, answer: JsonValue): boolean {
  if (kind === 'query') {
    const [said, planned] = [queryAnswer.safeParse(answer), queryPlan.safeParse(plan)]
    if (!said.success || !planned.success) return false
    const { columns, rows, intervals, charge } = said.data
    const width = planned.data.columns.length
    return (
      same(
        columns,
        planned.data.columns.map(({ name, kind: of }) => ({ name, kind: of })),
      ) &&
      rows.every((row) => row.length === width) &&
      intervals.length === rows.length &&
      intervals.every((row) => row.length === width) &&
      same(charge, Object.fromEntries(planned.data.pools.map(({ name, charge: of }) => [name, of])))
    )
  }
  const [said, planned] = [computeAnswer.safeParse(answer), computePlan.safeParse(plan)]
  if (!said.success || !planned.success) return false
  const names = ['intercept', ...planned.data.model.features.map(({ name }) => name)]
  return (
    same(
      said.data.coefficients.map(({ name }) => name),
      names,
    ) && same(said.data.charge, planned.data.charge)
  )
}

function same(one: unknown, other: unknown): boolean {
  return canonicalize(one as JsonValue) === canonicalize(other as JsonValue)
}
