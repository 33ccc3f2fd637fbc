import fc from 'fast-check'
import { expect, test } from 'vitest'
import { property } from '../testing/property.js'
import { isCalendarDay } from './calendar-day.js'

test.each(['2024-02-29', '2000-02-29', '0001-01-01', '9999-12-31'])('%s is a day', (text) => {
  expect(isCalendarDay(text)).toBe(true)
})

test.each([
  '2023-02-29',
  '1900-02-29',
  '2024-13-01',
  '2024-00-01',
  '2024-01-00',
  '2024-04-31',
  '0000-01-01',
  '2024-1-1',
  '2024-01-01T00:00:00Z',
  '24-01-01',
  ' 2024-01-01',
  '2024-01-01\n',
  '',
])('%j is none', (text) => {
  expect(isCalendarDay(text)).toBe(false)
})

property(
  'every day of the platform calendar is one',
  [fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })],
  (date) => {
    expect(isCalendarDay(date.toISOString().slice(0, 10))).toBe(true)
  },
)
