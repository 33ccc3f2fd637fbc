import { defineRefiner } from '@sealpool/refine/define'

/** Receipts out of any flat format, for the conformance cases. */
export default defineRefiner({
  id: 'receipts',
  version: '1.0.0',
  source: 'rows',
  tables: {
    receipts: {
      description: 'One row per receipt.',
      columns: {
        day: { type: 'date', min: '2020-01-01', description: 'Day of the purchase.' },
        shop: { type: 'text', maxLength: 80, description: "Name of the shop; it's -- as written." },
        total: { type: 'decimal', decimals: 2, unit: '{EUR}', min: 0, max: 100_000, description: 'Total.' },
        card: { type: 'boolean', nullable: true, description: 'Was it paid by card?' },
        at: { type: 'timestamp', description: 'Moment of the payment.' },
        kind: {
          type: 'text',
          values: ["o'brien", 'plain'],
          nullable: true,
          description: 'Not in the exports.',
        },
        items: { type: 'integer', min: 0, nullable: true, description: 'Not in the exports.' },
      },
    },
  },
  direct: {
    table: 'receipts',
    columns: {
      day: { from: 'date' },
      shop: { from: 'shop' },
      total: { from: 'total' },
      card: { from: 'paid_by', values: { card: true, cash: false, '': null } },
      at: { from: 'at' },
    },
  },
})
