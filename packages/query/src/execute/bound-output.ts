import { type OutputRule, roundOutwards } from '@sealpool/privacy'
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
              low: roundOutwards(interval.low, digits, -1),
              high: roundOutwards(interval.high, digits, 1),
            },
      ),
    ),
  }
}
