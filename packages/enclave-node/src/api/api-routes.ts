/**
 * The calls of the HTTP API as data: what each takes and what it answers. The OpenAPI document is made of it, and the API
 * reads its input with the same schemas.
 * @module
 */
import * as z from 'zod'
import { type ApiErrorCode, apiErrorTexts } from './api-error.js'
import {
  type ApiRoute,
  addressSchema,
  base64Url,
  bundle,
  digest,
  evidence,
  gpusSchema,
  id,
  idSchema,
  job,
  json,
  nonceSchema,
  planSchema,
  proposal,
  reason,
  simulated,
  statement,
  states,
} from './api-shapes.js'
import { authenticationEndpoints } from './authentication-endpoints.js'
import { catalogueEndpoints } from './catalogue-endpoints.js'
import { credentialEndpoints } from './credential-endpoints.js'
import { deletionEndpoints } from './deletion-endpoints.js'
import { factsEndpoints } from './facts-endpoints.js'
import { federationEndpoints } from './federation-endpoints.js'
import { handOffEndpoints } from './hand-off-endpoints.js'
import { headsEndpoints } from './heads-endpoints.js'
import { lineageEndpoints } from './lineage-endpoints.js'
import { logEndpoints } from './log-endpoints.js'
import { migrationEndpoints } from './migration-endpoints.js'
import { rescoringEndpoints } from './rescoring-endpoints.js'
import { standingEndpoints } from './standing-endpoints.js'
import { validationEndpoints } from './validation-endpoints.js'

