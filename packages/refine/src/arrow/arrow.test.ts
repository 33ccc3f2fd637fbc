import { tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
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

describe('toArrowStream', () => {
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
