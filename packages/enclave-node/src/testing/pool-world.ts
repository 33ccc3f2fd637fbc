/**
 * A chain with two pools, workers who contribute to both, members who vote and a consumer who pays: everything around
 * the node, for tests.
 * @module
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type AttestationPolicy,
  measurementDigest,
  type NodeEvidence,
  verifyNodeEvidence,
} from '@sealpool/attest'
import type { BlobStore } from '@sealpool/client'
import { fileBlobStore } from '@sealpool/client/file-store'
import {
  type BatchEntry,
  type BatchHeader,
  contributeBatch,
  contributeMerkleBatch,
  type Deployment,
  deployAll,
  deployMarket,
  execute,
  foundPool,
  fundJob,
  getJob,
  type PoolContracts,
  proposeApproval,
  proposeJob,
  queue,
  registerNode,
  setMeasurement,
  setVerifiers,
  signBatchedContribution,
  signContribution,
  signNodeApproval,
  transferToken,
  vote,
} from '@sealpool/contracts'
import { type Devnet, startDevnet } from '@sealpool/contracts/devnet'
import {
  type Address,
  canonicalBytes,
  type Digest,
  decodeBase64Url,
  deriveKeyPair,
  digestOf,
  digestToHex,
  encodeHex,
  type Hex,
  hpkeRecipient,
  type JsonValue,
  parseHeader,
  platformRandom,
  sealBytes,
  sha256Digest,
  walletRecipient,
} from '@sealpool/crypto'
import { bundlePoc } from '@sealpool/poc/bundle'
import { bundleRefiner } from '@sealpool/refine/bundle'
import { type Account, type Chain, createWalletClient, http, type Transport, type WalletClient } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { getBlock } from 'viem/actions'
import { openSimulator, simulatedPlatform } from '../evidence/simulator-quote-provider.js'
import { platformNow } from '../platform.js'
import { ask } from './ask.js'

type Wallet = WalletClient<Transport, Chain | undefined, Account>

/** One pool of the world. */
export interface WorldPool extends PoolContracts {
  readonly name: 'pay' | 'people'
  readonly policy: JsonValue
  readonly mediaType: string
}

/** A pool's key as the node's API gives it. */
interface ServedKey {
  readonly pool: Address
  readonly policyDigest: Digest
  readonly epoch: number
  readonly poolKey: { readonly publicKey: string }
}

/** What a worker sends to a pool. */
export interface WorldExport {
  readonly pool: WorldPool
  readonly worker: number
  readonly bytes: Uint8Array
  /** Seals for another pool than the one on the chain. */
  readonly sealedFor?: WorldPool
}

const noDigest: Hex = `0x${'00'.repeat(32)}`
const fixture = (name: string): string => fileURLToPath(new URL(`./fixture/${name}.ts`, import.meta.url))
const column = (name: string, more: object) => ({ name, nullable: false, ...more })

