import { QueryError, type Span } from '../errors.js'
import type { Typed } from '../type/expression.js'
import { isMoment } from '../type/moment.js'
import { type RowRelation, rowBound, type SelectRelation } from '../type/relation.js'
import { type BoundRows, everyUse, type RelationColumn, readBack } from './relation-column.js'

/** UNION ALL: the same number of columns, of the same types. */
export function unionRows(inputs: readonly BoundRows[], at: Span): BoundRows {
  const [head] = inputs
  const refuse = (): never => {
    throw new QueryError('TYPE_MISMATCH', at)
  }
  if (head === undefined) throw new QueryError('TYPE_MISMATCH', at)
  const outputs = head.outputs.map(({ name, column }, index) => {
    const all = inputs.map((input) => {
      const output = input.outputs[index]
      return output === undefined || input.outputs.length !== head.outputs.length ? refuse() : output
    })
    if (all.every((output) => output.column.kind === 'contributor')) return { name, column, typed: null }
    const values = all.map((output) => output.typed ?? refuse())
    const typed = mergeTyped(values, refuse)
    const uses = new Set(
      [...everyUse].filter((use) =>
        all.every(({ column: each }) => each.kind === 'value' && each.uses.has(use)),
      ),
    )
    const internal = `c${index}`
    return {
      name,
      typed,
      column: {
        kind: 'value',
        read: (source: number) => readBack(typed, source, internal, values),
        uses,
      } as RelationColumn,
    }
  })
  const selects = inputs.flatMap(({ relation }): readonly SelectRelation[] =>
    relation.kind === 'union' ? relation.inputs : [relation],
  )
  const relation: RowRelation = { kind: 'union', inputs: selects }
  if (!Number.isFinite(rowBound(relation))) throw new QueryError('JOIN_NOT_ALLOWED', at)
  const columns = new Map<string, readonly RelationColumn[]>()
  for (const { name, column } of outputs) columns.set(name, [...(columns.get(name) ?? []), column])
  return {
    relation,
    first: head.first,
    columns,
    outputs,
    // Tables of different inputs are added up and not multiplied; each still meets what the union is joined with.
    tables: [...new Set(inputs.flatMap(({ tables }) => tables))],
  }
}

function mergeTyped(all: readonly Typed[], refuse: () => never): Typed {
  let merged = all[0] ?? refuse()
  for (const next of all.slice(1)) merged = mergePair(merged, next, refuse)
  return merged
}

function mergePair(left: Typed, right: Typed, refuse: () => never): Typed {
  // A date beside a timestamp would be another number for the same moment.
  if ((left.type === 'number' || isMoment(left)) && left.type === right.type) {
    // Columns of nested relations are integers in fixed point: both sides must count the same unit.
    if (left.decimals !== right.decimals) return refuse()
    const { domain: _, ...number } = left
    return {
      ...number,
      low: left.low < right.low ? left.low : right.low,
      high: left.high > right.high ? left.high : right.high,
      bounded: left.bounded && right.bounded,
      nullable: left.nullable || right.nullable,
    }
  }
  if (left.type === 'text' && right.type === 'text') {
    const { domain: one, ...text } = left
    const nullable = left.nullable || right.nullable
    const other = right.domain
    if (one === undefined || other === undefined) return { ...text, nullable }
    if (one === 'open' || other === 'open') return { ...text, nullable, domain: 'open' }
    return { ...text, nullable, domain: [...new Set([...one, ...other])] }
  }
  if (left.type === 'boolean' && right.type === 'boolean') {
    return { ...left, nullable: left.nullable || right.nullable }
  }
  return refuse()
}
