/**
 * Signed facts about pools' tables, as data of the API.
 * @module
 */
import * as z from 'zod'
import { type ApiRoute, addressSchema, simulated, statement } from './api-shapes.js'

/** The call. */
export const factsEndpoints: readonly ApiRoute[] = [
  {
    method: 'get',
    path: '/v1/facts',
    summary:
      'What is in a pool’s tables, in numbers with noise that its budget paid for, as the node signed them.',
    parameters: { pool: { in: 'query', schema: addressSchema, required: true } },
    answers: {
      200: z.strictObject({
        simulated,
        pool: addressSchema,
        facts: z.array(
          z.strictObject({
            number: z.int().positive().describe('of the set; a later one is of a larger pool'),
            table: z.string(),
            input: z
              .looseObject({})
              .describe('what they are about: its digest is the commitment of the statement'),
            statement,
          }),
        ),
      }),
    },
    refusals: ['ADDRESS_INVALID'],
  },
]
