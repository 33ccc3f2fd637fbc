import { defineRefiner } from '@sealpool/refine/define'
import { walksTables } from './walks-tables.js'

/** The rows of `walks-data-refiner.ts`; the mapping is one of whole columns. */
export default defineRefiner({
  id: 'walks',
  version: '1.0.0',
  source: 'rows',
  tables: walksTables,
  fields: ['day', 'steps', 'label', 'fast', { name: 'km', optional: true }],
  mapColumns: (table) => ({
    walks: table
      .map('steps', ['number', ['column', 'steps']])
      .map('fast', ['=', ['column', 'fast'], ['text', 'yes']]),
  }),
})
