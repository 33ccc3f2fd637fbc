/** What a column's common cells look like: what both readers of bytes, in TypeScript and in WebAssembly, go by. */
import { RefineError } from '../errors.js'
import { checkCell } from '../job/check-row.js'
import { scaledBound } from '../schema/decimal.js'
import { daysFromCivil } from '../schema/instant.js'
import type { CellValue, ColumnSchema, DirectColumn } from '../schema/table-schema.js'

/** Least and largest value, as they are stored: whole numbers, scaled decimals, days. */
export interface CellBounds {
  readonly low: number
  readonly high: number
}

/** A column's common form. */
export type CellForm =
  | ({ readonly kind: 'integer' | 'decimal' | 'date' } & CellBounds)
  | { readonly kind: 'text'; readonly maxLength: number }
  /** Known texts to ready cells: codes of `values`, a column's list of values, booleans. */
  | { readonly kind: 'table'; readonly entries: readonly (readonly [string, CellValue])[] }
  /** No form is common enough. */
  | { readonly kind: 'none' }

const largestExact = Number.MAX_SAFE_INTEGER

function dayOfBound(bound: number | string | undefined, otherwise: number): number {
  if (typeof bound !== 'string') return otherwise
  const [year = 1, month = 1, day = 1] = bound.split('-').map(Number)
  return daysFromCivil(year, month, day)
}

function cellFits(column: ColumnSchema, cell: CellValue): boolean {
  try {
    checkCell(column, cell, 'values')
    return true
  } catch (error) {
    if (error instanceof RefineError) return false
    throw error
  }
}

/**
 * The common form of a column's cells.
 *
 * @param target - name and definition of the column
 * @param spec - where its values come from
 * @returns the form
 */
export function cellForm(
  { name, column }: { readonly name: string; readonly column: ColumnSchema },
  spec: DirectColumn,
): CellForm {
  const { min, max, decimals = 0 } = column
  if (spec.values !== undefined) {
    const checked = Object.entries(spec.values).filter(([, cell]) => cell === null || cellFits(column, cell))
    return {
      kind: 'table',
      entries: checked
        .filter(([, cell]) => cell !== null || column.nullable === true)
        .map(([text, cell]) => [text, cell === null ? null : checkCell(column, cell, name)]),
    }
  }
  if (column.values !== undefined) {
    return column.type === 'text'
      ? { kind: 'table', entries: column.values.map((value) => [String(value), value]) }
      : { kind: 'none' }
  }
  switch (column.type) {
    case 'integer':
      return {
        kind: 'integer',
        low: typeof min === 'number' ? min : -largestExact,
        high: typeof max === 'number' ? max : largestExact,
      }
    case 'decimal':
      return {
        kind: 'decimal',
        low: min === undefined ? -largestExact : Number(scaledBound(min, decimals)),
        high: max === undefined ? largestExact : Number(scaledBound(max, decimals)),
      }
    case 'date':
      return {
        kind: 'date',
        low: dayOfBound(min, Number.NEGATIVE_INFINITY),
        high: dayOfBound(max, Number.POSITIVE_INFINITY),
      }
    case 'text':
      return { kind: 'text', maxLength: column.maxLength ?? 1024 }
    case 'boolean':
      return {
        kind: 'table',
        entries: [
          ['true', true],
          ['false', false],
        ],
      }
    case 'timestamp':
    case 'vector':
      return { kind: 'none' }
  }
}

/** Is what is empty null in a column, as `directCell` says? Not where codes name the empty text. */
export function isEmptyNull(column: Pick<ColumnSchema, 'nullable'>, spec: DirectColumn): boolean {
  return column.nullable === true && (spec.values === undefined || !Object.hasOwn(spec.values, ''))
}
