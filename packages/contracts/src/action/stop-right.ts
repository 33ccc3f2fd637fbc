import type { Address, Client, Hex } from 'viem'
import { readContract } from 'viem/actions'
import { poolAbi } from '../abi/Pool.js'
import { encodeCall } from './encode-call.js'
import type { ProposedCall } from './governance.js'
import { reading, type Sent, send, type WriteOptions } from './transaction.js'

/** How a pool's contributors hold the runs of one digest. */
export interface Stop {
  /** Contributors who hold it now; above zero nothing of it is funded, drawn, started or handed over. */
  readonly holders: number
  /** The pool's vote let it run for good. */
  readonly overruled: boolean
  /** A run was given back because of it: only the vote can lift it. */
  readonly binding: boolean
  /** Unix seconds at which the last holder let go; 0 when none did. */
  readonly liftedAt: number
}

type OnRuns = WriteOptions & {
  readonly pool: Address
  /** What was granted: a manifest's digest, or a template's. */
  readonly digest: Hex
}

/**
 * Holds every future run of a digest over a pool, whoever proposes it and under whatever number. Any contributor, for itself.
 *
 * @param client - a viem client with an account, on the pool's chain
 * @param args - besides {@link WriteOptions}: `pool`; `digest`, of the manifest or template
 * @param args.contributionId The sender's accepted contribution, where it earned no points; default: its points speak.
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `OnlyContributor`, `AlreadySuspended`, `SuspensionOverruled`.
 */
export function suspendRuns(
  client: Client,
  args: OnRuns & { readonly contributionId?: bigint },
): Promise<Sent> {
  const { contributionId, digest } = args
  const data =
    contributionId === undefined
      ? encodeCall({ abi: poolAbi, functionName: 'suspendRuns', args: [digest] })
      : encodeCall({ abi: poolAbi, functionName: 'suspendRunsWith', args: [digest, contributionId] })
  return send(client, 'Pool.suspendRuns', { to: args.pool, data }, args)
}

/**
 * Lets go of what the sender holds. The pool's vote lets all of it run, for good, by the same call of its timelock.
 *
 * @param client - a viem client with an account, on the pool's chain
 * @param args - besides {@link WriteOptions}: `pool`; `digest`, that the sender suspended
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `NotSuspended`, `SuspensionBinding`.
 */
export function resumeRuns(client: Client, args: OnRuns): Promise<Sent> {
  const data = encodeCall({ abi: poolAbi, functionName: 'resumeRuns', args: [args.digest] })
  return send(client, 'Pool.resumeRuns', { to: args.pool, data }, args)
}

/**
 * The call by which a pool's vote lets all runs of a digest go on, for good: for `propose`.
 *
 * @param args - `pool`; `digest`, of the manifest or template (`getGrantedDigest`)
 * @returns the call, which only the pool's timelock may make in the name of the vote
 */
export function resumeRunsCall(args: { readonly pool: Address; readonly digest: Hex }): ProposedCall {
  const data = encodeCall({ abi: poolAbi, functionName: 'resumeRuns', args: [args.digest] })
  return { target: args.pool, data }
}

/**
 * How a digest is held.
 *
 * @param client - a viem client on the pool's chain
 * @param args - `pool`; `digest`, of a manifest or template
 * @returns holders, and whether a vote has overruled them; all zero when nobody ever held it
 */
export function getStop(
  client: Client,
  args: { readonly pool: Address; readonly digest: Hex },
): Promise<Stop> {
  return reading('Pool.stopOf', () =>
    readContract(client, { address: args.pool, abi: poolAbi, functionName: 'stopOf', args: [args.digest] }),
  )
}
