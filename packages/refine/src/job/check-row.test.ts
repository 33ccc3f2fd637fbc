import { describe, expect, test } from 'vitest'
import { RefineError } from '../errors.js'
import { tableOf } from '../schema/table-of.js'
import payroll from '../testing/payroll-refiner.js'
import { checkRow } from './check-row.js'

const table = tableOf(payroll.describe(), 'workers')
const row = { hours: 40, wage: 5.1, member: true, occupation: 'sales', since: '2001-02-03' }
const fault = (given: unknown) => {
  try {
    checkRow(table, given, 3, 4)
  } catch (error) {
    if (error instanceof RefineError) return error
    throw error
  }
  return undefined
}

describe('checkRow', () => {
  test('gives one form: contributor first, columns in order, decimals as text with all places', () => {
    const refined = checkRow(table, row, 3, 4)
    expect(Object.entries(refined)).toEqual([
      ['contributor', 3],
      ['wage', '5.10'],
      ['member', true],
      ['occupation', 'sales'],
      ['since', '2001-02-03'],
      ['hours', 40],
    ])
    expect(checkRow(table, { ...row, wage: '5.100' }, 3, 4)).toEqual(refined)
  })

  test('absent and null are one in a nullable column; -0 is 0', () => {
    const { since: _since, hours: _hours, ...rest } = row
    expect(checkRow(table, rest, 3, 4)).toEqual(checkRow(table, { ...rest, since: null, hours: null }, 3, 4))
    expect(Object.is(checkRow(table, { ...row, hours: -0 }, 3, 4)['hours'], 0)).toBe(true)
  })

  test.each([
    ['a number as row', 5, 'MAP_OUTPUT_INVALID', 'workers[4]'],
    ['a list as row', [], 'MAP_OUTPUT_INVALID', 'workers[4]'],
    ['an unknown column', { ...row, ssn: 'CANARY' }, 'COLUMN_UNKNOWN', 'workers[4]'],
    ['a contributor of its own', { ...row, contributor: 9 }, 'COLUMN_UNKNOWN', 'workers[4]'],
    ['a missing value', { ...row, member: undefined }, 'VALUE_MISSING', 'workers[4].member'],
    ['a null', { ...row, wage: null }, 'VALUE_MISSING', 'workers[4].wage'],
    ['a number for a boolean', { ...row, member: 1 }, 'VALUE_TYPE', 'workers[4].member'],
    ['text for an integer', { ...row, hours: '40' }, 'VALUE_TYPE', 'workers[4].hours'],
    ['a fraction for an integer', { ...row, hours: 40.5 }, 'VALUE_TYPE', 'workers[4].hours'],
    ['an unsafe integer', { ...row, hours: 2 ** 53 }, 'VALUE_TYPE', 'workers[4].hours'],
    ['an integer below', { ...row, hours: -1 }, 'VALUE_RANGE', 'workers[4].hours'],
    ['an integer above', { ...row, hours: 169 }, 'VALUE_RANGE', 'workers[4].hours'],
    ['a decimal below', { ...row, wage: -0.01 }, 'VALUE_RANGE', 'workers[4].wage'],
    ['a decimal above', { ...row, wage: '100.01' }, 'VALUE_RANGE', 'workers[4].wage'],
    ['a decimal with more places', { ...row, wage: 5.123 }, 'DECIMAL_PLACES', 'workers[4].wage'],
    ['a float that only looks right', { ...row, wage: 0.1 + 0.2 }, 'DECIMAL_PLACES', 'workers[4].wage'],
    ['text that is no decimal', { ...row, wage: 'CANARY' }, 'VALUE_TYPE', 'workers[4].wage'],
    ['an infinite decimal', { ...row, wage: Number.POSITIVE_INFINITY }, 'VALUE_TYPE', 'workers[4].wage'],
    ['a value not allowed', { ...row, occupation: 'CANARY' }, 'VALUE_NOT_ALLOWED', 'workers[4].occupation'],
    ['text with U+0000', { ...row, occupation: 'a\u0000' }, 'VALUE_TYPE', 'workers[4].occupation'],
    ['half a surrogate pair', { ...row, occupation: '\ud800' }, 'VALUE_TYPE', 'workers[4].occupation'],
    [
      'text that is too long',
      { ...row, occupation: 'a'.repeat(1025) },
      'VALUE_RANGE',
      'workers[4].occupation',
    ],
    ['a day that does not exist', { ...row, since: '2023-02-29' }, 'VALUE_TYPE', 'workers[4].since'],
    ['a day before the first', { ...row, since: '1899-12-31' }, 'VALUE_RANGE', 'workers[4].since'],
  ])('refuses %s', (_, given, code, place) => {
    const error = fault(given)
    expect(error).toMatchObject({ code, place })
    expect(`${error?.message}${error?.stack}`).not.toContain('CANARY')
  })
})
