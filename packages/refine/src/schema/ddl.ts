import { decimalPrecision, printDecimal, scaledBound } from './decimal.js'
import { describedColumn } from './leakage-note.js'
import { type ColumnSchema, contributorColumn, type RefinerSchema } from './table-schema.js'

/** SQL dialects that {@link toDdl} prints. */
export type Dialect = 'duckdb' | 'postgresql' | 'sqlite'

/** What of a column its SQL type follows from. */
type TypedColumn = Pick<ColumnSchema, 'type' | 'decimals' | 'embedding'>

const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`
const text = (value: string) => `'${value.replaceAll("'", "''")}'`

/**
 * The DuckDB type of a column.
 *
 * @param column - its type and places
 * @returns for example `DECIMAL(18,2)`
 */
export function duckdbType(column: TypedColumn): string {
  return sqlType(column, 'duckdb')
}

/**
 * The type of a column in a dialect. SQLite has affinities and no decimals: `NUMERIC` keeps 15 significant digits, and days
 * and instants are text in their one form, which sorts as time does. Vectors are `FLOAT[n]`, `REAL[]`, and in SQLite the bytes of float32
 * values, low ones first.
 *
 * @param column - its type, places and dimensions
 * @param dialect - the dialect
 * @returns for example `NUMERIC(18,2)`
 */
export function sqlType(column: TypedColumn, dialect: Dialect): string {
  const sqlite = dialect === 'sqlite'
  switch (column.type) {
    case 'integer':
      return sqlite ? 'INTEGER' : 'BIGINT'
    case 'decimal':
      return `${dialect === 'duckdb' ? 'DECIMAL' : 'NUMERIC'}(${decimalPrecision},${column.decimals ?? 0})`
    case 'text':
      return dialect === 'duckdb' ? 'VARCHAR' : 'TEXT'
    case 'boolean':
      return 'BOOLEAN'
    case 'date':
      return sqlite ? 'TEXT' : 'DATE'
    case 'timestamp':
      return sqlite ? 'TEXT' : 'TIMESTAMP WITH TIME ZONE'
    case 'vector':
      if (sqlite) return 'BLOB'
      return dialect === 'duckdb' ? `FLOAT[${column.embedding?.dimensions ?? 0}]` : 'REAL[]'
  }
}

function boundOf(column: ColumnSchema, value: number | string, dialect: Dialect): string {
  switch (column.type) {
    case 'decimal': {
      const decimals = column.decimals ?? 0
      return printDecimal(scaledBound(value, decimals), decimals)
    }
    case 'date':
      return dialect === 'sqlite' ? text(String(value)) : `DATE ${text(String(value))}`
    case 'timestamp':
      return dialect === 'sqlite'
        ? text(String(value).slice(0, -1))
        : `TIMESTAMP WITH TIME ZONE ${text(String(value))}`
    default:
      return String(value)
  }
}

/** What SQLite's affinities let through and the other dialects' types do not. */
function sqliteTypeChecks(quoted: string, column: ColumnSchema): string[] {
  switch (column.type) {
    case 'integer':
      return [`typeof(${quoted}) IN ('integer', 'null')`]
    case 'decimal':
      return [`typeof(${quoted}) IN ('integer', 'real', 'null')`]
    case 'text':
      return [`typeof(${quoted}) IN ('text', 'null')`]
    case 'boolean':
      return [`(${quoted} IS NULL OR ${quoted} IN (0, 1))`]
    case 'date':
      return [`(${quoted} IS NULL OR ${quoted} IS date(${quoted}))`]
    case 'timestamp':
      return [`(${quoted} IS NULL OR (${quoted} LIKE '%Z' AND julianday(${quoted}) IS NOT NULL))`]
    case 'vector':
      return [
        `(${quoted} IS NULL OR (typeof(${quoted}) = 'blob' AND length(${quoted}) = ${4 * (column.embedding?.dimensions ?? 0)}))`,
      ]
  }
}

/** What PostgreSQL's lists let through: another number of values, and nulls among them. */
function postgresqlTypeChecks(quoted: string, { embedding }: ColumnSchema): string[] {
  if (embedding === undefined) return []
  return [`cardinality(${quoted}) = ${embedding.dimensions}`, `array_position(${quoted}, NULL) IS NULL`]
}

