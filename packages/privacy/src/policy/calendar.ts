/** Days from 1970-01-01 that a stored date may have: years 100 to 9999, so that a century may be subtracted from each. */
export const calendarDays = { first: -683_003, last: 2_932_896 } as const

/** Microseconds of a day. */
export const dayMicroseconds = 86_400_000_000n

/**
 * Reads a calendar day in ISO form, in the proleptic Gregorian calendar.
 *
 * @param text - `2024-02-29`, of the years 0100 to 9999.
 * @returns Days since 1970-01-01, negative before it, or null when it is no such day.
 */
export function parseDay(text: string): number | null {
  const match = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(text)
  if (match === null) return null
  const [, year, month, day] = match.map(Number)
  if (year === undefined || month === undefined || day === undefined || year < 100) return null
  const milliseconds = Date.UTC(year, month - 1, day)
  const days = milliseconds / 86_400_000
  // Date.UTC carries the 30th of February over to March.
  return formatDay(days) === text ? days : null
}

/**
 * Writes a calendar day in ISO form.
 *
 * @param days - Whole days since 1970-01-01, of the years 1 to 9999.
 * @returns `2024-02-29`.
 */
export function formatDay(days: number): string {
  return new Date(days * 86_400_000).toISOString().slice(0, 10)
}

/**
 * Reads an instant in UTC in ISO form: a day, or a day and a time of it to the microsecond, with or without a `Z` or `+00`. Other zones
 * are refused, since engines disagree on what they mean for a timestamp without a zone.
 *
 * @param text - `2024-02-29`, `2024-02-29 23:59`, `2024-02-29T23:59:59.999999Z`.
 * @returns Microseconds since 1970-01-01T00:00:00Z, or null when it is no such instant.
 */
export function parseInstant(text: string): bigint | null {
  const match =
    /^([0-9-]{10})(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?(?:Z|\+00(?::00)?)?)?$/.exec(
      text,
    )
  const [, date = '', hour = '0', minute = '0', second = '0', fraction = ''] = match ?? []
  const days = parseDay(date)
  if (days === null || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null
  const seconds = (Number(hour) * 60 + Number(minute)) * 60 + Number(second)
  return BigInt(days) * dayMicroseconds + BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
}

/**
 * Writes an instant in ISO form.
 *
 * @param microseconds - Since 1970-01-01T00:00:00Z, of the years 1 to 9999.
 * @returns `2024-02-29T23:59:59Z`, with six more digits where it is no whole second.
 */
export function formatInstant(microseconds: bigint): string {
  const rest = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n
  const whole = new Date(Number((microseconds - rest) / 1000n)).toISOString().slice(0, 19)
  return rest === 0n ? `${whole}Z` : `${whole}.${String(rest).padStart(6, '0')}Z`
}
