/**
 * Is this text a day of the proleptic Gregorian calendar, `YYYY-MM-DD` (ISO 8601-1, 5.2.2.1), years 0001 to 9999?
 *
 * @param text - any text
 * @returns true for `2024-02-29`, false for `2023-02-29` and `2023-2-9`
 */
export function isCalendarDay(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (match === null) return false
  const [year, month, day] = match.slice(1).map(Number)
  if (year === undefined || month === undefined || day === undefined) return false
  if (year < 1 || month < 1 || month > 12 || day < 1) return false
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  return day <= (lengths[month - 1] ?? 0)
}
