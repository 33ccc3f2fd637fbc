/**
 * What a home signs when it refuses its share of a job: for what, to whom, and one of a fixed list of reasons. The receipt of the
 * job names its digest.
 * @module
 */
import type { Address, Digest, JsonObject, SignedStatement } from '@sealpool/crypto'
import * as z from 'zod'
import { type ExpectedStatement, readStatement } from '../hand-off/hand-off-statements.js'
import { type NodeSigner, subjectOf } from '../key/node-signer.js'

/**
 * Why a home gives no share: chosen by request, chain, votes, policy and budget. `EXECUTION_FAILED` stands for whatever ended a job
 * after the home's charge, where a reason may depend on data; `NOT_PLANNED` for whatever a planner says, whose reasons are many.
 */
export const shareRefusalReasons = [
  'ACCESS_DENIED',
  'ACCESS_UNKNOWN',
  'BUDGET_EXHAUSTED',
  'COMPUTATION_NOT_ALLOWED',
  'COORDINATOR_NOT_ATTESTED',
  'DECLARATION_DIFFERS',
  'EXECUTION_FAILED',
  'HAND_OFF_NOT_SHARED',
  'JOB_ALREADY_CHARGED',
  'JOB_NOT_APPROVED',
  'JOB_NOT_DIVISIBLE',
  'JOB_NUMBER_REUSED',
  'MANIFEST_CONSUMER_DIFFERS',
  'MANIFEST_DIGEST_MISMATCH',
  'MANIFEST_INVALID',
  'MANIFEST_MISSING',
  'MANIFEST_POOLS_DIFFER',
  'NOT_DIVISIBLE',
  'NOT_PLANNED',
  'PLAN_DIFFERS',
  'POOL_NOT_SERVED',
  'POOL_NOT_USED',
  'POOL_STOPPED',
  'PURPOSE_NOT_ALLOWED',
  'SHARE_JOB',
  'STATE_ROLLED_BACK',
  'TOO_FEW_CONTRIBUTORS',
  'VIEW_COLUMN_UNKNOWN',
  'VIEW_NOT_ALLOWED',
] as const

/** One of {@link shareRefusalReasons}. */
export type ShareRefusalReason = (typeof shareRefusalReasons)[number]

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/) as z.ZodType<Digest>
const address = z.string().regex(/^0x[0-9a-f]{40}$/) as z.ZodType<Address>

const refusalBodySchema = z.strictObject({
  job: z.string().regex(/^(0|[1-9]\d{0,17})$/),
  /** Of the job that this home knows by the number. */
  manifest: digest,
  /** The plan that it was asked about; not by itself its own. */
  plan: digest,
  step: z.enum(['look', 'charge']),
  /** The node that it is told to. */
  coordinator: address,
  reason: z.enum(shareRefusalReasons),
  /** Whether the home has charged its pools for this job. */
  charged: z.boolean(),
  keySet: digest,
  quote: digest,
  simulated: z.boolean(),
  issuedAt: z.iso.datetime(),
})

/** Body of a `sealpool/share-refusal` statement. */
export type ShareRefusalBody = z.output<typeof refusalBodySchema>

/** A home's refusal, verified. */
export interface GivenRefusal {
  readonly body: ShareRefusalBody
  readonly statement: SignedStatement
}

/** @returns the reason that is signed for a code */
export function shareRefusalReason(code: string): ShareRefusalReason {
  return shareRefusalReasons.find((reason) => reason === code) ?? 'NOT_PLANNED'
}

/** Signs for a refusal. @param pool the job's first one: a home that refuses may have none */
export function signShareRefusal(sign: NodeSigner, pool: Address, body: ShareRefusalBody): SignedStatement {
  return sign({
    type: 'sealpool/share-refusal',
    body: body satisfies JsonObject,
    pool,
    subject: subjectOf(body.job),
    nonce: '0',
  })
}

/** @returns a `sealpool/share-refusal` statement with what it says; undefined unless the expected home signed it for this job */
export function readShareRefusal(value: unknown, expected: ExpectedStatement): GivenRefusal | undefined {
  const found = readStatement(value, 'sealpool/share-refusal', refusalBodySchema, expected)
  return found === undefined ? undefined : { body: found.body, statement: found.signed }
}
