import * as z from 'zod'
import { PLACES } from '../accountant/amount.js'
import { PrivacyError } from '../errors.js'
import { columnSchema, nameSchema } from './column.js'
import { rowRuleFault, rowRuleSchema } from './row-rule.js'
import { viewLimitsSchema } from './view-limit.js'

// Schemas are made in calls without effects, so that a bundle that reads no policy leaves zod out.
const digestSchema = /* @__PURE__ */ (() =>
  z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'expected a digest: sha256: and 64 lower-case hexadecimal digits'))()
const amountSchema = /* @__PURE__ */ (() =>
  z.string().regex(/^(0|[1-9][0-9]{0,77})$/, 'expected a whole number of token units as decimal text'))()
const textSchema = /* @__PURE__ */ (() => z.string().min(1).max(4000))()
const epsilonSchema = /* @__PURE__ */ (() => z.number().gt(0).max(100))()
const deltaSchema = /* @__PURE__ */ (() =>
  z.number().min(0).max(0.001, 'delta is the chance of failing altogether: at most 0.001'))()

const tableSchema = /* @__PURE__ */ (() =>
  z
    .strictObject({
      name: nameSchema,
      rowsPerContributor: z.int().min(1).max(1_000_000),
      columns: z.array(columnSchema).min(1).max(500),
      /** Rules on rows: all of them must hold, or a row is never counted. */
      rows: z.exactOptional(z.array(rowRuleSchema).min(1).max(20)),
    })
    .superRefine((table, context) => {
      reportDuplicates(table.columns, 'columns', context)
      for (const [index, rule] of (table.rows ?? []).entries()) {
        const fault = rowRuleFault(rule, table.columns)
        if (fault !== null) {
          context.addIssue({ code: 'custom', path: ['rows', index, fault.field], message: fault.message })
        }
      }
    }))()

/** What an answer may be, whatever it was asked; where several pools are in an answer, the strictest rule holds. */
const outputSchema = /* @__PURE__ */ (() =>
  z.strictObject({
    /** Rows of an answer that leave; those after them, in the order that was asked for, do not. */
    maximumRows: z.exactOptional(z.int().min(1).max(100_000)),
    /** Digits of released numbers; the rest is rounded away. */
    significantDigits: z.exactOptional(z.int().min(1).max(15)),
    /** Whether every statement must name one of the pool's purposes. */
    purposeRequired: z.exactOptional(z.boolean()),
  }))()

const privacySchema = /* @__PURE__ */ (() =>
  z
    .strictObject({
      accounting: z.enum(['basic', 'zcdp']),
      epsilon: epsilonSchema,
      delta: deltaSchema,
      perJob: z.strictObject({ epsilon: epsilonSchema, delta: deltaSchema }),
      minimumContributors: z.int().min(1).max(1_000_000),
      maximumGroups: z.int().min(1).max(100_000),
    })
    .superRefine((privacy, context) => {
      const issue = (path: string[], message: string): void => {
        context.addIssue({ code: 'custom', path, message })
      }
      if (privacy.perJob.epsilon > privacy.epsilon) {
        issue(['perJob', 'epsilon'], 'one job may not take more epsilon than the pool has in all')
      }
      if (privacy.perJob.delta > privacy.delta) {
        issue(['perJob', 'delta'], 'one job may not take more delta than the pool has in all')
      }
      if (privacy.accounting === 'zcdp' && privacy.delta < 1e-15) {
        issue(['delta'], 'zcdp accounting needs a delta above zero; choose basic accounting for pure epsilon')
      }
      for (const [path, value, quantity] of [
        [['epsilon'], privacy.epsilon, 'epsilon'],
        [['delta'], privacy.delta, 'delta'],
        [['perJob', 'epsilon'], privacy.perJob.epsilon, 'epsilon'],
        [['perJob', 'delta'], privacy.perJob.delta, 'delta'],
      ] as const) {
        if (!isWhole(value, PLACES[quantity])) {
          issue([...path], `budgets are kept in steps of 1e-${PLACES[quantity]}; give fewer digits`)
        }
      }
    }))()

/**
 * The machine-readable rule set of a pool. Strict: an unknown field is refused, since a rule that nobody
 * enforces is worse than none. Its digest (SHA-256 of its canonical JSON) is what the chain records.
 */
