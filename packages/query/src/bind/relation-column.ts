import type { CatalogueTable, PolicyColumn } from '../catalogue/catalogue.js'
import type { Purpose } from '../enforce/use.js'
import type { Condition, Typed } from '../type/expression.js'
import { isMoment } from '../type/moment.js'
import { standsFor } from '../type/printed-size.js'
import { expressionOf, type Relation, type RowRelation, type SelectRelation } from '../type/relation.js'

/** Purposes that a value was allowed for by the policies of every column it is made of. */
export type Uses = ReadonlySet<Purpose>

/** What a name of a relation stands for. The contributor is tracked by lineage: no other value ever becomes one. */
export type RelationColumn =
  | { readonly kind: 'contributor' }
  | { readonly kind: 'policy'; readonly owner: CatalogueTable; readonly column: PolicyColumn }
  | {
      /** A computed or public value; `read` gives it for the position of its relation in FROM. */
      readonly kind: 'value'
      readonly read: (source: number) => Typed
      readonly uses: Uses
    }

/** A relation of FROM with its names. */
export interface NamedRelation {
  readonly name: string
  /** Pool or public schema, for names of two parts; null under an alias and for nested queries. */
  readonly pool: string | null
  readonly relation: Relation
  /** Every name may be there more than once: then it is ambiguous. */
  readonly columns: ReadonlyMap<string, readonly RelationColumn[]>
  /** Tables that are multiplied with each other in here. */
  readonly tables: readonly CatalogueTable[]
  /** What the policy says of every row, for its place in FROM. */
  readonly rule?: (source: number) => Condition | null
}

/** A bound query whose rows belong to contributors. */
export interface BoundRows {
  readonly relation: RowRelation
  readonly first: SelectRelation
  readonly columns: ReadonlyMap<string, readonly RelationColumn[]>
  /** The outputs in order. */
  readonly outputs: readonly {
    readonly name: string
    readonly column: RelationColumn
    readonly typed: Typed | null
  }[]
  readonly tables: readonly CatalogueTable[]
}

/** What public values may be used for. */
export const everyUse: Uses = new Set<Purpose>(['condition', 'measure', 'presence', 'group'])

/**
 * A value of a nested query as the query around it sees it.
 *
 * @param values what it can be, where that is more than one expression
 */
export function readBack(
  typed: Typed,
  source: number,
  column: string,
  values: readonly Typed[] = [typed],
): Typed {
  const own = <Column extends object>(read: Column): Column => standsFor(read, values.map(expressionOf))
  if (typed.type === 'number' || isMoment(typed))
    return { ...typed, expression: own({ kind: 'derived', source, column }) }
  if (typed.type === 'text') return { ...typed, expression: own({ kind: 'text-column', source, column }) }
  if (typed.type === 'boolean') return { ...typed, condition: own({ kind: 'flag', source, column }) }
  return typed
}
