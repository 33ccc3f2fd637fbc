const form = /^(\d{4})-(\d\d)-(\d\d)(?!\d)/
/** Days of a common year before each month. */
const before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365]

/** A day that a text begins with. */
export interface CalendarDay {
  /** `YYYY-MM-DD`. */
  readonly text: string
  /** Days since 1970-01-01. */
  readonly number: number
}

/**
 * The day of the Gregorian calendar that a text begins with. Written out, because approved code runs where there is no `Date`.
 *
 * @param text for example `2026-01-05` or `2026-01-05T10:00:00Z`
 * @returns undefined when the text begins with no day, or with one that its month does not have
 */
export function calendarDay(text: string): CalendarDay | undefined {
  const match = form.exec(text)
  if (match === null) return undefined
  const [year = 0, month = 0, day = 0] = match.slice(1).map(Number)
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 1 : 0
  const first = before[month - 1]
  const next = before[month]
  if (first === undefined || next === undefined) return undefined
  const length = next - first + (month === 2 ? leap : 0)
  if (day < 1 || day > length) return undefined
  const past = year - 1
  const years = 365 * past + Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400)
  // 719,162 days are between 0001-01-01 and 1970-01-01.
  const number = years + first + (month > 2 ? leap : 0) + day - 1 - 719_162
  return { text: match[0], number }
}
