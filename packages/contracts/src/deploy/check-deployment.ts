import {
  type Address,
  bytesToHex,
  type Client,
  concatHex,
  domainSeparator,
  type Hex,
  hexToBytes,
  isAddressEqual,
  keccak256,
  pad,
  sha256,
  stringToHex,
  toHex,
} from 'viem'
import { getBlock, getChainId, getCode, getContractEvents, readContract } from 'viem/actions'
import { jobBoardAbi } from '../abi/JobBoard.js'
import { nodeRegistryAbi } from '../abi/NodeRegistry.js'
import { poolFactoryAbi } from '../abi/PoolFactory.js'
import { runtimes } from '../abi/runtimes.js'
import { finalBlock } from '../action/finality.js'
import { DEFAULT_BLOCKS_PER_REQUEST, readInRanges } from '../action/logs.js'
import { reading } from '../action/transaction.js'
import { ContractsError } from '../errors.js'
import type { Deployment } from './deployment.js'

const place = 'checkDeployment'

/** What whoever vouches for a deployment says of it. What is left out is not compared. */
export interface DeploymentExpectation {
  /** Who chooses verifiers and measurements: a timelock in earnest. */
  readonly nodeRegistryOwner?: Address
  /** In any order. */
  readonly verifiers?: readonly Address[]
  /** How many of them must approve a node. */
  readonly threshold?: number
  /** All measurements that count now or after their objection window, 32 bytes each, in any order. */
  readonly measurements?: readonly Hex[]
  /** What checks quotes on chain; `null`: nothing. One that is announced and does not count yet is refused too. */
  readonly quoteVerifier?: Address | null
  /** Seconds. */
  readonly objectionWindow?: number
  /** Part of job prices that is burned, in 1/10,000. */
  readonly burnShareBps?: number
}

/**
 * Checks that the contracts of a deployment are on this chain, that their code is what this release of the package compiled,
 * that every word which a constructor filled into it is right (who knows whom, and the domain of signatures), and what the
 * caller expects of owner, verifiers and measurements. Call it on addresses that came from a file or another party. The
 * protocol token may be any. That storage began as the constructors leave it is what `checkCreation` establishes.
 *
 * @param client - a viem client on the chain on which the deployment should be
 * @param deployment - the addresses to check
 * @param expected - what else must be true: see {@link DeploymentExpectation}; default: nothing
 * @throws {ContractsError} `DEPLOYMENT_MISMATCH` naming the contract and the word, or the expectation, that is wrong; `REVERTED`
 * when an address has no such contract; `CHAIN_UNREACHABLE`.
 */
export async function checkDeployment(
  client: Client,
  deployment: Deployment,
  expected: DeploymentExpectation = {},
): Promise<void> {
  const [chainId, around, credits] = await reading(place, () =>
    Promise.all([
      getChainId(client),
      readContract(client, {
        address: deployment.poolFactory,
        abi: poolFactoryAbi,
        functionName: 'surroundings',
      }),
      readContract(client, { address: deployment.jobBoard, abi: jobBoardAbi, functionName: 'credits' }),
    ]),
  )
  if (chainId !== deployment.chainId) {
    throw mismatch(`the client is on chain ${chainId}, the deployment on chain ${deployment.chainId}`)
  }
  const { nodeRegistry, dataRegistry, contributionBatches, jobBoard, permissions } = deployment
  const { approvals, poolFactory, protocolToken } = deployment
  const known = { nodeRegistry, jobBoard, permissions, approvals, protocolToken, credits, pools: poolFactory }
  const words = {
    ...Object.fromEntries(Object.entries(known).map(([name, address]) => [name, pad(address, { size: 32 })])),
    ...(expected.objectionWindow === undefined ? {} : { objectionWindow: number(expected.objectionWindow) }),
    ...(expected.burnShareBps === undefined ? {} : { burnShareBps: number(expected.burnShareBps) }),
  }
  await Promise.all(
    (
      [
        ['NodeRegistry', nodeRegistry],
        ['DataRegistry', dataRegistry],
        ['ContributionBatches', contributionBatches],
        ['Approvals', approvals],
        ['Permissions', permissions],
        ['Credits', credits],
        ['JobBoard', jobBoard],
        ['PoolFactory', poolFactory],
        ['PoolTokenDeployer', around.tokenDeployer],
        ['GovernorDeployer', around.governorDeployer],
        ['TimelockDeployer', around.timelockDeployer],
      ] as const
    ).map(([name, address]) =>
      checkCode(client, name, address, { ...words, ...domainWords(chainId, address) }),
    ),
  )
  for (const name of [
    'nodeRegistry',
    'dataRegistry',
    'contributionBatches',
    'jobBoard',
    'protocolToken',
  ] as const) {
    if (!isAddressEqual(around[name], deployment[name])) {
      throw mismatch(`poolFactory.${name} is ${around[name]}, expected ${deployment[name]}`)
    }
  }
  await checkExpectation(client, deployment, expected)
}

/** Immutables that a deployer is free to choose: they are compared where the caller says what they must be. */
const free = new Set(['objectionWindow', 'burnShareBps'])

