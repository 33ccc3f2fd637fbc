import type { ContentItems } from './content-items.js'

/** Neighbours on each side that a number is compared with: of days a week, so that a week's own pattern stands out little. */
const REACH = 7
/** Share of itself by which a number must stand out: what a nudge turns around says nothing. */
const MARGIN = 0.06
/** Keys that a column must have before its course says anything. */
const LEAST_KEYS = 8
const MOST_KEYS = 10_000
const MOST_COLUMNS = 16
const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i
/** Days as items have them: `day 19876`, or `2026 01 31` with whatever stood between. */
const DAY = /^(day -?\d+|\d{4} \d{1,2} \d{1,2})$/

const DAY_MS = 86_400_000
/** Days with another one behind them that it takes to tell a habit from chance. */
const LEAST_PAIRS = 16

/** How the numbers of a contribution go up and down. */
interface NumberCourse {
  /** For each key and column whether the number stands above or below its neighbours; in no order that matters. */
  readonly items: readonly string[]
  /** How many of these are independent of each other, taken low: columns that go together (steps and kilometres) count once. */
  readonly independent: number
  /**
   * Share of them that a person of the same habits has as well, taken high: as many as say of a day what they say of the same day a week or
   * a month later (half and less by chance, nearly all where every weekend is free, or every month begins with a wage).
   */
  readonly recurring: number
}

/**
 * The course of the numbers in rows that a text names, by day best of all: is each above or below the median of its neighbours? Moving all
 * numbers of a copy leaves that nearly as it was, whatever they are moved by, and two people's days have half of it in common by chance,
 * however alike the levels of their numbers are: a level is no part of it.
 *
 * @param content rows as `itemsOf` gives them
 * @returns the course; no items for what has no rows, fewer than eight keys, or numbers that do not change
 */
export function numberCourse({ items }: ContentItems): NumberCourse {
  const rows = items.map(cellsOf).filter((cells) => cells.size > 1)
  const name = keyColumn(rows)
  const byKey = new Map<string, Map<string, { sum: number; count: number }>>()
  for (const cells of rows) {
    const key = name === undefined ? undefined : cells.get(name)
    if (key === undefined || NUMBER.test(key)) continue
    const own = byKey.get(key) ?? new Map<string, { sum: number; count: number }>()
    byKey.set(key, own)
    for (const [column, text] of cells) {
      const number = NUMBER.test(text) ? Number(text) : Number.NaN
      if (!Number.isFinite(number)) continue
      const total = own.get(column) ?? { sum: 0, count: 0 }
      own.set(column, { sum: total.sum + number, count: total.count + 1 })
    }
  }
  // Drawn by their own order, which is time where keys are days.
  const keys = [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, MOST_KEYS)
  const columns = [...new Set(keys.flatMap(([, own]) => [...own.keys()]))].sort().slice(0, MOST_COLUMNS)
  const courses = columns.map((column) => {
    const line = keys.flatMap(([key, own]) => {
      const total = own.get(column)
      return total === undefined ? [] : [{ key, value: total.sum / total.count }]
    })
    return { column, above: aboveNeighbours(line) }
  })
  return {
    items: courses.flatMap(({ column, above }) =>
      [...above].map(([key, isAbove]) => `${column}\u001f${key}\u001f${isAbove ? 'above' : 'below'}`),
    ),
    independent: independentOf(courses.map(({ above }) => above)),
    recurring: recurringOf(
      keys.map(([key]) => key),
      courses.map(({ above }) => above),
    ),
  }
}

function cellsOf(item: string): ReadonlyMap<string, string> {
  return new Map(
    item.split('\u001e').map((cell) => {
      const at = cell.indexOf('\u001f')
      return [cell.slice(0, Math.max(0, at)), cell.slice(at + 1)]
    }),
  )
}

/** The column that names rows: of days before others, then with most values, then the first by name. */
function keyColumn(rows: readonly ReadonlyMap<string, string>[]): string | undefined {
  const columns = new Map<string, { readonly values: Set<string>; texts: number; days: number }>()
  for (const cells of rows) {
    for (const [name, text] of cells) {
      if (NUMBER.test(text)) continue
      const column = columns.get(name) ?? { values: new Set<string>(), texts: 0, days: 0 }
      columns.set(name, column)
      column.values.add(text)
      column.texts++
      if (DAY.test(text)) column.days++
    }
  }
  const ranked = [...columns]
    .filter(([, { values }]) => values.size >= LEAST_KEYS)
    .map(([name, { values, texts, days }]) => ({ name, size: values.size, isDay: days * 10 >= texts * 9 }))
  ranked.sort((a, b) => Number(b.isDay) - Number(a.isDay) || b.size - a.size || (a.name < b.name ? -1 : 1))
  return ranked[0]?.name
}

function aboveNeighbours(
  line: readonly { readonly key: string; readonly value: number }[],
): ReadonlyMap<string, boolean> {
  const above = new Map<string, boolean>()
  if (line.length < LEAST_KEYS) return above
  line.forEach(({ key, value }, at) => {
    const around = [...line.slice(Math.max(0, at - REACH), at), ...line.slice(at + 1, at + 1 + REACH)]
    const middle = median(around.map((one) => one.value))
    const least = MARGIN * Math.max(Math.abs(value), Math.abs(middle))
    if (Math.abs(value - middle) > least) above.set(key, value > middle)
  })
  return above
}

function median(values: number[]): number {
  values.sort((a, b) => a - b)
  const half = values.length >> 1
  const high = values[half] ?? 0
  return values.length % 2 === 1 ? high : ((values[half - 1] ?? 0) + high) / 2
}

/** Days since 1970 of a key that is a day. */
function dayOf(key: string): number | undefined {
  if (!DAY.test(key)) return undefined
  if (key.startsWith('day ')) return Number(key.slice(4))
  const [year = 0, month = 1, day = 1] = key.split(' ').map(Number)
  return Date.UTC(year, month - 1, day) / DAY_MS
}

function monthLater(day: number): number {
  const date = new Date(day * DAY_MS)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()) / DAY_MS
}

/** How much of the course comes again, of what could: the greater of a week and a month. */
function recurringOf(keys: readonly string[], courses: readonly ReadonlyMap<string, boolean>[]): number {
  const days = keys.flatMap((key) => {
    const day = dayOf(key)
    return day === undefined ? [] : [{ key, day }]
  })
  const byDay = new Map(days.map(({ key, day }) => [day, key]))
  const shares = [(day: number) => day + 7, monthLater].map((later) => {
    const again = new Map(days.map(({ key, day }) => [key, byDay.get(later(day))]))
    const pairs = courses.flatMap((above) =>
      [...above].flatMap(([key, isAbove]) => {
        const other = again.get(key)
        return other === undefined ? [] : [above.get(other) === isAbove]
      }),
    )
    return pairs.length < LEAST_PAIRS ? 0 : pairs.filter(Boolean).length / pairs.length
  })
  return Math.max(...shares)
}

/** Adds up the columns that do not go with (or against) one that was counted before. */
function independentOf(courses: readonly ReadonlyMap<string, boolean>[]): number {
  const counted: ReadonlyMap<string, boolean>[] = []
  let independent = 0
  for (const own of courses) {
    const isAlike = counted.some((other) => {
      const common = [...own].filter(([key]) => other.has(key))
      const equal = common.filter(([key, isAbove]) => other.get(key) === isAbove).length
      return Math.abs(equal / common.length - 0.5) > 0.25
    })
    if (own.size < LEAST_KEYS || isAlike) continue
    counted.push(own)
    independent += own.size
  }
  return independent
}
