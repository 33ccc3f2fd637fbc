import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { property } from '../testing/property.js'
import { civilFromDays, daysFromCivil, instantMicroseconds, printInstant } from './instant.js'

describe('instants', () => {
  property(
    'agree with Date and come back from their text',
    [
      fc.date({ min: new Date('0001-01-02T00:00:00Z'), max: new Date('9999-12-30'), noInvalidDate: true }),
      fc.nat(999),
    ],
    (date, micro) => {
      const value = BigInt(date.getTime()) * 1000n + BigInt(micro)
      const text = printInstant(value) ?? ''
      expect(instantMicroseconds(text)).toBe(value)
      expect(instantMicroseconds(date.toISOString())).toBe(BigInt(date.getTime()) * 1000n)
      const days = Math.floor(date.getTime() / 86_400_000)
      expect(daysFromCivil(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate())).toBe(days)
      expect(civilFromDays(days)).toEqual([date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()])
    },
  )

  test.each([
    '2024-01-01T00:00:00',
    '2024-02-30T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '2024-01-01T00:00:60Z',
    '2024-01-01T00:00:00+24:00',
    '2024-01-01T00:00:00+00:60',
    '2024-01-01T00:00:00.0000001Z',
    '0001-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
    'noon',
  ])('%s is none', (text) => expect(instantMicroseconds(text)).toBeUndefined())
})
