import { columnDecimals, type PublicTable } from '../catalogue/catalogue.js'
import { QueryError } from '../errors.js'
import type { Syntax, TableSyntax } from '../parse/syntax.js'
import { parseDecimal, rescale } from '../type/decimal.js'
import type { Typed } from '../type/expression.js'
import { momentText, unitsOf } from '../type/moment-text.js'
import { everyUse, type NamedRelation, type RelationColumn } from './relation-column.js'
import type { Scope } from './scope.js'
import { bindValue } from './value.js'

/**
 * A public table with its rows written out and its columns' values as their public lists.
 *
 * @throws QueryError `PUBLIC_TABLE_INVALID`
 */
export function namedPublic(table: PublicTable, item: TableSyntax): NamedRelation {
  const decimals = table.columns.map((column) =>
    columnDecimals({ type: column.type, decimals: column.decimals }),
  )
  const cells = table.rows.map((row) =>
    row.map((cell, index): string | boolean | null => {
      const type = table.columns[index]?.type
      if (typeof cell === 'string' && (type === 'date' || type === 'timestamp')) {
        return String(unitsOf(type, cell))
      }
      if (typeof cell !== 'number') return cell
      const decimal = parseDecimal(String(cell))
      if (decimal === null) throw new QueryError('PUBLIC_TABLE_INVALID', `${table.schema}.${table.name}`)
      return String(rescale(decimal, decimals[index] ?? 0, 'down'))
    }),
  )
  const columns = new Map(
    table.columns.map(({ name, type }, index): readonly [string, readonly RelationColumn[]] => {
      const values = cells.map((row) => row[index] ?? null).filter((cell) => cell !== null)
      const nullable = values.length < cells.length
      const digits = decimals[index] ?? 0
      const read = (source: number): Typed => {
        if (type === 'text') {
          const domain = [...new Set(values.map(String))].sort()
          return { type: 'text', expression: { kind: 'text-column', source, column: name }, nullable, domain }
        }
        if (type === 'boolean') {
          return { type: 'boolean', condition: { kind: 'flag', source, column: name }, nullable }
        }
        const units = values.map((value) => BigInt(String(value)))
        const sorted = [...units].sort((left, right) => (left < right ? -1 : left > right ? 1 : 0))
        const plain = {
          expression: { kind: 'derived', source, column: name } as const,
          low: sorted[0] ?? 0n,
          high: sorted.at(-1) ?? 0n,
          bounded: true,
          nullable,
        }
        if (type === 'date' || type === 'timestamp') {
          const domain = [...new Set(sorted.map((value) => momentText(type, value)))]
          return { ...plain, type, decimals: type === 'date' ? 0 : 6, domain }
        }
        const domain = [...new Set(sorted.map((value) => Number(value) / 10 ** digits))]
        return { ...plain, type: 'number', decimals: digits, domain }
      }
      return [name, [{ kind: 'value', read, uses: everyUse }]]
    }),
  )
  return {
    name: item.alias ?? table.name,
    pool: item.alias === null ? table.schema : null,
    relation: {
      kind: 'public',
      columns: table.columns.map(({ name, type }) => ({
        name,
        type: type === 'text' || type === 'boolean' ? type : 'number',
      })),
      rows: cells,
      matches: table.rows.length,
    },
    columns,
    tables: [],
  }
}

/** 1 when the public table is joined by equality on a column without duplicates, all of its rows otherwise. */
export function publicMatches(
  named: NamedRelation,
  position: number,
  conditions: readonly Syntax[],
  scope: Scope,
  before: Scope,
): number {
  const { relation } = named
  if (relation.kind !== 'public') return 1
  const unique = (syntax: Syntax): boolean => {
    if (syntax.kind !== 'column') return false
    const index = relation.columns.findIndex(({ name }) => name === syntax.path.at(-1))
    const values = relation.rows.map((row) => row[index] ?? null).filter((value) => value !== null)
    try {
      return (
        index >= 0 &&
        scope.column(syntax.path, syntax.span).source === position &&
        new Set(values).size === values.length
      )
    } catch {
      return false
    }
  }
  const earlier = (syntax: Syntax): boolean => {
    try {
      bindValue(syntax, before, 'condition')
      return true
    } catch {
      return false
    }
  }
  const single = conditions.some(
    (part) =>
      part.kind === 'compare' &&
      part.operator === '=' &&
      ((unique(part.left) && earlier(part.right)) || (unique(part.right) && earlier(part.left))),
  )
  return single ? 1 : relation.rows.length
}
