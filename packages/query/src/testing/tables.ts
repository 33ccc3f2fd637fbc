import fc from 'fast-check'
import type { Row, SqlEngine } from '../engine/engine.js'
import { memoryEngine } from './memory-engine.js'
import { persons, rides, workers } from './pools.js'

/** Rows of the three test tables. */
export interface TestData {
  readonly workers: readonly Row[]
  readonly persons: readonly Row[]
  readonly rides: readonly Row[]
}

const contributor = fc.integer({ min: 1, max: 6 })
const hostile = fc.constantFrom(null, 'NaN', 'Infinity', '-1e300', '1e300', 'x', '')

/** Tables with missing values, values out of bounds, values that are no numbers, and too many rows of one person. */
export const testData: fc.Arbitrary<TestData> = fc.record({
  workers: fc.array(
    fc.record({
      contributor,
      wage: fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: -100, max: 6000 }).map((cents) => cents / 100) },
        hostile,
      ),
      bonus: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: -400, max: 400 }) }, hostile),
      union_member: fc.constantFrom(true, false, null),
      sector: fc.constantFrom('other', 'manufacturing', "o'clock", 'secret', null),
      note: fc.constant(null),
      town: fc.constant(null),
    }),
    { maxLength: 14 },
  ),
  persons: fc.array(
    fc.record({
      contributor,
      education: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 0, max: 25 }) }, hostile),
      gender: fc.constantFrom('female', 'male', 'x'),
    }),
    { maxLength: 10 },
  ),
  rides: fc.array(
    fc.record({
      contributor,
      miles: fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: -10, max: 250 }).map((tenths) => tenths / 10) },
        hostile,
      ),
      zone: fc.constantFrom(1, 2, 3, 4),
    }),
    { maxLength: 24 },
  ),
})

/** The same data without any row of one contributor. */
export function without(data: TestData, leaving: number): TestData {
  const stay = (row: Row) => row['contributor'] !== leaving
  return {
    workers: data.workers.filter(stay),
    persons: data.persons.filter(stay),
    rides: data.rides.filter(stay),
  }
}

/**
 * An engine that holds the data.
 *
 * @param bounded whether the loader is told the bounds of columns; the plan's own clamps must hold without it
 */
export async function loaded(data: TestData, bounded = true): Promise<SqlEngine> {
  const engine = await memoryEngine()
  const tables = { 'pay.workers': workers, 'people.persons': persons, 'trips.rides': rides } as const
  const rows = {
    'pay.workers': data.workers,
    'people.persons': data.persons,
    'trips.rides': data.rides,
  } as const
  for (const name of ['pay.workers', 'people.persons', 'trips.rides'] as const) {
    const columns = tables[name].columns.map(({ min, max, ...column }) =>
      bounded && min !== undefined && max !== undefined ? { ...column, min, max } : column,
    )
    await engine.load({ name, columns, rows: rows[name] })
  }
  return engine
}
