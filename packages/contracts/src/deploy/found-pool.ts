import {
  type Address,
  type Client,
  encodeFunctionData,
  type Hex,
  parseEther,
  parseEventLogs,
  zeroAddress,
  zeroHash,
} from 'viem'
import { poolFactoryAbi } from '../abi/PoolFactory.js'
import { type Sent, send, type WriteOptions } from '../action/transaction.js'
import { ContractsError } from '../errors.js'
import type { Deployment, PoolContracts } from './deployment.js'

/** How a pool votes. Times in seconds. */
export interface GovernanceOptions {
  /** From proposal to first vote; default 1 day. At least 1, so that votes cannot be bought after the proposal. */
  readonly votingDelay?: number
  /** Default 5 days. */
  readonly votingPeriod?: number
  /** Votes needed to propose, smallest unit of the pool token; default 0. */
  readonly proposalThreshold?: bigint
  /** Percent of the supply that must take part; default 10. */
  readonly quorumPercent?: number
  /** From passed vote to execution; default 2 days. */
  readonly timelockDelay?: number
}

/** What a founder decides. Digests are SHA-256 values as 32-byte hex. */
export interface FoundPoolOptions extends WriteOptions {
  readonly deployment: Deployment
  readonly name: string
  readonly symbol: string
  readonly policyDigest: Hex
  readonly pocDigest: Hex
  readonly refinerDigest: Hex
  /** Default: none (zero). */
  readonly constitutionDigest?: Hex
  /** Measurement that nodes of this pool must run; default: any that the registry allows. */
  readonly measurement?: Hex
  /** Pool tokens for a contribution of full score, smallest unit; default 100 tokens. */
  readonly rewardPerFullScore?: bigint
  /** Pool tokens minted to the timelock at founding, smallest unit; default 0. */
  readonly treasuryAmount?: bigint
  /** The timelock's part of job fees, in 1/10,000, at most 2,000; default 0. */
  readonly treasuryShareBps?: number
  /** Who may pause the pool for a week and add restrictions to its policy; default: nobody. */
  readonly guardian?: Address
  readonly governance?: GovernanceOptions
}

const DAY = 86_400

/**
 * Founds a pool: its token, governor and timelock come with it. The founder keeps no power over it.
 *
 * @throws {ContractsError} `REVERTED`, `TRANSACTION_TIMEOUT`, `NO_ACCOUNT`.
 * @example
 * const { pool, token, governor } = await foundPool(client, {
 *   deployment, name: 'pay', symbol: 'PAY', policyDigest, pocDigest, refinerDigest,
 *   governance: { votingDelay: 1, votingPeriod: 60, timelockDelay: 1 },
 * })
 */
export async function foundPool(client: Client, options: FoundPoolOptions): Promise<PoolContracts & Sent> {
  const governance = options.governance ?? {}
  const data = encodeFunctionData({
    abi: poolFactoryAbi,
    functionName: 'found',
    args: [
      {
        name: options.name,
        symbol: options.symbol,
        rules: {
          policyDigest: options.policyDigest,
          pocDigest: options.pocDigest,
          refinerDigest: options.refinerDigest,
          constitutionDigest: options.constitutionDigest ?? zeroHash,
          measurement: options.measurement ?? zeroHash,
          rewardPerFullScore: options.rewardPerFullScore ?? parseEther('100'),
          treasuryShareBps: options.treasuryShareBps ?? 0,
        },
        treasuryAmount: options.treasuryAmount ?? 0n,
        guardian: options.guardian ?? zeroAddress,
        governance: {
          votingDelay: governance.votingDelay ?? DAY,
          votingPeriod: governance.votingPeriod ?? 5 * DAY,
          proposalThreshold: governance.proposalThreshold ?? 0n,
          quorumPercent: BigInt(governance.quorumPercent ?? 10),
          timelockDelay: BigInt(governance.timelockDelay ?? 2 * DAY),
        },
      },
    ],
  })
  const place = 'PoolFactory.found'
  const sent = await send(client, place, { to: options.deployment.poolFactory, data }, options)
  const [event] = parseEventLogs({ abi: poolFactoryAbi, eventName: 'PoolFounded', logs: sent.receipt.logs })
  if (event === undefined)
    throw new ContractsError('NOT_FOUND', place, 'the receipt holds no PoolFounded event')
  const { pool, token, governor, timelock } = event.args
  return { pool, token, governor, timelock, ...sent }
}
