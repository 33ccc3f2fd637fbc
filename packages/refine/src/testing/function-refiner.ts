import { defineRefiner } from '@sealpool/refine/define'

/** Columns made by functions that run in the sandbox, once per different value. */
export default defineRefiner({
  id: 'shouts',
  version: '1.0.0',
  source: 'rows',
  tables: {
    shouts: {
      description: 'd',
      columns: {
        shop: { type: 'text', description: 'd' },
        cents: { type: 'integer', description: 'd' },
      },
    },
  },
  direct: {
    table: 'shouts',
    columns: { shop: { from: 'shop', by: 'upper' }, cents: { from: 'total', by: 'cents' } },
  },
  functions: {
    upper: (value) => String(value).toUpperCase(),
    cents: (value) => Math.round(Number(value) * 100),
  },
})
