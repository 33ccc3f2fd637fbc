import { isCalendarDay } from '../../schema/calendar-day.js'
import { instantMicroseconds, printInstant } from '../../schema/instant.js'

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
/** RFC 5322, 4.3: the obsolete zones that have a meaning. */
const zones: Readonly<Record<string, string>> = {
  ut: '+0000',
  gmt: '+0000',
  z: '+0000',
  utc: '+0000',
  est: '-0500',
  edt: '-0400',
  cst: '-0600',
  cdt: '-0500',
  mst: '-0700',
  mdt: '-0600',
  pst: '-0800',
  pdt: '-0700',
}
const form =
  /^(?:[a-z]{3,9},?\s*)?(\d{1,2})\s+([a-z]{3})[a-z]*\s+(\d{4}|\d{2})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([+-]\d{4}|[a-z]{1,3})?$/i

/**
 * Reads the date of a message (RFC 5322, 3.3 and 4.3).
 *
 * @param text - value of a `Date` header; comments in brackets are ignored
 * @returns the instant in UTC, or null when the text is no date or names no zone
 *
 * @example
 * ```ts no-run
 * mailInstant('Tue, 5 Mar 2024 10:11:12 +0100 (CET)') // '2024-03-05T09:11:12Z'
 * ```
 */
export function mailInstant(text: string): string | null {
  if (text.length > 200) return null
  const match = form.exec(text.replace(/\([^()]*\)/g, ' ').trim())
  if (match === null) return null
  const [, day = '', name = '', written = '', hour = '', minute = '', second = '00', zone = ''] = match
  const month = months.indexOf(name.toLowerCase()) + 1
  const offset = /^[+-]/.test(zone) ? zone : zones[zone.toLowerCase()]
  if (month === 0 || offset === undefined) return null
  // RFC 5322, 4.3: two digits below 50 are of this century.
  const year = written.length === 4 ? written : `${Number(written) < 50 ? '20' : '19'}${written}`
  const date = `${year}-${String(month).padStart(2, '0')}-${day.padStart(2, '0')}`
  if (!isCalendarDay(date)) return null
  const micro = instantMicroseconds(`${date}T${hour.padStart(2, '0')}:${minute}:${second}${offset}`)
  return micro === undefined ? null : (printInstant(micro) ?? null)
}
