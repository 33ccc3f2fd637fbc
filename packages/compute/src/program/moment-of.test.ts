import { expect, test } from 'vitest'
import { type MomentType, momentOf } from './moment-of.js'

test.each<[MomentType, unknown, string | null]>([
  // As DuckDB gives whole numbers, and as other engines do.
  ['date', '19782', '2024-02-29'],
  ['date', 19782n, '2024-02-29'],
  ['date', -1, '1969-12-31'],
  ['date', '2024-02-29', '2024-02-29'],
  ['date', '2023-02-29', null],
  ['date', '-683003', '0100-01-01'],
  ['date', '-683004', null],
  ['date', 2_932_896, '9999-12-31'],
  ['date', 2_932_897, null],
  ['timestamp', '1709251199000000', '2024-02-29T23:59:59Z'],
  ['timestamp', -1n, '1969-12-31T23:59:59.999999Z'],
  ['timestamp', '2024-02-29 23:59', '2024-02-29T23:59:00Z'],
  ['timestamp', '253402300799999999', '9999-12-31T23:59:59.999999Z'],
  ['timestamp', '253402300800000000', null],
  ['timestamp', '9'.repeat(19), null],
  ['date', 1.5, null],
  ['date', Number.NaN, null],
  ['date', '', null],
  ['date', true, null],
  ['timestamp', null, null],
])('%s %s', (type, value, text) => {
  expect(momentOf(value, type)).toBe(text)
})