/** Makes the world. @returns helpers; call `close` at the end */
export async function poolWorld(options: { readonly workers: number; readonly ingest?: object }) {
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
  const found = async (
    name: 'pay' | 'people',
    other: string,
    mediaType: string,
    tables: JsonValue,
  ): Promise<WorldPool> => {
    const [poc, refiner] = await Promise.all([
      bundlePoc({ entry: fixture(`${name}-proof`) }),
      bundleRefiner({ entry: fixture(`${name}-refiner`) }),
    ])
    const policy = {
      format: 'sealpool/pool-policy',
      version: 1,
      name,
      description: `Test pool ${name}.`,
      purposes: ['research'],
      attestation,
      code: { poc: poc.digest, refiner: refiner.digest, computations: ['linear-regression'] },
      tables,
      privacy: {
        accounting: 'basic',
        // Far too much for real people: with a handful of workers, less would drown every answer.
        epsilon: 90,
        delta: 1e-6,
        perJob: { epsilon: 80, delta: 2.5e-7 },
        minimumContributors: 2,
        maximumGroups: 100,
      },
      joins: { allowed: true, with: [other] },
      economics: { price: '1000', poolTokenBurn: '0' },
    } as unknown as JsonValue
    const contracts = await foundPool(client, {
      deployment,
      name,
      symbol: name.toUpperCase(),
      policyDigest: digestToHex(digestOf(policy)),
      pocDigest: digestToHex(poc.digest),
      refinerDigest: digestToHex(refiner.digest),
      guardian: client.account.address,
      governance: { votingDelay: 1, votingPeriod: 60, timelockDelay: 1 },
    })
    for (const [part, value] of Object.entries({ policy, poc, refiner })) {
      await writeFile(join(folder, `${name}-${part}.json`), JSON.stringify(value))
    }
    const { pool, token, governor, timelock } = contracts
    return { pool: pool.toLowerCase() as Address, token, governor, timelock, name, policy, mediaType }
  }
  const pools = {
    pay: await found('pay', 'people', 'application/json', [
      {
        name: 'workers',
        rowsPerContributor: 1,
        columns: [
          column('wage', { type: 'decimal', decimals: 2, min: 0, max: 100, use: ['measure'] }),
          column('sector', { type: 'text', values: ['a', 'b'], use: ['group', 'filter'] }),
        ],
      },
    ]),
    people: await found('people', 'pay', 'text/csv', [
      {
        name: 'persons',
        rowsPerContributor: 1,
        columns: [column('education', { type: 'integer', min: 0, max: 30, use: ['measure'] })],
      },
    ]),
  }
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
        pollMs: 50,
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
  const register = async (url: string): Promise<void> => {
    const evidence = (await ask(`${url}/v1/evidence`)) as NodeEvidence
    const verdict = verifyNodeEvidence({ evidence, policy: attestation, at: new Date() })
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

  let nonce = 0n
  const servedPools = async (url: string): Promise<readonly ServedKey[]> =>
    ((await ask(`${url}/v1/pools`)) as { pools: ServedKey[] }).pools
  /** Seals one export for its pool's key and stores it. */
  const seal = async (served: readonly ServedKey[], { pool, worker, bytes, sealedFor }: WorldExport) => {
    const key = served.find((one) => one.pool === (sealedFor ?? pool).pool)
    const account = workers[worker]
    if (key === undefined || account === undefined) throw new Error('no such pool or worker')
    const sealed = await sealBytes(bytes, {
      recipients: [
        hpkeRecipient({ publicKey: decodeBase64Url(key.poolKey.publicKey) }),
        walletRecipient({
          publicKey: deriveKeyPair(new Uint8Array(32).fill(worker + 1)).publicKey,
          address: account.address,
        }),
      ],
      context: {
        chainId: devnet.chainId,
        pool: key.pool,
        policyDigest: key.policyDigest,
        epoch: key.epoch,
        mediaType: pool.mediaType,
      },
      random: platformRandom,
    })
    const { locator } = await blobs.put(sealed)
    const entry: BatchEntry = {
      owner: account.address,
      blobDigest: digestToHex(sha256Digest(sealed)),
      commitment: digestToHex(parseHeader(sealed).context.commitment),
      consentDigest: noDigest,
    }
    return { account, locator, epoch: key.epoch, entry }
  }
  /** Seals, stores and contributes. @returns ids, in the order of the exports */
  const contribute = async (
    url: string,
    exports: readonly WorldExport[],
    spoil: (locator: string, index: number) => Promise<void> = async () => undefined,
  ): Promise<string[]> => {
    const served = await servedPools(url)
    const deadline = (await now()) + 3_600n
    const signed = await Promise.all(
      exports.map(async (one, index) => {
        const { account, locator, epoch, entry } = await seal(served, one)
        await spoil(locator, index)
        const contribution = {
          ...entry,
          pool: one.pool.pool,
          schemaId: noDigest,
          epoch,
          locator,
          nonce: nonce++,
        }
        return signContribution({ account, deployment, deadline, contribution })
      }),
    )
    const { ids } = await contributeBatch(client, { deployment, signed })
    return ids.map(String)
  }

  let batchNumber = 0n
  /** Contributes exports of one pool as one Merkle batch. @returns the batch, and its entries for withdrawals */
  const contributeMerkle = async (
    url: string,
    exports: readonly WorldExport[],
    spoil: (locator: string, index: number) => Promise<void> = async () => undefined,
  ) => {
    const served = await servedPools(url)
    const sealed = []
    for (const [index, one] of exports.entries()) {
      const ready = await seal(served, one)
      await spoil(ready.locator, index)
      sealed.push(ready)
    }
    const [first] = exports
    if (first === undefined) throw new Error('a batch has an entry')
    const header: BatchHeader = {
      pool: first.pool.pool,
      epoch: sealed[0]?.epoch ?? 1,
      schemaId: noDigest,
      locatorBase: 'sha256:',
    }
    const number = batchNumber++
    const entries = await Promise.all(
      sealed.map(async ({ account, entry }, index) => ({
        ...entry,
        signature: await signBatchedContribution({
          account,
          deployment,
          relayer: client.account.address,
          number,
          header,
          index,
          entry,
        }),
      })),
    )
    const { batchId } = await contributeMerkleBatch(client, { deployment, number, header, entries })
    return { batchId, entries: sealed.map(({ entry }) => entry) }
  }
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
    more: { readonly class?: 'Open' | 'Drawn' } = {},
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
    attestation,
    blobs: blobs as BlobStore,
    register,
    market,
    contribute,
    contributeMerkle,
    workerWallet,
    propose,
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
