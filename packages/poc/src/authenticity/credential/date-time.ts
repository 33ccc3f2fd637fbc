/**
 * An `xsd:dateTimeStamp` (a date and time with a zone) as Unix seconds.
 *
 * @param text for example `2026-01-01T00:00:00Z`
 * @returns seconds, or undefined when it is none
 */
export function unixSeconds(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(?:Z|([+-])(\d\d):(\d\d))$/.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second, , sign, zoneHour = '0', zoneMinute = '0'] = match
  const numbers = [year, month, day, hour, minute, second].map(Number)
  const [y = 0, m = 0, d = 0, h = 0, min = 0, s = 0] = numbers
  const date = Date.UTC(y, m - 1, d, h, min, s) / 1000
  // A day that is not in its month would be carried over into the next one.
  const back = new Date(date * 1000)
  if (back.getUTCMonth() !== m - 1 || back.getUTCDate() !== d || h > 23 || min > 59 || s > 59)
    return undefined
  const zone = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60
  if (Number(zoneHour) > 14 || Number(zoneMinute) > 59) return undefined
  return date - (sign === '-' ? -zone : zone)
}
