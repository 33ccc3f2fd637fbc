import {
  type Account,
  type Address,
  type Client,
  type Hex,
  isAddressEqual,
  parseAbi,
  zeroAddress,
} from 'viem'
import { readContract } from 'viem/actions'
import { parseAccount } from 'viem/utils'
import { poolAbi } from '../abi/Pool.js'
import { poolFactoryAbi } from '../abi/PoolFactory.js'
import type { Deployment, PoolContracts } from '../deploy/deployment.js'
import { ContractsError } from '../errors.js'
import type { StatementProof } from '../statement/node-statement.js'
import { encodeCall } from './encode-call.js'
import { reading, type Sent, send, type WriteOptions } from './transaction.js'

/** A page that claims needs no more of the pool's ABI. */
const claimAbi = /* @__PURE__ */ parseAbi(['function claimFor(address contributor) returns (uint256)'])

/** The pool key in force. */
export interface KeyEpoch {
  readonly epoch: number
  readonly policyDigest: Hex
  /** SHA-256 of the pool's public key. */
  readonly keyDigest: Hex
  /** The node that published it. */
  readonly node: Address
  /** Digest of the evidence with which that node was registered then. */
  readonly attestationDigest: Hex
}

/** A pool as it stands on chain. Digests are 32-byte hex, amounts in the smallest unit. */
export interface PoolState extends PoolContracts {
  readonly name: string
  readonly policyDigest: Hex
  readonly pocDigest: Hex
  readonly refinerDigest: Hex
  readonly constitutionDigest: Hex
  readonly measurement: Hex
  readonly rewardPerFullScore: bigint
  readonly treasuryShareBps: number
  /** `null` before a node has published the first key. */
  readonly keyEpoch: KeyEpoch | null
  readonly totalPoints: bigint
  /** Protocol tokens that contributors have not claimed. */
  readonly liability: bigint
}

/**
 * Reads a pool. Give `deployment` whenever the address came from outside: a contract that the deployment's factory did
 * not found can say about itself what it likes.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `pool`, its address; `deployment`: when given, the pool must be of its factory; default: any contract is
 * believed
 * @returns rules, key epoch, contracts and sums at the newest block
 * @throws {ContractsError} `NOT_FOUND` when the factory did not found it; `CHAIN_UNREACHABLE`; `REVERTED`.
 */
export async function getPool(
  client: Client,
  args: { readonly pool: Address; readonly deployment?: Pick<Deployment, 'poolFactory'> },
): Promise<PoolState> {
  const place = 'getPool'
  const { pool, deployment } = args
  const contract = { address: pool, abi: poolAbi } as const
  return reading(place, async () => {
    if (deployment !== undefined) {
      const index = await readContract(client, {
        address: deployment.poolFactory,
        abi: poolFactoryAbi,
        functionName: 'indexOf',
        args: [pool],
      })
      if (index === 0) {
        throw new ContractsError('NOT_FOUND', place, `the factory of this deployment did not found ${pool}`)
      }
    }
    const [name, rules, key, token, governor, timelock, totalPoints, liability] = await Promise.all([
      readContract(client, { ...contract, functionName: 'name' }),
      readContract(client, { ...contract, functionName: 'rules' }),
      readContract(client, { ...contract, functionName: 'keyEpoch' }),
      readContract(client, { ...contract, functionName: 'token' }),
      readContract(client, { ...contract, functionName: 'governor' }),
      readContract(client, { ...contract, functionName: 'timelock' }),
      readContract(client, { ...contract, functionName: 'totalPoints' }),
      readContract(client, { ...contract, functionName: 'liability' }),
    ])
    const keyEpoch = isAddressEqual(key.node, zeroAddress) ? null : key
    return { pool, name, ...rules, keyEpoch, token, governor, timelock, totalPoints, liability }
  })
}

/**
 * Publishes the key of a pool's next epoch; the statement is by an active node (see `poolKeyContext`).
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `pool`; `epoch`, one more than the current, 1 for the first; `policyDigest`,
 * of the policy in force; `keyDigest`, SHA-256 of the public key; `statement`, what a node signed over the three
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `EpochNotNext`, `EpochPolicyStale`, `StatementSignerNotActive`, `NodeNotAccepted`.
 */
