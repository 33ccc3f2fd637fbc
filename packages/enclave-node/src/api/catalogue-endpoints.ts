/**
 * The catalogue as data of the API.
 * @module
 */
import * as z from 'zod'
import { cursorPattern, maximumQueryLength } from '../catalogue/catalogue-index.js'
import { similarAtOnce } from '../catalogue/node-catalogue.js'
import { type ApiRoute, addressSchema, digest, simulated, statement } from './api-shapes.js'

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
  {
    method: 'get',
    path: '/v1/catalogue/{pool}/similar',
    summary:
      'The pools of the catalogue that declare most in common with this one, as their nodes signed them.',
    parameters: { pool: { in: 'path', schema: addressSchema, required: true } },
    answers: {
      200: z.strictObject({
        simulated,
        pool: addressSchema,
        similar: z
          .array(
            z.strictObject({
              likeness: z
                .int()
                .min(1)
                .max(1_000)
                .describe('in thousandths of what either declares: schema, columns, words'),
              entry: statement,
            }),
          )
          .max(similarAtOnce),
      }),
    },
    refusals: ['ADDRESS_INVALID', 'POOL_NOT_LISTED'],
  },
]
