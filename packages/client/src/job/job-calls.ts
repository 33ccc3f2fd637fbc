import {
  ContractsError,
  cancelJob,
  type Deployment,
  type Finality,
  fundJob,
  getJob,
  inspect,
  type Job,
  type JobState,
  jobBoardAbi,
  jobStates,
  proposeJob,
  type Sent,
  suspendJob,
  type WriteOptions,
} from '@sealpool/contracts'
import {
  type Address,
  canonicalBytes,
  type Digest,
  digestToHex,
  type JsonObject,
  type Random,
  sha256Digest,
} from '@sealpool/crypto'
import { type Client, isAddress } from 'viem'
import { parseAccount } from 'viem/utils'
import { mayPass } from '../contribute/retries.js'
import { ClientError } from '../errors.js'
import type { JobStatus, PlanAnswer } from '../node-api/messages.js'
import type { NodeApi } from '../node-api/node-api.js'
import { positive } from '../positive-number.js'
import { isStateGone } from '../result/state-is-gone.js'
import type { BlobStore } from '../store/blob-store.js'
import { untilAborted } from '../until-aborted.js'
import { type ComputeRequest, jobManifest, type QueryRequest } from './job-request.js'

/** How a job is put on the board. */
export interface ProposeOptions extends WriteOptions {
  /** Unix seconds, chain time: without a result by then everything in escrow returns. Default: a week from now. */
  readonly deadline?: bigint
  /** Protocol tokens (smallest unit) that the pools may take at most; default: no limit. */
  readonly priceCeiling?: bigint
}

/** A job on the board. */
export interface ProposedJob extends Sent {
  readonly jobId: bigint
  readonly manifest: JsonObject
  /** What the pools vote on. */
  readonly manifestDigest: Digest
}

/** A job that was planned and put on the board. */
export interface AskedJob extends ProposedJob {
  readonly plan: PlanAnswer & { readonly ok: true }
}

/** What a consumer calls. */
export interface JobCalls {
  /**
   * Asks the node what a job would do and cost. The manifest goes to a node that was verified, and to no other.
   *
   * @param manifest from `query`, `compute` or `@sealpool/compute`
   * @returns the plan, or a signed refusal with what it is verified from
   * @throws ClientError `NOT_READY`, and of the node
   */
  plan(manifest: JsonObject): Promise<PlanAnswer>
  /**
   * Stores a manifest and puts the job on the board. It runs once every pool granted it and it was funded.
   *
   * @throws BlobStoreError; ClientError `BLOB_STORE_INVALID`, `OPTION_INVALID` (a manifest without pools); ContractsError as
   *   `proposeJob`
   */
  propose(manifest: JsonObject, options?: ProposeOptions): Promise<ProposedJob>
  /**
   * Plans one SQL statement and, when the node would run it, proposes it.
   *
   * @throws ClientError `JOB_REFUSED` when the node would not run it, with its reason; as {@link plan} and {@link propose}
   */
  query(request: QueryRequest, options?: ProposeOptions): Promise<AskedJob>
  /** The same for a computation. */
  compute(request: ComputeRequest, options?: ProposeOptions): Promise<AskedJob>
  /**
   * Pays for an approved job; what it takes is allowed to the job board first.
   *
   * @throws ContractsError as `fundJob`
   */
  fund(jobId: bigint, options?: WriteOptions): Promise<Sent>
  /** Withdraws a job that has not started. @throws ContractsError */
  cancel(jobId: bigint, options?: WriteOptions): Promise<Sent>
  /** A contributor of the pool stops a job that has not started. @throws ContractsError `OnlyContributor`, `AlreadyStarted` */
  stop(jobId: bigint, options?: WriteOptions): Promise<Sent>
  /** The job as the chain has it. @throws ContractsError `NOT_FOUND` */
  job(jobId: bigint): Promise<Job>
  /** Asks the (verified) node to look at a job now. @throws ClientError `NOT_READY`, and of the node */
  run(jobId: bigint): Promise<JobStatus>
  /**
   * Waits until a job has ended on chain, in a block that is final.
   *
   * @param options - `pollMs` (default 2,000) between two looks, `timeoutMs` (default: no end), `signal`
   * @returns the job in its last state
   * @throws ClientError `OPTION_INVALID`; `JOB_NOT_ENDED` at the timeout, also when it has ended and that is not final; `CHAIN_READ_FAILED` when it has ended and the
   *   endpoint keeps no state as old as `finality` asks for; ContractsError `NOT_FOUND`; the signal's reason
   */
  waitForJob(
    jobId: bigint,
    options?: { readonly pollMs?: number; readonly timeoutMs?: number; readonly signal?: AbortSignal },
  ): Promise<Job>
}

