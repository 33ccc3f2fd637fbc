import { tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { printDecimal } from '../schema/decimal.js'
import { printInstant } from '../schema/instant.js'
import type { NamedTable } from '../schema/table-schema.js'
import { property } from '../testing/property.js'
import { toArrowStream } from './index.js'

const table: NamedTable = {
  name: 't',
  description: 'd',
  columns: { at: { type: 'timestamp', nullable: true, description: 'd' } },
}
// The years 1 to 9999.
const first = -62_135_596_800_000_000n
const last = 253_402_300_799_999_999n

const figures: NamedTable = {
  name: 't',
  description: 'd',
  columns: {
    money: { type: 'decimal', decimals: 2, nullable: true, description: 'd' },
    count: { type: 'integer', nullable: true, description: 'd' },
    day: { type: 'date', nullable: true, description: 'd' },
    yes: { type: 'boolean', nullable: true, description: 'd' },
    said: { type: 'text', nullable: true, description: 'd' },
  },
}
const most = 10n ** 18n - 1n

describe('toArrowStream', () => {
  property(
    'keeps decimals, integers, days, truth values and texts to their ends, below zero too, and nulls',
    [
      fc.array(
        fc.record({
          money: fc.option(
            fc.oneof(fc.constantFrom(-most, most, -1n, 0n), fc.bigInt({ min: -most, max: most })),
          ),
          count: fc.option(fc.maxSafeInteger()),
          day: fc.option(fc.integer({ min: -719_162, max: 2_932_896 })),
          yes: fc.option(fc.boolean()),
          said: fc.option(fc.string({ unit: 'grapheme' })),
        }),
        { minLength: 1, maxLength: 20 },
      ),
    ],
    (values) => {
      const rows = values.map(({ money, day, ...others }) => ({
        contributor: 0,
        money: money === null ? null : printDecimal(money, 2),
        day: day === null ? null : (printInstant(BigInt(day) * 86_400_000_000n) ?? '').slice(0, 10),
        ...others,
      }))
      const read = tableFromIPC(toArrowStream(figures, rows))
      expect(read.schema.fields.map(({ type }) => String(type))).toEqual([
        'Int64',
        'Decimal[18e+2]',
        'Int64',
        'Date32<DAY>',
        'Bool',
        'Utf8',
      ])
      const at = (column: number, index: number): unknown => read.getChildAt(column)?.get(index)
      const days = read.getChildAt(3)?.data[0]?.values as Int32Array
      const moneys = read.getChildAt(1)?.data[0]?.values as Uint32Array
      /** 128 bits in words of 32, the lowest first, below zero as the complement of two. */
      const money = (index: number): bigint =>
        BigInt.asIntN(
          128,
          [3, 2, 1, 0].reduce((sum, word) => (sum << 32n) | BigInt(moneys[4 * index + word] ?? 0), 0n),
        )
      const found = values.map((_, index) => ({
        money: at(1, index) === null ? null : money(index),
        count: at(2, index) === null ? null : Number(at(2, index)),
        day: at(3, index) === null ? null : days[index],
        yes: at(4, index),
        said: at(5, index),
      }))
      expect(found).toEqual(values)
    },
  )

  property(
    'keeps every instant of the years 1 to 9999 to the microsecond, and nulls',
    [
      fc.array(
        fc.option(fc.oneof(fc.constantFrom(first, last, -1n, 0n), fc.bigInt({ min: first, max: last }))),
        { minLength: 1, maxLength: 20 },
      ),
    ],
    (instants) => {
      const rows = instants.map((micro) => ({
        contributor: 0,
        at: micro === null ? null : (printInstant(micro) ?? ''),
      }))
      const read = tableFromIPC(toArrowStream(table, rows))
      expect(String(read.schema.fields[1]?.type)).toBe('Timestamp<MICROSECOND, UTC>')
      const column = read.getChildAt(1)
      const raw = column?.data[0]?.values as BigInt64Array
      expect(instants.map((_, index) => (column?.get(index) === null ? null : raw[index]))).toEqual(instants)
    },
  )
})
