import { RefineError } from '../errors.js'
import type { Tables } from '../job/content-digest.js'
import { printDecimal, scaledBound } from '../schema/decimal.js'
import { civilFromDays, daysFromCivil, instantMicroseconds, printInstant } from '../schema/instant.js'
import {
  type CellValue,
  type ColumnSchema,
  contributorColumn,
  type RefinerSchema,
  type Row,
} from '../schema/table-schema.js'
import { vectorText } from '../schema/vector.js'
import { type SeededRandom, seededRandom } from './seeded-random.js'

function between(random: SeededRandom, low: bigint, high: bigint): bigint {
  return low + random.below(high - low + 1n)
}

function dayNumber(day: string): number {
  const [year = 1970, month = 1, date = 1] = day.split('-').map(Number)
  return daysFromCivil(year, month, date)
}

function mockDay(column: ColumnSchema, random: SeededRandom): string {
  const low = typeof column.min === 'string' ? dayNumber(column.min) : undefined
  const high = typeof column.max === 'string' ? dayNumber(column.max) : undefined
  const earliest = dayNumber('0001-01-01')
  const usual = dayNumber('2000-01-01')
  const first = low ?? (high === undefined || high > usual ? usual : Math.max(earliest, high - 3650))
  const last = high ?? Math.max(dayNumber('2024-12-31'), first)
  const [year, month, day] = civilFromDays(Number(between(random, BigInt(first), BigInt(last))))
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

function mockInstant(column: ColumnSchema, random: SeededRandom): string {
  const second = 1_000_000n
  const micro = (bound: number | string | undefined) =>
    typeof bound === 'string' ? instantMicroseconds(bound) : undefined
  const low = micro(column.min)
  const high = micro(column.max)
  const first = low ?? (high ?? 1_735_689_600n * second) - 365n * 86_400n * second
  const last = high ?? first + 365n * 86_400n * second
  // Whole seconds where there is one between the bounds.
  const whole = first >= 0n ? (first + second - 1n) / second : first / second
  const chosen = between(random, whole, last / second) * second
  return printInstant(chosen < first || chosen > last ? first : chosen) ?? '2000-01-01T00:00:00Z'
}

/**
 * A value that a column takes, drawn from its declared domain alone: bounds, values, places and length.
 *
 * @param column - the column
 * @param random - draws
 * @returns the value; null for one in eight where it may be null
 */
export function mockCell(column: ColumnSchema, random: SeededRandom): CellValue {
  if (column.nullable === true && random.below(8n) === 0n) return null
  if (column.values !== undefined) return random.pick(column.values)
  switch (column.type) {
    case 'integer': {
      const low = BigInt(column.min ?? Math.min(0, Number(column.max ?? 0)))
      const most = BigInt(Number.MAX_SAFE_INTEGER)
      const usual = low + 1000n > most ? most : low + 1000n
      return Number(between(random, low, BigInt(column.max ?? usual)))
    }
    case 'decimal': {
      const decimals = column.decimals ?? 0
      const largest = 10n ** 18n - 1n
      const usual = 100n * 10n ** BigInt(Math.min(decimals, 15))
      const high = column.max === undefined ? undefined : scaledBound(column.max, decimals)
      const negative = high !== undefined && high < 0n
      const lowest = negative ? (high - usual < -largest ? -largest : high - usual) : 0n
      const low = column.min === undefined ? lowest : scaledBound(column.min, decimals)
      return printDecimal(
        between(random, low, high ?? (low + usual > largest ? largest : low + usual)),
        decimals,
      )
    }
    case 'boolean':
      return random.below(2n) === 1n
    case 'date':
      return mockDay(column, random)
    case 'timestamp':
      return mockInstant(column, random)
    case 'vector': {
      const dimensions = column.embedding?.dimensions ?? 0
      const drawn = Array.from({ length: dimensions }, () => Number(random.below(2001n)) - 1000)
      const first = Array.from({ length: dimensions }, (_, at) => (at === 0 ? 1 : 0))
      return vectorText(drawn, dimensions) ?? vectorText(first, dimensions) ?? null
    }
    case 'text': {
      const digits = random.below(1_000_000n).toString(36).padStart(4, '0')
      return `mock-${digits}`.slice(0, column.maxLength ?? 1024)
    }
  }
}

/**
 * Rows that satisfy the schema and come out of nothing but the schema and a seed: for developing queries and jobs before
 * any data may be seen. Distributions are flat; they say nothing about real data.
 *
 * @param schema - the refiner's schema
 * @param options - `seed`: any text; `rows`: per table; `contributors`: how many share the rows, default one in three rows
 * @returns tables as `refineBatch` returns them
 * @throws RefineError with `ARGUMENT_INVALID`
 *
 * @example
 * ```ts no-run
 * const { workers } = mockTables(refiner.schema, { seed: 'docs', rows: 10 })
 * ```
 */
export function mockTables(
  schema: RefinerSchema,
  options: { readonly seed: string; readonly rows: number; readonly contributors?: number },
): Tables {
  const { seed, rows, contributors = Math.max(1, Math.ceil(rows / 3)) } = options
  for (const [name, value, least] of [
    ['rows', rows, 0],
    ['contributors', contributors, 1],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least || value > 10_000_000) {
      throw new RefineError('ARGUMENT_INVALID', name, `Expected an integer from ${least} to 10,000,000`)
    }
  }
  return Object.fromEntries(
    Object.entries(schema.tables).map(([name, table]) => {
      const random = seededRandom(`${seed}\n${schema.id}\n${name}`)
      const made = Array.from({ length: rows }, (): Row => {
        const row: [string, CellValue][] = [[contributorColumn, Number(random.below(BigInt(contributors)))]]
        for (const [column, definition] of Object.entries(table.columns))
          row.push([column, mockCell(definition, random)])
        return Object.fromEntries(row)
      })
      return [name, made]
    }),
  )
}
