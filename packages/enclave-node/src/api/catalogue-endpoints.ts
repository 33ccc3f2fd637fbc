/**
 * The catalogue as data of the API.
 * @module
 */
import * as z from 'zod'
import { cursorPattern, maximumQueryLength } from '../catalogue/catalogue-index.js'
import { type ApiRoute, digest, simulated, statement } from './api-shapes.js'

/** What is looked for. */
export const catalogueParameters = {
  text: z.string().max(maximumQueryLength).describe('words that must all occur, at least as beginnings'),
  schema: digest,
  after: z.string().regex(cursorPattern).describe('`next` of the page before'),
  own: z.enum(['true', 'false']).describe('only what this node serves itself'),
}

/** Calls of the catalogue. */
export const catalogueEndpoints: readonly ApiRoute[] = [
  {
    method: 'get',
    path: '/v1/catalogue',
    summary: 'Pools of this node and of peers that it attests, 50 at a time, as their nodes signed them.',
    parameters: Object.fromEntries(
      Object.entries(catalogueParameters).map(([name, schema]) => [
        name,
        { in: 'query' as const, schema, required: false },
      ]),
    ),
    answers: {
      200: z.strictObject({
        simulated,
        total: z.int().nonnegative(),
        entries: z.array(statement).max(50),
        next: z.string().nullable(),
      }),
    },
    refusals: ['CATALOGUE_QUERY_INVALID'],
  },
]
