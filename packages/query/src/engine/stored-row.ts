import { columnDecimals } from '../catalogue/catalogue.js'
import { parseDecimal, rescale } from '../type/decimal.js'
import { storedRange } from '../type/moment.js'
import { unitsOf } from '../type/moment-text.js'
import type { Cell, EngineColumn } from './engine.js'
import { joinPseudonym } from './join-pseudonym.js'

/** A value as a fixed-point engine stores it: numbers as integers of 10^-decimals in text, moments as days or microseconds. */
export type StoredCell = string | boolean | null

/** Counts of 10^-decimals stay below this, exact in JSON. */
const largest = 9_007_199_254_740_991n

/**
 * Brings a value to what its column may hold: numbers in fixed point and within their bounds, null for what does not
 * fit. It is what the DuckDB loader does in SQL, for engines that are loaded from here.
 */
export function storedCell(column: EngineColumn, cell: Cell): StoredCell {
  if (cell === null) return null
  if (column.type === 'text') return String(cell)
  if (column.type === 'boolean') {
    const text = String(cell).toLowerCase()
    return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : null
  }
  if (typeof cell === 'boolean') return null
  const range = storedRange(column)
  if (range !== null) {
    const units = unitsOf(range.type, String(cell))
    if (units === null) return null
    return String(units < range.low ? range.low : units > range.high ? range.high : units)
  }
  const decimals = columnDecimals(column)
  const decimal = exactOf(cell)
  if (decimal === null) return null
  const units = halfUp(decimal, decimals)
  const bound = (value: number | undefined, round: 'down' | 'up'): bigint | null => {
    const parsed = value === undefined ? null : parseDecimal(String(value))
    return parsed === null ? null : rescale(parsed, decimals, round)
  }
  const [low, high] = [bound(column.min, 'down'), bound(column.max, 'up')]
  if (low !== null && units < low) return String(low)
  if (high !== null && units > high) return String(high)
  return units > largest || units < -largest ? null : String(units)
}

function exactOf(cell: string | number): { readonly units: bigint; readonly decimals: number } | null {
  const text = String(cell).trim()
  const exact = parseDecimal(text)
  if (exact !== null) return exact
  const number = Number(text)
  // More digits than a literal may have: those that a column cannot hold do not count.
  return text === '' || !Number.isFinite(number) || Math.abs(number) >= 1e20
    ? null
    : parseDecimal(number.toFixed(9))
}

function halfUp(value: { readonly units: bigint; readonly decimals: number }, decimals: number): bigint {
  if (decimals >= value.decimals) return value.units * 10n ** BigInt(decimals - value.decimals)
  const divisor = 10n ** BigInt(value.decimals - decimals)
  const half = divisor / 2n
  return value.units < 0n ? -((-value.units + half) / divisor) : (value.units + half) / divisor
}

/** A row with its contributor and its rank among the contributor's rows. */
export interface RankedRow {
  readonly contributor: bigint
  readonly rank: number
  readonly cells: readonly StoredCell[]
}

/**
 * Types rows and ranks them for each contributor by a hash of the row: which rows come first depends on the
 * contributor's own rows alone. Rows without a contributor are left out.
 *
 * @param key secret text that renames contributors once they are ranked; null keeps their integers
 */
export function rankedRows(
  columns: readonly EngineColumn[],
  rows: readonly Readonly<Record<string, Cell>>[],
  key: string | null = null,
): readonly RankedRow[] {
  const byContributor = new Map<bigint, { readonly order: string; readonly cells: readonly StoredCell[] }[]>()
  for (const row of rows) {
    const contributor = contributorOf(row['contributor'])
    if (contributor === null) continue
    const cells = columns.map((column) => storedCell(column, row[column.name] ?? null))
    const text = JSON.stringify([String(contributor), ...cells])
    const list = byContributor.get(contributor) ?? []
    list.push({ order: `${hash(text)}${text}`, cells })
    byContributor.set(contributor, list)
  }
  return [...byContributor].flatMap(([before, list]) => {
    const contributor = key === null ? before : joinPseudonym(key, before)
    return list
      .sort((left, right) => (left.order < right.order ? -1 : left.order > right.order ? 1 : 0))
      .map(({ cells }, index) => ({ contributor, rank: index + 1, cells }))
  })
}

function contributorOf(cell: Cell | undefined): bigint | null {
  const text = String(cell ?? '')
  if (!/^-?[0-9]{1,19}$/.test(text)) return null
  const value = BigInt(text)
  return value === BigInt.asIntN(64, value) ? value : null
}

/** FNV-1a with a final mix, as fixed-width text. It spreads; it hides nothing. */
function hash(text: string): string {
  let state = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193)
  }
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return ((state ^ (state >>> 16)) >>> 0).toString(16).padStart(8, '0')
}
