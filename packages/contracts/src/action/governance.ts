import {
  type Abi,
  type Address,
  type Client,
  type Hex,
  isAddressEqual,
  keccak256,
  parseEventLogs,
  stringToHex,
} from 'viem'
import { readContract } from 'viem/actions'
import { jobBoardAbi } from '../abi/JobBoard.js'
import { permissionsAbi } from '../abi/Permissions.js'
import { poolAbi } from '../abi/Pool.js'
import { poolGovernorAbi } from '../abi/PoolGovernor.js'
import type { Deployment } from '../deploy/deployment.js'
import { ContractsError } from '../errors.js'
import { type SignedBallot, type Support, supportValues } from '../statement/ballot.js'
import { encodeCall } from './encode-call.js'
import { getGrantedDigest, getJob, type Terms, termsOf } from './job-read.js'
import { advised, permitErrors } from './permit-advice.js'
import { logsOf, reading, type Sent, send, type WriteOptions } from './transaction.js'

/** A call that the timelock makes when a proposal is executed. */
export interface ProposedCall {
  readonly target: Address
  readonly data: Hex
}

/** A proposal in a pool's governor: everything that queueing and executing it need. Plain JSON, apart from the bigints. */
export interface Proposal {
  readonly governor: Address
  readonly proposalId: bigint
  readonly calls: readonly ProposedCall[]
  readonly description: string
  /** Unix seconds: votes count as held then, and voting opens after it. */
  readonly snapshot: bigint
  /** Unix seconds: last second of the vote. */
  readonly deadline: bigint
}

/** States of a proposal, in the order of the governor's enumeration. */
export const proposalStates = [
  'Pending',
  'Active',
  'Canceled',
  'Defeated',
  'Succeeded',
  'Queued',
  'Expired',
  'Executed',
] as const

/** State of a proposal. */
export type ProposalState = (typeof proposalStates)[number]

/**
 * Proposes any calls to a pool's governor; the pool's timelock makes them when the vote passed.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `governor`, the pool's; `calls`, what the timelock is to call, in this order
 * and without value
 * @param args.description Must differ from every earlier proposal of the same calls.
 * @returns the mined transaction, and the proposal: keep it, {@link queue} and {@link execute} need all of it
 * @throws {ContractsError} `REVERTED`: `GovernorInsufficientProposerVotes`, `GovernorUnexpectedProposalState` (the very
 * same proposal exists).
 */
export async function propose(
  client: Client,
  args: WriteOptions & {
    readonly governor: Address
    readonly calls: readonly ProposedCall[]
    readonly description: string
  },
): Promise<Sent & Proposal> {
  const place = 'PoolGovernor.propose'
  const { governor, calls, description } = args
  const data = encodeCall({
    abi: poolGovernorAbi,
    functionName: 'propose',
    args: [
      calls.map(({ target }) => target),
      calls.map(() => 0n),
      calls.map((entry) => entry.data),
      description,
    ],
  })
  const sent = await send(client, place, { to: governor, data }, args)
  const [event] = parseEventLogs({
    abi: poolGovernorAbi,
    eventName: 'ProposalCreated',
    logs: logsOf(sent, governor),
  })
  if (event === undefined)
    throw new ContractsError('NOT_FOUND', place, 'the receipt holds no ProposalCreated event')
  const { proposalId, voteStart: snapshot, voteEnd: deadline } = event.args
  return { ...sent, governor, proposalId, calls, description, snapshot, deadline }
}

/**
 * Proposes that a pool approves a job on terms. Call and description name the consumer and the digest that is granted, so that
 * members vote on exactly what will run: where a reorganisation gave the number to another job, executing it fails. For a job
 * under a template that digest is the template's, and the description says so.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `jobId`; `pool`, one of the job's, whose members vote; `terms`,
 * what they would grant
 * @returns the mined transaction, and the proposal: keep it, {@link queue} and {@link execute} need all of it
 * @throws {ContractsError} `NOT_FOUND` when there is no such job or the pool has no part in it; `REVERTED`.
 */
export async function proposeApproval(
  client: Client,
  args: WriteOptions & {
    readonly deployment: Deployment
    readonly jobId: bigint
    readonly pool: Address
    readonly terms: Terms
    /** Added to the description; change it to propose the same again after a defeat. */
    readonly note?: string
  },
): Promise<Sent & Proposal> {
  const { deployment, jobId, pool, terms } = args
  const job = await getJob(client, { deployment, jobId })
  if (!job.pools.some((share) => isAddressEqual(share.pool, pool))) {
    throw new ContractsError('NOT_FOUND', 'proposeApproval', `pool ${pool} has no part in job ${jobId}`)
  }
  const [granted, governor] = await Promise.all([
    getGrantedDigest(client, args),
    reading('Pool.governor', () =>
      readContract(client, { address: pool, abi: poolAbi, functionName: 'governor' }),
    ),
  ])
  const data = encodeCall({
    abi: jobBoardAbi,
    functionName: 'approve',
    args: [jobId, pool, job.consumer, granted, termsOf(terms)],
  })
  const description = [
    `Approve job ${jobId} for pool ${pool}`,
    `Manifest: ${job.manifestDigest}`,
    ...(granted === job.manifestDigest
      ? []
      : [`Granted with every other manifest of the template: ${granted}`]),
    `Consumer: ${job.consumer}`,
    `Price per run: ${terms.price}; pool tokens burned per run: ${terms.poolTokenBurn}; runs: ${terms.runs}`,
    ...(args.note === undefined ? [] : [args.note]),
  ].join('\n')
  return propose(client, { ...args, governor, calls: [{ target: deployment.jobBoard, data }], description })
}

