/**
 * Restrictions: documents by which a pool narrows its policy at once, for data that is there already too. The chain keeps
 * their digests in order; the documents lie in the blob store under them.
 * @module
 */
import { ContractsError, parseAccessRules } from '@sealpool/contracts'
import type { JsonObject } from '@sealpool/crypto'
import { narrowViewLimits, type PoolPolicy, viewCapsSchema } from '@sealpool/privacy'
import * as z from 'zod'

const name = z.string().min(1).max(4000)

/** Access rules that this release understands. */
const accessSchema = z.record(z.string(), z.json()).superRefine((rules, context) => {
  try {
    parseAccessRules(rules)
  } catch (error) {
    if (!(error instanceof ContractsError)) throw error
    context.addIssue({ code: 'custom', message: error.message })
  }
})

/**
 * A restriction. Strict: a field that this release does not know would be a limit that nobody keeps, so that the whole
 * document is refused and the pool's jobs wait.
 */
export const policyRestrictionSchema = z.strictObject({
  format: z.literal('sealpool/policy-restriction'),
  version: z.literal(1),
  /** Why, for people. */
  reason: z.string().min(1).max(4000),
  /** Nothing may run any more. */
  stop: z.boolean().optional(),
  /** Only these purposes remain, of those that the policy allows. */
  purposes: z.array(name).max(100).optional(),
  /** Only these computations remain. */
  computations: z.array(name).max(100).optional(),
  /** Only these tables remain. */
  tables: z.array(name).max(100).optional(),
  /** Columns that may not be used any more, as `table.column`. */
  withoutColumns: z
    .array(z.string().regex(/^[^.]+\.[^.]+$/))
    .max(1_000)
    .optional(),
  /** No joins with other pools any more. */
  withoutJoins: z.boolean().optional(),
  /** Access rules that must be met as well as those of the policy. */
  access: accessSchema.optional(),
  /** Recipients get at most this of results, and at most what the policy allows. */
  views: viewCapsSchema.optional(),
  minimumContributors: z.int().min(1).max(1_000_000).optional(),
  perJob: z
    .strictObject({ epsilon: z.number().gt(0).max(100), delta: z.number().min(0).max(0.001) })
    .optional(),
})

/** A restriction of a policy. */
export type PolicyRestriction = z.output<typeof policyRestrictionSchema>

/**
 * Narrows a policy. Nothing in a restriction can widen it: names that the policy does not have change nothing, and of two
 * limits the stricter one holds. Access rules are not part of what comes out: see `addedAccess`.
 * @param policy - the pool's policy, or what earlier restrictions left of it; it is not changed
 * @param restriction - what is taken away; a field that is absent takes nothing
 * @returns the narrowed policy, or null when nothing may run under it any more
 */
export function narrowPolicy(policy: PoolPolicy, restriction: PolicyRestriction): PoolPolicy | null {
  if (restriction.stop === true) return null
  const hidden = new Set(restriction.withoutColumns ?? [])
  const tables = keep(policy.tables, restriction.tables, (table) => table.name)
    .map((table) => ({
      ...table,
      columns: table.columns.filter((column) => !hidden.has(`${table.name}.${column.name}`)),
    }))
    .filter(({ columns }) => columns.length > 0)
  const purposes = keep(policy.purposes, restriction.purposes, (purpose) => purpose)
  if (tables.length === 0 || purposes.length === 0) return null
  const { privacy } = policy
  const { views } = restriction
  return {
    ...policy,
    ...(views === undefined ? {} : { views: narrowViewLimits(policy.views, views) }),
    purposes,
    tables,
    code: {
      ...policy.code,
      computations: keep(policy.code.computations, restriction.computations, (computation) => computation),
    },
    joins: restriction.withoutJoins === true ? { allowed: false, with: [] } : policy.joins,
    privacy: {
      ...privacy,
      minimumContributors: Math.max(privacy.minimumContributors, restriction.minimumContributors ?? 1),
      perJob: {
        epsilon: Math.min(privacy.perJob.epsilon, restriction.perJob?.epsilon ?? privacy.perJob.epsilon),
        delta: Math.min(privacy.perJob.delta, restriction.perJob?.delta ?? privacy.perJob.delta),
      },
    },
  }
}

/** @returns the access rules that restrictions add, in their order */
export function addedAccess(restrictions: readonly PolicyRestriction[]): readonly JsonObject[] {
  return restrictions.flatMap(({ access }) => (access === undefined ? [] : [access as JsonObject]))
}

function keep<Item>(
  items: readonly Item[],
  names: readonly string[] | undefined,
  nameOf: (item: Item) => string,
): Item[] {
  return items.filter((item) => names === undefined || names.includes(nameOf(item)))
}
