import { AttestError } from '@sealpool/attest'
import {
  type ContributionRecord,
  claimRewards,
  type Deployment,
  dataRegistryAbi,
  type Finality,
  getContribution,
  invoke,
  type Sent,
  type WriteOptions,
} from '@sealpool/contracts'
import { type Address, encodeHex, type JsonObject, type Random } from '@sealpool/crypto'
import { type Account, type Client, isAddress } from 'viem'
import type { NodeAccess } from './access/node-access.js'
import {
  type ContributeContext,
  type Contributed,
  type ContributeOptions,
  contribute,
} from './contribute/contribute.js'
import type { ContributionJournal } from './contribute/contribution-journal.js'
import { type PreflightCheck, type PreflightFinding, runPreflight } from './contribute/preflight.js'
import {
  type ContributionInput,
  type PreparedContribution,
  prepareContribution,
} from './contribute/prepare-contribution.js'
import { runStep } from './contribute/progress.js'
import { type Patience, withRetries } from './contribute/retries.js'
import { ClientError } from './errors.js'
import type { ContributionStatus } from './node-api/messages.js'
import type { NodeApi, NodeApiOptions } from './node-api/node-api.js'
import { positive } from './positive-number.js'
import type { BlobStore } from './store/blob-store.js'
import { readChainFacts } from './verify/chain-facts.js'
import { defaultMaximumAgeMs, freshReadiness } from './verify/fresh-readiness.js'
import type { GpuJudge } from './verify/gpu-judge.js'
import type { MeasurementLog } from './verify/measurement-log.js'
import { changedOnChain, type Readiness, type VerifiedPool, verifyPool } from './verify/verified-pool.js'

/** What a pool client needs. */
export interface PoolClientOptions {
  /** A viem client on the pool's chain. Whoever answers its requests is trusted for what the chain says. */
  readonly chain: Client
  /** The contracts that the app trusts. */
  readonly deployment: Deployment
  readonly pool: Address
  /** The pool's policy as the contributor read it; its digest must be the one on chain. */
  readonly policy: JsonObject
  /** Base address of the node; http or https. */
  readonly nodeUrl: string
  readonly blobStore: BlobStore
  /** Default: the platform's CSPRNG. */
  readonly random?: Random
  /** Default: the platform's clock. */
  readonly now?: () => Date
  /** Milliseconds for which a verification is reused while the chain stays as it was; default five minutes, 0: never. */
  readonly maximumAgeMs?: number
  /** Milliseconds for one call to the node; default 30,000. */
  readonly timeoutMs?: number
  /** A public log in which the node's code must stand: see `requireLogged` of `@sealpool/client/log`. Default: none is asked. */
  readonly log?: MeasurementLog
  /** Judges the node's GPUs, which it is then asked for and must have: see {@link GpuJudge}. Default: none are asked for. */
  readonly gpus?: GpuJudge
  /**
   * How final a block must be before what it says of a job's end counts, in `result`, `verifyReceipt`, `whoUsedMyData` and
   * `waitForJob`; default one confirmation, as nodes. `{ blockTag: 'finalized' }` is the chain's own word.
   */
  readonly finality?: Finality
  /** Where contributions with a key are noted, so that they go on after a crash. */
  readonly journal?: ContributionJournal
  /** Checks of every export before anything leaves. */
  readonly preflight?: readonly PreflightCheck[]
  /** How often a step is tried while node, chain or store do not answer; default 3. */
  readonly attempts?: number
  /** Milliseconds before the second try; they double with each further one; default 500. */
  readonly retryDelayMs?: number
  /** Another fetch for the node, for tests or a proxy. */
  readonly fetch?: NodeApiOptions['fetch']
  /** Seals calls to the verified node and signs in: `nodeAccess` of `@sealpool/client/access`. Default: plain calls, nobody's. */
  readonly access?: NodeAccess
}