/**
 * The call that lifts a contributor's suspension of a job: for {@link propose}. It names a number, which a reorganisation may
 * give to another job until it is executed: `resumeRunsCall` names the digest instead.
 *
 * @param args - `deployment`; `jobId`; `pool`, in whose name the job was suspended
 * @returns the call, which only the pool's timelock may make
 */
export function resumeJobCall(args: {
  readonly deployment: Deployment
  readonly jobId: bigint
  readonly pool: Address
}): ProposedCall {
  const data = encodeCall({ abi: jobBoardAbi, functionName: 'resume', args: [args.jobId, args.pool] })
  return { target: args.deployment.jobBoard, data }
}

/**
 * The call that ends a grant at once: for {@link propose}.
 *
 * @param args - `deployment`; `grantee`, the consumer; `pool`; `manifestDigest`, the digest that the grant is for: a
 * template's when it was given to one (`getGrantedDigest`)
 * @returns the call, which only the pool's timelock may make
 */
export function revokeGrantCall(args: {
  readonly deployment: Deployment
  readonly grantee: Address
  readonly pool: Address
  readonly manifestDigest: Hex
}): ProposedCall {
  const data = encodeCall({
    abi: permissionsAbi,
    functionName: 'revoke',
    args: [args.grantee, args.pool, args.manifestDigest],
  })
  return { target: args.deployment.permissions, data }
}

/**
 * Casts a vote with the sender's pool tokens, as held at the proposal's snapshot.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `proposal`, its governor and identifier; `support`, how to vote
 * @returns the mined transaction: its hash and receipt
 */
export function vote(
  client: Client,
  args: WriteOptions & {
    readonly proposal: Pick<Proposal, 'governor' | 'proposalId'>
    readonly support: Support
  },
): Promise<Sent> {
  const data = encodeCall({
    abi: poolGovernorAbi,
    functionName: 'castVote',
    args: [args.proposal.proposalId, supportValues[args.support]],
  })
  return send(client, 'PoolGovernor.castVote', { to: args.proposal.governor, data }, args)
}

/**
 * Sends a ballot that somebody else signed: see `signBallot`.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `governor`, of the proposal; `ballot`, with its voter's signature
 * @returns the mined transaction: its hash and receipt
 */
export function voteSigned(
  client: Client,
  args: WriteOptions & { readonly governor: Address; readonly ballot: SignedBallot },
): Promise<Sent> {
  const { proposalId, support, voter, signature } = args.ballot
  const data = encodeCall({
    abi: poolGovernorAbi,
    functionName: 'castVoteBySig',
    args: [proposalId, supportValues[support], voter, signature],
  })
  return send(client, 'PoolGovernor.castVoteBySig', { to: args.governor, data }, args)
}

/**
 * Hands a passed proposal to the timelock. Anyone.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `proposal`, as {@link propose} gave it
 * @returns the mined transaction: its hash and receipt
 */
export function queue(client: Client, args: WriteOptions & { readonly proposal: Proposal }): Promise<Sent> {
  return carryOut(client, args, 'queue')
}

/**
 * Executes a queued proposal after its delay. Anyone.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `proposal`, as {@link propose} gave it
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: with the error of the call that was refused, whichever contract of ours it came from.
 */
export function execute(client: Client, args: WriteOptions & { readonly proposal: Proposal }): Promise<Sent> {
  // A vote may be about permits, too.
  return advised('PoolGovernor.execute', () => carryOut(client, args, 'execute', permitErrors()))
}

/**
 * Reads the state of a proposal.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `proposal`, its governor and identifier
 * @returns the state at the newest block
 */
export async function getProposalState(
  client: Client,
  args: { readonly proposal: Pick<Proposal, 'governor' | 'proposalId'> },
): Promise<ProposalState> {
  const index = await reading('PoolGovernor.state', () =>
    readContract(client, {
      address: args.proposal.governor,
      abi: poolGovernorAbi,
      functionName: 'state',
      args: [args.proposal.proposalId],
    }),
  )
  const state = proposalStates[index]
  if (state === undefined) {
    throw new ContractsError('ARGUMENT_INVALID', 'PoolGovernor.state', `unknown proposal state ${index}`)
  }
  return state
}

/**
 * Votes counted so far, in the smallest unit of the pool token.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `proposal`, its governor and identifier
 * @returns the votes against, for and abstaining; all zero before the first
 */
export async function getTally(
  client: Client,
  args: { readonly proposal: Pick<Proposal, 'governor' | 'proposalId'> },
): Promise<{ readonly against: bigint; readonly for: bigint; readonly abstain: bigint }> {
  const [against, inFavour, abstain] = await reading('PoolGovernor.proposalVotes', () =>
    readContract(client, {
      address: args.proposal.governor,
      abi: poolGovernorAbi,
      functionName: 'proposalVotes',
      args: [args.proposal.proposalId],
    }),
  )
  return { against, for: inFavour, abstain }
}

function carryOut(
  client: Client,
  args: WriteOptions & { readonly proposal: Proposal },
  functionName: 'queue' | 'execute',
  errors?: Abi,
): Promise<Sent> {
  const { governor, calls, description } = args.proposal
  const data = encodeCall({
    abi: poolGovernorAbi,
    functionName,
    args: [
      calls.map(({ target }) => target),
      calls.map(() => 0n),
      calls.map((entry) => entry.data),
      keccak256(stringToHex(description)),
    ],
  })
  const target = { to: governor, data, ...(errors === undefined ? {} : { errors }) }
  return send(client, `PoolGovernor.${functionName}`, target, args)
}
