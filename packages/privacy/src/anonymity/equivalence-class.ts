import { PrivacyError } from '../errors.js'

/** A row of a table that is to be checked or generalised. */
export type MicrodataRow = Readonly<Record<string, string | number | boolean | null>>

/** Which columns say who somebody is, and which say what nobody should learn about them. */
export interface MicrodataColumns {
  /** Columns that an adversary may know from elsewhere: age, region, sex. */
  readonly quasiIdentifiers: readonly string[]
  /** Column that holds the contributor. Without it every row counts as a person of its own. */
  readonly contributor?: string
}

/** Rows that look alike in all quasi-identifiers. */
export interface EquivalenceClass {
  readonly rows: readonly MicrodataRow[]
  /** Distinct contributors, or rows where there is no contributor column. */
  readonly contributors: number
}

/**
 * The equivalence classes of a table.
 *
 * @param rows - The table.
 * @param columns - Its columns.
 * @returns The classes, in order of their first row.
 * @throws PrivacyError `PARAMETER_INVALID` when a column is missing in a row or the table is empty.
 */
export function equivalenceClasses(
  rows: readonly MicrodataRow[],
  columns: MicrodataColumns,
): EquivalenceClass[] {
  if (rows.length === 0) {
    throw new PrivacyError('PARAMETER_INVALID', 'rows', 'An empty table has no anonymity to speak of.')
  }
  const classes = new Map<string, MicrodataRow[]>()
  rows.forEach((row, index) => {
    const key = JSON.stringify(columns.quasiIdentifiers.map((name) => cellOf(row, name, index)))
    const known = classes.get(key)
    if (known === undefined) classes.set(key, [row])
    else known.push(row)
  })
  return [...classes.values()].map((members) => ({
    rows: members,
    contributors: contributorsOf(members, columns.contributor),
  }))
}

/**
 * A row's value in a column.
 *
 * @param row - Row.
 * @param name - Column.
 * @param index - Row's number, for the error.
 * @returns The value.
 * @throws PrivacyError `PARAMETER_INVALID` when the row has no such column.
 */
export function cellOf(row: MicrodataRow, name: string, index: number): string | number | boolean | null {
  const value = Object.hasOwn(row, name) ? row[name] : undefined
  if (value === undefined) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      `rows[${index}].${name}`,
      'A row lacks a column. Give null where a value is missing.',
    )
  }
  return value
}

function contributorsOf(rows: readonly MicrodataRow[], contributor: string | undefined): number {
  if (contributor === undefined) return rows.length
  return new Set(rows.map((row, index) => JSON.stringify(cellOf(row, contributor, index)))).size
}
