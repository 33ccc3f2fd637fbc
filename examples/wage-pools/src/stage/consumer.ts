import { type BlobStore, type NodeApi, nodeApi, openResult, type ReceiptBundleAnswer } from '@sealpool/client'
import type { JobManifest } from '@sealpool/compute'
import {
  execute,
  fundJob,
  getBallotNonce,
  getGovernorDomain,
  getJob,
  proposeApproval,
  proposeJob,
  queue,
  signBallot,
  transferToken,
  voteSigned,
} from '@sealpool/contracts'
import {
  canonicalBytes,
  derivePoolKey,
  digestOf,
  digestToHex,
  type JsonObject,
  type JsonValue,
  parseSignedStatement,
  platformRandom,
} from '@sealpool/crypto'
import { parseEther } from 'viem'
import { type JobRequest, manifestOf } from '../jobs.js'
import { inParallel } from '../parallel.js'
import type { Progress } from '../progress.js'
import type { Worker } from '../workers.js'
import { randomSalt } from './contribute.js'
import type { DemoPool, Founded } from './found-pools.js'
import { until } from './start-node.js'

/** A job with everything that its consumer got. */
export interface FinishedJob {
  readonly request: JobRequest
  readonly id: bigint
  readonly manifest: JobManifest
  readonly state: string
  readonly bundle: ReceiptBundleAnswer
  /** Only of a released job. */
  readonly result:
    | { readonly value: JsonValue; readonly bytes: Uint8Array; readonly sealed: Uint8Array }
    | undefined
}

/** The analyst of the demo: proposes jobs, pays, opens results. */
export interface Consumer {
  readonly api: NodeApi
  readonly manifest: (request: JobRequest) => JobManifest
  /** Puts a job on the board. */
  readonly propose: (request: JobRequest) => Promise<{ readonly id: bigint; readonly manifest: JobManifest }>
  /** Has the members of every pool of a job vote, and carries the passed votes out. */
  readonly letMembersVote: (request: JobRequest, id: bigint) => Promise<void>
  readonly fund: (id: bigint) => Promise<void>
  /** Waits for the end of a job and collects its receipt and, when there is one, its result. */
  readonly collect: (request: JobRequest, id: bigint, manifest: JobManifest) => Promise<FinishedJob>
}

/** Sets the analyst up: with protocol tokens from the founder and pool tokens bought from three workers. */
export async function createConsumer(options: {
  readonly founded: Founded
  readonly nodeUrl: string
  readonly blobStore: BlobStore
  readonly workers: readonly Worker[]
  /** Three who earned tokens of both pools and sell some of them. */
  readonly sellers: readonly Worker[]
  readonly progress: Progress
}): Promise<Consumer> {
  const { founded, workers, progress } = options
  const { consumer, founder, relayer, deployment, devnet, pools } = founded
  const api = nodeApi({ url: options.nodeUrl })
  // Any X25519 pair does; this derives one from fresh randomness.
  const resultKey = derivePoolKey({
    root: platformRandom(32),
    chainId: deployment.chainId,
    pool: pools.pay.contracts.pool,
    policyDigest: pools.pay.policyDigest,
    epoch: 1,
  })
  await transferToken(founder, {
    token: deployment.protocolToken,
    to: consumer.account.address,
    amount: parseEther('2000'),
  })
  await buyPoolTokens()

  const manifest = (request: JobRequest) =>
    manifestOf({
      request,
      pools,
      consumer: consumer.account.address,
      resultPublicKey: resultKey.publicKey,
      salt: randomSalt(),
    })

  /** Three workers sell some of their pool tokens, each in two transactions of their own. */
  async function buyPoolTokens(): Promise<void> {
    for (const seller of options.sellers.slice(0, 3)) {
      const hash = await founder.sendTransaction({ to: seller.account.address, value: parseEther('1') })
      await founder.waitForTransactionReceipt({ hash })
      for (const pool of [pools.pay, pools.people]) {
        await transferToken(consumer, {
          token: deployment.protocolToken,
          to: seller.account.address,
          amount: parseEther('10'),
        })
        await transferToken(relayer, {
          token: pool.contracts.token,
          to: consumer.account.address,
          amount: parseEther('60'),
          account: seller.account,
        })
      }
    }
  }

  async function voteIn(pool: DemoPool, id: bigint): Promise<void> {
    const { policy } = pool
    const { timestamp } = await consumer.getBlock()
    const proposal = await proposeApproval(consumer, {
      deployment,
      jobId: id,
      pool: pool.contracts.pool,
      terms: {
        price: BigInt(policy.economics.price),
        poolTokenBurn: BigInt(policy.economics.poolTokenBurn),
        runs: 1,
        opensAt: timestamp,
        closesAt: timestamp + 86_400n,
      },
    })
    await devnet.advanceTime(2)
    const { governor } = pool.contracts
    const domain = await getGovernorDomain(consumer, { governor })
    // Every third member votes; one in nine of them says no.
    const voters = workers.filter(({ index }) => index % 3 === 0)
    const ballots = await inParallel(voters, 8, async ({ account, index }) =>
      signBallot({
        account,
        domain,
        proposalId: proposal.proposalId,
        support: index % 27 === 0 ? 'against' : 'for',
        nonce: await getBallotNonce(consumer, { governor, voter: account.address }),
      }),
    )
    const bar = progress.bar(`votes in ${pool.name}`, ballots.length)
    for (const [index, ballot] of ballots.entries()) {
      await voteSigned(relayer, { governor, ballot, gas: 250_000n })
      bar.set(index + 1)
    }
    bar.end()
    await devnet.advanceTime(61)
    await queue(consumer, { proposal })
    await devnet.advanceTime(2)
    await execute(consumer, { proposal })
  }

  return {
    api,
    manifest,
    async propose(request) {
      const made = manifest(request)
      const { locator } = await options.blobStore.put(canonicalBytes(made as unknown as JsonObject))
      const { timestamp } = await consumer.getBlock()
      const { jobId } = await proposeJob(consumer, {
        deployment,
        manifestDigest: digestToHex(digestOf(made as unknown as JsonObject)),
        manifestLocator: locator,
        pools: made.pools.map(({ address }) => address),
        deadline: timestamp + 86_400n,
      })
      return { id: jobId, manifest: made }
    },
    async letMembersVote(request, id) {
      for (const name of request.pools) await voteIn(pools[name], id)
    },
    async fund(id) {
      await fundJob(consumer, { deployment, jobId: id, approveTokens: true })
    },
    async collect(request, id, made) {
      const text = id.toString()
      const over = ['Settled', 'Refused', 'Failed']
      await until(
        `the end of job ${text}`,
        async () => over.includes((await getJob(consumer, { deployment, jobId: id })).state),
        90,
      )
      const { state } = await getJob(consumer, { deployment, jobId: id })
      const bundle = await api.jobReceipt(text)
      const { result } = parseSignedStatement(bundle.receipt).statement.body as {
        result?: { digest: `sha256:${string}` } | null
      }
      if (!result) return { request, id, manifest: made, state, bundle, result: undefined }
      const sealed = await api.jobResult(text)
      const opened = await openResult({
        sealed,
        privateKey: resultKey.privateKey,
        expectedDigest: result.digest,
      })
      return {
        request,
        id,
        manifest: made,
        state,
        bundle,
        result: { value: opened.value, bytes: opened.bytes, sealed },
      }
    },
  }
}
