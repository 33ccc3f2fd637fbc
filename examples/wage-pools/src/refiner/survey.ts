import { defineRefiner } from '@sealpool/refine/define'

const genders = ['female', 'male'] as const
const races = ['hispanic', 'other', 'white'] as const

function oneOf<const Value extends string>(values: readonly Value[], value: string | undefined): Value {
  const found = values.find((candidate) => candidate === value)
  if (found === undefined) throw new Error('not one of the known categories')
  return found
}

function integer(value: string | undefined): number {
  if (value === undefined || !/^\d{1,3}$/.test(value)) throw new Error('not a whole number')
  return Number(value)
}

/** Survey answers (CSV) -> table `persons` of the pool `people`. */
export default defineRefiner({
  id: 'survey',
  version: '1.0.0',
  source: 'csv',
  tables: {
    persons: {
      description: 'One row per respondent of the 1985 Current Population Survey.',
      columns: {
        education: {
          type: 'integer',
          unit: 'a',
          min: 0,
          max: 30,
          description: 'Completed years of education.',
        },
        experience: {
          type: 'integer',
          unit: 'a',
          min: 0,
          max: 80,
          description: 'Years of potential work experience.',
        },
        age: { type: 'integer', unit: 'a', min: 14, max: 110, description: 'Age in years.' },
        gender: { type: 'text', values: genders, description: 'Gender as recorded by the survey.' },
        race: { type: 'text', values: races, description: 'Race as recorded by the survey.' },
        married: { type: 'boolean', description: 'Whether the respondent was married.' },
        south: { type: 'boolean', description: 'Whether the respondent lived in the South.' },
      },
    },
  },
  notes: [
    {
      column: 'married',
      statement:
        'Documented as 1 = married. Only 184 of 534 carry a 1, where most adults were married: the code is the other way round. 0 is mapped to married (350 of 534).',
    },
  ],
  map: (record) => ({
    persons: [
      {
        education: integer(record['education']),
        experience: integer(record['experience']),
        age: integer(record['age']),
        gender: oneOf(genders, record['gender']),
        race: oneOf(races, record['race']),
        married: integer(record['married']) === 0,
        south: integer(record['south']) === 1,
      },
    ],
  }),
})
