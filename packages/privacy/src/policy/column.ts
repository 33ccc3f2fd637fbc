import * as z from 'zod'
import { parseDay, parseInstant } from './calendar.js'

/** Names as SQL sees them: lower-case ASCII, so that no two names differ by case or look-alike letters only. */
export const nameSchema = /* @__PURE__ */ (() =>
  z
    .string()
    .regex(
      /^[a-z][a-z0-9_]{0,62}$/,
      'expected a lower-case ASCII name such as hourly_wage (at most 63 characters)',
    ))()

/** Largest integer that fixed-point values may reach; sums of many such values are kept in wider integers. */
const LARGEST = Number.MAX_SAFE_INTEGER

/** Most public categories of one column. */
const MOST_CATEGORIES = 1000

const columnShape = /* @__PURE__ */ (() =>
  z.strictObject({
    name: nameSchema.refine((name) => name !== 'contributor', {
      error: 'the name contributor is taken: every table has that key, and no query may select it',
    }),
    type: z.enum(['integer', 'decimal', 'text', 'boolean', 'date', 'timestamp']),
    decimals: z.exactOptional(z.int().min(0).max(9)),
    min: z.exactOptional(z.number()),
    max: z.exactOptional(z.number()),
    earliest: z.exactOptional(z.string().max(40)),
    latest: z.exactOptional(z.string().max(40)),
    values: z.exactOptional(
      z
        .array(z.union([z.string().min(1).max(200), z.number(), z.boolean()]))
        .min(1)
        .max(MOST_CATEGORIES),
    ),
    open: z.exactOptional(z.boolean()),
    nullable: z.boolean(),
    use: z.array(z.enum(['group', 'filter', 'measure'])),
  }))()

/** A column of a pool's table, with everything about it that is public. */
export type PolicyColumn = z.output<typeof columnShape>

/**
 * One column: its type, its public range or categories, and what queries may do with it.
 *
 * - `measure` (summed, averaged, used as a number) needs `min` and `max`: they bound one contributor's weight.
 * - `group` needs public `values` (an integer column may rely on a short public range), or `open: true`, which says that the categories themselves are private and
 *   appear only when enough contributors share them.
 * - `date` and `timestamp` (UTC, to the microsecond) have `earliest` and `latest` instead of `min` and `max`; between them, months and
 *   years are public groups.
 */
export const columnSchema = /* @__PURE__ */ (() =>
  columnShape.superRefine((column, context) => {
    const issue = (key: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [key], message })
    }
    const numeric = column.type === 'integer' || column.type === 'decimal'
    if (column.type === 'decimal' && column.decimals === undefined) {
      issue('decimals', 'a decimal column needs its number of decimals: values are kept in fixed point')
    }
    if (column.type !== 'decimal' && column.decimals !== undefined) {
      issue('decimals', 'only a decimal column has decimals; remove it or change the type')
    }
    if (new Set(column.use).size !== column.use.length) issue('use', 'a use is named twice; name each once')
    const moment = column.type === 'date' || column.type === 'timestamp'
    const units = (text: string): bigint | null => {
      if (column.type === 'timestamp') return parseInstant(text)
      const day = parseDay(text)
      return day === null ? null : BigInt(day)
    }
    for (const key of ['earliest', 'latest'] as const) {
      const bound = column[key]
      if (bound === undefined) continue
      if (!moment) issue(key, `only date and timestamp columns have ${key}; give min and max instead`)
      else if (units(bound) === null) {
        const form = column.type === 'date' ? '2024-01-31' : '2024-01-31T23:59:59Z'
        issue(
          key,
          `expected ${form}, of the years 0100 to 9999${column.type === 'timestamp' ? ', in UTC' : ''}`,
        )
      }
    }
    if ((column.earliest === undefined) !== (column.latest === undefined)) {
      issue(
        column.earliest === undefined ? 'earliest' : 'latest',
        'give both earliest and latest, or neither',
      )
    }
    const [first, last] = [units(column.earliest ?? ''), units(column.latest ?? '')]
    if (first !== null && last !== null && first >= last) issue('latest', 'latest must be after earliest')
    if (moment && column.values !== undefined) {
      issue('values', `a ${column.type} column has no list of values; give earliest and latest`)
      return
    }
    if (!numeric && (column.min !== undefined || column.max !== undefined)) {
      issue('min', 'only integer and decimal columns have a range; remove min and max')
      return
    }
    const onGrid = (value: number): boolean => {
      const scaled = value * 10 ** (column.decimals ?? 0)
      return Math.abs(scaled) <= LARGEST && Number(value.toFixed(column.decimals ?? 0)) === value
    }
    for (const key of ['min', 'max'] as const) {
      const bound = column[key]
      if (bound !== undefined && !onGrid(bound)) {
        issue(
          key,
          `${key} must be a whole number of steps of 10^-${column.decimals ?? 0} and below 2^53 steps`,
        )
      }
    }
    if ((column.min === undefined) !== (column.max === undefined)) {
      issue(column.min === undefined ? 'min' : 'max', 'give both min and max, or neither')
    }
    if (column.min !== undefined && column.max !== undefined && !(column.min < column.max)) {
      issue('max', 'max must be above min')
    }
    if (column.use.includes('measure')) {
      if (moment) {
        if (column.earliest === undefined || column.latest === undefined) {
          issue(
            'earliest',
            'a measure needs public earliest and latest: they bound what one contributor can change',
          )
        }
      } else if (!numeric)
        issue('use', `a ${column.type} column cannot be a measure; use it as group or filter`)
      else if (column.min === undefined || column.max === undefined) {
        issue('min', 'a measure needs public min and max: they bound what one contributor can change')
      }
    }
    const counted =
      column.type === 'integer' &&
      column.min !== undefined &&
      column.max !== undefined &&
      column.max - column.min < MOST_CATEGORIES
    const listed = column.values !== undefined || counted || (moment && column.earliest !== undefined)
    if (column.use.includes('group') && !listed && column.open !== true) {
      issue(
        'values',
        'a group column needs public values (an integer column may give a short min to max range, a date or timestamp column earliest and latest) or open: true, and then groups appear only by partition selection',
      )
    }
    if (column.open === true && column.values !== undefined) {
      issue('open', 'values are public or open, not both; remove one of the two')
    }
    if (column.open !== undefined && !column.use.includes('group')) {
      issue('open', 'open concerns group columns only; remove it')
    }
    if (column.values === undefined) return
    if (new Set(column.values).size !== column.values.length)
      issue('values', 'a value is listed twice; list each once')
    for (const value of column.values) {
      const fits = numeric
        ? typeof value === 'number' && onGrid(value)
        : typeof value === (column.type === 'text' ? 'string' : 'boolean')
      if (!fits) {
        issue('values', `every value must be of the column's type (${column.type}) and precision`)
        return
      }
      if (typeof value === 'number' && (value < (column.min ?? value) || value > (column.max ?? value))) {
        issue('values', 'a value lies outside min and max')
        return
      }
    }
  }))()
