/**
 * Calls of jobs over pools of several homes, as data.
 * @module
 */
import * as z from 'zod'
import { type ApiRoute, base64Url, digest, id, idSchema, simulated, statement } from './api-shapes.js'

/** Body that asks a home for its share. */
export const shareWishSchema = z.strictObject({
  job: idSchema,
  plan: digest,
  step: z.enum(['look', 'charge']),
})

/** The calls. */
export const federationEndpoints: readonly ApiRoute[] = [
  {
    method: 'get',
    path: '/v1/jobs/{id}/shares',
    summary:
      'What the homes of a job’s pools have signed: shares, and refusals. The receipt names their digests.',
    parameters: id,
    answers: { 200: z.strictObject({ simulated, job: idSchema, shares: z.array(statement) }) },
    refusals: ['ID_INVALID', 'JOB_UNKNOWN', 'SHARES_UNKNOWN'],
  },
  {
    method: 'post',
    path: '/v1/federation/share',
    summary:
      'Asks a home for its share of a job over pools of several homes, as the node that coordinates it.',
    body: shareWishSchema,
    answers: {
      200: z.union([
        z.strictObject({ simulated, state: z.literal('willing') }),
        z.strictObject({ simulated, state: z.literal('given'), sealed: base64Url, share: statement }),
        z.strictObject({ simulated, state: z.literal('later'), reason: z.string() }),
        z.strictObject({ simulated, state: z.literal('refused'), refusal: statement }),
      ]),
    },
    refusals: ['FEDERATION_NOT_SERVED', 'FEDERATION_BODY'],
  },
]
