import { endOfTime } from '../verdict/moment.js'
import { UsageError } from './usage.js'

/** A day, or a moment with its time zone: a time without one would mean another moment on another machine. */
export function momentOf(text: string): Date {
  const form = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/
  const at = new Date(form.test(text) ? text : Number.NaN)
  // 31 November is read as 1 December by some engines.
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`)
  if (Number.isNaN(at.getTime()) || !day.toISOString().startsWith(text.slice(0, 10)))
    throw new UsageError('--at must be an ISO time with its zone, for example 2026-11-20T12:00:00Z.')
  if (at.getTime() < 0 || at.getTime() >= endOfTime * 1000)
    throw new UsageError('--at must lie between 1970 and 9999.')
  return at
}