/** Every call there is. */
export const apiRoutes: readonly ApiRoute[] = [
  ...standingEndpoints,
  {
    method: 'get',
    path: '/v1/metrics',
    summary: 'Figures as Prometheus text; labels are states and pools.',
    answers: { 200: null },
    refusals: [],
  },
  {
    method: 'get',
    path: '/v1/openapi.json',
    summary: 'This document.',
    answers: { 200: json },
    refusals: [],
  },
  {
    method: 'get',
    path: '/v1/evidence',
    summary: 'Evidence over a nonce, or the registered one.',
    parameters: {
      nonce: { in: 'query', schema: nonceSchema, required: false },
      gpus: { in: 'query', schema: gpusSchema, required: false },
    },
    answers: { 200: evidence },
    refusals: ['NONCE_INVALID', 'GPUS_INVALID'],
  },
  {
    method: 'get',
    path: '/v1/pools',
    summary: 'The pools that the node serves, with their keys.',
    answers: {
      200: z.strictObject({
        simulated,
        pools: z.array(
          z.strictObject({
            pool: addressSchema,
            name: z.string(),
            policyDigest: digest,
            policy: json,
            epoch: z.int().nonnegative().nullable(),
            poolKey: z
              .strictObject({ kem: z.literal('x25519'), publicKey: base64Url, keyId: digest })
              .nullable(),
            statement: statement.nullable(),
            live: statement.nullable().describe('the node’s word that it keeps no copies for the pool'),
          }),
        ),
      }),
    },
    refusals: [],
  },
  {
    method: 'get',
    path: '/v1/contributions',
    summary: 'How many contributions stand in which state.',
    parameters: { pool: { in: 'query', schema: addressSchema, required: false } },
    answers: {
      200: z.strictObject({
        simulated,
        pool: addressSchema.nullable(),
        total: z.int().nonnegative(),
        states,
        refused: states.describe('refused contributions by reason'),
      }),
    },
    refusals: ['ADDRESS_INVALID'],
  },
  {
    method: 'get',
    path: '/v1/contributions/{id}',
    summary: 'Where one contribution stands, with the signed verdict on it.',
    parameters: id,
    answers: {
      200: z.strictObject({
        simulated,
        id: idSchema,
        pool: addressSchema,
        owner: addressSchema,
        state: z.string(),
        stateText: z.string(),
        ...reason,
        score: z.int().min(0).max(10_000).nullable(),
        verdictDigest: digest.nullable(),
        verdict: statement.nullable(),
        rescored: z
          .array(statement)
          .describe('verdicts by later proofs of the pool, none of which stands on the chain'),
      }),
    },
    refusals: ['ID_INVALID', 'CONTRIBUTION_UNKNOWN'],
  },
  {
    method: 'post',
    path: '/v1/plan',
    summary: 'What a job would cost and how exact it would be, or a signed refusal; no data is touched.',
    body: planSchema,
    answers: {
      200: z.union([
        z.strictObject({
          simulated,
          ok: z.literal(true),
          explanation: z.unknown(),
          plan: json,
          planDigest: digest,
          live: z
            .array(
              z.strictObject({
                pool: addressSchema,
                accepted: z.int().nonnegative(),
                found: z.int().nonnegative(),
                lookedAt: z
                  .int()
                  .nonnegative()
                  .nullable()
                  .describe('unix seconds of the last job’s look; null before the first'),
              }),
            )
            .describe(
              'live pools: accepted contributors, and how many of them could be had at the last look; the job looks anew, and its policy’s minimum holds for what it finds',
            ),
        }),
        z.strictObject({ simulated, ok: z.literal(false), ...bundle }),
      ]),
    },
    refusals: ['BODY_INVALID', 'PLANS_WAIT'],
  },
  {
    method: 'post',
    path: '/v1/price',
    summary: 'What a job would cost in money and budget, as far as that is known before its pools vote.',
    body: planSchema,
    answers: {
      200: z.union([
        z.strictObject({
          simulated,
          ok: z.literal(true),
          planDigest: digest,
          binding: z.literal(false).describe('the votes decide the price'),
          price: z.string().describe('protocol tokens of all pools, smallest unit'),
          pools: z.array(
            z.strictObject({
              pool: addressSchema,
              price: z.string(),
              poolTokenBurn: z.string(),
              charge: z.strictObject({ epsilon: z.string(), delta: z.string() }),
              budget: z.strictObject({
                epsilonSpent: z.string(),
                epsilonTotal: z.string(),
                deltaSpent: z.string(),
                deltaTotal: z.string(),
              }),
            }),
          ),
        }),
        z.strictObject({ simulated, ok: z.literal(false), ...bundle }),
      ]),
    },
    refusals: ['BODY_INVALID', 'PLANS_WAIT'],
  },
  {
    method: 'get',
    path: '/v1/proposals',
    summary: 'Jobs that are proposed or approved and that nobody has paid for, 100 at a time.',
    parameters: {
      pool: { in: 'query', schema: addressSchema, required: false },
      after: { in: 'query', schema: idSchema, required: false },
    },
    answers: { 200: z.strictObject({ simulated, proposals: z.array(proposal).max(100) }) },
    refusals: ['ADDRESS_INVALID', 'ID_INVALID'],
  },
  {
    method: 'get',
    path: '/v1/proposals/{id}',
    summary: 'One job as it was proposed, with its manifest where the node can have it.',
    parameters: id,
    answers: { 200: proposal.extend({ simulated, manifest: json.nullable() }) },
    refusals: ['ID_INVALID', 'JOB_UNKNOWN'],
  },
  {
    method: 'get',
    path: '/v1/jobs',
    summary: 'How many jobs stand in which state.',
    answers: { 200: z.strictObject({ simulated, states }) },
    refusals: [],
  },
  {
    method: 'get',
    path: '/v1/jobs/{id}',
    summary: 'Where one job stands.',
    parameters: id,
    answers: { 200: job },
    refusals: ['ID_INVALID', 'JOB_UNKNOWN'],
  },
  {
    method: 'post',
    path: '/v1/jobs/{id}/run',
    summary: 'Has the node look at a job now; what it may do is decided on the chain.',
    parameters: id,
    answers: { 200: job },
    refusals: ['ID_INVALID', 'JOB_UNKNOWN'],
  },
  {
    method: 'get',
    path: '/v1/jobs/{id}/receipt',
    summary: 'The receipt of a job with all that it is verified from.',
    parameters: id,
    answers: { 200: z.strictObject({ simulated, ...bundle }) },
    refusals: ['ID_INVALID', 'JOB_UNKNOWN', 'RECEIPT_NOT_READY'],
  },
  {
    method: 'get',
    path: '/v1/jobs/{id}/result',
    summary: "The answer, sealed to its consumer's key, or a recipient's view of it, sealed to his.",
    parameters: { ...id, recipient: { in: 'query', schema: addressSchema, required: false } },
    answers: {
      200: z.strictObject({
        simulated,
        job: idSchema,
        sealed: base64Url,
        sealedDigest: digest,
        resultDigest: digest,
      }),
    },
    refusals: [
      'ID_INVALID',
      'ADDRESS_INVALID',
      'JOB_UNKNOWN',
      'RESULT_NOT_READY',
      'RECIPIENT_UNKNOWN',
      'RESULT_DELETED',
    ],
  },
  ...catalogueEndpoints,
  ...factsEndpoints,
  ...rescoringEndpoints,
  ...lineageEndpoints,
  ...deletionEndpoints,
  ...logEndpoints,
  ...authenticationEndpoints,
  ...credentialEndpoints,
  ...handOffEndpoints,
  ...federationEndpoints,
  ...headsEndpoints,
  ...migrationEndpoints,
  ...validationEndpoints,
]

