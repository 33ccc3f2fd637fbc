import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AttestationPolicy, defaultAttestationPolicy } from '@sealpool/attest'
import { type Deployment, deployAll, foundPool, type PoolContracts } from '@sealpool/contracts'
import { type Devnet, startDevnet } from '@sealpool/contracts/devnet'
import { type Digest, digestOf, digestToHex, type Hex, type JsonObject } from '@sealpool/crypto'
import type { PocCode } from '@sealpool/poc'
import { bundlePoc } from '@sealpool/poc/bundle'
import { type PoolPolicy, parsePoolPolicy } from '@sealpool/privacy'
import { type BundledRefiner, schemaId } from '@sealpool/refine'
import { bundleRefiner } from '@sealpool/refine/bundle'
import { parseEther } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { type ChainClient, chainClient } from '../chain-clients.js'
import { payPolicy, peoplePolicy } from '../policies.js'
import type { Progress } from '../progress.js'

/** The command of the node program, as an operator would install it. */
export const nodeCommand = createRequire(import.meta.url)
  .resolve('@sealpool/enclave-node')
  .replace(/index\.js$/, 'cli/sealpool-node.js')

/** One founded pool with everything that the demo knows about it. */
export interface DemoPool {
  readonly name: 'pay' | 'people'
  readonly contracts: PoolContracts
  readonly policy: PoolPolicy
  readonly policyJson: JsonObject
  readonly policyDigest: Digest
  readonly poc: PocCode
  readonly refiner: BundledRefiner
  readonly schemaId: Digest
  readonly mediaType: string
}

/** The chain with its contracts and both pools. */
export interface Founded {
  readonly devnet: Devnet
  readonly deployment: Deployment
  readonly attestation: AttestationPolicy
  readonly measurement: Hex
  readonly nodeDirectory: string
  readonly pools: { readonly pay: DemoPool; readonly people: DemoPool }
  /** Deployed the contracts, founded the pools, keeps the list of verifiers. */
  readonly founder: ChainClient
  /** Sends for those who have no money for gas. */
  readonly relayer: ChainClient
  readonly consumer: ChainClient
  readonly nodeAccountKey: Hex
}

interface SimulatedPlatform {
  readonly rootDigest: Digest
  readonly mrTd: Hex
  readonly rtmrs: readonly Hex[]
  readonly measurement: Hex
}

/** Starts the chain, deploys the contracts and founds both pools. */
export async function foundPools(options: {
  readonly out: string
  readonly progress: Progress
}): Promise<Founded> {
  const { out, progress } = options
  const devnet = await progress.part('chain', 'start', () => startDevnet({ accounts: 8 }))
  try {
    const [founderKey, nodeKey, relayerKey, consumerKey] = devnet.accounts.map(({ privateKey }) => privateKey)
    if (!founderKey || !nodeKey || !relayerKey || !consumerKey)
      throw new Error('the local chain has too few accounts')
    const client = (key: Hex) => chainClient(devnet.rpcUrl, privateKeyToAccount(key))
    const founder = client(founderKey)
    const deployment = await progress.part('chain', 'deploy', () => deployAll({ walletClient: founder }))
    progress.say(`chain ${devnet.chainId} at ${devnet.rpcUrl}; contracts deployed`)

    const nodeDirectory = join(out, 'node')
    mkdirSync(nodeDirectory, { recursive: true, mode: 0o700 })
    const platform = measureNode(nodeDirectory)
    const attestation: AttestationPolicy = {
      ...defaultAttestationPolicy,
      // The one place where this demo says yes to a simulator: by its root's digest, for these pools only.
      roots: [platform.rootDigest],
      allowSimulator: true,
      measurements: [{ name: 'sealpool-node (SIMULATED)', mrTd: platform.mrTd, rtmrs: [...platform.rtmrs] }],
    }
    const pools = {
      pay: await found('pay', 'payroll', 'application/json', payPolicy),
      people: await found('people', 'survey', 'text/csv', peoplePolicy),
    }
    return {
      devnet,
      deployment,
      attestation,
      measurement: platform.measurement,
      nodeDirectory,
      pools,
      founder,
      relayer: client(relayerKey),
      consumer: client(consumerKey),
      nodeAccountKey: nodeKey,
    }

    async function found(
      name: 'pay' | 'people',
      source: string,
      mediaType: string,
      policyOf: typeof payPolicy,
    ): Promise<DemoPool> {
      const entry = (folder: string) => fileURLToPath(new URL(`../${folder}/${source}.ts`, import.meta.url))
      const poc = await bundlePoc({ entry: entry('poc') })
      const refiner = await bundleRefiner({ entry: entry('refiner') })
      const policy = parsePoolPolicy(policyOf({ attestation, poc: poc.digest, refiner: refiner.digest }))
      const policyJson = JSON.parse(JSON.stringify(policy)) as JsonObject
      const policyDigest = digestOf(policyJson)
      const contracts = await progress.part('chain', `found ${name}`, () =>
        foundPool(founder, {
          deployment,
          name: `Wage pools: ${name}`,
          symbol: name.toUpperCase(),
          policyDigest: digestToHex(policyDigest),
          pocDigest: digestToHex(poc.digest),
          refinerDigest: digestToHex(refiner.digest),
          measurement: platform.measurement,
          rewardPerFullScore: parseEther('100'),
          governance: { votingDelay: 1, votingPeriod: 60, quorumPercent: 10, timelockDelay: 1 },
        }),
      )
      progress.say(`pool ${name.padEnd(6)} ${contracts.pool}  policy ${policyDigest.slice(0, 23)}…`)
      return {
        name,
        contracts,
        policy,
        policyJson,
        policyDigest,
        poc,
        refiner,
        schemaId: schemaId(refiner.schema),
        mediaType,
      }
    }
  } catch (error) {
    await devnet.stop()
    throw error
  }
}

/** Asks the node program what it will be measured as, before it runs: the policies name that. */
function measureNode(directory: string): SimulatedPlatform {
  const result = spawnSync(process.execPath, [nodeCommand, 'measure', '--data', directory], {
    encoding: 'utf8',
  })
  if (result.status !== 0) throw new Error(`sealpool-node measure failed: ${result.stderr}`)
  return JSON.parse(result.stdout) as SimulatedPlatform
}
