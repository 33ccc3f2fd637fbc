import { defineRefiner } from '@sealpool/refine/define'

/** The number of every record; the mapping is code. */
export default defineRefiner({
  id: 'numbered',
  version: '1.0.0',
  source: 'rows',
  tables: { numbers: { description: 'd', columns: { number: { type: 'integer', description: 'd' } } } },
  map: (_, { index }) => ({ numbers: [{ number: index }] }),
})
