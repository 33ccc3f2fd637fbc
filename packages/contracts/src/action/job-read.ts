import { type Address, type Client, type Hash, type Hex, isAddressEqual, zeroAddress, zeroHash } from 'viem'
import { getContractEvents, readContract } from 'viem/actions'
import { jobBoardAbi } from '../abi/JobBoard.js'
import { permissionsAbi } from '../abi/Permissions.js'
import type { Deployment } from '../deploy/deployment.js'
import { ContractsError } from '../errors.js'
import { type EventQuery, perRequest, rangeOf } from './contribution.js'
import { readInRanges } from './logs.js'
import { reading } from './transaction.js'

/** States of a job, in the order of the contract's enumeration. */
export const jobStates = [
  'None',
  'Proposed',
  'Approved',
  'Funded',
  'Running',
  'Released',
  'Settled',
  'Refused',
  'Failed',
  'Cancelled',
  'Expired',
  'Assigned',
] as const

/** State of a job that exists. */
export type JobState = Exclude<(typeof jobStates)[number], 'None'>

/** One pool's part in a job. Amounts in the smallest unit; zero until the job is funded. */
export interface JobShare {
  readonly pool: Address
  readonly price: bigint
  readonly poolTokenBurn: bigint
  readonly approved: boolean
  readonly suspended: boolean
}

/** A job as it stands on chain. */
export interface Job {
  readonly id: bigint
  readonly consumer: Address
  readonly manifestDigest: Hex
  readonly state: JobState
  /** Unix seconds. */
  readonly deadline: bigint
  readonly priceCeiling: bigint
  /** The node that started it, or `null`. */
  readonly node: Address | null
  readonly suspended: boolean
  /** `Open`: the first accepted node runs it; `Drawn`: only the node that the lot assigned. */
  readonly class: 'Open' | 'Drawn'
  /** How often a node lost the job or handed it on. */
  readonly attempts: number
  /** When the assigned or running node was last heard, unix seconds; 0 before. */
  readonly seenAt: bigint
  /** In the order of the job: statements and budget heads keep to it. */
  readonly pools: readonly JobShare[]
}

/** A grant: what a pool's vote, or an issuer that it appointed, allowed one consumer for one job. */
export interface Grant {
  readonly price: bigint
  readonly poolTokenBurn: bigint
  readonly runs: number
  readonly used: number
  /** Unix seconds. */
  readonly opensAt: bigint
  readonly closesAt: bigint
  readonly revoked: boolean
}

/** Where an event stands. */
export interface EventPlace {
  readonly blockNumber: bigint
  readonly blockHash: Hash
  readonly logIndex: number
  readonly transactionHash: Hash
}

/** What happened to jobs; `name` tells which fields `args` has. */
export type JobEvent = EventPlace & { readonly id: bigint } & (
    | {
        readonly name: 'JobProposed'
        readonly args: {
          readonly consumer: Address
          readonly manifestDigest: Hex
          readonly manifestLocator: string
          readonly pools: readonly Address[]
          readonly priceCeiling: bigint
          readonly deadline: bigint
        }
      }
    | {
        readonly name: 'JobStateChanged'
        readonly args: { readonly from: JobState | 'None'; readonly to: JobState }
      }
    | { readonly name: 'JobApproved'; readonly args: { readonly pool: Address; readonly terms: Terms } }
    | { readonly name: 'JobSuspended'; readonly args: { readonly pool: Address; readonly by: Address } }
    | { readonly name: 'JobResumed'; readonly args: { readonly pool: Address } }
    | { readonly name: 'JobFunded'; readonly args: { readonly consumer: Address; readonly price: bigint } }
    | {
        readonly name: 'JobClassified'
        readonly args: { readonly class: number; readonly templateDigest: Hex }
      }
    | {
        readonly name: 'DrawScheduled'
        readonly args: { readonly blockNumber: bigint; readonly candidates: bigint }
      }
    | { readonly name: 'LotFixed'; readonly args: { readonly blockNumber: bigint } }
    | {
        readonly name: 'JobDeclared'
        readonly args: { readonly codeDigest: Hex; readonly scopeDigest: Hex }
      }
    | { readonly name: 'JobAssigned'; readonly args: { readonly node: Address } }
    | { readonly name: 'JobHeard'; readonly args: { readonly node: Address; readonly time: bigint } }
    | { readonly name: 'JobHandedOff'; readonly args: { readonly from: Address; readonly to: Address } }
    | { readonly name: 'JobLost'; readonly args: { readonly node: Address; readonly attempts: number } }
    | { readonly name: 'JobStarted'; readonly args: { readonly node: Address } }
    | {
        readonly name: 'JobReleased'
        readonly args: {
          readonly node: Address
          readonly receiptDigest: Hex
          readonly resultDigest: Hex
          readonly budgetHeads: readonly Hex[]
        }
      }
    | {
        readonly name: 'JobRefused'
        readonly args: { readonly node: Address; readonly reason: Hex; readonly receiptDigest: Hex }
      }
    | { readonly name: 'JobFailed'; readonly args: { readonly node: Address; readonly reason: Hex } }
    | { readonly name: 'JobSettled'; readonly args: { readonly burned: bigint; readonly shared: bigint } }
    | { readonly name: 'JobRefunded'; readonly args: { readonly consumer: Address; readonly price: bigint } }
  )

/** What a pool's vote allows. Amounts in the smallest unit, times in unix seconds. */
export interface Terms {
  readonly price: bigint
  readonly poolTokenBurn: bigint
  readonly runs: number
  readonly opensAt: bigint
  readonly closesAt: bigint
  /** Digest of what a run may touch, enforced by nodes; default: what the job itself says. */
  readonly scopeDigest?: Hex
}

