import { defineRefiner } from '@sealpool/refine/define'
import { walksTables } from './walks-tables.js'

/** The rows of `walks-data-refiner.ts`; the mapping is code per record. */
export default defineRefiner({
  id: 'walks',
  version: '1.0.0',
  source: 'rows',
  tables: walksTables,
  map: (row) => {
    const text = (name: string) => {
      const value = row[name] ?? null
      return value === '' ? null : value
    }
    const steps = text('steps')
    const fast = text('fast')
    return {
      walks: [
        {
          day: text('day') as string | null,
          steps: steps === null ? null : Number(steps),
          label: text('label') as string | null,
          fast: fast === null ? null : fast === 'yes',
          km: text('km') as string | number | null,
        },
      ],
    }
  },
})
