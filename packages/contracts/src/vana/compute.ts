import { type Address, type Client, type Hex, isAddressEqual, parseEventLogs, zeroAddress } from 'viem'
import { logsOf, type Sent, type WriteOptions } from '../action/transaction.js'
import { ContractsError } from '../errors.js'
import { computeEngineAbi, computeInstructionRegistryAbi } from './abi.js'
import { view, write } from './contract-call.js'

/** A program that pools approve. */
export interface ComputeInstruction {
  readonly hash: Hex
  readonly owner: Address
  readonly url: string
}

/** A job of the compute engine. */
export interface ComputeJob {
  readonly id: bigint
  readonly owner: Address
  readonly status: 'Registered' | 'Submitted' | 'Running' | 'Completed' | 'Failed' | 'Canceled'
  readonly statusMessage: string
  readonly instructionId: number
  /** `null` before a machine was assigned. */
  readonly tee: Address | null
}

const jobStatuses = ['None', 'Registered', 'Submitted', 'Running', 'Completed', 'Failed', 'Canceled'] as const

/**
 * Registers a program by its hash and address; anyone may.
 *
 * @param client - a viem client with an account, on Vana's chain
 * @param args - besides {@link WriteOptions}: `instructionRegistry`, the contract's address; `hash`, of the program, 32
 * bytes; `url`, where it is
 * @returns the mined transaction, and the program's identifier
 */
export async function addComputeInstruction(
  client: Client,
  args: WriteOptions & {
    readonly instructionRegistry: Address
    readonly hash: Hex
    readonly url: string
  },
): Promise<Sent & { readonly instructionId: bigint }> {
  const { instructionRegistry: address, hash, url } = args
  const sent = await write(
    client,
    {
      address,
      abi: computeInstructionRegistryAbi,
      functionName: 'addComputeInstruction',
      args: [hash, url],
    },
    args,
  )
  const [event] = parseEventLogs({
    abi: computeInstructionRegistryAbi,
    eventName: 'ComputeInstructionAdded',
    logs: logsOf(sent, address),
  })
  if (event === undefined)
    throw new ContractsError(
      'NOT_FOUND',
      'vana.addComputeInstruction',
      'the receipt holds no ComputeInstructionAdded event',
    )
  return { ...sent, instructionId: event.args.computeInstructionId }
}

/**
 * Reads a program; `null` when there is none.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `instructionRegistry`, the contract's address; `instructionId`, the program's identifier
 * @returns hash, owner and address, or `null`
 */
export async function getComputeInstruction(
  client: Client,
  args: { readonly instructionRegistry: Address; readonly instructionId: bigint },
): Promise<ComputeInstruction | null> {
  const instruction = await view(client, {
    address: args.instructionRegistry,
    abi: computeInstructionRegistryAbi,
    functionName: 'instructions',
    args: [args.instructionId],
  })
  return isAddressEqual(instruction.owner, zeroAddress) ? null : instruction
}

/**
 * Whether a pool approved a program. Look before you submit: the compute engine itself does not.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `instructionRegistry`, the contract's address; `instructionId`, the program's identifier; `dlpId`, the
 * pool's identifier in Vana's registry
 * @returns `true` when this pool approves this program now
 */
export function isInstructionApproved(
  client: Client,
  args: {
    readonly instructionRegistry: Address
    readonly instructionId: bigint
    readonly dlpId: bigint
  },
): Promise<boolean> {
  return view(client, {
    address: args.instructionRegistry,
    abi: computeInstructionRegistryAbi,
    functionName: 'isApproved',
    args: [args.instructionId, args.dlpId],
  })
}

/**
 * Submits a job.
 *
 * @param client - a viem client with an account, on Vana's chain
 * @param args - besides {@link WriteOptions}: `computeEngine`, the contract's address; `instructionId`, the program's
 * identifier; `gpu`: whether it needs one, default `false`
 * @param args.maxTimeout Seconds.
 * @param args.value Wei to add to the sender's account there; default 0.
 * @returns the mined transaction, and the job's identifier
 */
export async function submitComputeJob(
  client: Client,
  args: WriteOptions & {
    readonly computeEngine: Address
    readonly instructionId: bigint
    readonly maxTimeout: bigint
    readonly gpu?: boolean
    readonly value?: bigint
  },
): Promise<Sent & { readonly jobId: bigint }> {
  const { computeEngine: address, maxTimeout, gpu, instructionId, value = 0n } = args
  const sent = await write(
    client,
    {
      address,
      abi: computeEngineAbi,
      functionName: 'submitJob',
      args: [maxTimeout, gpu ?? false, instructionId],
      value,
    },
    args,
  )
  const [event] = parseEventLogs({
    abi: computeEngineAbi,
    eventName: 'JobRegistered',
    logs: logsOf(sent, address),
  })
  if (event === undefined)
    throw new ContractsError('NOT_FOUND', 'vana.submitComputeJob', 'the receipt holds no JobRegistered event')
  return { ...sent, jobId: event.args.jobId }
}

/**
 * Reads a job.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `computeEngine`, the contract's address; `jobId`
 * @returns owner, status, program and machine of the job
 * @throws {ContractsError} `NOT_FOUND` when there is none.
 */
export async function getComputeJob(
  client: Client,
  args: { readonly computeEngine: Address; readonly jobId: bigint },
): Promise<ComputeJob> {
  const job = await view(client, {
    address: args.computeEngine,
    abi: computeEngineAbi,
    functionName: 'jobs',
    args: [args.jobId],
  })
  const status = jobStatuses[job.status]
  if (status === undefined || status === 'None') {
    throw new ContractsError('NOT_FOUND', 'vana.getComputeJob', `there is no job ${args.jobId}`)
  }
  return {
    id: args.jobId,
    owner: job.ownerAddress,
    status,
    statusMessage: job.statusMessage,
    instructionId: job.computeInstructionId,
    tee: isAddressEqual(job.teeAddress, zeroAddress) ? null : job.teeAddress,
  }
}
