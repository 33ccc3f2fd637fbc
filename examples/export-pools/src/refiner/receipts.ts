import { defineRefiner } from '@sealpool/refine/define'
import { calendarDay, decimalText } from '@sealpool/refine/normalise'

/** Receipts as a German shop exports them (29.02.2024, 1.234,50) -> one row each. */
export default defineRefiner({
  id: 'receipts',
  version: '1.0.0',
  source: 'csv',
  tables: {
    receipts: {
      description: 'One row per receipt.',
      columns: {
        day: { type: 'date', description: 'Day of the purchase.' },
        total: { type: 'decimal', decimals: 2, unit: '{EUR}', min: 0, max: 100_000, description: 'Total.' },
        card: { type: 'boolean', nullable: true, description: 'Was it paid by card?' },
      },
    },
  },
  direct: {
    table: 'receipts',
    columns: {
      day: { from: 'Datum', by: 'day' },
      total: { from: 'Summe', by: 'amount' },
      card: { from: 'Zahlart', values: { Karte: true, Bar: false } },
    },
  },
  functions: {
    day: (value) => calendarDay(String(value), { order: 'dmy' }),
    amount: (value) => decimalText(String(value), { decimal: ',' }),
  },
})
