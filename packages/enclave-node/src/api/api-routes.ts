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
  /** Media types of body and answer when they are not JSON. */
  readonly media?: { readonly body?: string; readonly answer?: string }
  /** Answers by status; null: text. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>
  /** Refusals of this call alone; see {@link everyRefusal}. */
  readonly refusals: readonly ApiErrorCode[]
}

const pageSchema = z.string().regex(/^(0|[1-9]\d{0,14})$/)
/** Body of a sign-in. */
export const signInSchema = z.strictObject({
  message: z.string().max(3_000),
  signature: z.string().regex(/^0x(?:[0-9a-fA-F]{2}){1,4096}$/),
})
/** Body of a request for a token. */
export const tokenRequestSchema = z.strictObject({
  expiresAt: z.int().positive(),
  caveats: z.array(z.record(z.string(), z.unknown())).max(8).default([]),
})
/** Body of a revocation. */
export const revocationSchema = z.strictObject({ token: z.string().max(8_192) })
/** Body of a sign-out. */
export const nothingSchema = z.strictObject({})
/** Where a list goes on. */
export { pageSchema }

const proposal = z.strictObject({
  id: idSchema,
  consumer: addressSchema,
  pools: z.array(addressSchema),
  manifestDigest: digest,
  locator: z.string(),
  chainState: z.string(),
  approvals: z.array(z.strictObject({ pool: addressSchema, block: z.string(), price: z.string() })),
})
const role = z.enum(['contributor', 'consumer', 'operator', 'peer'])
const caller = z.string().describe('under which the audit log names this wallet')

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
    refusals: ['BODY_INVALID'],
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
  {
    method: 'get',
    path: '/v1/log/key',
    summary: 'The key of the log of receipts, with the node’s statement on it.',
    answers: { 200: z.strictObject({ simulated, key: z.string(), statement }) },
    refusals: [],
  },
  {
    method: 'get',
    path: '/v1/log/checkpoint',
    summary: 'The newest signed checkpoint of the log of receipts (C2SP tlog-checkpoint).',
    answers: { 200: null },
    refusals: [],
  },
  {
    method: 'get',
    path: '/v1/log/tile/{level}/{tile}',
    summary: 'A tile of the log of receipts (C2SP tlog-tiles).',
    parameters: {
      level: { in: 'path', schema: z.string().regex(/^([0-5]|entries)$/), required: true },
      tile: { in: 'path', schema: z.string().max(40), required: true },
    },
    answers: { 200: null },
    media: { answer: 'application/octet-stream' },
    refusals: ['TILE_UNKNOWN'],
  },
  {
    method: 'get',
    path: '/v1/audit',
    summary: 'Entries of the audit log, 500 at a time, with its signed head.',
    parameters: { from: { in: 'query', schema: pageSchema, required: false } },
    answers: {
      200: z.strictObject({
        simulated,
        length: z.int().nonnegative(),
        digest: digest.nullable(),
        head: statement,
        entries: z.array(json).max(500),
      }),
    },
    refusals: ['ID_INVALID'],
  },
  {
    method: 'post',
    path: '/v1/sealed',
    summary: 'Any other call, sealed to the node’s key set from end to end (HPKE).',
    body: z.string(),
    media: { body: 'application/vnd.sealpool.sealed-call', answer: 'application/vnd.sealpool.sealed-answer' },
    answers: { 200: null },
    refusals: ['MEDIA_TYPE_INVALID', 'SEALED_CALL_INVALID', 'CALL_STALE', 'CALL_REPEATED', 'BUSY'],
  },
  {
    method: 'get',
    path: '/v1/sign-in',
    summary: 'A nonce for a sign-in, and what its message must name.',
    answers: {
      200: z.strictObject({
        simulated,
        nonce: z.string(),
        domain: z.string(),
        uri: z.string(),
        chainId: z.int().positive(),
        keySet: digest,
      }),
    },
    refusals: [],
  },
  {
    method: 'post',
    path: '/v1/sign-in',
    summary: 'Begins a session of a wallet that has signed an EIP-4361 message.',
    body: signInSchema,
    answers: {
      200: z.strictObject({
        simulated,
        token: z.string(),
        address: addressSchema,
        roles: z.array(role),
        expiresAt: z.int(),
        caller,
      }),
    },
    refusals: [
      'SIGN_IN_BODY',
      'SIGN_IN_MESSAGE',
      'SIGN_IN_DOMAIN',
      'SIGN_IN_CHAIN',
      'SIGN_IN_KEY_SET',
      'SIGN_IN_EXPIRED',
      'SIGN_IN_NOT_YET',
      'SIGN_IN_NONCE',
      'SIGN_IN_SIGNATURE',
      'SIGN_IN_ROLE',
      'BUSY',
    ],
  },
  {
    method: 'post',
    path: '/v1/sign-out',
    summary: 'Ends the session, and every token that was narrowed from it.',
    body: nothingSchema,
    answers: { 200: z.strictObject({ simulated, ended: z.literal(true) }) },
    refusals: [],
  },
  {
    method: 'post',
    path: '/v1/tokens',
    summary: 'A token for an agent: the wallet’s rights as far as agents have them, narrowed by the caveats.',
    body: tokenRequestSchema,
    answers: { 200: z.strictObject({ simulated, token: z.string(), id: z.string(), expiresAt: z.int() }) },
    refusals: ['TOKEN_REQUEST_INVALID'],
  },
  {
    method: 'post',
    path: '/v1/tokens/revoke',
    summary: 'Revokes a token of the same wallet, and all that were narrowed from it.',
    body: revocationSchema,
    answers: { 200: z.strictObject({ simulated, revoked: z.string() }) },
    refusals: ['REVOCATION_INVALID'],
  },
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
