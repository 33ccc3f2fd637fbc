import { describe, expect, expectTypeOf, test } from 'vitest'
import * as z from 'zod'
import * as mini from 'zod/mini'
import { RefineError } from '../errors.js'
import { parseRefinerSchema } from '../schema/parse-schema.js'
import { defineRefiner } from './define-refiner.js'
import { zodColumns } from './zod-columns.js'

const description = 'd'
const worker = z.object({
  wage: z.number().multipleOf(0.01).min(0).max(100).meta({ description, unit: '{USD}/h' }),
  member: z.boolean().meta({ description }),
  occupation: z.enum(['sales', 'service']).meta({ description }),
  hours: z.int().gt(-1).lt(169).nullable().meta({ description, unit: 'h' }),
  note: z.string().max(80).optional().meta({ description, pii: 'mask' }),
  since: z.iso.date().meta({ description }),
  at: z.iso.datetime().meta({ description }),
  grade: z.literal([1, 2]).meta({ description }),
  rate: z.number().gt(0).meta({ description, decimals: 3 }),
})
const columns = {
  wage: { type: 'decimal', decimals: 2, min: 0, max: 100, unit: '{USD}/h', description },
  member: { type: 'boolean', description },
  occupation: { type: 'text', values: ['sales', 'service'], description },
  hours: { type: 'integer', min: 0, max: 168, nullable: true, unit: 'h', description },
  note: { type: 'text', maxLength: 80, nullable: true, pii: 'mask', description },
  since: { type: 'date', description },
  at: { type: 'timestamp', description },
  grade: { type: 'integer', values: [1, 2], description },
  rate: { type: 'decimal', decimals: 3, min: 0.001, description },
} as const
const refinerOf = (given: object) =>
  defineRefiner({
    id: 'zod',
    version: '1.0.0',
    source: 'json',
    tables: { workers: { description: 'd', columns: given as typeof columns } },
    map: () => ({}),
  })
const fault = (given: object): RefineError | undefined => {
  try {
    parseRefinerSchema(refinerOf(given).describe())
  } catch (error) {
    if (error instanceof RefineError) return error
    throw error
  }
  return undefined
}

test('a zod object gives the columns that are written by hand, in their order', () => {
  expect(zodColumns(worker)).toEqual(columns)
  expect(Object.keys(zodColumns(worker))).toEqual(Object.keys(columns))
  expect(parseRefinerSchema(refinerOf(worker).describe())).toEqual(
    parseRefinerSchema(refinerOf(columns).describe()),
  )
})

test('its types flow into the mapping', () => {
  const refiner = defineRefiner({
    id: 'zod',
    version: '1.0.0',
    source: 'json',
    tables: {
      workers: { description: 'd', columns: zodColumns(worker.pick({ hours: true, occupation: true })) },
    },
    map: () => ({ workers: [{ hours: null, occupation: 'sales' }] }),
  })
  expect(refiner.refine({ records: [{}] })).toEqual({
    tables: { workers: [{ hours: null, occupation: 'sales' }] },
  })
  type Columns = ReturnType<typeof zodColumns<typeof worker>>
  expectTypeOf<Columns['member']['type']>().toEqualTypeOf<'boolean'>()
  expectTypeOf<Columns['occupation']['values']>().toExtend<readonly ('sales' | 'service')[] | undefined>()
})

test('zod/mini gives the same, what it was told out of its registry', () => {
  const hours = mini.nullable(mini.int().check(mini.gte(0)))
  const small = mini.object({ hours: hours.check(mini.meta({ description, unit: 'h' })) })
  expect(zodColumns(small)).toEqual({
    hours: { type: 'integer', min: 0, nullable: true, unit: 'h', description },
  })
})

describe('what has no column is refused with its place', () => {
  test.each<[string, z.ZodType, string]>([
    ['a number without its decimals', z.number().meta({ description }), 'decimals'],
    ['a number in steps of a quarter', z.number().multipleOf(0.25).meta({ description }), 'decimals'],
    ['a list', z.array(z.string()).meta({ description }), 'type'],
    ['an object', z.object({}).meta({ description }), 'type'],
    ['a union', z.union([z.string(), z.int()]).meta({ description }), 'type'],
    ['a transformation', z.string().transform(Number).meta({ description }), 'type'],
    ['a big integer', z.bigint().meta({ description }), 'type'],
    ['no description', z.int(), 'description'],
  ])('%s', (_, schema, place) => {
    const error = fault(z.object({ wage: schema }))
    expect(error?.code).toBe('SCHEMA_INVALID')
    expect(error?.place).toContain('wage')
    expect(`${error?.place} ${error?.message}`).toContain(place)
  })
})
