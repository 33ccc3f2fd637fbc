/**
 * From a job's answer back to contributions, as data of the API.
 * @module
 */
import * as z from 'zod'
import {
  type ApiRoute,
  addressSchema,
  digest,
  id,
  idSchema,
  pageSchema,
  simulated,
  statement,
} from './api-shapes.js'

const block = z.string().regex(/^(0|[1-9]\d{0,14})$/)

/** The call. */
export const lineageEndpoints: readonly ApiRoute[] = [
  {
    method: 'get',
    path: '/v1/jobs/{id}/lineage',
    summary:
      'What a job was made of: the refinements that it read, as the node signed them, and the contributions in each, a page at a time. With the receipt anybody walks back from the answer to contributions.',
    parameters: { ...id, from: { in: 'query', schema: pageSchema, required: false } },
    answers: {
      200: z.strictObject({
        simulated,
        job: idSchema,
        refinements: z.array(
          z.strictObject({
            pool: addressSchema,
            statement: statement
              .nullable()
              .describe(
                'null where an earlier release signed it: its statements say how many rows a batch gave',
              ),
            block: block.nullable().describe('in which it stood on the chain; null: not yet'),
            contributions: z
              .array(
                z.strictObject({
                  contribution: idSchema,
                  blob: digest,
                  commitment: digest,
                  verdict: digest,
                  block,
                  judgedBlock: block
                    .nullable()
                    .describe('in which its verdict stood on the chain; null: not yet'),
                }),
              )
              .describe('by number; those that were erased since are missing'),
          }),
        ),
        next: pageSchema.nullable().describe('`from` of the next page; null: this is the last one'),
      }),
    },
    refusals: ['ID_INVALID', 'JOB_UNKNOWN', 'LINEAGE_UNKNOWN'],
  },
]