/** What {@link jobCalls} stand on. */
export interface JobContext {
  readonly chain: Client
  readonly deployment: Deployment
  readonly pool: Address
  /** Name of the pool in its policy. */
  readonly poolName: string
  readonly node: NodeApi
  readonly blobStore: BlobStore
  readonly random: Random
  readonly now: () => Date
  readonly wait: (milliseconds: number) => Promise<void>
  /** How final the end of a job must be. */
  readonly finality: Finality
  /** Verifies the node when needed. @throws ClientError `NOT_READY` */
  readonly verified: () => Promise<unknown>
}

const ended: ReadonlySet<JobState | 'None'> = new Set([
  'Released',
  'Settled',
  'Refused',
  'Failed',
  'Cancelled',
  'Expired',
])
const weekSeconds = 7n * 86_400n
/** Looks in a row at which an endpoint must not know a final block's state before that is believed: behind one address may stand several, and one lag. */
const goneLooks = 5

/** A consumer's calls on one pool. */
export function jobCalls(context: JobContext): JobCalls {
  const { chain, deployment, pool, node, blobStore, now } = context

  async function plan(manifest: JsonObject): Promise<PlanAnswer> {
    await context.verified()
    return node.plan(manifest)
  }

  async function propose(manifest: JsonObject, options: ProposeOptions = {}): Promise<ProposedJob> {
    const pools = poolsOf(manifest)
    const bytes = canonicalBytes(manifest)
    const manifestDigest = sha256Digest(bytes)
    const stored = await blobStore.put(bytes)
    if (stored.locator !== manifestDigest) {
      throw new ClientError(
        'BLOB_STORE_INVALID',
        'blobStore.put',
        'the store names the manifest otherwise than by its digest',
      )
    }
    const seconds = BigInt(Math.floor(now().getTime() / 1000))
    const sent = await proposeJob(chain, {
      ...options,
      deployment,
      manifestDigest: digestToHex(manifestDigest),
      manifestLocator: manifestDigest,
      pools,
      deadline: options.deadline ?? seconds + weekSeconds,
    })
    return { ...sent, manifest, manifestDigest }
  }

  async function ask(
    request: QueryRequest | ComputeRequest,
    options: ProposeOptions = {},
  ): Promise<AskedJob> {
    const sender = options.account ?? chain.account
    if (sender === undefined) {
      throw new ClientError('ACCOUNT_REQUIRED', 'account', 'give the chain client an account, or pass one')
    }
    const manifest = jobManifest(request, {
      consumer: parseAccount(sender).address,
      pools: [{ address: pool, name: context.poolName }],
      random: context.random,
    })
    const answer = await plan(manifest)
    if (!answer.ok) throw refusalOf(answer.receipt)
    return { ...(await propose(manifest, options)), plan: answer }
  }

  /** Whether the job has ended also in the newest block that is final; `gone`: the endpoint does not keep that block's state. */
  async function hasEndedFinally(jobId: bigint): Promise<'yes' | 'no' | 'gone'> {
    const { finality } = context
    if (finality.confirmations === 0) return 'yes'
    const board = { address: deployment.jobBoard, abi: jobBoardAbi } as const
    try {
      const { state } = await inspect(chain, { ...board, functionName: 'getJob', args: [jobId], finality })
      return ended.has(jobStates[state] ?? 'None') ? 'yes' : 'no'
    } catch (error) {
      if (!(error instanceof ContractsError)) throw error
      // The chain has no block yet that is final.
      if (error.code === 'NOT_FOUND') return 'no'
      if (isStateGone(error.cause)) return 'gone'
      throw error
    }
  }

  return {
    plan,
    propose,
    query: ask,
    compute: ask,
    fund: (jobId, options = {}) => fundJob(chain, { ...options, deployment, jobId, approveTokens: true }),
    cancel: (jobId, options = {}) => cancelJob(chain, { ...options, deployment, jobId }),
    stop: (jobId, options = {}) => suspendJob(chain, { ...options, deployment, jobId, pool }),
    job: (jobId) => getJob(chain, { deployment, jobId }),
    async run(jobId) {
      await context.verified()
      return node.runJob(jobId.toString())
    },
    async waitForJob(jobId, { pollMs = 2_000, timeoutMs = Number.POSITIVE_INFINITY, signal } = {}) {
      positive(pollMs, 'pollMs', 2 ** 31 - 1)
      if (!(timeoutMs >= 0))
        throw new ClientError('OPTION_INVALID', 'timeoutMs', 'expected a number from 0 up')
      const start = now().getTime()
      let goneInARow = 0
      for (;;) {
        signal?.throwIfAborted()
        const job = await undefinedWhileAway(getJob(chain, { deployment, jobId }))
        const hasEnded = job !== undefined && ended.has(job.state)
        const atLast = hasEnded ? await undefinedWhileAway(hasEndedFinally(jobId)) : 'no'
        if (hasEnded && atLast === 'yes') return job
        goneInARow = atLast === 'gone' ? goneInARow + 1 : 0
        if (goneInARow === goneLooks) {
          throw new ClientError(
            'CHAIN_READ_FAILED',
            `job ${jobId}`,
            'it has ended, and the endpoint keeps no state as old as `finality` asks for; use an endpoint that does (an archive), or ask for fewer blocks',
          )
        }
        if (now().getTime() - start >= timeoutMs) {
          const state = job?.state ?? 'unknown, the chain does not answer'
          const why = hasEnded ? `${state}, but no final block has it so` : state
          const remedy = hasEnded
            ? 'wait longer, or on a development chain that mines only what is sent give `finality: { confirmations: 0 }`'
            : 'wait longer'
          throw new ClientError(
            'JOB_NOT_ENDED',
            `job ${jobId}`,
            `it has not ended in time (${why}); ${remedy}`,
          )
        }
        await untilAborted(context.wait(pollMs), signal)
      }
    },
  }
}

