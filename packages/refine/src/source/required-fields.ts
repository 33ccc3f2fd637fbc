import { RefineError } from '../errors.js'
import type { RefinerSchema } from '../schema/table-schema.js'

/** A field that the table of an export must have. */
export interface RequiredField {
  /** Its name, exactly. */
  readonly name: string
  /** The column that is made of it, `table.column`, or the field's number in the schema, for refusals: the schema is public, the export's header is not. */
  readonly place: string
}

/**
 * The fields that a mapping as data, or one of columns, reads: each must stand in the header of a CSV, Parquet file or SQLite table, unless the mapping
 * says `optional`. A header of other names (`day, total`, another dialect, another export) would otherwise be nulls in silence.
 *
 * @param schema - of the refiner
 * @returns fields; none where the mapping is code per record, which sees for itself
 */
export function requiredFields({ direct, fields = [] }: RefinerSchema): readonly RequiredField[] {
  const named = fields.flatMap(({ name, optional }, index) =>
    optional === true ? [] : [{ name, place: `fields[${index}]` }],
  )
  if (direct === undefined) return named
  return Object.entries(direct.columns).flatMap(([column, { from, optional }]) =>
    optional === true ? [] : [{ name: from, place: `${direct.table}.${column}` }],
  )
}

/**
 * Holds a header against the fields that must be in it.
 *
 * @param header - names of the export's fields
 * @param fields - see {@link requiredFields}
 * @throws RefineError with `FIELD_MISSING`
 */
export function checkFields(header: readonly string[], fields: readonly RequiredField[]): void {
  const names = new Set(header)
  const missing = fields.find(({ name }) => !names.has(name))
  if (missing === undefined) return
  throw new RefineError(
    'FIELD_MISSING',
    missing.place,
    'The export has no field of the name that this column reads; is it another export, or parted by other characters than commas?',
  )
}
