/**
 * Everything on one machine: a chain with the contracts, a pool, a node that serves it, and a folder with what the command `sealpool`
 * needs to contribute and to ask. SIMULATED: no hardware stands behind the node, and every key of the chain is public knowledge.
 * @module
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  measurementDigest,
  type NodeEvidence,
  parseAttestationPolicy,
  verifyNodeEvidence,
} from '@sealpool/attest'
import {
  formatDeployment,
  foundPool,
  type PoolContracts,
  registerNode,
  setMeasurement,
  setVerifiers,
  signNodeApproval,
} from '@sealpool/contracts'
import {
  type Address,
  digestOf,
  digestToHex,
  type Hex,
  type JsonObject,
  keySetDigest,
  sha256Digest,
} from '@sealpool/crypto'
import { schemaId } from '@sealpool/refine'
import { privateKeyToAccount } from 'viem/accounts'
import { getBlock } from 'viem/actions'
import { type NodeConfig, parseNodeConfig } from '../config/node-config.js'
import { type NodeSecrets, parseSecrets } from '../config/secrets.js'
import { NodeError } from '../errors.js'
import { openSimulator, simulatedPlatform } from '../evidence/simulator-quote-provider.js'
import { platformNow, platformRandom } from '../platform.js'
import { type NodeLogger, nodeLogger } from '../runtime/logger.js'
import { type RunningNode, startNode } from '../runtime/start-node.js'
import { type DevnetChain, startDevnetChain } from './devnet-chain.js'
import { sampleProofCode, sampleRefinerCode } from './sample-code.js'
import { samplePolicy } from './sample-policy.js'
import sampleRefiner from './sample-refiner.js'

/** The name of the pool: SQL asks `pay.workers`. */
const poolName = 'pay'
/** How long to wait for a node that was registered. */
const readyMs = 120_000
/** What contributors of the devnet agree to. */
const consentText = 'I agree that approved code computes on this made-up payslip.\n'

/** A devnet that runs. */
export interface DevnetNode {
  /** Settings, keys, sealed files and state; gone after `stop`. */
  readonly folder: string
  readonly chain: DevnetChain
  readonly pool: PoolContracts
  readonly policy: JsonObject
  readonly schemaId: ReturnType<typeof schemaId>
  readonly blobs: string
  readonly config: NodeConfig
  readonly secrets: NodeSecrets
  /** The node that runs now. */
  node(): RunningNode
  /** Stops the node and starts it again on the same state. */
  restart(): Promise<void>
  /** Verifies a node's evidence and registers it, as independent verifiers do; the devnet's own when absent. @returns its measurement */
  register(node?: RunningNode): Promise<Hex>
  /** Waits until the node says that it works. */
  ready(): Promise<void>
  /** Ends node and chain, and removes the folder. */
  stop(): Promise<void>
}

/** How a devnet is started. */
export interface DevnetNodeOptions {
  /** Port of the node's API; 0 is any free one. */
  readonly port: number
  readonly log?: NodeLogger
  /** Told in words what comes next: all of it together takes seconds, on a busy machine minutes. */
  readonly onStep?: (text: string) => void
}

/**
 * Starts it.
 * @param options port and log
 * @returns the devnet, with its node registered and ready
 * @throws ContractsError `ANVIL_NOT_FOUND` when there is no chain to start, saying what to install; NodeError `NODE_UNREACHABLE` when the
 * node does not get ready; what else a node or a chain cannot start for
 */
