/**
 * What the running node signs of a hand-off: the key that it made for a transfer, and the work that it did.
 * @module
 */
import type { AppraisedGpus } from '@sealpool/attest'
import {
  type Address,
  CryptoError,
  type Digest,
  type JsonObject,
  parseSignedStatement,
  type SignedStatement,
  statementDigest,
  verifyStatement,
} from '@sealpool/crypto'
import * as z from 'zod'
import { type NodeSigner, subjectOf } from '../key/node-signer.js'
import { secretText } from './secret-text.js'

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/) as z.ZodType<Digest>
const address = z.string().regex(/^0x[0-9a-f]{40}$/) as z.ZodType<Address>
const transfer = z.string().regex(/^[0-9a-f]{32}$/)
const job = z.string().regex(/^(0|[1-9]\d{0,17})$/)

const transferKeySchema = z.strictObject({
  transfer,
  job,
  home: address,
  manifest: digest,
  /** X25519, base64url: made for this transfer, never stored, destroyed with it. */
  publicKey: secretText,
  keySet: digest,
})
/** Body of a `sealpool/hand-off-key` statement: what is sealed to this key is for this transfer. */
export type TransferKey = z.output<typeof transferKeySchema>

const workSchema = z.strictObject({
  transfer,
  job,
  home: address,
  manifest: digest,
  plan: digest,
  /** Digest of the canonical list of the files that were given: lengths and digests. */
  parts: digest,
  /** SHA-256 of the opened answer's bytes, and of the sealed ones. */
  answer: digest,
  sealed: digest,
  keySet: digest,
  quote: digest,
  isolation: z.string().min(1).max(4_000),
  simulated: z.boolean(),
  /** Which shard of the job it ran, as `1/3`; absent: the whole. */
  shard: z.exactOptional(z.string().regex(/^[1-9]\d?\/[1-9]\d?$/)),
  issuedAt: z.iso.datetime(),
})
/** Body of a `sealpool/work` statement: what a node says of a job that it ran for another one. */
export type Work = z.output<typeof workSchema>

/** What a receipt names of a hand-off. */
export interface HandOffFacts {
  /** Statement key of the node that ran the job. */
  readonly node: Address
  readonly keySet: Digest
  readonly isolation: string
  readonly work: SignedStatement
  /** What it had proved of its GPUs, where the manifest demands any. */
  readonly gpu?: AppraisedGpus
}

/** Where statements of hand-offs belong: the job's first pool. */
export interface HandOffPlace {
  readonly pool: Address
  readonly job: string
}

/** Signs for the key of a transfer. */
export function signTransferKey(sign: NodeSigner, place: HandOffPlace, body: TransferKey): SignedStatement {
  return signed(sign, 'sealpool/hand-off-key', place, body)
}

/** Signs for the work that was done. */
export function signWork(sign: NodeSigner, place: HandOffPlace, body: Work): SignedStatement {
  return signed(sign, 'sealpool/work', place, body)
}

function signed(
  sign: NodeSigner,
  type: string,
  { pool, job: id }: HandOffPlace,
  body: object,
): SignedStatement {
  return sign({ type, body: body as JsonObject, pool, subject: subjectOf(id), nonce: '0' })
}

/** What a statement must be, besides its body. */
export interface ExpectedStatement extends HandOffPlace {
  readonly signer: Address
  readonly deployment: NodeSigner['deployment']
}

/** @returns what a `sealpool/hand-off-key` statement says; undefined unless the expected node signed it for this job */
export function readTransferKey(value: unknown, expected: ExpectedStatement): TransferKey | undefined {
  return readStatement(value, 'sealpool/hand-off-key', transferKeySchema, expected)?.body
}

/** @returns a `sealpool/work` statement with what it says; undefined unless the expected node signed it for this job */
export function readWork(
  value: unknown,
  expected: ExpectedStatement,
): { readonly body: Work; readonly signed: SignedStatement; readonly digest: Digest } | undefined {
  const found = readStatement(value, 'sealpool/work', workSchema, expected)
  return found === undefined ? undefined : { ...found, digest: statementDigest(found.signed.statement) }
}

/** @returns what a statement of a type says; undefined unless the expected node signed it for this job */
export function readStatement<T>(
  value: unknown,
  type: string,
  schema: z.ZodType<T>,
  { signer, deployment, pool, job: id }: ExpectedStatement,
): { readonly body: T; readonly signed: SignedStatement } | undefined {
  let statement: SignedStatement
  try {
    statement = parseSignedStatement(value)
  } catch (cause) {
    if (cause instanceof CryptoError) return undefined
    throw cause
  }
  const { context } = statement
  const fits =
    statement.statement.type === type &&
    statement.statement.version === 1 &&
    context.chainId === deployment.chainId &&
    context.registry.toLowerCase() === deployment.nodeRegistry.toLowerCase() &&
    context.pool.toLowerCase() === pool.toLowerCase() &&
    context.subject === subjectOf(id) &&
    context.nonce === '0' &&
    context.facts.length === 0 &&
    verifyStatement(statement, { signer })
  const body = fits ? schema.safeParse(statement.statement.body) : undefined
  return body?.success === true ? { body: body.data, signed: statement } : undefined
}