function checksOf(name: string, column: ColumnSchema, dialect: Dialect): string[] {
  const quoted = identifier(name)
  // As text, an instant with a fraction sorts before the same second without one, unless both end without their Z.
  const compared = dialect === 'sqlite' && column.type === 'timestamp' ? `rtrim(${quoted}, 'Z')` : quoted
  const literal = (value: string | number | boolean) => {
    if (typeof value === 'string') return text(value)
    return dialect === 'sqlite' ? String(Number(value)) : String(value)
  }
  return [
    ...(dialect === 'sqlite' ? sqliteTypeChecks(quoted, column) : []),
    ...(dialect === 'postgresql' ? postgresqlTypeChecks(quoted, column) : []),
    ...(column.min === undefined ? [] : [`${compared} >= ${boundOf(column, column.min, dialect)}`]),
    ...(column.max === undefined ? [] : [`${compared} <= ${boundOf(column, column.max, dialect)}`]),
    ...(column.values === undefined ? [] : [`${quoted} IN (${column.values.map(literal).join(', ')})`]),
  ]
}

/**
 * A column as it stands in `CREATE TABLE`. In PostgreSQL the CHECK has the column's name, so that {@link toMigrationDdl} can name it.
 *
 * @param name - the column's name
 * @param column - the column
 * @param dialect - the dialect
 * @returns for example `"hours" BIGINT NOT NULL CHECK ("hours" >= 0)`
 */
export function columnSql(name: string, column: ColumnSchema, dialect: Dialect): string {
  const check = checkSql(name, column, dialect)
  return `${identifier(name)} ${sqlType(column, dialect)}${column.nullable === true ? '' : ' NOT NULL'}${
    check === undefined ? '' : ` ${check}`
  }`
}

/**
 * The CHECK of a column.
 *
 * @param name - the column's name
 * @param column - the column
 * @param dialect - the dialect
 * @returns the constraint, or undefined when the type alone says everything
 */
export function checkSql(name: string, column: ColumnSchema, dialect: Dialect): string | undefined {
  const checks = checksOf(name, column, dialect)
  if (checks.length === 0) return undefined
  return `${dialect === 'postgresql' ? `CONSTRAINT ${identifier(name)} ` : ''}CHECK (${checks.join(' AND ')})`
}

/**
 * What a column means, as SQL.
 *
 * @param table - the table's name
 * @param name - the column's name
 * @param column - the column
 * @returns a `COMMENT ON COLUMN` for DuckDB and PostgreSQL
 */
export function commentSql(table: string, name: string, column: ColumnSchema): string {
  return `COMMENT ON COLUMN ${identifier(table)}.${identifier(name)} IS ${text(commentOf(column))};`
}

function commentOf(column: ColumnSchema): string {
  const described = describedColumn(column)
  return column.unit === undefined ? described : `${described} [${column.unit}]`
}

/**
 * Prints the tables as SQL: types, NOT NULL, CHECKs for ranges and allowed values, comments (SQLite has none: there they
 * stand as SQL comments).
 *
 * @param schema - the refiner's schema
 * @param dialect - `'duckdb'`, `'postgresql'` or `'sqlite'`
 * @returns statements, each ended by `;` and a line break
 */
export function toDdl(schema: RefinerSchema, dialect: Dialect): string {
  const integer = sqlType({ type: 'integer' }, dialect)
  const statements: string[] = []
  for (const [name, table] of Object.entries(schema.tables)) {
    const columns = Object.entries(table.columns)
    const lines = [
      `  ${identifier(contributorColumn)} ${integer} NOT NULL`,
      ...columns.map(([columnName, column]) => `  ${columnSql(columnName, column, dialect)}`),
    ]
    if (dialect === 'sqlite') {
      // A sentence holds no line break (parseRefinerSchema), so that it cannot end its comment.
      statements.push(`-- ${name}: ${table.description}`)
      for (const [columnName, column] of columns)
        statements.push(`-- ${name}.${columnName}: ${commentOf(column)}`)
    }
    statements.push(`CREATE TABLE ${identifier(name)} (\n${lines.join(',\n')}\n);`)
    if (dialect === 'sqlite') continue
    statements.push(`COMMENT ON TABLE ${identifier(name)} IS ${text(table.description)};`)
    for (const [columnName, column] of columns) statements.push(commentSql(name, columnName, column))
  }
  return `${statements.join('\n')}\n`
}
