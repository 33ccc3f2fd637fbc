import { defineRefiner } from '@sealpool/refine/define'

interface PayrollExport {
  readonly payload: {
    readonly wage: string
    readonly union: number
    readonly occupation: string
    readonly sector: string
  }
}

const occupations = ['clerical', 'management', 'other', 'professional', 'sales', 'service'] as const
const sectors = ['construction', 'manufacturing', 'other'] as const

/** One of the listed values, or an error that names none of them. */
function oneOf<const Value extends string>(values: readonly Value[], value: string): Value {
  const found = values.find((candidate) => candidate === value)
  if (found === undefined) throw new Error('not one of the known categories')
  return found
}

/** Payroll export (JSON) -> table `workers` of the pool `pay`. */
export default defineRefiner({
  id: 'payroll',
  version: '1.0.0',
  source: 'json',
  tables: {
    workers: {
      description: 'One row per worker: what the job paid in May 1985.',
      columns: {
        wage: {
          type: 'decimal',
          decimals: 2,
          unit: '{USD}/h',
          min: 0,
          max: 1000,
          description: 'Hourly wage in dollars of 1985.',
        },
        union_member: { type: 'boolean', description: 'Whether the worker was a member of a trade union.' },
        occupation: { type: 'text', values: occupations, description: 'Group of occupations.' },
        sector: { type: 'text', values: sectors, description: 'Sector of the economy.' },
      },
    },
  },
  notes: [
    {
      column: 'wage',
      statement:
        'Documented as log-transformed. The values are plain dollars per hour (1.00 to 44.50) and are kept as such.',
    },
    {
      column: 'union',
      statement:
        'Documented as 1 = member. 438 of 534 carry a 1, where 18 % of workers were members in 1985: the code is the other way round. 0 is mapped to member (96 of 534).',
    },
  ],
  map: (record) => {
    const { payload } = record as unknown as PayrollExport
    return {
      workers: [
        {
          wage: payload.wage,
          union_member: payload.union === 0,
          occupation: oneOf(occupations, payload.occupation),
          sector: oneOf(sectors, payload.sector),
        },
      ],
    }
  },
})