export function publishPoolKey(
  client: Client,
  args: WriteOptions & {
    readonly pool: Address
    readonly epoch: number
    readonly policyDigest: Hex
    readonly keyDigest: Hex
    readonly statement: StatementProof
  },
): Promise<Sent> {
  const data = encodeCall({
    abi: poolAbi,
    functionName: 'publishKey',
    args: [args.epoch, args.policyDigest, args.keyDigest, args.statement],
  })
  return send(client, 'Pool.publishKey', { to: args.pool, data }, args)
}

/**
 * Protocol tokens (smallest unit) that a contributor can claim from a pool now.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `pool`, its address; `contributor`, the account
 * @returns the amount that {@link claimRewards} would pay; 0 when there is nothing
 */
export function getClaimable(
  client: Client,
  args: { readonly pool: Address; readonly contributor: Address },
): Promise<bigint> {
  return reading('Pool.claimable', () =>
    readContract(client, {
      address: args.pool,
      abi: poolAbi,
      functionName: 'claimable',
      args: [args.contributor],
    }),
  )
}

/**
 * Pool tokens (smallest unit) that are credited to a contributor for batched contributions and not minted yet.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `pool`, its address; `contributor`, the account
 * @returns the amount that {@link collectPoolTokens} would mint; 0 when there is nothing
 */
export function getCollectable(
  client: Client,
  args: { readonly pool: Address; readonly contributor: Address },
): Promise<bigint> {
  return reading('Pool.collectable', () =>
    readContract(client, {
      address: args.pool,
      abi: poolAbi,
      functionName: 'collectable',
      args: [args.contributor],
    }),
  )
}

/**
 * Mints the pool tokens that a contributor was credited for batched contributions, from all batches together. Anyone may
 * send it. Collect before a vote: only tokens that were held when it began count in it.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `pool`, its address
 * @param args.contributor Default: the sender.
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `NothingToCollect`.
 */
export async function collectPoolTokens(
  client: Client,
  args: WriteOptions & { readonly pool: Address; readonly contributor?: Address },
): Promise<Sent> {
  const contributor = contributorOf(client, 'Pool.collectFor', args)
  const data = encodeCall({ abi: poolAbi, functionName: 'collectFor', args: [contributor] })
  return send(client, 'Pool.collectFor', { to: args.pool, data }, args)
}

/**
 * Points (sum of scores) of a contributor in a pool.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `pool`, its address; `contributor`, the account
 * @returns the points, 10,000 for each contribution of full score that was not taken back; 0 for a stranger
 */
export function getPoints(
  client: Client,
  args: { readonly pool: Address; readonly contributor: Address },
): Promise<bigint> {
  return reading('Pool.pointsOf', () =>
    readContract(client, {
      address: args.pool,
      abi: poolAbi,
      functionName: 'pointsOf',
      args: [args.contributor],
    }),
  )
}

/**
 * Pays a contributor's share of job fees to that contributor. Anyone may send it.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `pool`, its address
 * @param args.contributor Default: the sender.
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `NothingToClaim`.
 */
export async function claimRewards(
  client: Client,
  args: WriteOptions & { readonly pool: Address; readonly contributor?: Address },
): Promise<Sent> {
  const contributor = contributorOf(client, 'Pool.claimFor', args)
  const data = encodeCall({ abi: claimAbi, functionName: 'claimFor', args: [contributor] })
  return send(client, 'Pool.claimFor', { to: args.pool, data }, args)
}

function contributorOf(
  client: Client,
  place: string,
  args: WriteOptions & { readonly contributor?: Address },
): Address {
  const sender: Account | Address | undefined = args.account ?? client.account
  const contributor = args.contributor ?? (sender === undefined ? undefined : parseAccount(sender).address)
  if (contributor !== undefined) return contributor
  throw new ContractsError('NO_ACCOUNT', place, 'no account: give the client one or pass `contributor`')
}
