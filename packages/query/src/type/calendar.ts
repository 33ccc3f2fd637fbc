/** A day of the proleptic Gregorian calendar. */
export interface CivilDay {
  readonly year: number
  readonly month: number
  readonly day: number
}

/** Days from 1970-01-01 that a computed date may have: years 1 to 290000, which every engine's own calendar covers. */
export const computedDays = { first: -719_162, last: 105_201_162 } as const

/** Added to days to make them positive: whole weeks that reach back to before year 1. */
export const positiveShift = 719_166

/**
 * The day of a calendar that is `days` after 1970-01-01, in integers (years begin in March while it counts, so that the leap day is
 * the last one; Hatcher 1985).
 */
export function civilOf(days: number): CivilDay {
  const since = days + 719_468
  const era = Math.floor(since / 146_097)
  const ofEra = since - era * 146_097
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  )
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marched = Math.floor((5 * ofYear + 2) / 153)
  const month = marched < 10 ? marched + 3 : marched - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: ofYear - Math.floor((153 * marched + 2) / 5) + 1,
  }
}

/** Days from 1970-01-01 to a day of the calendar. */
export function daysOf({ year, month, day }: CivilDay): number {
  const marched = month <= 2 ? year - 1 : year
  const era = Math.floor(marched / 400)
  const ofEra = marched - era * 400
  const ofYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468
}

/** Days in a month. */
function monthLength(year: number, month: number): number {
  return (
    daysOf({ year: month === 12 ? year + 1 : year, month: (month % 12) + 1, day: 1 }) -
    daysOf({ year, month, day: 1 })
  )
}

/** Adds months; a day that the month has not becomes its last one. */
export function addMonths(days: number, months: number): number {
  const { year, month, day } = civilOf(days)
  const index = year * 12 + month - 1 + months
  const [there, then] = [Math.floor(index / 12), (((index % 12) + 12) % 12) + 1]
  return daysOf({ year: there, month: then, day: Math.min(day, monthLength(there, then)) })
}

/** Units that a moment can be cut down to and counted in, from the largest to the smallest. */
export const calendarUnits = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second'] as const
export type CalendarUnit = (typeof calendarUnits)[number]

/** Seconds of the units that always have as many. */
export const unitSeconds: Readonly<Partial<Record<CalendarUnit, bigint>>> = {
  week: 604_800n,
  day: 86_400n,
  hour: 3600n,
  minute: 60n,
  second: 1n,
}

/** The first day of the year, quarter, month or week (from Monday) that a day is in. */
export function startOf(unit: CalendarUnit, days: number): number {
  const { year, month } = civilOf(days)
  switch (unit) {
    case 'year':
      return daysOf({ year, month: 1, day: 1 })
    case 'quarter':
      return daysOf({ year, month: month - ((month - 1) % 3), day: 1 })
    case 'month':
      return daysOf({ year, month, day: 1 })
    case 'week':
      return days - ((((days + 3) % 7) + 7) % 7)
    default:
      return days
  }
}
