import { defineRefiner } from '@sealpool/refine/define'

/** The same table as `payroll-refiner.ts`, out of another format. */
export default defineRefiner({
  id: 'payroll',
  version: '1.0.0',
  source: 'csv',
  tables: {
    workers: {
      description: 'One row per worker.',
      columns: {
        wage: {
          type: 'decimal',
          decimals: 2,
          unit: '{USD}/h',
          description: 'Hourly wage.',
          min: 0,
          max: 100,
        },
        member: { type: 'boolean', description: 'Member of a trade union.' },
        occupation: {
          type: 'text',
          description: 'Occupation group.',
          values: ['management', 'sales', 'other'],
        },
        since: { type: 'date', description: 'First day of employment.', nullable: true, min: '1900-01-01' },
        hours: {
          type: 'integer',
          unit: 'h',
          description: 'Hours per week.',
          nullable: true,
          min: 0,
          max: 168,
        },
      },
    },
  },
  map: (record) => ({
    workers: [
      {
        wage: record['wage'] ?? '',
        member: record['union'] === '1',
        // The host checks the value; the mapping only names it.
        occupation: record['occupation'] as 'management' | 'sales' | 'other',
        since: record['since'] || null,
        hours: record['hours'] ? Number(record['hours']) : null,
      },
    ],
  }),
})
