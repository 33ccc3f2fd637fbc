import { expect, it } from 'vitest'
import { releasedValue } from './released-value.js'

const rounded = (name: 'round' | 'trunc', ...values: readonly (number | null)[]) =>
  releasedValue(
    { kind: 'call', name, parameters: values.map((value) => ({ kind: 'literal', value })) },
    { keys: [], aggregates: [] },
  )

// As DuckDB and PostgreSQL say of the decimals.
it.each([
  ['round', [501, -2], 500],
  ['round', [12.3, -1], 10],
  ['round', [25, -1], 30],
  ['round', [-25, -1], -30],
  ['round', [-4, -1], 0],
  ['round', [5_000_000, -7], 10_000_000],
  ['round', [501, -400], 0],
  ['round', [501, -3], 1000],
  ['trunc', [1999, -3], 1000],
  ['trunc', [-1999, -3], -1000],
  ['trunc', [-0.5, 0], 0],
  ['round', [-0.2], 0],
  ['round', [2.5], 3],
  ['round', [-2.5], -3],
  ['round', [1.23456789012, 10], 1.2345678901],
  ['round', [1.25, 400], 1.25],
  ['round', [0, 400], 0],
  ['round', [9_007_199_254_740_991, 5], 9_007_199_254_740_991],
  ['round', [1.5, null], null],
  ['trunc', [null, 2], null],
] as const)('%s of %j is %j', (name, values, expected) => {
  expect(rounded(name, ...values)).toBe(expected)
})
