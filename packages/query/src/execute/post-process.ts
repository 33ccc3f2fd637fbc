import type { BoundOrder, BoundStage } from '../bind/bind.js'
import type { PublicValue } from '../bind/key.js'
import { confidence } from '../plan/expected-error.js'
import { compareReleased, type ReleasedGroup, releasedValue, type ScalarOf, satisfies } from './released-value.js'

export { type ReleasedGroup, satisfies } from './released-value.js'

/** An interval around a released number for the exact number in the pool's data. */
export interface CellInterval {
  readonly low: number
  readonly high: number
  readonly confidence: number
}

/** Rows of an answer with the intervals beside them. */
export interface StageRows {
  readonly rows: readonly (readonly PublicValue[])[]
  readonly intervals: readonly (readonly (CellInterval | null)[])[]
}

/**
 * Computes an answer from released groups alone: conditions, expressions, order, limit, unions.
 *
 * @param groups the groups of each release, after noise and suppression
 */
export function runStage(
  stage: BoundStage,
  groups: readonly (readonly ReleasedGroup[])[],
): StageRows {
  const known = new Map<BoundStage, PublicValue>()
  const scalar: ScalarOf = (inner) => {
    const found = known.get(inner)
    if (found !== undefined) return found
    const value = runStage(inner, groups).rows[0]?.[0] ?? null
    known.set(inner, value)
    return value
  }
  const inputs = inputRows(stage.input, groups)
  const kept = inputs.filter(({ group }) => stage.having === null || satisfies(stage.having, group, scalar) === true)
  const intervalsOf = new Map(kept.map((entry) => [entry.group, entry.intervals]))
  const ordered = arrange(kept.map(({ group }) => group), stage, scalar)
  return {
    rows: ordered.map((group) => stage.columns.map(({ value }) => releasedValue(value, group, scalar))),
    intervals: ordered.map((group) =>
      stage.columns.map(({ value }) => {
        if (value.kind === 'field') return intervalsOf.get(group)?.[value.field] ?? null
        const number = value.kind === 'aggregate' ? group.aggregates[value.aggregate] : undefined
        const { low, high } = number ?? { low: null, high: null }
        return low === null || high === null ? null : { low, high, confidence }
      }),
    ),
  }
}

interface InputRow {
  readonly group: ReleasedGroup
  readonly intervals: readonly (CellInterval | null)[]
}

function inputRows(input: BoundStage['input'], groups: readonly (readonly ReleasedGroup[])[]): readonly InputRow[] {
  switch (input.kind) {
    case 'single':
      return [{ group: { keys: [], aggregates: [], fields: [] }, intervals: [] }]
    case 'release':
      return (groups[input.release] ?? []).map((group) => ({ group, intervals: [] }))
    case 'stage':
      return fieldRows(runStage(input.stage, groups))
    case 'union':
      return input.inputs.flatMap((part) => fieldRows(runStage(part, groups)))
  }
}

function fieldRows({ rows, intervals }: StageRows): readonly InputRow[] {
  return rows.map((fields, index) => ({
    group: { keys: [], aggregates: [], fields },
    intervals: intervals[index] ?? [],
  }))
}

/** Orders, skips and limits released groups; groups that tie stay in the order of their keys. */
export function arrange(
  groups: readonly ReleasedGroup[],
  { orderBy, limit, offset }: { orderBy: readonly BoundOrder[]; limit: number | null; offset: number },
  scalar?: ScalarOf,
): readonly ReleasedGroup[] {
  const ordered = [...groups].sort((first, second) => {
    for (const { value, descending, nullsFirst } of orderBy) {
      const left = releasedValue(value, first, scalar)
      const right = releasedValue(value, second, scalar)
      if (left === null || right === null) {
        if (left === right) continue
        return (left === null) === nullsFirst ? -1 : 1
      }
      const order = compareReleased(left, right)
      if (order !== 0) return descending ? -order : order
    }
    return 0
  })
  return ordered.slice(offset, limit === null ? undefined : offset + limit)
}
