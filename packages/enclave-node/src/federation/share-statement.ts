/**
 * What a home signs for its share of a job: which pools it charged and what, from which inputs, for whom. The receipt of the job
 * names its digest.
 * @module
 */
import type { Address, Digest, Hex, JsonObject, SignedStatement } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import { type ExpectedStatement, readStatement } from '../hand-off/hand-off-statements.js'
import { type NodeSigner, subjectOf } from '../key/node-signer.js'

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/) as z.ZodType<Digest>
const address = z.string().regex(/^0x[0-9a-f]{40}$/) as z.ZodType<Address>
const amount = z
  .string()
  .max(120)
  .regex(/^(?:0|[1-9][0-9]*)(?:\.[0-9]{1,60})?$/)
const count = z.int().min(0)
const budget = z.strictObject({
  epsilonSpent: amount,
  epsilonTotal: amount,
  deltaSpent: amount,
  deltaTotal: amount,
  version: count,
  head: z.string().regex(/^sha256:[0-9a-f]{64}$/),
})

/** What a pool's access conditions came to when its home judged them, as a receipt has it. */
const access = z.strictObject({
  block: z
    .string()
    .max(20)
    .regex(/^(?:0|[1-9][0-9]*)$/),
  hash: z.string().regex(/^0x[0-9a-f]{64}$/) as z.ZodType<Hex>,
  conditions: z
    .array(z.strictObject({ rules: digest, verdict: z.enum(['yes', 'no', 'unknown']) }))
    .min(1)
    .max(100),
})

const shareBodySchema = z.strictObject({
  job: z.string().regex(/^(0|[1-9]\d{0,17})$/),
  manifest: digest,
  plan: digest,
  /** The node that it is given to, and its key set. */
  coordinator: address,
  coordinatorKeys: digest,
  /** This home's pools of the job, in its order, as a receipt has them. */
  pools: z
    .array(
      z.strictObject({
        pool: address,
        name: z.string().min(1).max(4_000),
        policy: digest,
        epoch: count,
        inputs: z.strictObject({ root: digest, count }),
        verdicts: digest,
        access: z.exactOptional(access),
        /** Where the pool says which texts count: how many accepted contributions are under another one. */
        consent: z.exactOptional(z.strictObject({ withheld: count })),
        budget: z.strictObject({
          before: budget,
          after: budget,
          charged: z.strictObject({ epsilon: amount, delta: amount }),
        }),
      }),
    )
    .min(1)
    .max(16),
  /** SHA-256 of the share's opened bytes, salted, and of the sealed ones. */
  share: digest,
  sealed: digest,
  keySet: digest,
  quote: digest,
  isolation: z.string().min(1).max(4_000),
  simulated: z.boolean(),
  issuedAt: z.iso.datetime(),
})

/** Body of a `sealpool/share` statement. */
export type ShareBody = z.output<typeof shareBodySchema>

/** Signs for a share. */
export function signShare(sign: NodeSigner, body: ShareBody): SignedStatement {
  const [first] = body.pools
  if (first === undefined) throw new RangeError('a share is of a pool')
  return sign({
    type: 'sealpool/share',
    body: body satisfies JsonObject,
    pool: first.pool,
    subject: subjectOf(body.job),
    nonce: '0',
  })
}

/** @returns a `sealpool/share` statement with what it says; undefined unless the expected home signed it for this job */
export function readShareStatement(value: unknown, expected: ExpectedStatement) {
  return readStatement(value, 'sealpool/share', shareBodySchema, expected)
}

/**
 * @param signed from this node's own state, which took it in when it was verified
 * @returns what it says
 * @throws NodeError `STATE_UNREADABLE` when it has another form
 */
export function keptShareBody({ signer, statement }: SignedStatement): ShareBody {
  const read = shareBodySchema.safeParse(statement.body)
  if (read.success) return read.data
  throw new NodeError('STATE_UNREADABLE', `share of ${signer}`, 'what is kept of it has another form')
}
