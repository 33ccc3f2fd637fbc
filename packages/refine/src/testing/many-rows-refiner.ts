import { defineRefiner } from '@sealpool/refine/define'

/** A record that becomes as many rows as it says. */
export default defineRefiner({
  id: 'many-rows',
  version: '1.0.0',
  source: 'rows',
  tables: { many: { description: 'd', columns: { at: { type: 'integer', description: 'd' } } } },
  map: (row) => ({ many: Array.from({ length: Number(row['count']) }, (_, at) => ({ at })) }),
})
