import {
  type Catalogue,
  type CatalogueTable,
  contributorColumn,
  type PolicyColumn,
} from '../catalogue/catalogue.js'
import { checkColumnGrant, checkTableGrant, type Grant } from '../enforce/grant.js'
import { checkJoin } from '../enforce/join.js'
import { QueryError, type Span } from '../errors.js'
import type { LiteralValue, SelectSyntax, Syntax } from '../parse/syntax.js'

/** A value for `$n`. */
export type ParameterValue = string | number | boolean | null

/** A column found by name: which source it belongs to and what the policy says of it. */
export interface FoundColumn {
  readonly source: number
  readonly column: PolicyColumn
}

/** The tables of a statement, the names that reach into them, and what was reached so far. */
export interface Scope {
  readonly sources: readonly CatalogueTable[]
  /** Columns that the statement reaches, in any clause, as `pool.table.column`. */
  readonly reached: Set<string>
  /**
   * @throws QueryError `IDENTIFIES_ONE_CONTRIBUTOR`, `COLUMN_UNKNOWN`, `COLUMN_AMBIGUOUS`, `COLUMN_NOT_GRANTED`
   */
  column(path: readonly string[], at: Span): FoundColumn
  /** Whether the name, if it is known at all, is the contributor. */
  isContributor(value: Syntax): boolean
  literal(value: Syntax): LiteralValue | null
}

/**
 * Resolves FROM: tables to catalogue entries, the join to its one allowed form.
 *
 * @throws QueryError `TABLE_UNKNOWN`, `TABLE_NOT_POPULATED`, `TABLE_NOT_GRANTED`, `JOIN_NOT_ALLOWED`
 */
export function openScope(
  syntax: SelectSyntax,
  options: {
    readonly catalogue: Catalogue
    readonly grant: Grant
    readonly parameters: readonly ParameterValue[]
  },
): Scope {
  const { catalogue, grant, parameters } = options
  const sources = syntax.from.map(({ pool, table, span }) => {
    const found = catalogue.find(pool, table)
    if (found === null) throw new QueryError('TABLE_UNKNOWN', span)
    if (found.pool.populated?.includes(table) === false) throw new QueryError('TABLE_NOT_POPULATED', span)
    checkTableGrant(grant, found, span)
    return found
  })
  const names = syntax.from.map(({ table, alias }) => alias ?? table)
  const reached = new Set<string>()

  const sourceOf = (qualifier: readonly string[], at: Span): readonly number[] => {
    const all = [...sources.keys()]
    if (qualifier.length === 0) return all
    const matching = all.filter((index) => {
      const from = syntax.from[index]
      if (from === undefined) return false
      if (qualifier.length === 1) return names[index] === qualifier[0]
      return from.alias === null && from.pool === qualifier[0] && from.table === qualifier[1]
    })
    if (matching.length === 0) throw new QueryError('COLUMN_UNKNOWN', at)
    if (matching.length > 1) throw new QueryError('COLUMN_AMBIGUOUS', at)
    return matching
  }

  const scope: Scope = {
    sources,
    reached,
    column(path, at) {
      const name = path.at(-1)
      if (name === contributorColumn) throw new QueryError('IDENTIFIES_ONE_CONTRIBUTOR', at)
      const found = sourceOf(path.slice(0, -1), at).flatMap((source) => {
        const column = sources[source]?.table.columns.find((candidate) => candidate.name === name)
        return column === undefined ? [] : [{ source, column }]
      })
      const first = found[0]
      if (first === undefined) throw new QueryError('COLUMN_UNKNOWN', at)
      if (found.length > 1) throw new QueryError('COLUMN_AMBIGUOUS', at)
      const owner = sources[first.source]
      if (owner === undefined) throw new QueryError('COLUMN_UNKNOWN', at)
      checkColumnGrant(grant, owner, first.column.name, at)
      reached.add(`${owner.pool.name}.${owner.table.name}.${first.column.name}`)
      return first
    },
    isContributor(value) {
      if (value.kind !== 'column' || value.path.at(-1) !== contributorColumn) return false
      sourceOf(value.path.slice(0, -1), value.span)
      return true
    },
    literal(value) {
      if (value.kind === 'literal') return value.value
      if (value.kind !== 'parameter') return null
      const parameter = parameters[value.number - 1]
      if (parameter === undefined) throw new QueryError('PARAMETER_UNKNOWN', value.span)
      if (parameter === null) return { type: 'null' }
      if (typeof parameter === 'boolean') return { type: 'boolean', value: parameter }
      if (typeof parameter === 'number') return { type: 'number', text: String(parameter) }
      return { type: 'text', text: parameter }
    },
  }
  checkJoin(syntax, sources, names, scope)
  return scope
}
