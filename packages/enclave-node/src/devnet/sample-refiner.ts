/**
 * The refiner of the devnet's pool. The bundled script stands in `sample-code.ts`.
 * @module
 */
import { defineRefiner } from '@sealpool/refine/define'

export default defineRefiner({
  id: 'sealpool-devnet-payslip',
  version: '1.0.0',
  source: 'json',
  tables: {
    workers: {
      description: 'One row per worker.',
      columns: {
        wage: {
          type: 'decimal',
          decimals: 2,
          unit: '{USD}/h',
          description: 'Hourly wage.',
          min: 1,
          max: 100,
        },
        sector: { type: 'text', description: 'Sector.', values: ['care', 'trade'] },
      },
    },
  },
  map: (record) => {
    const { wage, sector } = record as { wage: number; sector: 'care' | 'trade' }
    return { workers: [{ wage, sector }] }
  },
})
