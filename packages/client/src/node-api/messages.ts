import type { Address, Digest, JsonObject, JsonValue } from '@sealpool/crypto'
import {
  type AnswerSchema,
  address,
  answerSchema,
  digest,
  flag,
  json,
  jsonObject,
  list,
  nullable,
  type Reader,
  record,
  ShapeProblem,
  table,
  text,
  whole,
} from './shape.js'

/*
 * What a node says over HTTP. Everything is read strictly before it is looked at: the node is not trusted until its
 * evidence was verified, and its transport never is.
 */

/** `GET /v1/evidence`: read whole by attest's `parseNodeEvidence`; here it only has to be an object. */
export const evidenceAnswerSchema: AnswerSchema<JsonObject> = /* @__PURE__ */ answerSchema(jsonObject)

/** One pool as a node serves it. */
export type ServedPoolAnswer = {
  pool: Address
  name: string
  policyDigest: Digest
  /** Null, with key and statement, until the node's key for this pool stands on chain. */
  epoch: number | null
  poolKey: { publicKey: string; keyId: string } | null
  /** Checked whole by crypto's `parseSignedStatement`; here it only has to be an object. */
  statement: JsonObject | null
  /** The node's signed word that it keeps no copies for the pool (a live one); null where it keeps them. Checked whole by `verifyPool`. */
  live: JsonObject | null
}

/** `GET /v1/pools`: the pools that the node serves, each with its current key and the node's statement on it. */
export const servedPoolsSchema: AnswerSchema<{ simulated: boolean; pools: ServedPoolAnswer[] }> =
  /* @__PURE__ */ (() =>
    answerSchema(
      record({
        simulated: flag,
        pools: list(
          record<ServedPoolAnswer>({
            pool: address,
            name: text(),
            policyDigest: digest,
            epoch: nullable(whole(1)),
            poolKey: nullable(record({ publicKey: text(), keyId: text() })),
            statement: nullable(jsonObject),
            // Nodes of earlier releases know no live pools.
            live: (value = null, place) => nullable(jsonObject)(value, place),
          }),
        ),
      }),
    ))()

/** Where a contribution or a job stands. */
const standing: Reader<ContributionStatus> = (value, place) =>
  record<ContributionStatus>({
    simulated: flag,
    id: text(),
    state: text(),
    reason: nullable(text()),
    reasonText: (sentence = null, at) => nullable(text())(sentence, at),
  })(value, place)

/** Where one contribution stands in the node. */
export type ContributionStatus = {
  simulated: boolean
  id: string
  state: string
  /** In upper case, for example `POLICY_CHANGED`; null when nothing stands in its way. */
  reason: string | null
  /** The reason in a sentence, with what can be done; null without one. */
  reasonText: string | null
}

/** `GET /v1/contributions/:id`: where one contribution stands. */
export const contributionStatusSchema: AnswerSchema<ContributionStatus> = /* @__PURE__ */ (() =>
  answerSchema(standing))()

/** How many contributions of a pool are in which state. */
export type ContributionCounts = {
  simulated: boolean
  states: Record<string, number>
  /** By reason. */
  refused: Record<string, number>
}

/** `GET /v1/contributions?pool=`: how many contributions of a pool are in which state, refusals by reason. */
export const contributionCountsSchema: AnswerSchema<ContributionCounts> = /* @__PURE__ */ (() =>
  answerSchema(record({ simulated: flag, states: table(whole(0)), refused: table(whole(0)) })))()

/** `GET /v1/presentation`: a nonce for one presentation. */
export const presentationNonceSchema: AnswerSchema<{ nonce: string }> = /* @__PURE__ */ (() =>
  answerSchema(record({ nonce: text(/^[A-Za-z0-9._~-]{16,200}$/, 'a nonce') })))()

/** What a presentation came to, for each credential that a pool asks for: until when it counts (unix seconds), or why it does not. */
export type PresentedConditions = readonly {
  /** Digest of the condition, as canonical JSON. */
  condition: Digest
  until: number | null
  /** In upper case, for example `EXPIRED`; null when it counts. */
  reason: string | null
}[]

/** `POST /v1/presentation` */
export const presentedSchema: AnswerSchema<{ pool: Address; conditions: PresentedConditions }> =
  /* @__PURE__ */ (() =>
    answerSchema(
      record({
        pool: address,
        conditions: list(
          record<PresentedConditions[number]>({
            condition: digest,
            until: nullable(whole(1)),
            reason: nullable(text(/^[A-Z_]{1,64}$/, 'a word in upper case')),
          }),
        ),
      }),
    ))()

