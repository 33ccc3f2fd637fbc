import { PrivacyError } from '../errors.js'

/** What a column of a result may hold. */
export type OutputColumn =
  | {
      readonly name: string
      readonly kind: 'number'
      readonly min: number
      readonly max: number
      /** Values are rounded to min plus a whole number of steps. */
      readonly step: number
    }
  | { readonly name: string; readonly kind: 'category'; readonly values: readonly string[] }

/** How much may leave. */
export interface OutputBound {
  readonly columns: readonly OutputColumn[]
  readonly maximumRows: number
  /** Of the result as JSON in UTF-8. */
  readonly maximumBytes: number
  /** Of information: rows times the logarithms of what each column can hold. The order of rows counts as nothing: they are sorted. */
  readonly maximumBits: number
}

/** A row of a result. */
export type OutputRow = Readonly<Record<string, number | string | null>>

/**
 * Holds a result to its bounds before it leaves: numbers are clamped and rounded, rows are sorted, and anything undeclared refuses
 * the whole result. What is left can tell at most `bits` bits about the data, whatever the code that made it intended.
 *
 * @param rows - The result.
 * @param bound - What was declared and approved.
 * @returns The bounded rows and how many bits they can tell.
 * @throws PrivacyError `OUTPUT_REFUSED` with the place, never the value; `PARAMETER_INVALID` for a malformed bound.
 * @example
 * ```ts
 * import { boundOutput } from '@sealpool/privacy/disclosure'
 * const columns = [{ name: 'share', kind: 'number', min: 0, max: 100, step: 5 }] as const
 * const { rows, bits } = boundOutput([{ share: 33.333 }], { columns, maximumRows: 10, maximumBytes: 1000, maximumBits: 64 })
 * console.assert(rows[0]?.share === 35 && Math.ceil(bits) === 5)
 * ```
 */
export function boundOutput(
  rows: readonly OutputRow[],
  bound: OutputBound,
): { readonly rows: readonly OutputRow[]; readonly bits: number } {
  checkBound(bound)
  if (rows.length > bound.maximumRows) refuse('rows', `more than ${bound.maximumRows} rows`)
  const bounded = rows.map((row, index) => {
    const names = Object.keys(row)
    const stranger = names.find((name) => !bound.columns.some((column) => column.name === name))
    // The stranger's name comes from the code, which may have made it from the data.
    if (stranger !== undefined) refuse(`rows[${index}]`, 'a column that was not declared')
    return Object.fromEntries(
      bound.columns.map((column) => {
        const value = Object.hasOwn(row, column.name) ? row[column.name] : undefined
        return [column.name, boundValue(value, column, `rows[${index}].${column.name}`)]
      }),
    )
  })
  const sorted = bounded
    .map((row) => ({ row, key: JSON.stringify(row) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ row }) => row)
  const bytes = new TextEncoder().encode(JSON.stringify(sorted)).length
  if (bytes > bound.maximumBytes) refuse('rows', `more than ${bound.maximumBytes} bytes`)
  const perRow = bound.columns.reduce((sum, column) => sum + Math.log2(statesOf(column)), 0)
  const bits = rows.length * perRow + Math.log2(bound.maximumRows + 1)
  if (bits > bound.maximumBits) refuse('rows', `more than ${bound.maximumBits} bits of information`)
  return { rows: sorted, bits }
}

function boundValue(value: unknown, column: OutputColumn, place: string): number | string | null {
  if (value === null) return null
  if (column.kind === 'category') {
    if (typeof value !== 'string' || !column.values.includes(value))
      return refuse(place, 'a value that was not declared')
    return value
  }
  if (typeof value !== 'number' || !Number.isFinite(value))
    return refuse(place, 'something else than a finite number')
  const steps = Math.round((Math.min(column.max, Math.max(column.min, value)) - column.min) / column.step)
  const whole = Math.min(steps, Math.floor((column.max - column.min) / column.step))
  // Twelve digits: the representation of a sum of steps must not tell how it was reached.
  return Number((column.min + whole * column.step).toPrecision(12))
}

/** Values that a cell can take, null among them. */
function statesOf(column: OutputColumn): number {
  return column.kind === 'category'
    ? column.values.length + 1
    : Math.floor((column.max - column.min) / column.step) + 2
}

function checkBound({ columns, ...limits }: OutputBound): void {
  for (const [place, value] of Object.entries(limits)) {
    if (!Number.isFinite(value) || value < 0) {
      throw new PrivacyError('PARAMETER_INVALID', place, `${place} must be a finite number of at least 0.`)
    }
  }
  if (new Set(columns.map(({ name }) => name)).size < columns.length) {
    throw new PrivacyError('PARAMETER_INVALID', 'columns', 'A column is declared twice.')
  }
  for (const [index, column] of columns.entries()) {
    const sound =
      column.kind === 'category'
        ? new Set(column.values).size === column.values.length
        : Number.isFinite(column.min) &&
          column.max > column.min &&
          column.step > 0 &&
          (column.max - column.min) / column.step < 2 ** 53
    if (!sound) {
      throw new PrivacyError(
        'PARAMETER_INVALID',
        `columns[${index}]`,
        'A number needs min below max and a step above 0; a category needs different values.',
      )
    }
  }
}

function refuse(place: string, what: string): never {
  throw new PrivacyError(
    'OUTPUT_REFUSED',
    place,
    `The result holds ${what}. Declare it in the approved output, or release less.`,
  )
}
