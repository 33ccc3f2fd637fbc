import { formatDay, formatInstant, parseDay, parseInstant } from '@sealpool/privacy'
import type { TypedMoment } from './expression.js'

/** A text in ISO form as a count of days or microseconds; null when it is none. */
export function unitsOf(type: TypedMoment['type'], text: string): bigint | null {
  if (type === 'timestamp') return parseInstant(text)
  const day = parseDay(text)
  return day === null ? null : BigInt(day)
}

/** A count of days or microseconds in ISO form. */
export function momentText(type: TypedMoment['type'], units: bigint): string {
  return type === 'date' ? formatDay(Number(units)) : formatInstant(units)
}