/** A receipt with everything that the node can add to verify it. */
export type ReceiptBundleAnswer = {
  simulated: boolean
  receipt: JsonObject
  evidence: JsonObject
  /** By pool address; a pool that the node does not serve has none. */
  policies: Record<string, JsonObject>
  manifest: JsonObject | null
  plan: JsonObject | null
  /** Digests of the verdicts on the inputs, by pool address. */
  verdicts: Record<string, Digest[]>
}

const policies: Reader<Record<string, JsonObject>> = (value, place) =>
  Object.fromEntries(
    Object.entries(table(nullable(jsonObject))(value, place)).flatMap(([pool, policy]) =>
      policy === null ? [] : [[pool, policy]],
    ),
  )

const receiptBundle = /* @__PURE__ */ (() => ({
  simulated: flag,
  receipt: jsonObject,
  evidence: jsonObject,
  policies,
  manifest: nullable(jsonObject),
  plan: nullable(jsonObject),
  verdicts: table(list(digest)),
}))()

/** `GET /v1/jobs/:id/receipt`: a receipt with everything that the node can add to verify it. */
export const receiptBundleSchema: AnswerSchema<ReceiptBundleAnswer> = /* @__PURE__ */ (() =>
  answerSchema(record<ReceiptBundleAnswer>(receiptBundle)))()

/** `GET /v1/jobs/:id/shares`: what the homes of a job's pools have signed; checked whole by attest's `verifyReceipt`. */
export const jobSharesSchema: AnswerSchema<{ simulated: boolean; job: string; shares: JsonObject[] }> =
  /* @__PURE__ */ (() => answerSchema(record({ simulated: flag, job: text(), shares: list(jsonObject) })))()

/** A plan's explanation or a signed refusal. */
export type PlanAnswer =
  | { ok: true; simulated: boolean; explanation: JsonValue; planDigest: Digest }
  | ({ ok: false } & ReceiptBundleAnswer)

/** `POST /v1/plan`: what a job would do and cost, or a signed refusal with what it is verified from. */
export const planAnswerSchema: AnswerSchema<PlanAnswer> = /* @__PURE__ */ answerSchema(planAnswer)

function planAnswer(value: unknown, place: string): PlanAnswer {
  const { ok } = record<{ ok: boolean }>({ ok: flag })(value, place)
  if (!ok) return { ok, ...record<ReceiptBundleAnswer>(receiptBundle)(value, place) }
  const planned = record<{ simulated: boolean; explanation: JsonValue; planDigest: Digest }>({
    simulated: flag,
    explanation: json,
    planDigest: digest,
  })
  return { ok, ...planned(value, place) }
}

/** Where one job stands in the node. */
export type JobStatus = ContributionStatus

/** `GET /v1/jobs/:id` and `POST /v1/jobs/:id/run`: where one job stands. */
export const jobStatusSchema: AnswerSchema<JobStatus> = /* @__PURE__ */ (() => answerSchema(standing))()

/** `GET /v1/jobs/:id/result`: sealed bytes, base64url. */
export const jobResultSchema: AnswerSchema<{ simulated: boolean; sealed: string }> = /* @__PURE__ */ (() =>
  answerSchema(record({ simulated: flag, sealed: text() })))()

/** `GET /v1/sign-in`: what a sign-in must name besides the wallet's own words. */
export const signInChallengeSchema: AnswerSchema<{ nonce: string }> = /* @__PURE__ */ (() =>
  answerSchema(record({ nonce: text(/^[0-9a-zA-Z]{8,128}$/, 'a nonce') })))()

/** `POST /v1/sign-in` and `POST /v1/tokens`: a token. */
export const signedInSchema: AnswerSchema<{ token: string }> = /* @__PURE__ */ (() =>
  answerSchema(record({ token: text() })))()

/** What a node answers when it will not. Both texts end up in errors and logs, so neither may hold more than plain text. */
export const refusalAnswerSchema: AnswerSchema<{ error: { code: string; message: string } }> =
  /* @__PURE__ */ (() =>
    answerSchema(
      record({
        error: record({
          code: text(/^[A-Z][A-Z0-9_]{0,63}$/, 'a code'),
          message: (value: unknown, place: string) => plainText(text()(value, place)),
        }),
      }),
    ))()

function plainText(message: string): string {
  return message.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 300)
}

/**
 * Reads an answer.
 *
 * @param schema its form
 * @param value any JSON
 * @returns the answer, or the first place that is of another form, in plain text
 */
export function readAs<T>(
  schema: AnswerSchema<T>,
  value: unknown,
): { readonly ok: true; readonly answer: T } | { readonly ok: false; readonly place: string } {
  try {
    return { ok: true, answer: schema.parse(value) }
  } catch (problem) {
    if (!(problem instanceof ShapeProblem)) throw problem
    return { ok: false, place: plainText(problem.place).slice(0, 100) || 'its top' }
  }
}
