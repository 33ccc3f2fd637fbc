import * as z from 'zod'
import { parseDay, parseInstant } from './calendar.js'
import { nameSchema, type PolicyColumn } from './column.js'

/**
 * A rule on rows: only rows whose column has one of the values, or lies in the range, are ever counted, whatever a statement
 * says. Rows without a value do not satisfy a rule.
 */
export const rowRuleSchema = /* @__PURE__ */ (() =>
  z
    .strictObject({
      column: nameSchema,
      in: z.exactOptional(
        z
          .array(z.union([z.string().min(1).max(200), z.number(), z.boolean()]))
          .min(1)
          .max(1000),
      ),
      min: z.exactOptional(z.number()),
      max: z.exactOptional(z.number()),
      /** For date and timestamp columns. */
      earliest: z.exactOptional(z.string().max(40)),
      latest: z.exactOptional(z.string().max(40)),
    })
    .refine(
      ({ in: values, min, max, earliest, latest }) => {
        const [listed, between, dated] = [
          values !== undefined,
          min !== undefined || max !== undefined,
          earliest !== undefined || latest !== undefined,
        ]
        return Number(listed) + Number(between) + Number(dated) === 1
      },
      {
        error:
          'a row rule needs either in, or min or max or both, or earliest or latest or both for dates and timestamps',
      },
    ))()

/** A rule on the rows of a table. */
export type RowRule = z.output<typeof rowRuleSchema>

/**
 * What is wrong with a rule for the columns of its table.
 *
 * @param rule - The rule.
 * @param columns - Columns of the table.
 * @returns The offending field and why, or null.
 */
export function rowRuleFault(
  rule: RowRule,
  columns: readonly PolicyColumn[],
): { readonly field: keyof RowRule; readonly message: string } | null {
  const column = columns.find(({ name }) => name === rule.column)
  if (column === undefined) return { field: 'column', message: 'no column of this table has that name' }
  const numeric = column.type === 'integer' || column.type === 'decimal'
  const decimals = column.type === 'decimal' ? (column.decimals ?? 2) : 0
  const onGrid = (value: number) =>
    Math.abs(value * 10 ** decimals) <= Number.MAX_SAFE_INTEGER && Number(value.toFixed(decimals)) === value
  for (const field of ['min', 'max'] as const) {
    const bound = rule[field]
    if (bound === undefined) continue
    if (!numeric) return { field, message: 'only integer and decimal columns have a range; use in' }
    if (!onGrid(bound)) return { field, message: `the bound has more digits than the column's ${decimals}` }
  }
  if (rule.min !== undefined && rule.max !== undefined && rule.min > rule.max) {
    return { field: 'max', message: 'max must not be below min' }
  }
  const moment = column.type === 'date' || column.type === 'timestamp'
  const fault = momentFault(rule, column)
  if (fault !== null) return fault
  if (moment && rule.in !== undefined) return { field: 'in', message: 'use earliest and latest for a moment' }
  for (const value of rule.in ?? []) {
    const fits = numeric
      ? typeof value === 'number' && onGrid(value)
      : typeof value === (column.type === 'text' ? 'string' : 'boolean')
    if (!fits)
      return {
        field: 'in',
        message: `every value must be of the column's type (${column.type}) and precision`,
      }
  }
  return null
}

function momentFault(rule: RowRule, column: PolicyColumn): ReturnType<typeof rowRuleFault> {
  const read = { date: parseDay, timestamp: parseInstant }
  for (const field of ['earliest', 'latest'] as const) {
    const bound = rule[field]
    if (bound === undefined) continue
    if (column.type !== 'date' && column.type !== 'timestamp') {
      return { field, message: 'only date and timestamp columns have earliest and latest' }
    }
    if (read[column.type](bound) === null) {
      return { field, message: `the bound is no ${column.type} in ISO form of the years 0100 to 9999` }
    }
  }
  const { earliest, latest } = rule
  if (earliest === undefined || latest === undefined) return null
  const [first, last] = [parseInstant(earliest), parseInstant(latest)]
  return first !== null && last !== null && first > last
    ? { field: 'latest', message: 'latest must not be before earliest' }
    : null
}
