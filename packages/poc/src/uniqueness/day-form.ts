/** What may stand between the numbers of a day: any signs, as they count for nothing elsewhere. */
const SIGNS = '[^\\p{L}\\p{N}]{1,100}'
/** A time behind a day: a second may have any number of digits, words are few (a zone), so that a line of a chat or a log stays what it says. */
const TIME = '(?:[Tt ,]{1,3}\\d{1,2}:?\\d\\d[^\\p{L}]*(?:\\p{L}.{0,30})?)?'
const YEAR_FIRST = new RegExp(`^([12]\\d{3})${SIGNS}(\\d{1,2})${SIGNS}(\\d{1,2})${TIME}$`, 'u')
const YEAR_LAST = new RegExp(`^(\\d{1,2})${SIGNS}(\\d{1,2})${SIGNS}([12]\\d{3})${TIME}$`, 'u')

/**
 * A calendar day in one form, of the ways to write one in numbers with a year of four digits. Where the year is last and both other numbers
 * could be the month, the first is taken for the day: which it is nobody can tell from the text, and all who write it so have the same.
 *
 * @param text a value without signs behind it
 * @returns `YYYY MM DD` without the time, or undefined when it is no day
 */
export function dayForm(text: string): string | undefined {
  const first = YEAR_FIRST.exec(text)
  if (first !== null) return written(first[1], first[2], first[3])
  const last = YEAR_LAST.exec(text)
  if (last === null) return undefined
  const [, day, month, year] = last
  return written(year, month, day) ?? written(year, day, month)
}

function written(year = '', month = '', day = ''): string | undefined {
  const isDay = Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= 31
  return isDay ? `${year} ${month.padStart(2, '0')} ${day.padStart(2, '0')}` : undefined
}
