/**
 * The forms of what the HTTP API takes and answers.
 * @module
 */
import type { Hex } from '@sealpool/crypto'
import * as z from 'zod'
import type { ApiErrorCode } from './api-error.js'

/** 32 bytes that make evidence fresh. */
export const nonceSchema = z.string().regex(/^0x[0-9a-f]{64}$/)
/** Asks for evidence of the GPUs besides. */
export const gpusSchema = z.literal('true').describe('with evidence of the GPUs, where the machine has any')
/** What is asked of evidence; whatever else stands in an address is not looked at. */
export const evidenceSchema = z
  .object({
    nonce: nonceSchema.transform((nonce) => nonce as Hex).optional(),
    gpus: gpusSchema.optional().transform((gpus) => gpus !== undefined),
  })
  .refine(({ nonce, gpus }) => !gpus || nonce !== undefined, { path: ['gpus'] })
/** Address of a pool or wallet. */
export const addressSchema = z.string().regex(/^0x[0-9a-fA-F]{40}$/)
/** Number of a contribution or job, decimal, at most 18 digits. */
export const idSchema = z.string().regex(/^(0|[1-9]\d{0,17})$/)
/** Body of a plan. */
export const planSchema = z.strictObject({ manifest: z.unknown() })

/** Part of answers. */
export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)
/** Part of answers. */
export const base64Url = z.string().regex(/^[A-Za-z0-9_-]*$/)
export const simulated = z.boolean().describe('true when no hardware stands behind the node')
/** Evidence as far as the API itself speaks of it; read whole by whoever verifies it. */
export const evidence = z.looseObject({
  simulated,
  gpu: z
    .strictObject({ eventLog: z.string(), token: z.string() })
    .optional()
    .describe('of the GPUs, as JSON texts; where it was asked for and the machine has any'),
})
/** A signed statement; what it says is checked by whoever verifies it. */
export const statement = z.looseObject({
  statement: z.looseObject({}),
  context: z.looseObject({}),
  signature: z.string(),
})
/** Part of answers. */
export const json = z.record(z.string(), z.unknown())
/** Part of answers. */
export const reason = { reason: z.string().nullable(), reasonText: z.string().nullable() }
/** Part of answers. */
export const states = z.record(z.string(), z.int().nonnegative())

/** Part of answers. */
export const bundle = {
  receipt: statement,
  evidence: json,
  policies: z.record(z.string(), json.nullable()).describe('by pool'),
  manifest: json.nullable(),
  plan: json.nullable(),
  verdicts: z.record(z.string(), z.array(digest)).describe('digests of the verdicts on the inputs, by pool'),
}
/** Part of answers. */
export const job = z.strictObject({
  simulated,
  id: idSchema,
  state: z.string(),
  stateNumber: z.int().positive().describe('stays the same when texts are worded anew'),
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

/** Where a list goes on. */
export const pageSchema = z.string().regex(/^(0|[1-9]\d{0,14})$/)
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

/** Part of answers. */
export const proposal = z.strictObject({
  id: idSchema,
  consumer: addressSchema,
  pools: z.array(addressSchema),
  manifestDigest: digest,
  locator: z.string(),
  chainState: z.string(),
  approvals: z.array(z.strictObject({ pool: addressSchema, block: z.string(), price: z.string() })),
})
/** Part of answers. */
export const role = z.enum(['contributor', 'consumer', 'operator', 'peer'])
/** Part of answers. */
export const caller = z.string().describe('under which the audit log names this wallet')

/** Parameter of paths about one thing. */
export const id = { id: { in: 'path', schema: idSchema, required: true } } as const
