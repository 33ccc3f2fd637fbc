import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { calendarDay } from './calendar-day.js'

test('days and their numbers are those of the system’s calendar', () => {
  fc.assert(
    fc.property(
      fc.date({
        min: new Date('0000-01-01T00:00:00Z'),
        max: new Date('9999-12-31T00:00:00Z'),
        noInvalidDate: true,
      }),
      (date) => {
        const text = date.toISOString().slice(0, 10)
        expect(calendarDay(`${text}T10:00:00Z`)).toEqual({ text, number: Date.parse(text) / 86_400_000 })
      },
    ),
  )
})

test('every day of the years that differ, and the days that are none', () => {
  for (const year of ['1900', '1999', '2000', '2024', '2100']) {
    for (let month = 0; month <= 13; month++) {
      for (let day = 0; day <= 32; day++) {
        const text = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
        const time = new Date(`${text}T00:00:00Z`)
        const isDay = !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text)
        expect(calendarDay(text)?.number, text).toBe(isDay ? time.getTime() / 86_400_000 : undefined)
      }
    }
  }
  for (const text of ['', '2026-1-05', '2026-01-051', ' 2026-01-05', '02026-01-05', '-2026-01-05'])
    expect(calendarDay(text), text).toBeUndefined()
})
