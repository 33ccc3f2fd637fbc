import { calendarDay } from './calendar-day.js'
import type { Check, CheckContext, CheckResult } from './check.js'

/** A row of a table: what CSV and JSON arrays of objects come as. */
export type QualityRow = Readonly<Record<string, unknown>>

/** A declarative rule; a cell of blanks alone is missing, and a number is one of JSON or decimal text. Each comes to the share of what fulfils it, so doing better never lowers the score. */
export type QualityRule = (
  | { readonly rule: 'complete'; readonly columns: readonly string[] }
  | { readonly rule: 'range'; readonly column: string; readonly low: number; readonly high: number }
  /** Dates (`YYYY-MM-DD`, or longer texts that begin so) from `from` to `until`, both included. */
  | { readonly rule: 'fresh'; readonly column: string; readonly from: string; readonly until: string }
  /** Dates of so many days before the time that the host judges by (`facts.at`), that day included; 0 without such a time. */
  | { readonly rule: 'recent'; readonly column: string; readonly days: number }
  /** Share of the letters of the column's texts, of any script, that belong to one: `Latin`, `Cyrillic`, `Greek`, `Han`, `Arabic`. */
  | { readonly rule: 'script'; readonly column: string; readonly script: ScriptName }
  | { readonly rule: 'length'; readonly column: string; readonly least: number; readonly most: number }
  /** The column's values as listed; anything else does not count. */
  | { readonly rule: 'one-of'; readonly column: string; readonly values: readonly string[] }
  /** Distinct values for each row, up to `least`: a column that repeats one value is a made-up one. */
  | { readonly rule: 'variety'; readonly column: string; readonly least: number }
  /** Distinct rows up to `least`. */
  | { readonly rule: 'count'; readonly least: number }
  /** No value takes more than this share of the rows that have one, and rows without one count as missing. */
  | { readonly rule: 'spread'; readonly column: string; readonly most: number }
  /**
   * Labels of the same thing by several hands, one column each: the share of pairs of labels that are the same, where one that is missing
   * agrees with none. What chance does is not taken off; `spread` beside it holds whoever gives all rows one label.
   */
  | { readonly rule: 'agreement'; readonly columns: readonly string[] }
  /** One number against another: `total` against `net`. */
  | {
      readonly rule: 'compare'
      readonly left: string
      readonly relation: '<' | '<=' | '=' | '>=' | '>'
      readonly right: string
      readonly tolerance?: number
    }
) & {
  /** Share from which the rule passes; 1 when absent. The degree counts in any case. */
  readonly pass?: number
  /** Share among the quality checks; 1 when absent. */
  readonly weight?: number
  /** When the rule does not pass, the contribution is refused with this code. */
  readonly refusal?: string
}

/** Scripts that the language rule knows, by ranges of code points that do not change. */
export type ScriptName = 'Latin' | 'Cyrillic' | 'Greek' | 'Han' | 'Arabic'

/** What is a number in a text: `Number` takes blanks for 0, and reads `0x10`, `Infinity`, lists of one. */
const decimal = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i

const scripts: Readonly<Record<ScriptName, readonly (readonly [number, number])[]>> = {
  Latin: [
    [0x41, 0x5a],
    [0x61, 0x7a],
    [0xc0, 0x24f],
    [0x1e00, 0x1eff],
  ],
  Greek: [
    [0x370, 0x3ff],
    [0x1f00, 0x1fff],
  ],
  Cyrillic: [[0x400, 0x52f]],
  Arabic: [
    [0x600, 0x6ff],
    [0x750, 0x77f],
  ],
  Han: [
    [0x3400, 0x4dbf],
    [0x4e00, 0x9fff],
  ],
}

/**
 * Checks of `definePoc` from declarative rules over rows.
 *
 * @param rows how the rows are found in the value
 * @param rules rules by the name that stands in the evidence
 * @returns checks by the same names, all of the dimension `quality`
 * @example
 * ```ts
 * import { definePoc, qualityRules } from '@sealpool/poc/define'
 * const poc = definePoc({
 *   id: 'steps', version: '1.0.0',
 *   input: (raw) => raw as { day: string; steps: string }[],
 *   checks: qualityRules((rows) => rows, {
 *     complete: { rule: 'complete', columns: ['day', 'steps'] },
 *     plausible: { rule: 'range', column: 'steps', low: 0, high: 100_000, pass: 0.95 },
 *   }),
 *   score: { quality: 1 },
 * })
 * const file = { mediaType: 'text/csv', text: 'day,steps\n2026-01-01,5000\n2026-01-02,\n' }
 * console.log(poc.evaluate({ file, facts: { uniqueness: { duplicate: false }, owner: '0x00' } }).score) // 0.625
 * ```
 */
