/**
 * A chain with two pools, workers who contribute to both, members who vote and a consumer who pays: everything around
 * the node, for tests.
 * @module
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AttestationPolicy,
  measurementDigest,
  type NodeEvidence,
  verifyNodeEvidence,
} from '@sealpool/attest'
import type { BlobStore } from '@sealpool/client'
import { fileBlobStore } from '@sealpool/client/file-store'
import {
  type Deployment,
  deployAll,
  deployMarket,
  execute,
  fundJob,
  getJob,
  getPool,
  type Proposal,
  type ProposedCall,
  proposeApproval,
  proposeJob,
  propose as proposeVote,
  queue,
  registerNode,
  setMeasurement,
  setVerifiers,
  signNodeApproval,
  transferToken,
  vote,
} from '@sealpool/contracts'
import { type Devnet, startDevnet } from '@sealpool/contracts/devnet'
import {
  type Address,
  canonicalBytes,
  digestOf,
  digestToHex,
  encodeHex,
  type Hex,
  type JsonValue,
  platformRandom,
  sha256Digest,
} from '@sealpool/crypto'
import { createWalletClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { getBlock } from 'viem/actions'
import { openSimulator, simulatedPlatform } from '../evidence/simulator-quote-provider.js'
import { platformNow } from '../platform.js'
import { ask } from './ask.js'
import { worldContributions } from './world-contributions.js'
import { foundWorldPools, type Wallet, type WorldPool } from './world-pools.js'

export type { WorldExport } from './world-contributions.js'
export type { WorldPool } from './world-pools.js'

/**
 * Makes the world.
 * @param options `rural`: a third pool, of another home: as `people`; `notes`: one whose rows hold words. Neither is among the pools of the
 * settings
 * @returns helpers; call `close` at the end
 */