/** One pool, seen by a contributor. */
export interface Contributor {
  /** The node's plain API. */
  readonly node: NodeApi
  /**
   * Verifies node, key and policy afresh. Nothing but a nonce leaves before this said yes. A no is an answer with its
   * checks, not an error.
   *
   * @throws ClientError `NODE_UNREACHABLE`, `NODE_REFUSED`, `NODE_ANSWER_INVALID`, `POOL_NOT_SERVED`, `POOL_UNKNOWN`,
   *   `WRONG_CHAIN`, `CHAIN_READ_FAILED`; AttestError `BAD_POLICY` when the policy's attestation rules cannot be read
   */
  ready(): Promise<Readiness>
  /**
   * Seals, stores and signs one contribution. Verifies first, unless the newest verification said yes, is younger than
   * `maximumAgeMs`, and the chain still says the same about policy, key epoch and node (asked every time).
   *
   * @throws ClientError `NOT_READY` with the checks that failed; as {@link ready} and the function `prepareContribution`
   */
  prepareContribution(
    account: Account,
    input: ContributionInput,
    options?: Pick<ContributeOptions, 'onProgress' | 'signal'>,
  ): Promise<PreparedContribution>
  /**
   * Runs the client's preflight and the given checks on an export. Nothing leaves the machine.
   *
   * @returns all findings; what failed stops {@link contribute}
   */
  preflight(
    input: ContributionInput,
    options?: Pick<ContributeOptions, 'preflight' | 'signal'>,
  ): Promise<readonly PreflightFinding[]>
  /**
   * Preflight, {@link prepareContribution}, then one transaction by the same account. With a journal and a key, a run that was
   * killed goes on where it stood, and the chain gets one contribution.
   *
   * @returns the contribution's number on chain, and the transaction
   * @throws ClientError `PREFLIGHT_FAILED`, `JOURNAL_INVALID`, `JOURNAL_FAILED`, `JOURNAL_MISMATCH`,
   *   `NONCE_TAKEN`, `INSUFFICIENT_FUNDS`; as {@link prepareContribution}; ContractsError as `contributeSigned`; the signal's reason
   */
  contribute(account: Account, input: ContributionInput, options?: ContributeOptions): Promise<Contributed>
  /**
   * Where a contribution stands: the chain's record, which counts, and what the node tells of it (null when it does not
   * verify, and so was not asked, does not answer, or does not know it yet).
   *
   * @throws ContractsError `NOT_FOUND`, `CHAIN_UNREACHABLE`; ClientError `NODE_ANSWER_INVALID`, `CHAIN_READ_FAILED`, `WRONG_CHAIN`,
   *   `POOL_UNKNOWN`; AttestError `BAD_POLICY`
   */
  contributionStatus(
    id: bigint,
  ): Promise<{ readonly chain: ContributionRecord; readonly node: ContributionStatus | null }>
  /**
   * Takes a contribution back: no job that begins later works on it, its points are given up, and a node that knows erasure
   * deletes what it stored.
   *
   * @throws ContractsError `REVERTED` (`OwnerNotSender`, `NotWithdrawable`)
   */
  withdraw(id: bigint, options?: WriteOptions): Promise<Sent>
  /**
   * Pays the contributor's share of job fees out; anyone may send it.
   *
   * @param options - `contributor` (default: the sender), `account` (default: the chain client's)
   * @throws ContractsError `NO_ACCOUNT`, `REVERTED` (`NothingToClaim`)
   */
  claim(options?: WriteOptions & { readonly contributor?: Address }): Promise<Sent>
}

/** What of the outside world a pool client stands on. */
export interface PoolClientPorts {
  readonly nodeApi: (options: NodeApiOptions) => NodeApi
  readonly random: Random
  readonly now: () => Date
  readonly wait: (milliseconds: number) => Promise<void>
}

/**
 * A contributor's client over given ports; `createContributor` fills in the platform's.
 *
 * @param options - chain, contracts, policy, node and store
 * @param ports - how to reach the node, randomness, the clock
 * @returns the client, and how it comes by a verified pool
 * @throws ClientError `OPTION_INVALID`
 */
