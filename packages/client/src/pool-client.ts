import { type Deployment, getNode, getPool } from '@sealpool/contracts'
import { type Address, encodeHex, type JsonObject, platformRandom, type Random } from '@sealpool/crypto'
import type { Account, Client } from 'viem'
import {
  type ContributionInput,
  type PreparedContribution,
  prepareContribution,
} from './contribute/prepare-contribution.js'
import { ClientError } from './errors.js'
import { type NodeApi, nodeApi } from './node-api/node-api.js'
import { platformNow } from './platform.js'
import { type OpenedResult, openResult } from './result/open-result.js'
import type { BlobStore } from './store/blob-store.js'
import { type ChainFacts, type Readiness, verifyPool } from './verify/verified-pool.js'

/** What a pool client needs. */
export interface PoolClientOptions {
  /** A viem client on the pool's chain. */
  readonly chain: Client
  readonly deployment: Deployment
  readonly pool: Address
  /** The pool's policy as the contributor read it; its digest must be the one on chain. */
  readonly policy: JsonObject
  /** Base address of the node. */
  readonly nodeUrl: string
  readonly blobStore: BlobStore
  /** Default: the platform's CSPRNG. */
  readonly random?: Random
  /** Default: the platform's clock. */
  readonly now?: () => Date
}

/** One pool, seen by an app. */
export interface PoolClient {
  /** The node's plain API. */
  readonly node: NodeApi
  /** Verifies node, key and policy afresh. Nothing is sealed or sent before this said yes. */
  ready(): Promise<Readiness>
  /**
   * Seals, stores and signs one contribution; verifies first when `ready()` has not said yes yet.
   *
   * @throws ClientError `NOT_READY` with the checks that failed
   */
  prepareContribution(account: Account, input: ContributionInput): Promise<PreparedContribution>
  /**
   * Fetches and opens the result of a job.
   *
   * @param jobId the job's number on chain
   * @param privateKey X25519, behind the manifest's `resultKey`
   */
  result(jobId: bigint, privateKey: Uint8Array): Promise<OpenedResult>
}

/**
 * An app's view of one pool.
 *
 * @param options - chain, contracts, policy, node and store
 * @returns the client
 * @example
 * ```ts no-run
 * const client = createPoolClient({ chain, deployment, pool, policy, nodeUrl, blobStore })
 * const { ok, checks } = await client.ready()
 * if (!ok) throw new Error(checks.filter(({ result }) => result !== 'pass').map(({ title }) => title).join('; '))
 * const prepared = await client.prepareContribution(account, input)
 * ```
 */
export function createPoolClient(options: PoolClientOptions): PoolClient {
  const { chain, deployment, pool, policy, blobStore } = options
  const random = options.random ?? platformRandom
  const now = options.now ?? platformNow
  const node = nodeApi({ url: options.nodeUrl })
  let readiness: Readiness | undefined

  async function chainFacts(): Promise<ChainFacts> {
    const { policyDigest, keyEpoch } = await getPool(chain, { pool, deployment })
    if (keyEpoch === null) {
      throw new ClientError(
        'POOL_NOT_SERVED',
        'pool key',
        'no node has published a key for this pool yet; try later',
      )
    }
    const record = await getNode(chain, { deployment, statementKey: keyEpoch.node })
    return { policyDigest, keyEpoch, node: { active: record.active, keySetDigest: record.keySetDigest } }
  }

  async function ready(): Promise<Readiness> {
    const nonce = encodeHex(random(32))
    const [served, evidence, facts] = await Promise.all([node.pools(), node.evidence(nonce), chainFacts()])
    const own = served.find((candidate) => candidate.pool.toLowerCase() === pool.toLowerCase())
    if (own === undefined || own.epoch === null || own.poolKey === null || own.statement === null) {
      throw new ClientError(
        'POOL_NOT_SERVED',
        'GET /pools',
        'the node does not serve this pool, or not yet; try later or choose another node',
      )
    }
    readiness = verifyPool({
      policy,
      pool,
      chainId: deployment.chainId,
      nodeRegistry: deployment.nodeRegistry,
      served: { ...own, epoch: own.epoch, poolKey: own.poolKey, statement: own.statement },
      evidence,
      nonce,
      chain: facts,
      at: now(),
    })
    return readiness
  }

  return {
    node,
    ready,
    async prepareContribution(account, input) {
      const answer = readiness ?? (await ready())
      if (answer.pool === undefined) {
        const failed = answer.checks.filter(({ result }) => result !== 'pass')
        throw new ClientError(
          'NOT_READY',
          'ready',
          `nothing was sent: ${failed.map(({ title, detail }) => `${title} (${detail})`).join('; ')}`,
        )
      }
      return prepareContribution({ pool: answer.pool, deployment, account, blobStore, random, input })
    },
    async result(jobId, privateKey) {
      const id = jobId.toString()
      const [sealed, bundle] = await Promise.all([node.jobResult(id), node.jobReceipt(id)])
      const expected = resultDigestOf(bundle.receipt)
      if (expected === undefined) {
        throw new ClientError(
          'RESULT_MISSING',
          `job ${id}`,
          'the receipt names no result: the job was refused',
        )
      }
      return openResult({ sealed, privateKey, expectedDigest: expected })
    },
  }
}

function resultDigestOf(receipt: JsonObject): `sha256:${string}` | undefined {
  const digest = at(receipt, 'statement', 'body', 'result', 'digest')
  return typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest)
    ? (digest as `sha256:${string}`)
    : undefined
}

function at(value: unknown, ...path: readonly string[]): unknown {
  let current = value
  for (const name of path) {
    if (typeof current !== 'object' || current === null) return undefined
    current = (current as Record<string, unknown>)[name]
  }
  return current
}