export async function poolWorld(options: {
  readonly workers: number
  readonly ingest?: object
  readonly rural?: true
  readonly notes?: true
}) {
  const folder = await mkdtemp(join(tmpdir(), 'sealpool-world-'))
  const data = join(folder, 'node')
  await mkdir(data)
  const devnet = await startDevnet({ accounts: 8, persistedStates: 0 })
  const walletOf = (key: Hex): Wallet =>
    createWalletClient({
      account: privateKeyToAccount(key),
      transport: http(devnet.rpcUrl),
      pollingInterval: 50,
    })
  const [deployer, nodeAccount, verifier, consumer] = devnet.accounts.map(({ privateKey }) => privateKey)
  if (
    deployer === undefined ||
    nodeAccount === undefined ||
    verifier === undefined ||
    consumer === undefined
  ) {
    throw new Error('the devnet has too few accounts')
  }
  const client = walletOf(deployer)
  const deployment = await deployAll({ walletClient: client })
  const market = await deployMarket(client, {
    deployment,
    arbiter: client.account.address,
    minimumStake: 1n,
  })
  const workers = Array.from({ length: options.workers }, (_, index) =>
    privateKeyToAccount(sha256Hex(`worker ${index}`)),
  )
  const platform = simulatedPlatform(
    openSimulator({ directory: data, random: platformRandom, at: new Date(platformNow() * 1000) }),
  )
  const attestation: AttestationPolicy = {
    format: 'sealpool/attestation-policy',
    version: 1,
    roots: [platform.rootDigest],
    allowSimulator: true,
    acceptedTcbStatuses: ['UpToDate'],
    acceptedAdvisories: [],
    measurements: [{ name: 'simulated node', mrTd: platform.mrTd }],
    allowDebug: false,
    maximumAgeSeconds: 30 * 86_400,
  }
  const blobs = fileBlobStore({ directory: join(folder, 'blobs'), durable: false })
  const {
    rural: ruralPool,
    notes: notesPool,
    ...pools
  } = await foundWorldPools({
    client,
    deployment,
    folder,
    attestation,
    rural: options.rural === true,
    notes: options.notes === true,
  })
  const config = join(folder, 'node.json')
  const lower = (value: Deployment) =>
    Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, typeof one === 'bigint' ? Number(one) : one]),
    )
  await writeFile(
    config,
    JSON.stringify({
      format: 'sealpool/node-config',
      version: 1,
      dataDirectory: 'node',
      chain: {
        rpcUrl: devnet.rpcUrl,
        deployment: lower(deployment),
        anchors: market.anchors,
        confirmations: 0,
        pollMs: 200,
      },
      api: { port: 0 },
      evidence: { provider: 'simulator' },
      keyRelease: { adapter: 'development' },
      blobStore: { kind: 'files', directory: 'blobs' },
      sandbox: { isolation: 'best' },
      ingest: { missingBlobTries: 2, missingBlobWaitSeconds: 0, ...options.ingest },
      pools: Object.values(pools).map(({ pool, name }) => ({
        address: pool,
        policy: `${name}-policy.json`,
        poc: `${name}-poc.json`,
        refiner: `${name}-refiner.json`,
      })),
    }),
  )

  /** Verifies a node's evidence and registers it, as independent verifiers do. */
  const register = async (url: string, policy: AttestationPolicy = attestation): Promise<void> => {
    const evidence = (await ask(`${url}/v1/evidence`)) as NodeEvidence
    const verdict = verifyNodeEvidence({ evidence, policy, at: new Date() })
    if (!verdict.ok || verdict.verdict.claims.tee !== 'tdx') throw new Error('the evidence does not verify')
    const measurement = measurementDigest(verdict.verdict.claims)
    const account = privateKeyToAccount(verifier)
    await setMeasurement(client, { deployment, measurement, allowed: true })
    await setVerifiers(client, { deployment, verifiers: [account.address], threshold: 1 })
    const registration = {
      statementKey: evidence.keySet.statement.address,
      keySetDigest: digestToHex(digestOf(evidence.keySet as unknown as JsonValue)),
      quoteDigest: digestToHex(verdict.quoteDigest),
      measurement,
      expiresAt: (await now()) + 30n * 86_400n,
    }
    const signature = await signNodeApproval({ account, deployment, registration })
    await registerNode(client, { deployment, registration, signatures: [signature] })
  }
  const now = async (): Promise<bigint> => (await getBlock(client)).timestamp

  const { contribute, contributeMerkle, contributeVersion } = worldContributions({
    client,
    deployment,
    chainId: devnet.chainId,
    workers,
    blobs,
  })
  /** A wallet of a worker, with gas. */
  const workerWallet = async (worker: number): Promise<Wallet> => {
    const account = workers[worker]
    if (account === undefined) throw new Error('no such worker')
    await fundGas(account.address)
    return createWalletClient({ account, transport: http(devnet.rpcUrl), pollingInterval: 50 })
  }

  /** Proposes a manifest as the consumer. */
  const propose = async (
    manifest: JsonValue,
    jobPools: readonly WorldPool[],
    more: {
      readonly class?: 'Open' | 'Drawn'
      readonly templateDigest?: Hex
      readonly scopeDigest?: Hex
    } = {},
  ): Promise<bigint> => {
    const bytes = canonicalBytes(manifest)
    const { locator, digest } = await blobs.put(bytes)
    const { jobId } = await proposeJob(walletOf(consumer), {
      deployment,
      manifestDigest: digestToHex(digest),
      manifestLocator: locator,
      pools: jobPools.map(({ pool }) => pool),
      deadline: (await now()) + 50_000n,
      ...more,
    })
    return jobId
  }
  /** Wins every pool's vote with the workers' own tokens. */
  const approve = async (jobId: bigint, jobPools: readonly WorldPool[]): Promise<void> => {
    for (const { pool } of jobPools) {
      const at = await now()
      const proposal = await proposeApproval(client, {
        deployment,
        jobId,
        pool,
        terms: { price: 1_000n, poolTokenBurn: 0n, runs: 1, opensAt: at, closesAt: at + 40_000n },
      })
      await pass(proposal)
    }
  }
  /** Has the workers vote for a proposal with their own tokens, and carries it out. */
  const pass = async (proposal: Proposal): Promise<void> => {
    await devnet.advanceTime(2)
    for (const account of workers.slice(0, 3)) {
      await fundGas(account.address)
      const wallet = createWalletClient({ account, transport: http(devnet.rpcUrl), pollingInterval: 50 })
      await vote(wallet, { proposal, support: 'for' })
    }
    await devnet.advanceTime(61)
    await queue(client, { proposal })
    await devnet.advanceTime(2)
    await execute(client, { proposal })
  }
  /** Wins a pool's vote for calls of its timelock. */
  const decide = async (
    { pool }: WorldPool,
    calls: readonly ProposedCall[],
    description: string,
  ): Promise<void> => {
    const { governor } = await getPool(client, { pool, deployment })
    await pass(await proposeVote(client, { governor, calls, description }))
  }
  const fundGas = (address: Address) => setBalance(devnet, address)
  /** Pays for a job as the consumer. */
  const pay = async (jobId: bigint): Promise<void> => {
    const wallet = walletOf(consumer)
    await transferToken(client, {
      token: deployment.protocolToken,
      to: wallet.account.address,
      amount: 10_000n,
    })
    await fundJob(wallet, { deployment, jobId, approveTokens: true })
  }
  return {
    folder,
    data,
    config,
    transactionKey: nodeAccount,
    devnet,
    deployment,
    client,
    workers,
    consumer: privateKeyToAccount(consumer).address.toLowerCase() as Address,
    pools,
    /** The third pool, when it was asked for. */
    rural: ruralPool,
    /** The pool of words, when it was asked for. */
    notes: notesPool,
    attestation,
    /** What every simulated node of this world runs, as the registry lists it. */
    measurement: platform.measurement,
    blobs: blobs as BlobStore,
    register,
    market,
    contribute,
    contributeMerkle,
    contributeVersion,
    workerWallet,
    consumerWallet: () => walletOf(consumer),
    propose,
    decide,
    approve,
    pay,
    jobState: async (jobId: bigint) => (await getJob(client, { deployment, jobId })).state,
    payExport: (worker: number, wage = 10 + worker): Uint8Array =>
      new TextEncoder().encode(
        JSON.stringify({
          account: workers[worker]?.address.toLowerCase(),
          wage,
          sector: worker % 2 === 0 ? 'a' : 'b',
        }),
      ),
    peopleExport: (worker: number): Uint8Array =>
      new TextEncoder().encode(`name,education\nworker ${worker},${8 + (worker % 10)}\n`),
    async close() {
      await devnet.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The world that {@link poolWorld} makes. */
export type PoolWorld = Awaited<ReturnType<typeof poolWorld>>

function sha256Hex(text: string): Hex {
  return encodeHex(Uint8Array.from(Buffer.from(sha256Digest(new TextEncoder().encode(text)).slice(7), 'hex')))
}

async function setBalance(devnet: Devnet, address: Address): Promise<void> {
  await ask(devnet.rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'anvil_setBalance',
      params: [address, '0xde0b6b3a7640000'],
    }),
  })
}
