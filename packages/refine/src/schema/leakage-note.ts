import type { ColumnSchema } from './table-schema.js'

/** What everybody must know of a column of embeddings; it stands wherever the column is described. */
export const leakageNote =
  'Embedding of a text: as private as the text itself, since texts and who wrote them can be told from it. It is no redaction, and no policy can name it in queries.'

/**
 * A column's description with what must be known of its kind.
 *
 * @param column - the column
 * @returns one or more sentences
 */
export function describedColumn({ description, type }: Pick<ColumnSchema, 'description' | 'type'>): string {
  return type === 'vector' ? `${description} ${leakageNote}` : description
}
