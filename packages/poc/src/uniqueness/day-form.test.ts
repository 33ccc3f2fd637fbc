import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { itemsOf } from './content-items.js'
import { dayForm } from './day-form.js'

describe('a day has one form', () => {
  test.each([
    '2026-01-05',
    '2026-1-5',
    '2026/01/05',
    '2026.1.05',
    '2026 01 05',
    '05.01.2026',
    '5.1.2026',
    '5/1/2026',
    '05-01-2026',
    '05. 01. 2026',
    '2026-01-05T10:00:00Z',
    '2026-01-05 1000',
    '2026/1/5, 9:30',
    '05.01.2026 10:00',
    '5.1.2026, 9:30 Uhr',
    '2026-01-05t10:00z',
    `2026-01-05T10:00:00.${'0'.repeat(90)}7Z`,
    `2026-01-05T10:00:00.${'0'.repeat(10_000)}+00:00`,
    `2026-01-05T10:00${' '.repeat(60)}`,
  ])('%s', (text) => {
    expect(dayForm(text)).toBe('2026 01 05')
    const rows = [{ day: '2026-01-05' }, { day: text }, { day: `~${text}` }, { day: `${text};` }]
    expect(itemsOf(rows).items).toHaveLength(1)
  })
  test.each([
    ['12/30/2026', '2026 12 30'],
    ['30/12/2026', '2026 12 30'],
    ['11/12/2026', '2026 12 11'],
    ['12/11/2026', '2026 11 12'],
  ])('%s is %s', (text, day) => {
    expect(dayForm(text)).toBe(day)
  })
  test.each([
    '',
    '2026',
    '2026-01',
    '2026-13-05',
    '2026-00-05',
    '0.0.2026',
    '32.01.2026',
    '13.13.2026',
    '5.1.26',
    '20260105',
    'Jan 5, 2026',
    '2026-01-05-10-00',
    '1.2.3.2026',
    '2026-01-05/2026-01-06',
    '05.01.2026, 10:00 - Anna: who of you is coming along tomorrow?',
  ])('%j is none', (text) => {
    expect(dayForm(text)).toBeUndefined()
  })
  test('days of one year stay days of their own, in every way to write them', () => {
    const all = Array.from({ length: 365 }, (_, at) => new Date(Date.UTC(2026, 0, 1 + at)))
    const ways = [
      (day: Date) => day.toISOString().slice(0, 10),
      (day: Date) => `${day.getUTCDate()}.${day.getUTCMonth() + 1}.${day.getUTCFullYear()}`,
      (day: Date) => `${day.getUTCMonth() + 1}/${day.getUTCDate()}/${day.getUTCFullYear()}`,
    ]
    for (const write of ways) expect(new Set(all.map((day) => dayForm(write(day)))).size).toBe(365)
    const [iso, dotted] = ways.map((write) => all.map((day) => dayForm(write(day))))
    expect(dotted).toEqual(iso)
  })
  test('any text gives a day or none, and a day is its own form', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d./ -]{5,12}$/)), (text) => {
        const day = dayForm(text)
        if (day === undefined) return
        expect(day).toMatch(/^[12]\d{3} (0[1-9]|1[0-2]) (0[1-9]|[12]\d|3[01])$/)
        expect(dayForm(day)).toBe(day)
      }),
    )
  })
})
