/**
 * Presentations of verifiable credentials, as data of the API.
 * @module
 */
import * as z from 'zod'
import { type ApiRoute, addressSchema, digest, simulated } from './api-shapes.js'

/** Body of a presentation. */
export const presentationSchema = z.strictObject({
  pool: addressSchema,
  nonce: z.string().max(200),
  presentation: z.string().max(65_536).describe('SD-JWT with key binding, compact'),
  statusList: z
    .string()
    .max(196_608)
    .nullable()
    .describe('token status list (JWT) in which the credential is; null: none'),
})

/** The calls. */
export const credentialEndpoints: readonly ApiRoute[] = [
  {
    method: 'get',
    path: '/v1/presentation',
    summary: 'A nonce for a presentation: its holder signs it, for this wallet and this node.',
    answers: { 200: z.strictObject({ simulated, nonce: z.string() }) },
    refusals: [],
  },
  {
    method: 'post',
    path: '/v1/presentation',
    summary:
      'Presents a verifiable credential for the access conditions of a pool, once; nothing of what it says is kept.',
    body: presentationSchema,
    answers: {
      200: z.strictObject({
        simulated,
        pool: addressSchema,
        conditions: z.array(
          z.strictObject({
            condition: digest.describe('of what the pool asks for'),
            until: z.int().nullable().describe('unix seconds; null: it does not count'),
            reason: z.string().nullable().describe('why it does not count'),
          }),
        ),
      }),
    },
    refusals: ['CREDENTIAL_BODY', 'CREDENTIAL_NONCE', 'CREDENTIAL_POOL', 'BUSY'],
  },
]
