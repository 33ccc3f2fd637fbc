import type { OutputRule } from '../enforce/output-rule.js'
import type { ColumnKind } from '../plan/plan.js'
import type { StageRows } from './post-process.js'

/**
 * Holds an answer to the pools' rules: rows after the last that may leave are cut off, numbers are rounded, intervals outwards.
 * It looks at released numbers only; keys are public or were selected, and stay as they are.
 */
export function boundOutput(
  { rows, intervals }: StageRows,
  rule: OutputRule | null,
  columns: readonly { readonly kind: ColumnKind }[],
): StageRows {
  if (rule === null) return { rows, intervals }
  const most = rule.maximumRows ?? rows.length
  const digits = rule.significantDigits
  if (digits === null) return { rows: rows.slice(0, most), intervals: intervals.slice(0, most) }
  return {
    rows: rows
      .slice(0, most)
      .map((row) =>
        row.map((cell, column) =>
          typeof cell === 'number' && columns[column]?.kind !== 'key'
            ? Number(cell.toPrecision(digits))
            : cell,
        ),
      ),
    intervals: intervals.slice(0, most).map((row) =>
      row.map((interval) =>
        interval === null
          ? null
          : {
              ...interval,
              low: outwards(interval.low, digits, -1),
              high: outwards(interval.high, digits, 1),
            },
      ),
    ),
  }
}

/** The nearest number of so many digits that does not lie inside. */
function outwards(value: number, digits: number, direction: 1 | -1): number {
  const rounded = Number(value.toPrecision(digits))
  if ((value - rounded) * direction <= 0) return rounded
  const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - digits + 1)
  return Number((rounded + direction * step).toPrecision(digits + 1))
}