/** Undefined where the chain does not answer, and may when it is asked again. */
async function undefinedWhileAway<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  return asked.catch((error: unknown) => {
    if (mayPass(error)) return undefined
    throw error
  })
}

function poolsOf(manifest: JsonObject): Address[] {
  const pools: unknown = manifest['pools']
  const addresses = Array.isArray(pools)
    ? pools.map((pool: unknown) => (pool as JsonObject | null)?.['address'])
    : []
  const read = addresses.filter(
    (address): address is Address => typeof address === 'string' && isAddress(address),
  )
  if (read.length === 0 || read.length !== addresses.length) {
    throw new ClientError('OPTION_INVALID', 'manifest.pools', 'expected pools with addresses')
  }
  return read
}

/** The node's reason from a receipt that nobody has verified: text for people, cut to plain characters. */
function refusalOf(receipt: JsonObject): ClientError {
  const body = (receipt['statement'] as JsonObject | undefined)?.['body'] as JsonObject | undefined
  const { code, message } = (body?.['refusal'] ?? {}) as Partial<JsonObject>
  const reason = [code, message]
    .filter((part) => typeof part === 'string')
    .join(': ')
    .replaceAll(/[^\x20-\x7e]/g, '?')
  return new ClientError(
    'JOB_REFUSED',
    'POST /plan',
    `the node would not run it: ${reason.slice(0, 500) || 'no reason given'}`,
  )
}
