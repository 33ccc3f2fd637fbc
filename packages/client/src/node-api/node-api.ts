import { decodeBase64Url, type JsonObject } from '@sealpool/crypto'
import type * as z from 'zod'
import { ClientError } from '../errors.js'
import {
  type ContributionCounts,
  type ContributionStatus,
  contributionCountsSchema,
  contributionStatusSchema,
  type JobStatus,
  jobResultSchema,
  jobStatusSchema,
  type PlanAnswer,
  planAnswerSchema,
  type ReceiptBundleAnswer,
  receiptBundleSchema,
  refusalAnswerSchema,
  type ServedPoolAnswer,
  servedPoolsSchema,
} from './messages.js'

/** How to reach a node. */
export interface NodeApiOptions {
  /** Base address, for example `http://127.0.0.1:8787`. */
  readonly url: string
  /** Milliseconds for one call; default 30,000. */
  readonly timeoutMs?: number
  /** Largest answer in bytes; default 64 MiB. */
  readonly maximumBytes?: number
}

/** The calls of a node's HTTP API. Answers are parsed, not believed. */
export interface NodeApi {
  /** Fresh evidence over a nonce, as the node sent it: verify it with `verifyNodeEvidence`. */
  evidence(nonce: `0x${string}`): Promise<JsonObject>
  /** The pools that the node serves. */
  pools(): Promise<readonly ServedPoolAnswer[]>
  /** Where a contribution stands. */
  contribution(id: string): Promise<ContributionStatus>
  /** How many contributions of a pool are in which state. */
  contributionCounts(pool: string): Promise<ContributionCounts>
  /** What a job would do and cost, before it is proposed; a job that the node would never run gets a signed refusal. */
  plan(manifest: JsonObject): Promise<PlanAnswer>
  /** Asks the node to look at a job now. */
  runJob(id: string): Promise<JobStatus>
  /** Where a job stands. */
  job(id: string): Promise<JobStatus>
  /** The job's receipt with what it is verified from. */
  jobReceipt(id: string): Promise<ReceiptBundleAnswer>
  /** The job's result, sealed to the consumer. */
  jobResult(id: string): Promise<Uint8Array>
}

/**
 * Speaks to one node over HTTP. Every call has a timeout and a size limit; a busy or broken connection is an error with
 * a code, never a hang.
 *
 * @param options - address and limits
 * @returns the calls
 * @throws ClientError `NODE_UNREACHABLE` (may pass when tried again), `NODE_REFUSED` (the node's own code is in the
 *   message), `NODE_ANSWER_INVALID`
 */
export function nodeApi(options: NodeApiOptions): NodeApi {
  const base = options.url.replace(/\/+$/, '')
  const limit = options.maximumBytes ?? 64 * 1024 * 1024

  async function call<Schema extends z.ZodType>(
    schema: Schema | undefined,
    path: string,
    body?: unknown,
  ): Promise<z.output<Schema>> {
    const place = `${body === undefined ? 'GET' : 'POST'} ${path.replace(/\?.*$/, '')}`
    let response: Response
    let text: string
    try {
      response = await fetch(`${base}/v1${path}`, {
        ...(body === undefined
          ? {}
          : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(options.timeoutMs ?? 30_000),
        redirect: 'error',
      })
      text = await limitedText(response, limit, place)
    } catch (error) {
      if (error instanceof ClientError) throw error
      throw new ClientError(
        'NODE_UNREACHABLE',
        place,
        'the node does not answer; try again or choose another node',
        {
          cause: error,
        },
      )
    }
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {
      throw new ClientError(
        'NODE_ANSWER_INVALID',
        place,
        `HTTP ${response.status} with a body that is not JSON`,
      )
    }
    if (!response.ok) {
      const refusal = refusalAnswerSchema.safeParse(json)
      throw refusal.success
        ? new ClientError('NODE_REFUSED', place, `${refusal.data.error.code}: ${refusal.data.error.message}`)
        : new ClientError('NODE_ANSWER_INVALID', place, `HTTP ${response.status} without a reason`)
    }
    if (schema === undefined) return json as z.output<Schema>
    const parsed = schema.safeParse(json)
    if (!parsed.success) {
      const where = parsed.error.issues[0]?.path.join('.') ?? ''
      throw new ClientError(
        'NODE_ANSWER_INVALID',
        place,
        `the answer has another shape at ${where || 'its top'}`,
      )
    }
    return parsed.data
  }

  const id = (text: string) => encodeURIComponent(text)
  return {
    evidence: async (nonce) => (await call(undefined, `/evidence?nonce=${id(nonce)}`)) as JsonObject,
    pools: async () => (await call(servedPoolsSchema, '/pools')).pools,
    contribution: (contribution) => call(contributionStatusSchema, `/contributions/${id(contribution)}`),
    contributionCounts: (pool) => call(contributionCountsSchema, `/contributions?pool=${id(pool)}`),
    plan: (manifest) => call(planAnswerSchema, '/plan', { manifest }),
    runJob: (job) => call(jobStatusSchema, `/jobs/${id(job)}/run`, {}),
    job: (job) => call(jobStatusSchema, `/jobs/${id(job)}`),
    jobReceipt: (job) => call(receiptBundleSchema, `/jobs/${id(job)}/receipt`),
    jobResult: async (job) => {
      const { sealed } = await call(jobResultSchema, `/jobs/${id(job)}/result`)
      return decodeBase64Url(sealed)
    },
  }
}

async function limitedText(response: Response, limit: number, place: string): Promise<string> {
  if (response.body === null) return ''
  const decoder = new TextDecoder()
  const reader = response.body.getReader()
  let size = 0
  let text = ''
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length
    if (size > limit) {
      await reader.cancel()
      throw new ClientError('NODE_ANSWER_INVALID', place, `the answer is larger than ${limit} bytes`)
    }
    text += decoder.decode(part.value, { stream: true })
  }
  return text + decoder.decode()
}
