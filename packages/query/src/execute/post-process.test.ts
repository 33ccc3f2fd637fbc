import { describe, expect, it } from 'vitest'
import type { Released, ReleasedCondition } from '../bind/released.js'
import { arrange, type ReleasedGroup, satisfies } from './post-process.js'

const group = (key: string | null, value: number): ReleasedGroup => ({
  keys: [key],
  aggregates: [{ value, low: value, high: value }],
})
const key: Released = { kind: 'key', key: 0 }
const number: Released = { kind: 'aggregate', aggregate: 0 }
const literal = (value: string | number | null): Released => ({ kind: 'literal', value })
const unknown: ReleasedCondition = { kind: 'compare', operator: '=', left: key, right: literal('a') }
const isTrue: ReleasedCondition = { kind: 'compare', operator: '>', left: number, right: literal(1) }
const isFalse: ReleasedCondition = { kind: 'not', operand: isTrue }

describe('HAVING', () => {
  it('has three values, as in SQL', () => {
    const nothing = group(null, 2)
    expect(satisfies(unknown, nothing)).toBeNull()
    expect(satisfies({ kind: 'not', operand: unknown }, nothing)).toBeNull()
    expect(satisfies({ kind: 'and', operands: [unknown, isTrue] }, nothing)).toBeNull()
    expect(satisfies({ kind: 'and', operands: [unknown, isFalse] }, nothing)).toBe(false)
    expect(satisfies({ kind: 'or', operands: [unknown, isTrue] }, nothing)).toBe(true)
    expect(satisfies({ kind: 'or', operands: [unknown, isFalse] }, nothing)).toBeNull()
    expect(satisfies({ kind: 'is-null', operand: key }, nothing)).toBe(true)
  })

  it('knows membership with and without null', () => {
    const member = (items: readonly (string | null)[]): ReleasedCondition => ({
      kind: 'in',
      operand: key,
      items,
    })
    expect(satisfies(member(['a', null]), group('a', 1))).toBe(true)
    expect(satisfies(member(['b', null]), group('a', 1))).toBeNull()
    expect(satisfies(member(['b']), group('a', 1))).toBe(false)
    expect(satisfies(member(['b']), group(null, 1))).toBeNull()
  })
})

describe('ORDER BY and LIMIT', () => {
  const groups = [group('b', 1), group(null, 3), group('a', 2), group('c', 2)]
  const names = (
    orderBy: Parameters<typeof arrange>[1]['orderBy'],
    limit: number | null = null,
    offset = 0,
  ) => arrange(groups, { orderBy, limit, offset }).map(({ keys }) => keys[0])

  it('order by released values, nulls where they are asked for', () => {
    expect(names([{ value: { kind: 'key', key: 0 }, descending: false, nullsFirst: false }])).toEqual([
      'a',
      'b',
      'c',
      null,
    ])
    expect(names([{ value: { kind: 'key', key: 0 }, descending: true, nullsFirst: true }])).toEqual([
      null,
      'c',
      'b',
      'a',
    ])
  })

  it('keep the order of keys where values tie, then skip and cut', () => {
    const orderBy = [
      { value: { kind: 'aggregate', aggregate: 0 }, descending: true, nullsFirst: true },
    ] as const
    expect(names(orderBy)).toEqual([null, 'a', 'c', 'b'])
    expect(names(orderBy, 2, 1)).toEqual(['a', 'c'])
    expect(names(orderBy, 0)).toEqual([])
  })
})
