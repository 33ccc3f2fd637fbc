import { type Address, decodeBase64Url, type JsonObject } from '@sealpool/crypto'
import { ClientError } from '../errors.js'
import { positive } from '../positive-number.js'
import { untilAborted } from '../until-aborted.js'
import {
  type ContributionCounts,
  type ContributionStatus,
  contributionCountsSchema,
  contributionStatusSchema,
  evidenceAnswerSchema,
  type JobStatus,
  jobResultSchema,
  jobSharesSchema,
  jobStatusSchema,
  type PlanAnswer,
  planAnswerSchema,
  type ReceiptBundleAnswer,
  readAs,
  receiptBundleSchema,
  refusalAnswerSchema,
  type ServedPoolAnswer,
  servedPoolsSchema,
} from './messages.js'
import { readAnswer } from './read-answer.js'
import type { AnswerSchema } from './shape.js'

/** How to reach a node. */
export interface NodeApiOptions {
  /** Base address, for example `http://127.0.0.1:8787`; http or https. */
  readonly url: string
  /** Milliseconds for one call, from its start to the last byte of its answer; default 30,000. */
  readonly timeoutMs?: number | undefined
  /** Largest answer in bytes, after decompression; default 64 MiB. What names no contribution of a pool one by one is never larger than 4 MiB. */
  readonly maximumBytes?: number
  /** Another fetch, for tests or a proxy. */
  readonly fetch?: typeof globalThis.fetch | undefined
}

/** The calls of a node's HTTP API. Answers are parsed, not believed. */
export interface NodeApi {
  /**
   * Fresh evidence over a nonce, as the node sent it: verify it with `verifyNodeEvidence`; `asked.gpus`: with that of its GPUs, if it has any,
   * which `appraiseNodeGpus` of `@sealpool/attest/platform-evidence` judges.
   */
  evidence(nonce: `0x${string}`, asked?: { readonly gpus: boolean }): Promise<JsonObject>
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
  /** What the homes of the job's pools have signed: shares, and refusals; none when all its pools are the node's. */
  jobShares(id: string): Promise<readonly JsonObject[]>
  /** The job's result, sealed to the consumer, or the view of it that was sealed to a recipient. */
  jobResult(id: string, recipient?: Address): Promise<Uint8Array>
  /** Any other call: `path` below `/v1`, a GET without a `body`. What only some pages need stays out of the others that way. */
  ask<Answer>(schema: AnswerSchema<Answer>, path: string, body?: unknown): Promise<Answer>
}

/**
 * Speaks to one node over HTTP. Every call has a timeout and a size limit and follows no redirect; a busy or broken
 * connection is an error with a code, never a hang. Nothing is tried again by itself.
 *
 * @param options - address and limits
 * @returns the calls
 * @throws ClientError `OPTION_INVALID` at once; from the calls `NODE_UNREACHABLE` (may pass when tried again),
 *   `NODE_REFUSED` (the node's own code is in `nodeCode`), `NODE_ANSWER_INVALID`
 */
export function nodeApi(options: NodeApiOptions): NodeApi {
  const base = parseBase(options.url)
  const limit = positive(options.maximumBytes ?? 64 * 1024 * 1024, 'maximumBytes')
  const short = Math.min(limit, 4 * 1024 * 1024)
  const timeoutMs = positive(options.timeoutMs ?? 30_000, 'timeoutMs', 2 ** 31 - 1)

  async function call<Answer>(
    schema: AnswerSchema<Answer>,
    path: string,
    body?: unknown,
    most = short,
  ): Promise<Answer> {
    const place = `${body === undefined ? 'GET' : 'POST'} ${path.replace(/\?.*$/, '')}`
    const signal = AbortSignal.timeout(timeoutMs)
    const fetcher = options.fetch ?? globalThis.fetch
    const asked = async () => {
      const response = await fetcher(`${base}/v1${path}`, {
        ...(body === undefined
          ? {}
          : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
        signal,
        redirect: 'error',
        cache: 'no-store',
        // A node has no business with cookies, or with which page asks.
        credentials: 'omit',
        referrerPolicy: 'no-referrer',
      })
      return { response, json: await readAnswer(response, most, place) }
    }
    let answer: Awaited<ReturnType<typeof asked>>
    try {
      // Another fetch than the platform's may not know the signal.
      answer = await untilAborted(asked(), signal)
    } catch (cause) {
      if (cause instanceof ClientError) throw cause
      throw new ClientError(
        'NODE_UNREACHABLE',
        place,
        'the node gave no complete answer in time; try again or choose another node',
        { cause },
      )
    }
    const { response, json } = answer
    if (!response.ok) {
      const refusal = readAs(refusalAnswerSchema, json)
      if (!refusal.ok) {
        throw new ClientError('NODE_ANSWER_INVALID', place, `HTTP ${response.status} without a reason`)
      }
      const { code, message } = refusal.answer.error
      throw new ClientError('NODE_REFUSED', place, `${code}: ${message}`, { nodeCode: code })
    }
    const read = readAs(schema, json)
    if (read.ok) return read.answer
    throw new ClientError('NODE_ANSWER_INVALID', place, `the answer has another shape at ${read.place}`)
  }

  /** A status that names something else than was asked is no answer. */
  async function about<Answer extends { readonly id: string }>(
    id: string,
    answer: Promise<Answer>,
    place: string,
  ): Promise<Answer> {
    const given = await answer
    if (given.id !== id) throw new ClientError('NODE_ANSWER_INVALID', place, 'the answer is about another id')
    return given
  }

  const part = (text: string) => encodeURIComponent(text)
  return {
    ask: (schema, path, body) => call(schema, path, body, limit),
    evidence: (nonce, asked) =>
      call(evidenceAnswerSchema, `/evidence?nonce=${part(nonce)}${asked?.gpus ? '&gpus=true' : ''}`),
    pools: async () => (await call(servedPoolsSchema, '/pools')).pools,
    contribution: (id) =>
      about(id, call(contributionStatusSchema, `/contributions/${part(id)}`), 'GET /contributions'),
    contributionCounts: (pool) => call(contributionCountsSchema, `/contributions?pool=${part(pool)}`),
    plan: (manifest) => call(planAnswerSchema, '/plan', { manifest }, limit),
    runJob: (id) => about(id, call(jobStatusSchema, `/jobs/${part(id)}/run`, {}), 'POST /jobs'),
    job: (id) => about(id, call(jobStatusSchema, `/jobs/${part(id)}`), 'GET /jobs'),
    jobReceipt: (id) => call(receiptBundleSchema, `/jobs/${part(id)}/receipt`, undefined, limit),
    jobShares: async (id) => {
      try {
        return (await call(jobSharesSchema, `/jobs/${part(id)}/shares`, undefined, limit)).shares
      } catch (error) {
        if (error instanceof ClientError && error.nodeCode === 'SHARES_UNKNOWN') return []
        throw error
      }
    },
    jobResult: async (id, recipient) => {
      const whose = recipient === undefined ? '' : `?recipient=${part(recipient)}`
      const { sealed } = await call(jobResultSchema, `/jobs/${part(id)}/result${whose}`, undefined, limit)
      try {
        return decodeBase64Url(sealed)
      } catch (cause) {
        throw new ClientError('NODE_ANSWER_INVALID', 'GET /jobs/result', 'the result is not base64url', {
          cause,
        })
      }
    },
  }
}

function parseBase(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ClientError('OPTION_INVALID', 'url', 'a node has an http or https address')
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new ClientError('OPTION_INVALID', 'url', 'give the address without user, query and fragment')
  }
  return url.href.replace(/\/+$/, '')
}
