import { defineRefiner } from '@sealpool/refine/define'
import { walksTables } from './walks-tables.js'

/** Walks; the mapping is data. */
export default defineRefiner({
  id: 'walks',
  version: '1.0.0',
  source: 'rows',
  tables: walksTables,
  direct: {
    table: 'walks',
    columns: {
      day: { from: 'day' },
      steps: { from: 'steps' },
      label: { from: 'label' },
      fast: { from: 'fast', values: { yes: true, no: false } },
      km: { from: 'km' },
    },
  },
})
