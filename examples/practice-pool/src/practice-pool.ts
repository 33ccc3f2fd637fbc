import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type AttestationPolicy,
  defaultAttestationPolicy,
  measurementDigest,
  verifyNodeEvidence,
} from '@sealpool/attest'
import { type BlobStore, createPoolClient, nodeApi, type PoolClient } from '@sealpool/client'
import { fileBlobStore } from '@sealpool/client/file-store'
import {
  contributeBatch,
  type Deployment,
  deployAll,
  foundPool,
  getPool,
  type PoolContracts,
  registerNode,
  setMeasurement,
  setVerifiers,
  signNodeApproval,
  transferToken,
} from '@sealpool/contracts'
import { type Devnet, startDevnet } from '@sealpool/contracts/devnet'
import {
  type Digest,
  digestOf,
  digestToHex,
  encodeHex,
  type JsonObject,
  keySetDigest,
  platformRandom,
  walletIdentity,
  walletKeyTypedData,
} from '@sealpool/crypto'
import {
  nodeLogger,
  openSimulator,
  parseNodeConfig,
  parseSecrets,
  simulatedPlatform,
  startNode,
} from '@sealpool/enclave-node'
import { bundlePoc } from '@sealpool/poc/bundle'
import { type BundledRefiner, schemaId } from '@sealpool/refine'
import { bundleRefiner } from '@sealpool/refine/bundle'
import { createWalletClient, http, parseEther, publicActions } from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { anvil } from 'viem/chains'

/** The text that contributors of the practice pool agree to. */
export const consentText =
  'I put this payslip into the practice pool. Approved code may compute on it, within the pool’s privacy budget, for research.'

/** A local chain with one pool of payslips and one SIMULATED node. Nothing in it protects anybody: use made-up data. */
export interface PracticePool {
  readonly devnet: Devnet
  readonly deployment: Deployment
  readonly contracts: PoolContracts
  /** The pool's rules, as the chain has their digest. */
  readonly policy: JsonObject
  /** Whose evidence the policy accepts: the simulator's, by name. */
  readonly attestation: AttestationPolicy
  readonly schemaId: Digest
  /** What makes tables of payslips, as the pool accepted it. */
  readonly refiner: BundledRefiner
  readonly mediaType: string
  readonly consentDigest: Digest
  readonly nodeUrl: string
  readonly blobStore: BlobStore
  readonly blobDirectory: string
  /** Founds the pool and holds the protocol tokens. */
  readonly founder: PrivateKeyAccount
  /** Has 1,000 protocol tokens to pay for jobs. */
  readonly consumer: PrivateKeyAccount
  /** Fifty wallets with gas. */
  readonly contributors: readonly PrivateKeyAccount[]
  /** The pool as one account sees it. */
  clientOf(account: PrivateKeyAccount): PoolClient
  /** Puts made-up payslips of the first so many contributors into the pool and waits until the node has refined them. */
  fill(count: number): Promise<void>
  /** Waits until the node is done with so many contributions. */
  settled(count: number): Promise<void>
  /** Lets the first three contributors, who need pool tokens, grant a job. */
  grant(jobId: bigint): Promise<void>
  /** Chain time, unix seconds. It runs ahead of the clock once votes were held. */
  now(): Promise<bigint>
  /** Stops node and chain and removes their files. */
  close(): Promise<void>
}

/** Price of a job and what it burns of the pool's own token, in the smallest units. */
const economics = { price: parseEther('10').toString(), poolTokenBurn: '0' }

/**
 * Starts everything. Takes some seconds.
 *
 * @returns the running pool; call `close` at the end
 */
