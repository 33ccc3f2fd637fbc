/**
 * The calls of the HTTP API as data: what each takes and what it answers. The OpenAPI document is made of it, and the API
 * reads its input with the same schemas.
 * @module
 */
import * as z from 'zod'
import { type ApiErrorCode, apiErrorTexts } from './api-error.js'

/** 32 bytes that make evidence fresh. */
export const nonceSchema = z.string().regex(/^0x[0-9a-f]{64}$/)
/** Address of a pool or wallet. */
export const addressSchema = z.string().regex(/^0x[0-9a-fA-F]{40}$/)
/** Number of a contribution or job, decimal, at most 18 digits. */
export const idSchema = z.string().regex(/^(0|[1-9]\d{0,17})$/)
/** Body of a plan. */
export const planSchema = z.strictObject({ manifest: z.unknown() })

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)
const base64Url = z.string().regex(/^[A-Za-z0-9_-]*$/)
const simulated = z.boolean().describe('true when no hardware stands behind the node')
/** A signed statement; what it says is checked by whoever verifies it. */
const statement = z.looseObject({
  statement: z.looseObject({}),
  context: z.looseObject({}),
  signature: z.string(),
})
const json = z.record(z.string(), z.unknown())
const reason = { reason: z.string().nullable(), reasonText: z.string().nullable() }
const states = z.record(z.string(), z.int().nonnegative())

const bundle = {
  receipt: statement,
  evidence: json,
  policies: z.record(z.string(), json.nullable()).describe('by pool'),
  manifest: json.nullable(),
  plan: json.nullable(),
  verdicts: z.record(z.string(), z.array(digest)).describe('digests of the verdicts on the inputs, by pool'),
}
const job = z.strictObject({
  simulated,
  id: idSchema,
  state: z.string(),
  stateText: z.string(),
  chainState: z.string(),
  ...reason,
  reasons: z.array(z.strictObject({ code: z.string(), text: z.string().nullable() })),
  receipt: statement.nullable(),
})

/** One call. */
export interface ApiRoute {
  readonly method: 'get' | 'post'
  /** With parameters in braces, as OpenAPI writes them. */
  readonly path: string
  readonly summary: string
  readonly parameters?: Readonly<
    Record<string, { readonly in: 'path' | 'query'; readonly schema: z.ZodType; readonly required: boolean }>
  >
  readonly body?: z.ZodType
  /** Answers by status; null: text. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>
  /** Refusals of this call alone; see {@link everyRefusal}. */
  readonly refusals: readonly ApiErrorCode[]
}

const id = { id: { in: 'path', schema: idSchema, required: true } } as const

/** Every call there is. */
export const apiRoutes: readonly ApiRoute[] = [
  {
    method: 'get',
    path: '/v1/health',
    summary: 'The process answers.',
    answers: { 200: z.strictObject({ simulated, ok: z.literal(true) }) },
    refusals: [],
  },
  {
    method: 'get',
    path: '/v1/ready',
    summary: 'Whether the node works, and why not.',
    answers: {
      200: z.strictObject({ simulated, ready: z.literal(true), reasons: z.array(z.string()).max(0) }),
      503: z.strictObject({ simulated, ready: z.literal(false), reasons: z.array(z.string()).min(1) }),
    },
    refusals: [],
  },
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
    parameters: { nonce: { in: 'query', schema: nonceSchema, required: false } },
    answers: { 200: z.looseObject({ simulated }) },
    refusals: ['NONCE_INVALID'],
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
        }),
        z.strictObject({ simulated, ok: z.literal(false), ...bundle }),
      ]),
    },
    refusals: ['BODY_INVALID'],
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
    summary: "The answer, sealed to its consumer's key.",
    parameters: id,
    answers: {
      200: z.strictObject({
        simulated,
        job: idSchema,
        sealed: base64Url,
        sealedDigest: digest,
        resultDigest: digest,
      }),
    },
    refusals: ['ID_INVALID', 'JOB_UNKNOWN', 'RESULT_NOT_READY'],
  },
]

/** Refusals that any call may get. */
export const everyRefusal = [
  'NOT_FOUND',
  'BODY_TOO_LARGE',
  'ADDRESS_TOO_LONG',
  'ENCODING_UNSUPPORTED',
  'RATE_LIMITED',
  'INTERNAL',
] as const satisfies readonly ApiErrorCode[]

/** Status of each refusal. */
export const refusalStatus = {
  NOT_FOUND: 404,
  NONCE_INVALID: 400,
  ADDRESS_INVALID: 400,
  ID_INVALID: 400,
  BODY_INVALID: 400,
  BODY_TOO_LARGE: 413,
  ENCODING_UNSUPPORTED: 415,
  ADDRESS_TOO_LONG: 414,
  RATE_LIMITED: 429,
  CONTRIBUTION_UNKNOWN: 404,
  JOB_UNKNOWN: 404,
  RECEIPT_NOT_READY: 404,
  RESULT_NOT_READY: 404,
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
