import { contributorColumn } from '../catalogue/catalogue.js'
import { checkColumnGrant } from '../enforce/grant.js'
import type { Purpose } from '../enforce/use.js'
import { QueryError, type Span } from '../errors.js'
import type { LiteralValue, QuerySyntax, Syntax } from '../parse/syntax.js'
import type { Condition } from '../type/expression.js'
import { type Environment, literalOf } from './environment.js'
import type { NamedRelation, RelationColumn } from './relation-column.js'

/** A column found by name. */
export interface FoundColumn {
  readonly source: number
  readonly column: Exclude<RelationColumn, { readonly kind: 'contributor' }>
  /** Whether its relation was joined by LEFT JOIN, so that it can be missing. */
  readonly optional: boolean
}

/** What a value may be made of besides columns and literals. */
export interface Allowed {
  /** Functions OVER the rows of a contributor. */
  readonly windows: boolean
  /** Aggregates per contributor; `keys` are the bound forms that may stand outside of them. */
  readonly perContributor: { readonly keys: ReadonlySet<string> } | null
}

/** The relations of one SELECT and the names that reach into them. */
export interface Scope {
  readonly environment: Environment
  readonly relations: readonly NamedRelation[]
  readonly optional: ReadonlySet<number>
  /** Position of the relation whose contributor the rows belong to. */
  readonly unit: number
  /** The same, and the relation that is fully joined to it. */
  readonly units: readonly number[]
  /** Most rows of one contributor. */
  readonly rows: number
  readonly allowed: Allowed
  /** Collects what the columns of a value may be used for while it is bound; null outside of that. */
  readonly collector: { uses: Set<Purpose> } | null
  /**
   * @throws QueryError `IDENTIFIES_ONE_CONTRIBUTOR`, `COLUMN_UNKNOWN`, `COLUMN_AMBIGUOUS`, `COLUMN_NOT_GRANTED`
   */
  column(path: readonly string[], at: Span): FoundColumn
  /** The sources whose contributor the name is; empty when it is not one. */
  contributorSources(value: Syntax): readonly number[]
  isContributor(value: Syntax): boolean
  /** Whether the name is the contributor that the row belongs to, and not one that an outer join may have left out. */
  isUnit(value: Syntax): boolean
  literal(value: Syntax): LiteralValue | null
  /** Types `EXISTS (...)` and `contributor IN (...)`. */
  semiJoin(syntax: Syntax & { readonly kind: 'exists' | 'in-query' }, scope: Scope): Condition
  readonly isReleased: (query: QuerySyntax) => boolean
}

/** Makes the scope of a SELECT. */
export function makeScope(
  parts: Pick<
    Scope,
    'environment' | 'relations' | 'optional' | 'unit' | 'units' | 'rows' | 'semiJoin' | 'isReleased'
  >,
): Scope {
  const { environment, relations, optional } = parts
  const candidates = (qualifier: readonly string[]): readonly number[] =>
    [...relations.keys()].filter((index) => {
      const relation = relations[index]
      if (relation === undefined) return false
      if (qualifier.length === 0) return true
      if (qualifier.length === 1) return relation.name === qualifier[0]
      return relation.pool === qualifier[0] && relation.name === qualifier[1]
    })
  const find = (path: readonly string[], at: Span) => {
    const qualifier = path.slice(0, -1)
    const matching = candidates(qualifier)
    if (matching.length === 0) throw new QueryError('COLUMN_UNKNOWN', at)
    if (qualifier.length > 0 && matching.length > 1) throw new QueryError('COLUMN_AMBIGUOUS', at)
    return matching.flatMap((source) =>
      (relations[source]?.columns.get(path.at(-1) ?? '') ?? []).map((column) => ({ source, column })),
    )
  }
  const scope: Scope = {
    ...parts,
    allowed: { windows: false, perContributor: null },
    collector: null,
    column(path, at) {
      if (path.at(-1) === contributorColumn) throw new QueryError('IDENTIFIES_ONE_CONTRIBUTOR', at)
      const found = find(path, at)
      const [first] = found
      if (first === undefined) throw new QueryError('COLUMN_UNKNOWN', at)
      if (found.some(({ column }) => column.kind === 'contributor')) {
        throw new QueryError('IDENTIFIES_ONE_CONTRIBUTOR', at)
      }
      if (found.length > 1) throw new QueryError('COLUMN_AMBIGUOUS', at)
      const { source, column } = first
      if (column.kind === 'contributor') throw new QueryError('IDENTIFIES_ONE_CONTRIBUTOR', at)
      if (column.kind === 'policy') {
        const { pool, table } = column.owner
        checkColumnGrant(environment.grant, column.owner, column.column.name, at)
        environment.reached.add(`${pool.name}.${table.name}.${column.column.name}`)
      }
      return { source, column, optional: optional.has(source) }
    },
    contributorSources(value) {
      if (value.kind !== 'column') return []
      const qualifier = value.path.slice(0, -1)
      const matching = candidates(qualifier)
      // A qualifier that nothing has is an error of its own, whatever the name behind it.
      if (matching.length === 0 && qualifier.length > 0) throw new QueryError('COLUMN_UNKNOWN', value.span)
      const found = matching.flatMap((source) =>
        (relations[source]?.columns.get(value.path.at(-1) ?? '') ?? []).map((column) => ({ source, column })),
      )
      const contributors = found.filter(({ column }) => column.kind === 'contributor')
      return contributors.length === found.length ? contributors.map(({ source }) => source) : []
    },
    isContributor: (value) => scope.contributorSources(value).length > 0,
    isUnit(value) {
      const sources = scope.contributorSources(value)
      return sources.length > 1 || sources.some((source) => !optional.has(source))
    },
    literal: (value) => literalOf(value, environment.parameters),
  }
  return scope
}