export async function startPracticePool(): Promise<PracticePool> {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-practice-'))
  const closers = [async () => rmSync(folder, { recursive: true, force: true })]
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one()
  }
  try {
    return await start(folder, closers, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function start(
  folder: string,
  closers: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<PracticePool> {
  // A chain with the contracts.
  const devnet = await startDevnet({ accounts: 54 })
  closers.push(() => devnet.stop())
  const accounts = devnet.accounts.map(({ privateKey }) => privateKeyToAccount(privateKey))
  const [founder, verifier, consumer, , ...contributors] = accounts
  const transactionKey = devnet.accounts[3]?.privateKey
  if (!founder || !verifier || !consumer || !transactionKey) throw new Error('the chain has too few accounts')
  const chainOf = (account: PrivateKeyAccount) =>
    createWalletClient({
      account,
      chain: anvil,
      transport: http(devnet.rpcUrl, { batch: true }),
      pollingInterval: 20,
    }).extend(publicActions)
  const chain = chainOf(founder)
  const deployment = await deployAll({ walletClient: chain })
  const now = async () => (await chain.getBlock()).timestamp

  // The policy names whose evidence counts. Here, and only here, that is a simulator.
  const dataDirectory = join(folder, 'node')
  mkdirSync(dataDirectory, { mode: 0o700 })
  const platform = simulatedPlatform(
    openSimulator({ directory: dataDirectory, random: platformRandom, at: new Date() }),
  )
  const attestation: AttestationPolicy = {
    ...defaultAttestationPolicy,
    roots: [platform.rootDigest],
    allowSimulator: true,
    measurements: [{ name: 'practice node (SIMULATED)', mrTd: platform.mrTd, rtmrs: [...platform.rtmrs] }],
  }
  const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url))
  const poc = await bundlePoc({ entry: beside('./payslip-proof.ts') })
  const refiner = await bundleRefiner({ entry: beside('./payslip-refiner.ts') })
  const policy = payslipPolicy({ attestation, poc: poc.digest, refiner: refiner.digest })

  // The pool. Votes take a minute of chain time instead of days.
  const contracts = await foundPool(chain, {
    deployment,
    name: 'Practice pool',
    symbol: 'PAY',
    policyDigest: digestToHex(digestOf(policy)),
    pocDigest: digestToHex(poc.digest),
    refinerDigest: digestToHex(refiner.digest),
    measurement: platform.measurement,
    governance: { votingDelay: 1, votingPeriod: 60, quorumPercent: 10, timelockDelay: 1 },
  })
  const { pool } = contracts
  const wealth = { token: deployment.protocolToken, to: consumer.address, amount: parseEther('1000') }
  await transferToken(chain, wealth)

  // The node, in this process.
  const blobDirectory = join(folder, 'blobs')
  const config = parseNodeConfig({
    format: 'sealpool/node-config',
    version: 1,
    dataDirectory,
    chain: {
      rpcUrl: devnet.rpcUrl,
      deployment: { ...deployment, blockNumber: deployment.blockNumber.toString() },
      confirmations: 0,
      pollMs: 50,
    },
    api: { port: 0 },
    evidence: { provider: 'simulator' },
    keyRelease: { adapter: 'development' },
    blobStore: { kind: 'files', directory: blobDirectory },
    sandbox: { isolation: 'best' },
    pools: [{ address: pool, policy, poc, refiner }],
  })
  const log = nodeLogger({ level: 'silent', simulated: true })
  const node = await startNode(config, parseSecrets({ transactionKey }), { log })
  closers.push(() => node.stop())
  const nodeUrl = node.url
  const api = nodeApi({ url: nodeUrl })

  // Somebody checks the node's evidence and vouches for it on chain; then the node publishes the pool's key.
  await setVerifiers(chain, { deployment, verifiers: [verifier.address], threshold: 1 })
  await setMeasurement(chain, { deployment, measurement: platform.measurement, allowed: true })
  const nonce = encodeHex(platformRandom(32))
  const evidence = await api.evidence(nonce)
  const answer = verifyNodeEvidence({ evidence, policy: attestation, at: new Date(), nonce })
  if (!answer.ok || answer.verdict.claims.tee !== 'tdx')
    throw new Error('the node’s evidence does not verify')
  const registration = {
    statementKey: answer.keySet.statement.address,
    keySetDigest: digestToHex(keySetDigest(answer.keySet)),
    quoteDigest: digestToHex(answer.quoteDigest),
    measurement: measurementDigest(answer.verdict.claims),
    expiresAt: (await now()) + 30n * 86_400n,
  }
  const signature = await signNodeApproval({ account: verifier, deployment, registration })
  await registerNode(chain, { deployment, registration, signatures: [signature] })
  await until('the pool’s key', async () => (await getPool(chain, { pool, deployment })).keyEpoch !== null)

  const blobStore = fileBlobStore({ directory: blobDirectory })
  // This chain mines what is sent and no more: nothing would come to stand on the last block.
  const finality = { confirmations: 0 } as const
  const shared = { deployment, pool, policy, nodeUrl, blobStore, finality }
  const clientOf = (account: PrivateKeyAccount) => createPoolClient({ chain: chainOf(account), ...shared })
  const facts = {
    schemaId: schemaId(refiner.schema),
    refiner,
    mediaType: 'application/json',
    consentDigest: digestOf(consentText),
  }
  const settled = (count: number) =>
    until(`${count} contributions`, async () => {
      const { states } = await api.contributionCounts(pool)
      return (states['refined'] ?? 0) + (states['refused'] ?? 0) >= count
    })
  return {
    ...{ devnet, deployment, contracts, policy, attestation, ...facts },
    ...{ nodeUrl, blobStore, blobDirectory, founder, consumer, contributors, clientOf, settled, now, close },
    async fill(count) {
      const deadline = (await now()) + 3600n
      const signed = []
      for (const [index, account] of contributors.slice(0, count).entries()) {
        // All different: a second copy of one payslip is refused.
        const payslip = { wage: 8 + index / 4, sector: index % 2 === 0 ? 'mill' : 'mine' }
        const input = {
          bytes: new TextEncoder().encode(JSON.stringify(payslip)),
          ...facts,
          walletPublicKey: await walletPublicKey(account, deployment.chainId),
          deadline,
        }
        signed.push(await clientOf(account).prepareContribution(account, input))
      }
      // One transaction for all; the founder pays for the gas.
      await contributeBatch(chain, { deployment, signed })
      await settled(count)
    },
    async grant(jobId) {
      const [first, ...others] = contributors.slice(0, 3).map(clientOf)
      if (first === undefined) throw new Error('there are no contributors')
      const opensAt = await now()
      const price = BigInt(economics.price)
      const closesAt = opensAt + 86_400n
      const proposal = await first.grant(jobId, { price, poolTokenBurn: 0n, runs: 1, opensAt, closesAt })
      await devnet.advanceTime(2)
      for (const member of [first, ...others]) await member.vote(proposal, 'for')
      await devnet.advanceTime(61)
      await first.carryOut(proposal)
      await devnet.advanceTime(2)
      await first.carryOut(proposal)
    },
  }
}

/** The rules of the practice pool. */
function payslipPolicy(parts: {
  readonly attestation: AttestationPolicy
  readonly poc: Digest
  readonly refiner: Digest
}): JsonObject {
  const policy = {
    format: 'sealpool/pool-policy',
    version: 1,
    name: 'pay',
    description: 'Made-up payslips, to practise with.',
    purposes: ['research'],
    attestation: { ...parts.attestation },
    code: { poc: parts.poc, refiner: parts.refiner, computations: ['linear-regression'] },
    tables: [
      {
        name: 'workers',
        rowsPerContributor: 1,
        columns: [
          {
            name: 'wage',
            type: 'decimal',
            decimals: 2,
            min: 1,
            max: 30,
            nullable: false,
            use: ['measure', 'filter'],
          },
          {
            name: 'sector',
            type: 'text',
            values: ['mill', 'mine'],
            nullable: false,
            use: ['group', 'filter'],
          },
        ],
      },
    ],
    privacy: {
      accounting: 'basic',
      epsilon: 6,
      delta: 1e-6,
      perJob: { epsilon: 2, delta: 1e-7 },
      minimumContributors: 5,
      maximumGroups: 20,
    },
    joins: { allowed: false, with: [] },
    economics,
  }
  return JSON.parse(JSON.stringify(policy)) as JsonObject
}

/** The key to which a contributor's own copy is sealed, made of a signature of the wallet. */
export async function walletPublicKey(account: PrivateKeyAccount, chainId: number): Promise<Uint8Array> {
  const typedData = walletKeyTypedData({ chainId, purpose: 'My copy of my pool files' })
  const signature = await account.signTypedData(typedData)
  return walletIdentity({ signature, address: account.address, typedData }).publicKey
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 120_000; !(await isSo()); ) {
    if (Date.now() > end) throw new Error(`waited two minutes in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
