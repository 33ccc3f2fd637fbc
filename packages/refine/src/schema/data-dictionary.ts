import { duckdbType } from './ddl.js'
import { describedColumn } from './leakage-note.js'
import type { ColumnSchema, RefinerSchema } from './table-schema.js'

/** Text as it must stand in a Markdown table's cell: no line break, no cell end, no markup or HTML of its own. */
const cell = (text: string) =>
  text
    .replaceAll(/\s+/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\|`*_[\]]/g, '\\$&')

function allowedOf(column: ColumnSchema): string {
  const { embedding, values, min, max, maxLength, pii } = column
  const rules: string[] = []
  if (embedding !== undefined) rules.push(`of ${embedding.from}, model ${embedding.model}`)
  else if (values !== undefined) rules.push(values.map(String).join(', '))
  else if (min !== undefined && max !== undefined) rules.push(`${min} to ${max}`)
  else if (min !== undefined) rules.push(`at least ${min}`)
  else if (max !== undefined) rules.push(`at most ${max}`)
  if (maxLength !== undefined) rules.push(`up to ${maxLength} characters`)
  if (pii !== undefined) rules.push(`personal data: ${pii}`)
  return rules.join('; ')
}

/**
 * The data dictionary: one Markdown table per table, then the corrections to the source's documentation.
 *
 * @param schema - the refiner's schema
 * @returns Markdown
 */
export function toDataDictionary(schema: RefinerSchema): string {
  const lines = [`# Data dictionary: ${cell(schema.id)} ${schema.version}`]
  for (const [name, table] of Object.entries(schema.tables)) {
    lines.push(
      '',
      `## ${cell(name)}`,
      '',
      cell(table.description),
      '',
      '| Column | Type | Unit | Null | Allowed | Description |',
      '| --- | --- | --- | --- | --- | --- |',
      "| contributor | BIGINT |  | no |  | The contributor's integer surrogate, the join key between pools. |",
    )
    for (const [columnName, column] of Object.entries(table.columns)) {
      const cells = [
        columnName,
        duckdbType(column),
        column.unit ?? '',
        column.nullable === true ? 'yes' : 'no',
        allowedOf(column),
        describedColumn(column),
      ]
      lines.push(`| ${cells.map(cell).join(' | ')} |`)
    }
  }
  if (schema.notes.length > 0) {
    lines.push(
      '',
      '## Corrections to the source documentation',
      '',
      '| Source column | Statement |',
      '| --- | --- |',
    )
    for (const note of schema.notes) lines.push(`| ${cell(note.column)} | ${cell(note.statement)} |`)
  }
  return `${lines.join('\n')}\n`
}
