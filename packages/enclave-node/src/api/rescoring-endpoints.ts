/**
 * Signed rescorings of pools, as data of the API.
 * @module
 */
import * as z from 'zod'
import { type ApiRoute, addressSchema, pageSchema, simulated, statement } from './api-shapes.js'

/** The call. */
export const rescoringEndpoints: readonly ApiRoute[] = [
  {
    method: 'get',
    path: '/v1/rescorings',
    summary:
      'What the present proof of a pool says of contributions that an earlier one accepted, as the node signed it: old scores beside new ones, a page at a time.',
    parameters: {
      pool: { in: 'query', schema: addressSchema, required: true },
      from: { in: 'query', schema: pageSchema, required: false },
    },
    answers: {
      200: z.strictObject({ simulated, pool: addressSchema, rescorings: z.array(statement) }),
    },
    refusals: ['ADDRESS_INVALID', 'ID_INVALID'],
  },
]