export const poolPolicySchema = /* @__PURE__ */ (() =>
  z
    .strictObject({
      format: z.literal('sealpool/pool-policy'),
      version: z.literal(1),
      name: nameSchema,
      description: textSchema,
      purposes: z.array(textSchema).min(1).max(100),
      /** Opaque here; `@sealpool/attest` gives it meaning. */
      attestation: z.record(z.string(), z.json()),
      code: z.strictObject({
        poc: digestSchema,
        refiner: digestSchema,
        computations: z.array(z.string().min(1).max(200)).max(100),
        /** Which programs the computation `program` may be: any that the pool votes for, or these, by digest. Absent: none. */
        programs: z.exactOptional(z.union([z.literal('voted'), z.array(digestSchema).min(1).max(100)])),
        /**
         * Which later proofs of contribution may judge again what was sealed under this policy: any that the pool votes for, or these, by digest.
         * Absent: none. Whoever seals under the policy agrees to it, so that a later policy can not bring it about.
         */
        rescoring: z.exactOptional(z.union([z.literal('voted'), z.array(digestSchema).min(1).max(100)])),
      }),
      tables: z.array(tableSchema).min(1).max(100),
      privacy: privacySchema,
      output: z.exactOptional(outputSchema),
      /** Who may use the data, by what stands on the chain. Opaque here; `@sealpool/contracts` gives it meaning. Absent: whoever the votes let. */
      access: z.exactOptional(z.record(z.string(), z.json())),
      /** The most that recipients may get of results in which the pool's data is. Absent: the consumer all, others the receipt. */
      views: z.exactOptional(viewLimitsSchema),
      joins: z.strictObject({ allowed: z.boolean(), with: z.array(nameSchema).max(100) }),
      economics: z.strictObject({ price: amountSchema, poolTokenBurn: amountSchema }),
    })
    .superRefine((policy, context) => {
      reportDuplicates(policy.tables, 'tables', context)
      const issue = (path: (string | number)[], message: string): void => {
        context.addIssue({ code: 'custom', path, message })
      }
      for (const [path, names] of [
        [['purposes'], policy.purposes],
        [['code', 'computations'], policy.code.computations],
        [['code', 'programs'], policy.code.programs === 'voted' ? [] : (policy.code.programs ?? [])],
        [['code', 'rescoring'], policy.code.rescoring === 'voted' ? [] : (policy.code.rescoring ?? [])],
        [['joins', 'with'], policy.joins.with],
      ] as const) {
        if (new Set(names).size !== names.length) issue([...path], 'an entry is listed twice; list each once')
      }
      if (policy.code.programs !== undefined && !policy.code.computations.includes('program')) {
        issue(
          ['code', 'programs'],
          'no program runs unless computations lists program; list it or remove programs',
        )
      }
      if (!policy.joins.allowed && policy.joins.with.length > 0) {
        issue(
          ['joins', 'with'],
          'joins are not allowed, so no pool may be listed; empty the list or allow joins',
        )
      }
      if (policy.joins.with.includes(policy.name)) {
        issue(['joins', 'with'], 'a pool need not list itself; tables of one pool always join')
      }
      if (policy.privacy.delta === 0) {
        policy.tables.forEach((table, tableIndex) => {
          table.columns.forEach((column, columnIndex) => {
            if (column.open === true) {
              issue(
                ['tables', tableIndex, 'columns', columnIndex, 'open'],
                'open groups need a delta above zero: give the pool one, or list public values',
              )
            }
          })
        })
      }
    }))()

/** A parsed pool policy. */
export type PoolPolicy = z.output<typeof poolPolicySchema>
/** A table of a pool policy. */
export type PolicyTable = PoolPolicy['tables'][number]

/**
 * Parses a pool policy from untrusted JSON.
 *
 * @param json - Any value.
 * @returns The policy.
 * @throws PrivacyError `POLICY_INVALID` with the first offending place; the message lists up to five.
 * @example
 * ```ts no-run
 * const policy = parsePoolPolicy(JSON.parse(text))
 * ```
 */
export function parsePoolPolicy(json: unknown): PoolPolicy {
  const parsed = poolPolicySchema.safeParse(json)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map(({ path, message }) => ({ place: placeOf(path), message }))
  const shown = issues.slice(0, 5).map(({ place, message }) => `${place}: ${message}`)
  const more = issues.length > shown.length ? ` (and ${issues.length - shown.length} more)` : ''
  throw new PrivacyError(
    'POLICY_INVALID',
    issues[0]?.place ?? '$',
    `The pool policy is not valid. ${shown.join('; ')}${more}`,
    {
      cause: parsed.error,
    },
  )
}

/** `['tables', 0, 'name']` as `tables[0].name`; the document itself is `$`. */
function placeOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '$'
  return path.reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`,
    '',
  )
}

function isWhole(value: number, places: number): boolean {
  const [mantissa = '', exponent = '0'] = String(value).split('e')
  const fraction = mantissa.split('.')[1] ?? ''
  return fraction.length - Number(exponent) <= places
}

function reportDuplicates(
  named: readonly { readonly name: string }[],
  place: string,
  context: z.core.$RefinementCtx,
): void {
  const seen = new Set<string>()
  named.forEach(({ name }, index) => {
    if (seen.has(name)) {
      context.addIssue({
        code: 'custom',
        path: [place, index, 'name'],
        message: `the name ${name} is taken; names must differ`,
      })
    }
    seen.add(name)
  })
}
