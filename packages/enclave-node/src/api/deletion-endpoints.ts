/**
 * What the node keeps no longer, as data of the API.
 * @module
 */
import * as z from 'zod'
import { type ApiRoute, addressSchema, pageSchema, simulated, statement } from './api-shapes.js'

const days = z.int().positive().nullable()

/** The call. */
export const deletionEndpoints: readonly ApiRoute[] = [
  {
    method: 'get',
    path: '/v1/deletions',
    summary:
      'What the node has deleted, in signed lists that name each other, and for how long it keeps what.',
    parameters: { from: { in: 'query', schema: pageSchema, required: false } },
    answers: {
      200: z.strictObject({
        simulated,
        retention: z
          .strictObject({
            answerDays: days,
            pools: z.record(
              addressSchema,
              z.strictObject({ contributionDays: days, copyDays: days, factsDays: days }).nullable(),
            ),
          })
          .describe('as the measured settings declare it; null: until its owner takes it back'),
        lists: z.array(statement).max(10).describe('from the list with the number `from` on'),
      }),
    },
    refusals: ['ID_INVALID'],
  },
]