export function qualityRules<Value>(
  rows: (value: Value, context: CheckContext) => readonly QualityRow[],
  rules: Readonly<Record<string, QualityRule>>,
): Readonly<Record<string, Check<Value>>> {
  return Object.fromEntries(
    Object.entries(rules).map(([name, rule]) => [
      name,
      (value: Value, context: CheckContext): CheckResult => {
        const degree = degreeOf(rule, rows(value, context), context.facts.at)
        const { pass = 1, weight, refusal } = rule
        return {
          passed: degree >= pass,
          degree,
          place: 'column' in rule ? rule.column : rule.rule === 'compare' ? rule.left : 'rows',
          ...(weight === undefined ? {} : { weight }),
          ...(refusal === undefined ? {} : { refusal }),
        }
      },
    ]),
  )
}

function degreeOf(rule: QualityRule, rows: readonly QualityRow[], at: number | undefined): number {
  if (rule.rule === 'count') return Math.min(1, distinctRows(rows) / rule.least)
  if (rows.length === 0) return 0
  // Counted first and divided once, so that it is the same in whatever order columns are named.
  const share = (...each: readonly ((row: QualityRow) => boolean)[]): number =>
    each.reduce((count, holds) => count + rows.filter(holds).length, 0) / (rows.length * each.length) || 0
  const cell = (row: QualityRow, column: string): unknown =>
    Object.hasOwn(row, column) ? row[column] : undefined
  const text = (row: QualityRow, column: string): string | undefined => {
    const written = String(cell(row, column) ?? '')
    // Blanks, and a list of nothing, say nothing.
    return written.trim() === '' ? undefined : written
  }
  const number = (row: QualityRow, column: string): number => {
    const value = cell(row, column)
    return typeof value === 'number' || (typeof value === 'string' && decimal.test(value))
      ? +value
      : Number.NaN
  }
  switch (rule.rule) {
    case 'complete':
      return share(...rule.columns.map((column) => (row: QualityRow) => text(row, column) !== undefined))
    case 'agreement':
      return share(
        ...[...new Set(rule.columns)].flatMap((one, at, columns) =>
          columns.slice(at + 1).map((other) => (row: QualityRow) => {
            const label = text(row, one)
            return label !== undefined && label === text(row, other)
          }),
        ),
      )
    case 'range':
      return share((row) => number(row, rule.column) >= rule.low && number(row, rule.column) <= rule.high)
    case 'fresh':
      return share((row) => {
        const day = calendarDay(text(row, rule.column) ?? '')?.text
        return day !== undefined && day >= rule.from && day <= rule.until
      })
    case 'recent':
      return share((row) => {
        const day = calendarDay(text(row, rule.column) ?? '')?.number
        const age = day === undefined || at === undefined ? -1 : Math.floor(at / 86_400) - day
        return age >= 0 && age <= rule.days
      })
    case 'script': {
      let letters = 0
      let own = 0
      for (const row of rows) {
        for (const character of text(row, rule.column) ?? '') {
          const point = character.codePointAt(0) ?? 0
          if (!/\p{L}/u.test(character)) continue
          letters++
          if (within(point, scripts[rule.script])) own++
        }
      }
      return letters === 0 ? 0 : own / letters
    }
    case 'length':
      return share((row) => {
        const { length } = text(row, rule.column) ?? ''
        return length >= rule.least && length <= rule.most
      })
    case 'one-of': {
      const known = new Set(rule.values)
      return share((row) => known.has(text(row, rule.column) ?? ''))
    }
    case 'variety': {
      const distinct = new Set(
        rows.map((row) => text(row, rule.column)).filter((value) => value !== undefined),
      )
      return Math.min(1, distinct.size / rule.least)
    }
    case 'spread': {
      const counts = new Map<string, number>()
      for (const row of rows) {
        const value = text(row, rule.column)
        if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1)
      }
      if (counts.size === 0) return 0
      let most = 0
      for (const count of counts.values()) most = Math.max(most, count)
      const present = [...counts.values()].reduce((sum, count) => sum + count, 0)
      const greatest = most / present
      const spread = greatest <= rule.most ? 1 : (1 - greatest) / (1 - rule.most)
      // Blanking cells of the commonest value spreads the rest; as much is lost by what is missing.
      return (spread * present) / rows.length
    }
    case 'compare':
      return share((row) =>
        relates(number(row, rule.left), rule.relation, number(row, rule.right), rule.tolerance ?? 0),
      )
  }
}

function distinctRows(rows: readonly QualityRow[]): number {
  return new Set(rows.map((row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))))
    .size
}

function within(point: number, ranges: readonly (readonly [number, number])[]): boolean {
  return ranges.some(([low, high]) => point >= low && point <= high)
}

function relates(
  left: number,
  relation: '<' | '<=' | '=' | '>=' | '>',
  right: number,
  tolerance: number,
): boolean {
  const difference = left - right
  switch (relation) {
    case '<':
      return difference < tolerance
    case '<=':
      return difference <= tolerance
    case '=':
      return Math.abs(difference) <= tolerance
    case '>=':
      return difference >= -tolerance
    case '>':
      return difference > -tolerance
  }
}
