import { describedColumn } from './leakage-note.js'
import { type ColumnSchema, contributorColumn, type RefinerSchema } from './table-schema.js'

function typeOf(column: ColumnSchema): string {
  const base =
    column.values !== undefined && column.type !== 'decimal'
      ? column.values.map((value) => JSON.stringify(value)).join(' | ')
      : {
          integer: 'number',
          decimal: 'string',
          text: 'string',
          boolean: 'boolean',
          date: 'string',
          timestamp: 'string',
          vector: 'string',
        }[column.type]
  return column.nullable === true ? `${base} | null` : base
}

/** Text that cannot end a block comment. */
const comment = (value: string) => value.replaceAll('*/', '*\\/')

const pascal = (name: string) =>
  name
    .split('_')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('')

/**
 * TypeScript interfaces of the refined rows: one per table, and `Tables` over all of them. Decimals, days and instants are
 * text in their one form.
 *
 * @param schema - the refiner's schema
 * @returns a module's text
 */
export function toRowTypes(schema: RefinerSchema): string {
  const lines = [
    `/** Rows of the refiner ${schema.id} ${schema.version}. Written by toRowTypes; do not edit. */`,
  ]
  for (const [name, table] of Object.entries(schema.tables)) {
    lines.push(
      '',
      `/** ${comment(table.description)} */`,
      `export interface ${pascal(name)}Row {`,
      "  /** The contributor's integer surrogate. */",
      `  readonly ${contributorColumn}: number`,
    )
    for (const [columnName, column] of Object.entries(table.columns)) {
      const unit = column.unit === undefined ? '' : ` Unit: ${column.unit}.`
      lines.push(
        `  /** ${comment(describedColumn(column) + unit)} */`,
        `  readonly ${columnName}: ${typeOf(column)}`,
      )
    }
    lines.push('}')
  }
  lines.push('', '/** Every table by its name. */', 'export interface Tables {')
  for (const name of Object.keys(schema.tables))
    lines.push(`  readonly ${name}: readonly ${pascal(name)}Row[]`)
  lines.push('}')
  return `${lines.join('\n')}\n`
}