/** Refusals that any call may get. */
export const everyRefusal = [
  'NOT_FOUND',
  'BODY_TOO_LARGE',
  'ADDRESS_TOO_LONG',
  'ENCODING_UNSUPPORTED',
  'RATE_LIMITED',
  'SIGN_IN_REQUIRED',
  'ROLE_NOT_ALLOWED',
  'TOKEN_INVALID',
  'TOKEN_EXPIRED',
  'TOKEN_REVOKED',
  'TOKEN_OUT_OF_SCOPE',
  'CREDENTIAL_EXPOSED',
  'SEALED_CALL_REQUIRED',
  'KEYS_MOVED',
  'STATE_UNCONFIRMED',
  'INTERNAL',
] as const satisfies readonly ApiErrorCode[]

/** Status of each refusal. */
export const refusalStatus = {
  NOT_FOUND: 404,
  NONCE_INVALID: 400,
  GPUS_INVALID: 400,
  ADDRESS_INVALID: 400,
  ID_INVALID: 400,
  BODY_INVALID: 400,
  BODY_TOO_LARGE: 413,
  ENCODING_UNSUPPORTED: 415,
  ADDRESS_TOO_LONG: 414,
  RATE_LIMITED: 429,
  PLANS_WAIT: 503,
  CONTRIBUTION_UNKNOWN: 404,
  JOB_UNKNOWN: 404,
  RECEIPT_NOT_READY: 404,
  RESULT_NOT_READY: 404,
  RECIPIENT_UNKNOWN: 404,
  RESULT_DELETED: 410,
  CATALOGUE_QUERY_INVALID: 400,
  POOL_NOT_LISTED: 404,
  TILE_UNKNOWN: 404,
  SIGN_IN_REQUIRED: 401,
  ROLE_NOT_ALLOWED: 403,
  TOKEN_INVALID: 401,
  TOKEN_EXPIRED: 401,
  TOKEN_REVOKED: 401,
  TOKEN_OUT_OF_SCOPE: 403,
  CREDENTIAL_EXPOSED: 400,
  SEALED_CALL_REQUIRED: 400,
  MEDIA_TYPE_INVALID: 415,
  SEALED_CALL_INVALID: 400,
  CALL_STALE: 400,
  CALL_REPEATED: 409,
  BUSY: 503,
  SIGN_IN_BODY: 400,
  SIGN_IN_MESSAGE: 401,
  SIGN_IN_DOMAIN: 401,
  SIGN_IN_CHAIN: 401,
  SIGN_IN_KEY_SET: 401,
  SIGN_IN_EXPIRED: 401,
  SIGN_IN_NOT_YET: 401,
  SIGN_IN_NONCE: 401,
  SIGN_IN_SIGNATURE: 401,
  SIGN_IN_ROLE: 403,
  TOKEN_REQUEST_INVALID: 400,
  REVOCATION_INVALID: 400,
  CREDENTIAL_BODY: 400,
  CREDENTIAL_NONCE: 401,
  CREDENTIAL_POOL: 404,
  HAND_OFF_NOT_SERVED: 404,
  HAND_OFF_BODY: 400,
  HAND_OFF_JOB: 403,
  HAND_OFF_FULL: 503,
  HAND_OFF_UNKNOWN: 404,
  HAND_OFF_TOO_LARGE: 413,
  HAND_OFF_DIFFERS: 409,
  HAND_OFF_CHUNK: 400,
  HAND_OFF_NOT_READY: 404,
  FEDERATION_NOT_SERVED: 404,
  FEDERATION_BODY: 400,
  SHARES_UNKNOWN: 404,
  VALIDATION_NOT_SERVED: 404,
  VALIDATION_BODY: 400,
  VERDICTS_UNKNOWN: 404,
  HEADS_NOT_KEPT: 404,
  HEADS_BODY: 400,
  STATE_UNCONFIRMED: 503,
  WORK_UNKNOWN: 404,
  LINEAGE_UNKNOWN: 404,
  KEYS_MOVED: 503,
  MIGRATION_NOT_OPEN: 403,
  MIGRATION_NONCE: 401,
  MIGRATION_NOT_ATTESTED: 403,
  MIGRATION_SETTINGS: 403,
  MIGRATION_DONE: 409,
  INTERNAL: 500,
} as const satisfies Record<ApiErrorCode, number>

/** The form of a refusal. @param codes of which it may be */
export function refusalSchema(codes: readonly ApiErrorCode[]): z.ZodType {
  return z.strictObject({
    simulated,
    error: z.union(
      codes.map((code) => z.strictObject({ code: z.literal(code), message: z.literal(apiErrorTexts[code]) })),
    ),
  })
}
