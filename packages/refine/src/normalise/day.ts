import { isCalendarDay } from '../schema/calendar-day.js'
import { civilFromDays, instantMicroseconds, printInstant } from '../schema/instant.js'

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const longNames = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
]

function monthOf(text: string): number {
  if (/^\d{1,2}$/.test(text)) return Number(text)
  const name = text.toLowerCase().replace(/\.$/, '')
  const short = name === 'sept' ? 8 : monthNames.indexOf(name)
  return (short >= 0 ? short : longNames.indexOf(name)) + 1
}

/**
 * Reads a calendar day in a said order of its parts; months as numbers or in English. Years have four digits: two are a guess.
 *
 * @param text - for example `29.02.2024`, `Feb 29, 2024`
 * @param options - `order`: of day, month and year in numbers
 * @returns `YYYY-MM-DD`, or null when there is no such day
 *
 * @example
 * ```ts
 * import { calendarDay } from '@sealpool/refine/normalise'
 * console.log(calendarDay('3/4/2024', { order: 'mdy' })) // 2024-03-04
 * ```
 */
export function calendarDay(text: string, options: { readonly order: 'dmy' | 'mdy' | 'ymd' }): string | null {
  const parts = text
    .trim()
    .split(/[\s./,-]+/)
    .filter((part) => part !== '')
  if (text.length > 60 || parts.length !== 3) return null
  const [first = '', second = '', third = ''] = parts
  const named = parts.findIndex((part) => /^[A-Za-z]/.test(part))
  const order = named === 0 ? 'mdy' : named === 1 && options.order === 'mdy' ? 'dmy' : options.order
  const [year, month, day] =
    order === 'ymd'
      ? [first, second, third]
      : order === 'dmy'
        ? [third, second, first]
        : [third, first, second]
  if (!/^\d{4}$/.test(year) || !/^\d{1,2}(st|nd|rd|th)?$/.test(day)) return null
  const number = monthOf(month)
  if (number === 0) return null
  const written = `${year}-${String(number).padStart(2, '0')}-${day.replace(/\D/g, '').padStart(2, '0')}`
  return isCalendarDay(written) ? written : null
}

/**
 * An instant in its one form.
 *
 * @param text - ISO 8601 with an offset or `Z`
 * @returns UTC, `YYYY-MM-DDThh:mm:ss[.f]Z`, or null
 */
export function utcInstant(text: string): string | null {
  const micro = instantMicroseconds(text.trim())
  return micro === undefined ? null : (printInstant(micro) ?? null)
}

/**
 * An instant of a count since 1970.
 *
 * @param value - an integer as number or text
 * @param unit - what it counts
 * @returns UTC, `YYYY-MM-DDThh:mm:ss[.f]Z`, or null
 */
export function epochInstant(value: number | string, unit: 's' | 'ms' | 'us'): string | null {
  const text = String(value)
  if (!/^-?\d{1,18}$/.test(text)) return null
  return printInstant(BigInt(text) * { s: 1_000_000n, ms: 1000n, us: 1n }[unit]) ?? null
}

/**
 * A day as spreadsheets count them: 1 is 1900-01-01, with the 29th of February 1900 that never was (60 is refused).
 *
 * @param value - an integer as number or text
 * @returns `YYYY-MM-DD`, or null
 */
export function spreadsheetDay(value: number | string): string | null {
  const text = String(value)
  const count = Number(text)
  if (!/^\d{1,7}$/.test(text) || count < 1 || count === 60) return null
  const [year, month, day] = civilFromDays(count - (count > 60 ? 25_569 : 25_568))
  const written = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
  return isCalendarDay(written) ? written : null
}