/**
 * Reads a job.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `deployment`; `jobId`, counted from 1
 * @returns the job and each pool's part in it, at the newest block
 * @throws {ContractsError} `NOT_FOUND` when there is none with this identifier.
 */
export async function getJob(
  client: Client,
  args: { readonly deployment: Deployment; readonly jobId: bigint },
): Promise<Job> {
  const board = { address: args.deployment.jobBoard, abi: jobBoardAbi } as const
  return reading('getJob', async () => {
    const job = await readContract(client, { ...board, functionName: 'getJob', args: [args.jobId] })
    const state = stateName(job.state)
    if (state === 'None') throw new ContractsError('NOT_FOUND', 'getJob', `there is no job ${args.jobId}`)
    const pools = await Promise.all(
      job.pools.map(async (pool) => {
        const share = await readContract(client, {
          ...board,
          functionName: 'getShare',
          args: [args.jobId, pool],
        })
        const { price, poolTokenBurn, approved, suspended } = share
        return { pool, price, poolTokenBurn, approved, suspended }
      }),
    )
    return {
      id: args.jobId,
      consumer: job.consumer,
      manifestDigest: job.manifestDigest,
      state,
      deadline: job.deadline,
      priceCeiling: job.priceCeiling,
      node: isAddressEqual(job.node, zeroAddress) ? null : job.node,
      suspended: job.suspensions > 0,
      class: job.class === 0 ? 'Open' : 'Drawn',
      attempts: job.attempts,
      seenAt: job.seenAt,
      pools,
    }
  })
}

/**
 * How many jobs there are; identifiers count from 1.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `deployment`, whose job board is asked
 * @returns the number of jobs ever proposed, which is the newest identifier
 */
export function getJobCount(client: Client, args: { readonly deployment: Deployment }): Promise<bigint> {
  return reading('JobBoard.jobCount', () =>
    readContract(client, { address: args.deployment.jobBoard, abi: jobBoardAbi, functionName: 'jobCount' }),
  )
}

/**
 * Reads what happened to jobs, oldest first; of one job when `jobId` is given.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - which blocks to read, both ends included; `jobId`: only of this job, default all
 * @returns the events, and where they stand
 */
export async function getJobEvents(
  client: Client,
  args: EventQuery & { readonly jobId?: bigint },
): Promise<JobEvent[]> {
  return reading('getJobEvents', async () => {
    const logs = await readInRanges(await rangeOf(client, args), perRequest(args), (range) =>
      getContractEvents(client, {
        // A grant that was there before a job approves it by the board's own event, from the contract that keeps grants.
        address: [args.deployment.jobBoard, args.deployment.permissions],
        abi: jobBoardAbi,
        strict: true,
        ...range,
      }),
    )
    const events: JobEvent[] = []
    for (const log of logs) {
      if (log.eventName === 'SettledTokensBurned') continue
      const { id, ...fields } = log.args
      if (args.jobId !== undefined && id !== args.jobId) continue
      const named =
        log.eventName === 'JobStateChanged'
          ? { name: log.eventName, args: { from: stateName(log.args.from), to: stateName(log.args.to) } }
          : { name: log.eventName, args: fields }
      const { blockNumber, blockHash, logIndex, transactionHash } = log
      // The ABI gives every event of the board the fields that JobEvent lists under its name.
      events.push({ id, ...named, blockNumber, blockHash, logIndex, transactionHash } as JobEvent)
    }
    return events
  })
}

/**
 * Terms as the contracts take them.
 *
 * @param terms - what a pool's vote allows
 * @returns the same terms; a scope that was not given becomes zero
 */
export function termsOf(terms: Terms): Required<Terms> {
  return { ...terms, scopeDigest: terms.scopeDigest ?? zeroHash }
}

/**
 * Reads a grant; `null` when the pool never granted this job to this consumer.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `deployment`; `grantee`, the consumer; `pool`; `manifestDigest`, the digest that the grant is for: see
 * {@link getGrantedDigest}
 * @returns the terms and how many runs are used, also when the grant is revoked or closed; `null` when there is none
 */
export async function getGrant(
  client: Client,
  args: {
    readonly deployment: Deployment
    readonly grantee: Address
    readonly pool: Address
    readonly manifestDigest: Hex
  },
): Promise<Grant | null> {
  const { terms, used, revoked } = await reading('Permissions.getGrant', () =>
    readContract(client, {
      address: args.deployment.permissions,
      abi: permissionsAbi,
      functionName: 'getGrant',
      args: [args.grantee, args.pool, args.manifestDigest],
    }),
  )
  return terms.runs === 0 ? null : { ...terms, used, revoked }
}

/**
 * The digest that the grants of a job are for: its template's, or else its manifest's own.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `deployment`; `jobId`
 * @returns the digest, 32 bytes
 */
export async function getGrantedDigest(
  client: Client,
  args: { readonly deployment: Deployment; readonly jobId: bigint },
): Promise<Hex> {
  const board = { address: args.deployment.jobBoard, abi: jobBoardAbi } as const
  const template = await reading('JobBoard.templateOf', () =>
    readContract(client, { ...board, functionName: 'templateOf', args: [args.jobId] }),
  )
  return template === zeroHash ? (await getJob(client, args)).manifestDigest : template
}

function stateName(index: number): (typeof jobStates)[number] {
  const name = jobStates[index]
  if (name === undefined)
    throw new ContractsError('ARGUMENT_INVALID', 'JobBoard', `unknown job state ${index}`)
  return name
}
