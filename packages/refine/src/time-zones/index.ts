/**
 * Time zones without the host: offsets since 1970 of every zone of the tz database, carried by this package, so that the same
 * bytes give the same rows on every machine and in the sandbox, which has neither `Date` nor `Intl`.
 *
 * @module
 */
import { isCalendarDay } from '../schema/calendar-day.js'
import { daysFromCivil, instantMicroseconds, printInstant } from '../schema/instant.js'
import { type OffsetRule, posixRule } from './posix-rule.js'
import { zoneData, zoneDataVersion } from './zone-data.js'

/** Version of the tz database that this package carries. */
export const timeZoneDatabase: string = zoneDataVersion

interface Zone {
  readonly times: readonly number[]
  readonly offsets: readonly number[]
  readonly first: number
  readonly rule: OffsetRule | undefined
}

let packed: Map<string, string> | undefined
const read = new Map<string, Zone>()

function zoneOf(name: string): Zone | undefined {
  const known = read.get(name)
  if (known !== undefined) return known
  packed ??= new Map(
    zoneData.flatMap((region) =>
      region.split(';').map((zone): [string, string] => {
        const bar = zone.indexOf('|')
        return [zone.slice(0, bar), zone.slice(bar + 1)]
      }),
    ),
  )
  const text = packed.get(name)
  if (text === undefined) return undefined
  if (text.startsWith('=')) return zoneOf(text.slice(1))
  const [rule = '', first = '0', steps = ''] = text.split('|')
  const times: number[] = []
  const offsets: number[] = []
  let time = 0
  for (const step of steps === '' ? [] : steps.split(' ')) {
    const [delta = '0', minutes = '0'] = step.split(':')
    time += Number.parseInt(delta, 36)
    times.push(time)
    offsets.push(Math.round(Number(minutes) * 60))
  }
  const zone = { times, offsets, first: Number(first), rule: posixRule(rule) }
  read.set(name, zone)
  return zone
}

function offsetIn(zone: Zone, at: number): number {
  const { times, offsets, first, rule } = zone
  const last = times.at(-1)
  if ((last === undefined || at >= last) && rule !== undefined) return rule(at)
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((times[middle] ?? 0) <= at) low = middle + 1
    else high = middle
  }
  return low === 0 ? first : (offsets[low - 1] ?? first)
}

/**
 * How far a zone's clocks stand east of UTC at an instant.
 *
 * @param zone - name of the tz database, for example `Europe/Berlin`
 * @param instant - ISO 8601 with offset; before 1970 the offset at the start of 1970 is given
 * @returns seconds, or null for an unknown zone or what is no instant
 */
export function zoneOffset(zone: string, instant: string): number | null {
  const found = zoneOf(zone)
  const micro = instantMicroseconds(instant)
  if (found === undefined || micro === undefined) return null
  return offsetIn(found, Number(micro / 1_000_000n) - (micro % 1_000_000n < 0n ? 1 : 0))
}

const localForm = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?$/

/**
 * Reads a local time of a zone. Where clocks went back a time stands for two instants, where they went forward for none.
 *
 * @param local - `YYYY-MM-DD hh:mm[:ss[.f]]`, `T` or a blank between
 * @param zone - name of the tz database
 * @param options - `twice`: which of two instants, default `earlier`; `never`: for a time that clocks skipped, `null` (default) or the
 *   instant that its seconds reach when they go on from before (`forward`)
 * @returns the instant in UTC in its one form, or null
 *
 * @example
 * ```ts
 * import { zonedInstant } from '@sealpool/refine/time-zones'
 * console.log(zonedInstant('2024-07-01 12:00', 'Europe/Berlin')) // 2024-07-01T10:00:00Z
 * ```
 */
export function zonedInstant(
  local: string,
  zone: string,
  options: { readonly twice?: 'earlier' | 'later' | 'null'; readonly never?: 'null' | 'forward' } = {},
): string | null {
  const found = zoneOf(zone)
  const match = localForm.exec(local)
  if (found === undefined || match === null) return null
  const [, day = '', hour = '', minute = '', second = '0', fraction = ''] = match
  if (!isCalendarDay(day) || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number)
  const wall =
    daysFromCivil(year, month, date) * 86_400 + Number(hour) * 3600 + Number(minute) * 60 + Number(second)
  // Offsets a day before and after hold every offset that the wall time can have.
  const candidates = [
    ...new Set([offsetIn(found, wall - 86_400), offsetIn(found, wall + 86_400), offsetIn(found, wall)]),
  ]
  const instants = candidates
    .map((offset) => wall - offset)
    .filter((at) => at + offsetIn(found, at) === wall)
    .sort((a, b) => a - b)
  const text = (at: number) => printInstant(BigInt(at) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))) ?? null
  const [earlier] = instants
  const later = instants.at(-1)
  if (earlier === undefined || later === undefined) {
    return options.never === 'forward' ? text(wall - offsetIn(found, wall - 86_400)) : null
  }
  if (earlier === later || options.twice === undefined || options.twice === 'earlier') return text(earlier)
  return options.twice === 'later' ? text(later) : null
}

/**
 * What a zone's clocks show at an instant.
 *
 * @param instant - ISO 8601 with offset
 * @param zone - name of the tz database
 * @returns `YYYY-MM-DDThh:mm:ss[.f]` without an offset, or null
 */
export function localTime(instant: string, zone: string): string | null {
  const micro = instantMicroseconds(instant)
  const offset = zoneOffset(zone, instant)
  if (micro === undefined || offset === null) return null
  return printInstant(micro + BigInt(offset) * 1_000_000n)?.slice(0, -1) ?? null
}
