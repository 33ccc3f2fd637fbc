import { isCalendarDay } from './calendar-day.js'

const form =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?(?:([Zz])|([+-])(\d{2}):?(\d{2})?)$/

const microsecondsPerDay = 86_400_000_000n

/** Days from 1970-01-01 to a day that {@link isCalendarDay} takes; Howard Hinnant, "chrono-compatible low-level date algorithms". */
export function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/** The day that stands `days` after 1970-01-01, as year, month and day. */
export function civilFromDays(days: number): readonly [year: number, month: number, day: number] {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  const month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day]
}

/**
 * Reads an instant (ISO 8601 / RFC 3339: day, time, offset) to the microsecond. A text without an offset names no instant
 * and is refused: `zonedInstant` of `@sealpool/refine/time-zones` reads local times. A leap second is refused, not moved.
 *
 * @param text - for example `2024-02-29T23:59:59.5+01:00`
 * @returns microseconds since 1970-01-01T00:00:00Z, or undefined when the text is no instant of the years 1 to 9999 or has
 *   a non-zero digit below the microsecond
 *
 * @example
 * ```ts no-run
 * instantMicroseconds('1970-01-01T01:00:00+01:00') // 0n
 * ```
 */
export function instantMicroseconds(text: string): bigint | undefined {
  const match = form.exec(text)
  if (match === null) return undefined
  const [
    ,
    day = '',
    hour = '',
    minute = '',
    second = '0',
    fraction = '',
    ,
    sign,
    offsetHour = '0',
    offsetMinute = '0',
  ] = match
  if (!isCalendarDay(day) || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59 || /[1-9]/.test(fraction.slice(6)))
    return undefined
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number)
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === '-' ? -60 : 60)
  const seconds =
    daysFromCivil(year, month, date) * 86_400 +
    Number(hour) * 3600 +
    Number(minute) * 60 +
    Number(second) -
    offset
  const micro = BigInt(seconds) * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'))
  return printInstant(micro) === undefined ? undefined : micro
}

/**
 * The one text of an instant: UTC, no trailing zeros in the fraction.
 *
 * @param micro - microseconds since 1970-01-01T00:00:00Z
 * @returns for example `2024-02-29T22:59:59.5Z`, or undefined outside the years 1 to 9999
 */
export function printInstant(micro: bigint): string | undefined {
  let days = micro / microsecondsPerDay
  let rest = micro % microsecondsPerDay
  if (rest < 0n) {
    rest += microsecondsPerDay
    days -= 1n
  }
  const [year, month, day] = civilFromDays(Number(days))
  if (year < 1 || year > 9999) return undefined
  const seconds = Number(rest / 1_000_000n)
  const fraction = String(rest % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '')
  const two = (value: number) => String(value).padStart(2, '0')
  const time = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`
  return `${date}T${time}${fraction === '' ? '' : `.${fraction}`}Z`
}
