/** POSIX TZ rules, as the tz database's files carry them for the years to come. Source: RFC 9636, section 3.3.1. */
import { civilFromDays, daysFromCivil } from '../schema/instant.js'

/** Offset by instant, both in seconds. */
export type OffsetRule = (at: number) => number

function clockSeconds(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.replace(/^[+-]/, '').split(':').map(Number)
  return (text.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds)
}

/** Local seconds since 1970 of a rule's moment in a year. */
function momentOf(text: string, year: number): number {
  const [date = '', clock = '2'] = text.split('/')
  const time = clockSeconds(clock)
  const start = daysFromCivil(year, 1, 1)
  if (date.startsWith('M')) {
    const [month = 1, week = 1, weekday = 0] = date.slice(1).split('.').map(Number)
    const first = daysFromCivil(year, month, 1)
    const next = month === 12 ? daysFromCivil(year + 1, 1, 1) : daysFromCivil(year, month + 1, 1)
    const day = first + ((((weekday - ((((first + 4) % 7) + 7) % 7)) % 7) + 7) % 7) + 7 * (week - 1)
    return (day >= next ? day - 7 : day) * 86_400 + time
  }
  if (date.startsWith('J')) {
    const number = Number(date.slice(1))
    const leap = daysFromCivil(year, 3, 1) - start === 60
    return (start + number - 1 + (leap && number >= 60 ? 1 : 0)) * 86_400 + time
  }
  return (start + Number(date)) * 86_400 + time
}

/**
 * Reads a rule.
 *
 * @param rule - for example `CET-1CEST,M3.5.0,M10.5.0/3`
 * @returns offsets, or undefined when the text is no rule
 */
export function posixRule(rule: string): OffsetRule | undefined {
  const name = '(?:<[^>]{1,20}>|[A-Za-z]{3,20})'
  const clock = '[+-]?\\d{1,3}(?::\\d{2}){0,2}'
  const match = new RegExp(`^${name}(${clock})(?:${name}(${clock})?,([^,]+),([^,]+))?$`).exec(rule)
  if (match === null) return undefined
  const [, west = '', summerWest, begin, end] = match
  const standard = -clockSeconds(west)
  if (begin === undefined || end === undefined) return () => standard
  const summer = summerWest === undefined ? standard + 3600 : -clockSeconds(summerWest)
  return (at) => {
    const [year] = civilFromDays(Math.floor((at + standard) / 86_400))
    const from = momentOf(begin, year) - standard
    const to = momentOf(end, year) - summer
    const on = from < to ? at >= from && at < to : at >= from || at < to
    return on ? summer : standard
  }
}
