import { RefineError } from '../errors.js'
import { compareSchemas } from './compatibility.js'
import { checkSql, columnSql, commentSql, type Dialect, toDdl } from './ddl.js'
import { contributorColumn, type RefinerSchema, type TableSchema } from './table-schema.js'

interface ChangedTable {
  readonly name: string
  readonly from: TableSchema
  readonly to: TableSchema
  readonly schema: RefinerSchema
  readonly dialect: Dialect
}

/** What the table itself demands of a column's values. */
function demands(table: TableSchema, name: string, dialect: Dialect): string | undefined {
  const column = Object.hasOwn(table.columns, name) ? table.columns[name] : undefined
  return column === undefined ? undefined : columnSql(name, column, dialect)
}

/** DuckDB and SQLite cannot change a constraint: the table is made anew and the rows are copied. */
function madeAnew({ name, from, to, schema, dialect }: ChangedTable): string[] {
  let old = `${name}_before`
  while (Object.hasOwn(schema.tables, old)) old += '_'
  const columns = [contributorColumn, ...Object.keys(from.columns)].map((column) => `"${column}"`).join(', ')
  return [
    `ALTER TABLE "${name}" RENAME TO "${old}";`,
    toDdl({ ...schema, tables: { [name]: to } }, dialect).trimEnd(),
    `INSERT INTO "${name}" (${columns}) SELECT ${columns} FROM "${old}";`,
    `DROP TABLE "${old}";`,
  ]
}

function altered({ name, from, to, dialect }: ChangedTable): string[] {
  const statements: string[] = []
  for (const [column, definition] of Object.entries(to.columns)) {
    const old = Object.hasOwn(from.columns, column) ? from.columns[column] : undefined
    if (old === undefined) {
      statements.push(`ALTER TABLE "${name}" ADD COLUMN ${columnSql(column, definition, dialect)};`)
      if (dialect !== 'sqlite') statements.push(commentSql(name, column, definition))
      continue
    }
    if (old.nullable !== true && definition.nullable === true)
      statements.push(`ALTER TABLE "${name}" ALTER COLUMN "${column}" DROP NOT NULL;`)
    const before = checkSql(column, old, dialect)
    const after = checkSql(column, definition, dialect)
    if (before === after) continue
    if (before !== undefined) statements.push(`ALTER TABLE "${name}" DROP CONSTRAINT "${column}";`)
    if (after !== undefined) statements.push(`ALTER TABLE "${name}" ADD ${after};`)
  }
  return statements
}

function migrated(table: ChangedTable): string[] {
  const { from, to, dialect } = table
  const kept = Object.keys(from.columns)
  const changed = kept.some((name) => demands(from, name, dialect) !== demands(to, name, dialect))
  // DuckDB adds no column with a CHECK either.
  const checked = Object.entries(to.columns).some(
    ([name, column]) => !Object.hasOwn(from.columns, name) && checkSql(name, column, dialect) !== undefined,
  )
  if (dialect !== 'postgresql' && (changed || (dialect === 'duckdb' && checked))) return madeAnew(table)
  return altered(table)
}

/**
 * SQL that brings stored tables from one schema to another where that loses nothing: new tables, new columns that may be null, wider
 * ranges, more values, nulls where there were none. What the stored tables demand of their rows afterwards is what {@link toDdl} of
 * the newer schema demands. PostgreSQL's tables are altered; in DuckDB and SQLite, which cannot change a constraint, a table whose
 * demands change is made anew and its rows are copied. Run the statements in one transaction, on tables that `toDdl` made.
 *
 * @param from - the older schema
 * @param to - the newer schema
 * @param dialect - as for {@link toDdl}
 * @returns statements, each ended by `;` and a line break; empty when nothing is to be done
 * @throws RefineError with `SCHEMA_INVALID` when the change is not backward compatible; use {@link migrateRows}
 */
export function toMigrationDdl(from: RefinerSchema, to: RefinerSchema, dialect: Dialect): string {
  const fault = compareSchemas(from, to).changes.find(({ backward }) => !backward)
  if (fault !== undefined) {
    throw new RefineError(
      'SCHEMA_INVALID',
      fault.place,
      `${fault.change}: rows must be rewritten, see migrateRows`,
    )
  }
  const statements = Object.entries(to.tables).flatMap(([name, table]) => {
    const old = Object.hasOwn(from.tables, name) ? from.tables[name] : undefined
    return old === undefined
      ? [toDdl({ ...to, tables: { [name]: table } }, dialect).trimEnd()]
      : migrated({ name, from: old, to: table, schema: to, dialect })
  })
  return statements.length === 0 ? '' : `${statements.join('\n')}\n`
}
