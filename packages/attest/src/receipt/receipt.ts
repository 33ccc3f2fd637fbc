import type { Address, Digest, SignedStatement } from '@sealpool/crypto'
import * as z from 'zod'

/** A pool's budget as a receipt shows it; amounts are decimal text. */
export type BudgetView = {
  epsilonSpent: string
  epsilonTotal: string
  deltaSpent: string
  deltaTotal: string
  version: number
  head: string
}

/** What a job did with one pool. */
export type ReceiptPool = {
  pool: Address
  name: string
  /** Digest of the pool's policy. */
  policy: Digest
  /** Key epoch. */
  epoch: number
  /** The contributions that were read. */
  inputs: { root: Digest; count: number }
  /** Merkle root of the digests of their verdicts, see `verdictsRoot`. */
  verdicts: Digest
  /** Null when nothing was charged because the job was refused. */
  budget: {
    before: BudgetView
    after: BudgetView
    charged: { epsilon: string; delta: string }
  } | null
}

/** What a node states about one job: the body of a `sealpool/receipt` statement of version 1. */
export type ReceiptBody = {
  job: { id: string; kind: 'query' | 'compute'; manifest: Digest; consumer: Address }
  outcome: 'released' | 'refused'
  refusal: { code: string; message: string } | null
  pools: ReceiptPool[]
  /** Digest of the computation's code; null for a query, whose plan is its code. */
  code: Digest | null
  plan: Digest | null
  approvals: { pool: Address; block: string; price: string }[]
  result: { digest: Digest; sealed: Digest; mediaType: string } | null
  keySet: Digest
  /** SHA-256 of the quote's bytes. */
  quote: Digest
  /** How the job's code was isolated, for example `bubblewrap`. */
  isolation: string
  simulated: boolean
  /** ISO, chain time. */
  issuedAt: string
}

/** A receipt: a signed statement about one job. */
export type Receipt = SignedStatement

/** Type and version of a receipt statement. */
export const receiptType = 'sealpool/receipt'
export const receiptVersion = 1

const digest = z.custom<Digest>(
  (value) => typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value),
  'expected sha256: and 64 lower-case hexadecimal digits',
)
const address = z.custom<Address>(
  (value) => typeof value === 'string' && /^0x[0-9a-fA-F]{40}$/.test(value),
  'expected 0x and 40 hexadecimal digits',
)
const amount = z
  .string()
  .max(120)
  .regex(/^(?:0|[1-9][0-9]*)(?:\.[0-9]{1,60})?$/, 'expected a decimal number as text')
const wholeNumber = z.string().regex(/^(?:0|[1-9][0-9]{0,77})$/, 'expected a whole number as text')
const text = z.string().max(4000)
const budgetView: z.ZodType<BudgetView> = z.strictObject({
  epsilonSpent: amount,
  epsilonTotal: amount,
  deltaSpent: amount,
  deltaTotal: amount,
  version: z.int().min(0),
  head: text,
})

/** Schema of {@link ReceiptBody}; unknown fields are refused. */
export const receiptBodySchema: z.ZodType<ReceiptBody> = z.strictObject({
  job: z.strictObject({
    id: z.string().min(1).max(200),
    kind: z.enum(['query', 'compute']),
    manifest: digest,
    consumer: address,
  }),
  outcome: z.enum(['released', 'refused']),
  refusal: z.strictObject({ code: z.string().min(1).max(200), message: text }).nullable(),
  pools: z
    .array(
      z.strictObject({
        pool: address,
        name: text,
        policy: digest,
        epoch: z.int().min(0),
        inputs: z.strictObject({ root: digest, count: z.int().min(0) }),
        verdicts: digest,
        budget: z
          .strictObject({
            before: budgetView,
            after: budgetView,
            charged: z.strictObject({ epsilon: amount, delta: amount }),
          })
          .nullable(),
      }),
    )
    .max(100),
  code: digest.nullable(),
  plan: digest.nullable(),
  approvals: z.array(z.strictObject({ pool: address, block: wholeNumber, price: wholeNumber })).max(100),
  result: z.strictObject({ digest, sealed: digest, mediaType: text }).nullable(),
  keySet: digest,
  quote: digest,
  isolation: text,
  simulated: z.boolean(),
  issuedAt: z.iso.datetime(),
})
