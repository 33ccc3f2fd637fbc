import { defineRefiner } from '@sealpool/refine/define'

/** A builder's module, as tests bundle it: payroll JSON into one table. */
export default defineRefiner({
  id: 'payroll',
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
  notes: [
    {
      column: 'union',
      statement: 'The documentation codes 0 as member; the data code 1 as member, and so does this refiner.',
    },
  ],
  map: (record) => {
    const payroll = record as {
      wage: number
      union: number
      occupation: 'management' | 'sales' | 'other'
      since?: string
      hours?: number
    }
    return {
      workers: [
        {
          wage: payroll.wage,
          member: payroll.union === 1,
          occupation: payroll.occupation,
          since: payroll.since ?? null,
          hours: payroll.hours ?? null,
        },
      ],
    }
  },
})
