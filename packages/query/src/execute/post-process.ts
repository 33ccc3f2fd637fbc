import type { BoundOrder } from '../bind/bind.js'
import type { PublicValue } from '../bind/key.js'
import type { Released, ReleasedCondition } from '../bind/released.js'
import type { NoisyNumber } from './cell.js'

/** A group after noise: its public keys and its released aggregates. */
export interface ReleasedGroup {
  readonly keys: readonly PublicValue[]
  readonly aggregates: readonly NoisyNumber[]
}

function releasedValue(released: Released, group: ReleasedGroup): PublicValue {
  if (released.kind === 'literal') return released.value
  if (released.kind === 'key') return group.keys[released.key] ?? null
  return group.aggregates[released.aggregate]?.value ?? null
}

/** HAVING over a released group, with SQL's three values: null is unknown. */
export function satisfies(condition: ReleasedCondition, group: ReleasedGroup): boolean | null {
  switch (condition.kind) {
    case 'and':
    case 'or': {
      const decisive = condition.kind === 'or'
      const results = condition.operands.map((operand) => satisfies(operand, group))
      if (results.includes(decisive)) return decisive
      return results.includes(null) ? null : !decisive
    }
    case 'not': {
      const result = satisfies(condition.operand, group)
      return result === null ? null : !result
    }
    case 'is-null':
      return releasedValue(condition.operand, group) === null
    case 'in': {
      const value = releasedValue(condition.operand, group)
      if (value === null) return null
      if (condition.items.includes(value)) return true
      return condition.items.includes(null) ? null : false
    }
    case 'compare': {
      const left = releasedValue(condition.left, group)
      const right = releasedValue(condition.right, group)
      if (left === null || right === null) return null
      const order = compare(left, right)
      return {
        '=': order === 0,
        '<>': order !== 0,
        '<': order < 0,
        '<=': order <= 0,
        '>': order > 0,
        '>=': order >= 0,
      }[condition.operator]
    }
  }
}

/** Orders, skips and limits released groups; groups that tie stay in the order of their keys. */
export function arrange(
  groups: readonly ReleasedGroup[],
  { orderBy, limit, offset }: { orderBy: readonly BoundOrder[]; limit: number | null; offset: number },
): readonly ReleasedGroup[] {
  const ordered = [...groups].sort((first, second) => {
    for (const { value, descending, nullsFirst } of orderBy) {
      const left = releasedValue(value, first)
      const right = releasedValue(value, second)
      if (left === null || right === null) {
        if (left === right) continue
        return (left === null) === nullsFirst ? -1 : 1
      }
      const order = compare(left, right)
      if (order !== 0) return descending ? -order : order
    }
    return 0
  })
  return ordered.slice(offset, limit === null ? undefined : offset + limit)
}

/** Numbers by size, texts by code point, false before true. Types differ only in refused statements. */
function compare(left: NonNullable<PublicValue>, right: NonNullable<PublicValue>): number {
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : left > right ? 1 : 0
  return Math.sign(Number(left) - Number(right))
}