/** Compares the code at an address with what this package compiled, and the words in it with what they must be. */
async function checkCode(
  client: Client,
  name: keyof typeof runtimes,
  address: Address,
  words: Readonly<Record<string, Hex>>,
): Promise<void> {
  const code = hexToBytes((await reading(place, () => getCode(client, { address }))) ?? '0x')
  const found: [string, Hex][] = []
  for (const [start, length, immutable] of runtimes[name].immutables) {
    found.push([immutable, bytesToHex(code.slice(start, start + length))])
    code.fill(0, start, start + length)
  }
  if (sha256(code) !== runtimes[name].digest) {
    throw mismatch(`the code at ${address} is not that of ${name} in this release of the package`)
  }
  for (const [immutable, word] of found) {
    const right = words[immutable]
    if (right === undefined && free.has(immutable)) continue
    if (word === right?.toLowerCase()) continue
    const camel = `${name.charAt(0).toLowerCase()}${name.slice(1)}`
    throw mismatch(`${camel}.${immutable} is ${word}, expected ${right ?? 'something this release knows'}`)
  }
}

/** What OpenZeppelin's EIP712 writes into the code at an address: the domain under which signatures count there. */
function domainWords(chainId: number, address: Address): Record<string, Hex> {
  const [name, version] = ['Sealpool', '1']
  const domain = { name, version, chainId, verifyingContract: address }
  return {
    _cachedDomainSeparator: domainSeparator({ domain }),
    _cachedChainId: number(chainId),
    _cachedThis: pad(address, { size: 32 }),
    _hashedName: keccak256(stringToHex(name)),
    _hashedVersion: keccak256(stringToHex(version)),
    _name: shortString(name),
    _version: shortString(version),
  }
}

/** Text of at most 31 bytes in one word, as OpenZeppelin's ShortStrings has it: its length is the last byte. */
function shortString(text: string): Hex {
  return concatHex([pad(stringToHex(text), { size: 31, dir: 'right' }), toHex(text.length, { size: 1 })])
}

function number(value: number): Hex {
  return toHex(value, { size: 32 })
}

async function checkExpectation(
  client: Client,
  deployment: Deployment,
  expected: DeploymentExpectation,
): Promise<void> {
  const registry = { address: deployment.nodeRegistry, abi: nodeRegistryAbi } as const
  const [owner, verifiers, threshold, quoteVerifier, quoteVerifierFrom] = await reading(place, () =>
    Promise.all([
      readContract(client, { ...registry, functionName: 'owner' }),
      readContract(client, { ...registry, functionName: 'getVerifiers' }),
      readContract(client, { ...registry, functionName: 'threshold' }),
      readContract(client, { ...registry, functionName: 'quoteVerifier' }),
      readContract(client, { ...registry, functionName: 'quoteVerifierFrom' }),
    ]),
  )
  if (expected.nodeRegistryOwner !== undefined && !isAddressEqual(owner, expected.nodeRegistryOwner)) {
    throw mismatch(`the owner of the node registry is ${owner}, expected ${expected.nodeRegistryOwner}`)
  }
  requireSame('verifiers', verifiers, expected.verifiers)
  if (expected.threshold !== undefined && threshold !== BigInt(expected.threshold)) {
    throw mismatch(`${threshold} verifiers are enough, expected ${expected.threshold}`)
  }
  if (expected.quoteVerifier !== undefined) {
    const right = expected.quoteVerifier ?? '0x0000000000000000000000000000000000000000'
    const { timestamp } = await reading(place, () => getBlock(client))
    const announced = quoteVerifierFrom > timestamp
    if (announced || !isAddressEqual(quoteVerifier, right)) {
      const what = announced ? 'another one is announced' : `it is ${quoteVerifier}`
      throw mismatch(`the contract that checks quotes must be ${right}: ${what}`)
    }
  }
  if (expected.measurements === undefined) return
  requireSame('measurements', await measurementsOf(client, deployment), expected.measurements)
}

/** What the registry's events ever named and its storage still allows. */
async function measurementsOf(client: Client, deployment: Deployment): Promise<Hex[]> {
  const registry = { address: deployment.nodeRegistry, abi: nodeRegistryAbi } as const
  return reading(place, async () => {
    const toBlock = await finalBlock(client, { confirmations: 0 })
    const range = { fromBlock: deployment.blockNumber, toBlock }
    const named = await readInRanges(range, DEFAULT_BLOCKS_PER_REQUEST, async (part) => {
      const set = await getContractEvents(client, {
        ...registry,
        eventName: 'MeasurementSet',
        strict: true,
        ...part,
      })
      const scheduled = await getContractEvents(client, {
        ...registry,
        eventName: 'MeasurementScheduled',
        strict: true,
        ...part,
      })
      return [...set, ...scheduled].map(({ args }) => args.measurement)
    })
    const allowed = await Promise.all(
      [...new Set(named)].map(async (measurement) => {
        const from = await readContract(client, {
          ...registry,
          functionName: 'allowedFrom',
          args: [measurement],
        })
        return from === 0n ? [] : [measurement]
      }),
    )
    return allowed.flat()
  })
}

function requireSame(what: string, actual: readonly Hex[], expected: readonly Hex[] | undefined): void {
  if (expected === undefined) return
  const sorted = (list: readonly Hex[]) => [...new Set(list.map((one) => one.toLowerCase()))].sort()
  const [is, should] = [sorted(actual), sorted(expected)]
  if (is.join() === should.join()) return
  const more = is.filter((one) => !should.includes(one))
  const fewer = should.filter((one) => !is.includes(one))
  throw mismatch(`${what}: not expected ${more.join(', ') || 'none'}; missing ${fewer.join(', ') || 'none'}`)
}

function mismatch(message: string): ContractsError {
  return new ContractsError('DEPLOYMENT_MISMATCH', place, message)
}
