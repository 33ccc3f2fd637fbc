/**
 * Calls by which nodes remember how far each other's states have come, as data.
 * @module
 */
import * as z from 'zod'
import { type ApiRoute, addressSchema, digest, simulated, statement } from './api-shapes.js'

/** Body of a question: signed by who asks, so that one that is not registered yet, or not any more, may ask too. */
export const headQuestionSchema = z.strictObject({ question: z.unknown() })
/** Body of a head. */
export const headWishSchema = z.strictObject({
  head: z.unknown(),
  /** Digest of the head that the node believes to be kept. */
  previous: digest.nullable(),
})

const refused = z.strictObject({ simulated, state: z.enum(['refused', 'later']), reason: z.string() })
const pair = z.array(statement).length(2)

/** The calls. */
export const headsEndpoints: readonly ApiRoute[] = [
  {
    method: 'post',
    path: '/v1/heads/ask',
    summary: 'What this node remembers of the state of the node that has signed the question.',
    body: headQuestionSchema,
    answers: {
      200: z.union([
        z.strictObject({
          simulated,
          state: z.literal('known'),
          head: statement.nullable(),
          conflict: pair.nullable().describe('two heads of one version that the node has signed'),
        }),
        refused,
      ]),
    },
    refusals: ['HEADS_NOT_KEPT', 'HEADS_BODY'],
  },
  {
    method: 'post',
    path: '/v1/heads/keep',
    summary: 'Has this node remember how far the state of the node has come that has signed the head.',
    body: headWishSchema,
    answers: {
      200: z.union([
        z.strictObject({ simulated, state: z.literal('kept') }),
        z.strictObject({ simulated, state: z.literal('differs'), head: statement.nullable() }),
        refused,
      ]),
    },
    refusals: ['HEADS_NOT_KEPT', 'HEADS_BODY'],
  },
  {
    method: 'get',
    path: '/v1/heads/conflicts',
    summary:
      'Nodes that have signed two different heads of one version, with both: their states were put back.',
    answers: {
      200: z.strictObject({
        simulated,
        conflicts: z.array(z.strictObject({ node: addressSchema, statements: pair })).max(50),
      }),
    },
    refusals: ['HEADS_NOT_KEPT'],
  },
]
