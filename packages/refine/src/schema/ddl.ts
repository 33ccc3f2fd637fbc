import { decimalPrecision, printDecimal, scaledBound } from './decimal.js'
import { type ColumnSchema, contributorColumn, type RefinerSchema } from './table-schema.js'

/** SQL dialects that {@link toDdl} prints. */
export type Dialect = 'duckdb'

const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`
const text = (value: string) => `'${value.replaceAll("'", "''")}'`
const literal = (value: string | number | boolean) =>
  typeof value === 'string' ? text(value) : String(value)

/**
 * The DuckDB type of a column.
 *
 * @param column - its type and places
 * @returns for example `DECIMAL(18,2)`
 */
export function duckdbType(column: Pick<ColumnSchema, 'type' | 'decimals'>): string {
  switch (column.type) {
    case 'integer':
      return 'BIGINT'
    case 'decimal':
      return `DECIMAL(${decimalPrecision},${column.decimals ?? 0})`
    case 'text':
      return 'VARCHAR'
    case 'boolean':
      return 'BOOLEAN'
    case 'date':
      return 'DATE'
  }
}

function checksOf(name: string, column: ColumnSchema): string[] {
  const bound = (value: number | string) => {
    if (column.type === 'date') return `DATE ${text(String(value))}`
    if (column.type !== 'decimal') return String(value)
    const decimals = column.decimals ?? 0
    return printDecimal(scaledBound(value, decimals), decimals)
  }
  const quoted = identifier(name)
  return [
    ...(column.min === undefined ? [] : [`${quoted} >= ${bound(column.min)}`]),
    ...(column.max === undefined ? [] : [`${quoted} <= ${bound(column.max)}`]),
    ...(column.values === undefined ? [] : [`${quoted} IN (${column.values.map(literal).join(', ')})`]),
  ]
}

/**
 * Prints the tables as SQL: types, NOT NULL, CHECKs for ranges and allowed values, comments.
 *
 * @param schema - the refiner's schema
 * @param dialect - `'duckdb'`
 * @returns statements, each ended by `;` and a line break
 */
export function toDdl(schema: RefinerSchema, dialect: Dialect): string {
  // One dialect today; the parameter is in the signature so that another one does not change what `toDdl` means.
  void dialect
  const statements: string[] = []
  for (const [name, table] of Object.entries(schema.tables)) {
    const columns = Object.entries(table.columns)
    const lines = [
      `  ${identifier(contributorColumn)} BIGINT NOT NULL`,
      ...columns.map(([columnName, column]) => {
        const checks = checksOf(columnName, column)
        return `  ${identifier(columnName)} ${duckdbType(column)}${column.nullable === true ? '' : ' NOT NULL'}${
          checks.length === 0 ? '' : ` CHECK (${checks.join(' AND ')})`
        }`
      }),
    ]
    statements.push(`CREATE TABLE ${identifier(name)} (\n${lines.join(',\n')}\n);`)
    statements.push(`COMMENT ON TABLE ${identifier(name)} IS ${text(table.description)};`)
    for (const [columnName, column] of columns) {
      const unit = column.unit === undefined ? '' : ` [${column.unit}]`
      statements.push(
        `COMMENT ON COLUMN ${identifier(name)}.${identifier(columnName)} IS ${text(column.description + unit)};`,
      )
    }
  }
  return `${statements.join('\n')}\n`
}
