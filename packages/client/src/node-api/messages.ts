import type { Address, Digest } from '@sealpool/crypto'
import * as z from 'zod'

/*
 * What a node says over HTTP. Everything is parsed strictly before it is looked at: the node is not trusted until its
 * evidence was verified, and its transport never is.
 */

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .transform((text) => text as Address)
const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .transform((text) => text as Digest)
const jsonObject = z.record(z.string(), z.json())

/** `GET /v1/evidence`: read whole by attest's `parseNodeEvidence`; here it only has to be an object. */
export const evidenceAnswerSchema = jsonObject

/** A statement is checked whole by crypto's `parseSignedStatement`; here it only has to be an object. */
const signedStatement = jsonObject

/** `GET /v1/pools`: the pools that the node serves, each with its current key and the node's statement on it. */
export const servedPoolsSchema = z.object({
  simulated: z.boolean(),
  pools: z.array(
    z.object({
      pool: address,
      name: z.string(),
      policyDigest: digest,
      /** Null, with key and statement, until the node's key for this pool stands on chain. */
      epoch: z.int().positive().nullable(),
      poolKey: z.object({ publicKey: z.string(), keyId: z.string() }).nullable(),
      statement: signedStatement.nullable(),
    }),
  ),
})

/** One pool as a node serves it. */
export type ServedPoolAnswer = z.output<typeof servedPoolsSchema>['pools'][number]

/** `GET /v1/contributions/:id`: where one contribution stands. */
export const contributionStatusSchema = z.object({
  simulated: z.boolean(),
  id: z.string(),
  state: z.string(),
  reason: z.string().nullable(),
})

/** Where one contribution stands in the node. */
export type ContributionStatus = z.output<typeof contributionStatusSchema>

/** `GET /v1/contributions?pool=`: how many contributions of a pool are in which state, refusals by reason. */
export const contributionCountsSchema = z.object({
  simulated: z.boolean(),
  states: z.record(z.string(), z.int().nonnegative()),
  refused: z.record(z.string(), z.int().nonnegative()),
})

/** How many contributions of a pool are in which state. */
export type ContributionCounts = z.output<typeof contributionCountsSchema>

const receiptBundle = {
  receipt: signedStatement,
  evidence: jsonObject,
  /** By pool address; a pool that the node does not serve has none. */
  policies: z
    .record(z.string(), jsonObject.nullable())
    .transform(
      (policies) =>
        Object.fromEntries(Object.entries(policies).filter(([, policy]) => policy !== null)) as Record<
          string,
          z.output<typeof jsonObject>
        >,
    ),
  manifest: jsonObject.nullable(),
  plan: jsonObject.nullable(),
  /** Digests of the verdicts on the inputs, by pool address. */
  verdicts: z.record(z.string(), z.array(digest)),
}

/** `GET /v1/jobs/:id/receipt`: a receipt with everything that the node can add to verify it. */
export const receiptBundleSchema = z.object({ simulated: z.boolean(), ...receiptBundle })

/** A receipt with everything that the node can add to verify it. */
export type ReceiptBundleAnswer = z.output<typeof receiptBundleSchema>

/** `POST /v1/plan`: what a job would do and cost, or a signed refusal with what it is verified from. */
export const planAnswerSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), simulated: z.boolean(), explanation: z.json(), planDigest: digest }),
  z.object({ ok: z.literal(false), simulated: z.boolean(), ...receiptBundle }),
])

/** A plan's explanation or a signed refusal. */
export type PlanAnswer = z.output<typeof planAnswerSchema>

/** `GET /v1/jobs/:id` and `POST /v1/jobs/:id/run`: where one job stands. */
export const jobStatusSchema = z.object({
  simulated: z.boolean(),
  id: z.string(),
  state: z.string(),
  reason: z.string().nullable(),
})

/** Where one job stands in the node. */
export type JobStatus = z.output<typeof jobStatusSchema>

/** `GET /v1/jobs/:id/result`: sealed bytes, base64url. */
export const jobResultSchema = z.object({ simulated: z.boolean(), sealed: z.string() })

/** What a node answers when it will not. Both texts end up in errors and logs, so neither may hold more than plain text. */
export const refusalAnswerSchema = z.object({
  error: z.object({
    code: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/),
    message: z.string().transform((text) => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 300)),
  }),
})
