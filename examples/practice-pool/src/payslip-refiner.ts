import { defineRefiner } from '@sealpool/refine/define'

/** Payslip (JSON) -> table `workers`. */
export default defineRefiner({
  id: 'payslip',
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
          min: 1,
          max: 100,
          description: 'Hourly wage.',
        },
        sector: { type: 'text', values: ['mill', 'mine'], description: 'Where the work was done.' },
      },
    },
  },
  map: (record) => {
    const { wage, sector } = record as { wage: number; sector: 'mill' | 'mine' }
    return { workers: [{ wage, sector }] }
  },
})