export function contributor(
  options: PoolClientOptions,
  ports: PoolClientPorts,
): Contributor & { readonly verified: () => Promise<VerifiedPool> } {
  const { chain, deployment, pool, policy, blobStore, timeoutMs } = options
  const { random, now, wait } = ports
  // Read from a file, it may be anything.
  if (typeof policy !== 'object' || policy === null || Array.isArray(policy))
    throw new ClientError('OPTION_INVALID', 'policy', 'expected the pool’s policy, a JSON object')
  if (!isAddress(pool, { strict: false }))
    throw new ClientError('OPTION_INVALID', 'pool', 'expected the address of the pool’s contract')
  const patience = patienceOf(options)
  const maximumAgeMs = options.maximumAgeMs ?? defaultMaximumAgeMs
  if (!(maximumAgeMs >= 0 && maximumAgeMs <= 24 * 3_600_000)) {
    throw new ClientError('OPTION_INVALID', 'maximumAgeMs', 'expected 0 to 86,400,000 (a day)')
  }
  const fetch =
    options.access?.({
      nodeUrl: options.nodeUrl,
      chainId: deployment.chainId,
      fetch: options.fetch,
      keySet: async () => (await verifiedPool()).keySet,
      random,
      now,
    }) ?? options.fetch
  const node = ports.nodeApi({ url: options.nodeUrl, timeoutMs, fetch })
  const readiness = freshReadiness({
    verify,
    unchanged: async (verified) =>
      changedOnChain(verified, await readChainFacts(chain, { deployment, pool })) === undefined,
    now,
    maximumAgeMs,
  })

  async function verify(at: Date): Promise<Readiness> {
    if (Number.isNaN(at.getTime())) throw new ClientError('OPTION_INVALID', 'now', 'the clock gives no date')
    const nonce = encodeHex(random(32))
    const [served, evidence, facts] = await Promise.all([
      node.pools(),
      node.evidence(nonce, { gpus: options.gpus !== undefined }),
      readChainFacts(chain, { deployment, pool }),
    ])
    const logged = await options.log?.(facts.node.measurement, at)
    const own = served.find((candidate) => candidate.pool.toLowerCase() === pool.toLowerCase())
    if (own === undefined || own.epoch === null || own.poolKey === null || own.statement === null) {
      throw new ClientError(
        'POOL_NOT_SERVED',
        'GET /pools',
        'the node does not serve this pool yet; try later or choose another node',
      )
    }
    try {
      return verifyPool({
        policy,
        pool,
        chainId: deployment.chainId,
        nodeRegistry: deployment.nodeRegistry,
        served: { ...own, epoch: own.epoch, poolKey: own.poolKey, statement: own.statement },
        evidence,
        nonce,
        chain: facts,
        logged,
        gpus: options.gpus,
        at,
      })
    } catch (cause) {
      // A policy that cannot be read is the caller's; everything else that cannot be read came from the node.
      if (!(cause instanceof AttestError) || cause.code === 'BAD_POLICY') throw cause
      throw new ClientError('NODE_ANSWER_INVALID', 'GET /evidence', cause.message.slice(0, 300), { cause })
    }
  }

  async function verifiedPool(): Promise<VerifiedPool> {
    const answer = await readiness.current()
    if (answer.pool !== undefined) return answer.pool
    const failed = answer.checks.filter(({ result }) => result !== 'pass')
    throw new ClientError(
      'NOT_READY',
      'ready',
      `nothing was sent: ${failed.map(({ title, detail }) => `${title} (${detail})`).join('; ')}`,
    )
  }

  const context: ContributeContext = {
    chain,
    deployment,
    pool,
    blobStore,
    journal: options.journal,
    random,
    now,
    wait,
    patience,
    verified: verifiedPool,
  }
  const checksOf = (given: readonly PreflightCheck[] | undefined) => [
    ...(options.preflight ?? []),
    ...(given ?? []),
  ]

  return {
    node,
    verified: verifiedPool,
    ready: readiness.verify,
    async prepareContribution(account, input, preparing = {}) {
      const verified = await runStep('verify', preparing, () =>
        withRetries(verifiedPool, { ...patience, wait, signal: preparing.signal }),
      )
      return prepareContribution({
        ...preparing,
        pool: verified,
        deployment,
        account,
        blobStore,
        random,
        input,
        now: now(),
      })
    },
    preflight: (input, looking = {}) => runPreflight(input, checksOf(looking.preflight), looking.signal),
    contribute: (account, input, contributing = {}) =>
      contribute(context, account, input, { ...contributing, preflight: checksOf(contributing.preflight) }),
    async contributionStatus(id) {
      const record = await getContribution(chain, { deployment, id })
      // The chain says whose it is: only a node that verifies learns from which connection its owner asks.
      const asked = verifiedPool().then(() => node.contribution(id.toString()))
      return { chain: record, node: await asked.catch(nullWhenUnknown) }
    },
    withdraw: (id, withdrawing = {}) =>
      invoke(chain, {
        ...withdrawing,
        address: deployment.dataRegistry,
        abi: dataRegistryAbi,
        functionName: 'withdraw',
        args: [id],
      }),
    claim: (claiming = {}) => claimRewards(chain, { ...claiming, pool }),
  }
}

function patienceOf({ attempts = 3, retryDelayMs = 500 }: PoolClientOptions): Required<Patience> {
  return {
    attempts: positive(attempts, 'attempts'),
    retryDelayMs: positive(retryDelayMs, 'retryDelayMs'),
  }
}

/** A node that is away, does not know, or was not asked because it does not verify, is told from one that answers nonsense. */
export function nullWhenUnknown(error: unknown): null {
  const passing =
    error instanceof ClientError &&
    ['NODE_UNREACHABLE', 'NODE_REFUSED', 'NOT_READY', 'POOL_NOT_SERVED'].includes(error.code)
  if (passing) return null
  throw error
}
