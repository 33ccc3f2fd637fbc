import {
  type Address,
  type Client,
  encodeFunctionData,
  type Hex,
  isAddressEqual,
  parseEther,
  parseEventLogs,
  zeroAddress,
  zeroHash,
} from 'viem'
import { poolFactoryAbi } from '../abi/PoolFactory.js'
import { poolTokenDeployerAbi } from '../abi/PoolTokenDeployer.js'
import { logsOf, type Sent, send, type WriteOptions } from '../action/transaction.js'
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
  /** Seconds that a quorum reached late leaves to vote on; default: as the voting delay. */
  readonly voteExtension?: number
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
  /** Most pool tokens that can exist at once, smallest unit, at most 2^96 - 1; default a milliard tokens of 18 decimals. */
  readonly maximumSupply?: bigint
  /** Pool tokens minted at founding to schedules that pay them out over time; at most 16. Default: none. */
  readonly allocations?: readonly Allocation[]
  /** The timelock's part of job fees, in 1/10,000, at most 2,000; default 0. */
  readonly treasuryShareBps?: number
  /**
   * Digests of the code that jobs may run; an empty list accepts none. Default: any code that a vote granted. The vote changes
   * the list (`Pool.setJobCode`).
   */
  readonly jobCode?: readonly Hex[]
  /** Who may pause the pool for a week and narrow its policy for two; default: nobody. */
  readonly guardian?: Address
  readonly governance?: GovernanceOptions
}

/** Tokens for a founder, a team or a backer, paid out over time: linear from the start, nothing before the cliff. */
export interface Allocation {
  readonly beneficiary: Address
  /** Smallest unit. */
  readonly amount: bigint
  /** Unix seconds. */
  readonly startsAt: bigint
  /** Seconds from the start before which nothing is paid; default 0. */
  readonly cliff?: bigint
  /** Seconds from the start to the last token. */
  readonly duration: bigint
}

/** An allocation with the contract that holds it. */
export interface VestingSchedule extends Required<Allocation> {
  /** The schedule's own address: `getVesting` reads it, `releaseVested` pays out of it. */
  readonly schedule: Address
}

const DAY = 86_400

/**
 * Founds a pool: its token, governor and timelock come with it. The founder keeps no power over it.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param options - what the founder decides, and {@link WriteOptions}: see {@link FoundPoolOptions}
 * @returns The pool's contracts, the schedule of each allocation in the order given, and the transaction.
 * @throws {ContractsError} `REVERTED`: `SupplyCapInvalid`, `AllocationInvalid`, `TooManyAllocations`, `GovernanceInvalid`;
 * `TRANSACTION_TIMEOUT`, `NO_ACCOUNT`.
 * @example
 * const { pool, token, governor } = await foundPool(client, {
 *   deployment, name: 'pay', symbol: 'PAY', policyDigest, pocDigest, refinerDigest,
 *   governance: { votingDelay: 1, votingPeriod: 60, timelockDelay: 1 },
 * })
 */
export async function foundPool(
  client: Client,
  options: FoundPoolOptions,
): Promise<PoolContracts & Sent & { readonly schedules: readonly VestingSchedule[] }> {
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
          anyJobCode: options.jobCode === undefined,
        },
        treasuryAmount: options.treasuryAmount ?? 0n,
        maximumSupply: options.maximumSupply ?? parseEther('1000000000'),
        allocations: (options.allocations ?? []).map((one) => ({ ...one, cliff: one.cliff ?? 0n })),
        guardian: options.guardian ?? zeroAddress,
        governance: {
          votingDelay: governance.votingDelay ?? DAY,
          votingPeriod: governance.votingPeriod ?? 5 * DAY,
          proposalThreshold: governance.proposalThreshold ?? 0n,
          quorumPercent: BigInt(governance.quorumPercent ?? 10),
          timelockDelay: BigInt(governance.timelockDelay ?? 2 * DAY),
          voteExtension: governance.voteExtension ?? governance.votingDelay ?? DAY,
        },
        jobCode: options.jobCode ?? [],
      },
    ],
  })
  const place = 'PoolFactory.found'
  const sent = await send(client, place, { to: options.deployment.poolFactory, data }, options)
  const logs = logsOf(sent, options.deployment.poolFactory)
  const [event] = parseEventLogs({ abi: poolFactoryAbi, eventName: 'PoolFounded', logs })
  if (event === undefined)
    throw new ContractsError('NOT_FOUND', place, 'the receipt holds no PoolFounded event')
  const { pool, token, governor, timelock } = event.args
  const vested = parseEventLogs({
    abi: poolTokenDeployerAbi,
    eventName: 'AllocationVested',
    logs: sent.receipt.logs,
  })
  // The token's deployer says so, and for tokens of other pools as well.
  const own = vested.filter(({ args }) => isAddressEqual(args.token, token))
  const schedules = own.map(({ args: { token: _, ...schedule } }) => schedule)
  return { pool, token, governor, timelock, schedules, ...sent }
}