export async function startDevnetNode(options: DevnetNodeOptions): Promise<DevnetNode> {
  const closers: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    const devnet = await start(options, closers, stop)
    options.onStep?.('SIMULATED: registering the node, and waiting until it works')
    await devnet.register()
    await devnet.ready()
    return devnet
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(
  options: DevnetNodeOptions,
  closers: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<DevnetNode> {
  const folder = await mkdtemp(join(tmpdir(), 'sealpool-devnet-'))
  closers.push(() => rm(folder, { recursive: true, force: true }))
  const step = options.onStep ?? (() => undefined)
  step('SIMULATED: starting a chain with the contracts')
  const chain = await startDevnetChain()
  closers.push(() => chain.stop())
  const founder = chain.walletOf(chain.founder)
  const data = join(folder, 'node')
  await mkdir(data)
  const platform = simulatedPlatform(
    openSimulator({ directory: data, random: platformRandom, at: new Date(platformNow() * 1000) }),
  )
  const poc = { code: sampleProofCode, digest: digestOfText(sampleProofCode) }
  const schema = sampleRefiner.describe()
  const refiner = { code: sampleRefinerCode, digest: digestOfText(sampleRefinerCode), schema }
  const policy = samplePolicy(platform, poolName, { poc: poc.digest, refiner: refiner.digest })
  const pool = await foundPool(founder, {
    deployment: chain.deployment,
    name: poolName,
    symbol: 'PAY',
    policyDigest: digestToHex(digestOf(policy)),
    pocDigest: digestToHex(poc.digest),
    refinerDigest: digestToHex(refiner.digest),
    guardian: chain.founder.address,
    governance: { votingDelay: 1, votingPeriod: 10, timelockDelay: 1 },
  })
  const { deployment } = chain
  const settings = {
    format: 'sealpool/node-config',
    version: 1,
    dataDirectory: data,
    chain: {
      rpcUrl: chain.rpcUrl,
      deployment: JSON.parse(formatDeployment(deployment)),
      anchors: chain.anchors,
      confirmations: 0,
      pollMs: 100,
    },
    api: { port: options.port },
    evidence: { provider: 'simulator' },
    keyRelease: { adapter: 'development' },
    blobStore: { kind: 'files', directory: join(folder, 'blobs') },
    sandbox: { isolation: 'best' },
    programs: { runtimes: ['quickjs', 'webassembly'] },
    pools: [{ address: pool.pool, policy, poc, refiner }],
  }
  const config = parseNodeConfig(settings)
  const secrets = parseSecrets({ transactionKey: chain.operator.privateKey })
  const log = options.log ?? nodeLogger({ level: 'silent', simulated: true })
  step('SIMULATED: starting the node')
  let node = await startNode(config, secrets, { log })
  closers.push(() => node.stop())
  await writeFiles(folder, { chain, pool: pool.pool, policy, schema, settings, url: node.url })

  const evidenceOf = async ({ url }: RunningNode): Promise<NodeEvidence> => {
    const response = await fetch(`${url}/v1/evidence`, { signal: AbortSignal.timeout(10_000) })
    return (await response.json()) as NodeEvidence
  }
  return {
    folder,
    chain,
    pool,
    policy,
    schemaId: schemaId(schema),
    blobs: join(folder, 'blobs'),
    config,
    secrets,
    node: () => node,
    async restart() {
      const { port } = new URL(node.url)
      await node.stop()
      node = await startNode({ ...config, api: { ...config.api, port: Number(port) } }, secrets, { log })
    },
    async register(which = node) {
      const verdict = verifyNodeEvidence({
        evidence: await evidenceOf(which),
        policy: parseAttestationPolicy(policy['attestation']),
        at: new Date(platformNow() * 1000),
      })
      if (!verdict.ok || verdict.verdict.claims.tee !== 'tdx')
        throw new NodeError('QUOTE_FAILED', 'evidence', 'the evidence of the devnet’s node does not verify')
      const measurement = measurementDigest(verdict.verdict.claims)
      const account = privateKeyToAccount(chain.verifier.privateKey)
      await setMeasurement(founder, { deployment, measurement, allowed: true })
      await setVerifiers(founder, { deployment, verifiers: [account.address], threshold: 1 })
      const registration = {
        statementKey: verdict.keySet.statement.address,
        keySetDigest: digestToHex(keySetDigest(verdict.keySet)),
        quoteDigest: digestToHex(verdict.quoteDigest),
        measurement,
        expiresAt: (await getBlock(founder)).timestamp + 30n * 86_400n,
      }
      const signatures = [await signNodeApproval({ account, deployment, registration })]
      await registerNode(founder, { deployment, registration, signatures })
      return measurement
    },
    async ready() {
      const end = performance.now() + readyMs
      while (performance.now() < end) {
        const response = await fetch(`${node.url}/v1/ready`, { signal: AbortSignal.timeout(10_000) })
        await response.arrayBuffer()
        if (response.ok) return
        await sleep(100)
      }
      throw new NodeError('NODE_UNREACHABLE', node.url, 'the node does not get ready; run with --verbose')
    },
    stop,
  }
}

/** What the command `sealpool` works with, beside the documents of pool and node. */
async function writeFiles(
  folder: string,
  made: {
    readonly chain: DevnetChain
    readonly pool: Address
    readonly policy: JsonObject
    readonly schema: unknown
    readonly settings: unknown
    readonly url: string
  },
): Promise<void> {
  const { chain, pool, policy, schema, settings, url } = made
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
  const client = { deployment: 'deployment.json', policy: 'policy.json', pool, rpc: chain.rpcUrl }
  const files: Record<string, string> = {
    'deployment.json': formatDeployment(chain.deployment),
    'policy.json': json(policy),
    'schema.json': json(schema),
    'node.json': json(settings),
    'sealpool.json': json({ ...client, node: url, store: 'blobs', journal: 'journal' }),
    'consent.txt': consentText,
    'question.sql': `SELECT avg(wage) AS mean_wage, count(*) AS workers FROM ${poolName}.workers\n`,
    'consumer.key': `${chain.consumer.privateKey}\n`,
    'operator.key': `${chain.operator.privateKey}\n`,
  }
  for (const [index, { address, privateKey }] of chain.contributors.entries()) {
    const slip = { account: address, wage: 14 + 3 * index, sector: index % 2 === 0 ? 'care' : 'trade' }
    files[`contributor-${index + 1}.key`] = `${privateKey}\n`
    files[`payslip-${index + 1}.json`] = json(slip)
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 })
}

function digestOfText(text: string) {
  return sha256Digest(new TextEncoder().encode(text))
}
