import { defineRefiner } from '@sealpool/refine/define'

/** Receipts out of any flat format; the mapping is data. */
export default defineRefiner({
  id: 'receipts',
  version: '1.0.0',
  source: 'rows',
  tables: {
    receipts: {
      description: 'One row per receipt.',
      columns: {
        day: { type: 'date', description: 'Day of the purchase.' },
        shop: { type: 'text', maxLength: 80, description: 'Name of the shop.' },
        total: { type: 'decimal', decimals: 2, unit: '{EUR}', min: 0, max: 100_000, description: 'Total.' },
        card: { type: 'boolean', nullable: true, description: 'Was it paid by card?' },
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
    },
  },
})
