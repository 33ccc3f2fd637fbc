import type { Address, Client } from 'viem'
import { readContract } from 'viem/actions'
import { vestingScheduleAbi } from '../abi/VestingSchedule.js'
import { encodeCall } from './encode-call.js'
import { reading, type Sent, send, type WriteOptions } from './transaction.js'

/** Where a vesting schedule stands. Amounts in the smallest unit, times in unix seconds. */
export interface Vesting {
  /** Who is paid; it may hand its claim on. */
  readonly beneficiary: Address
  readonly startsAt: bigint
  /** Nothing is paid before. */
  readonly cliffAt: bigint
  readonly endsAt: bigint
  readonly released: bigint
  /** What {@link releaseVested} would pay now. */
  readonly releasable: bigint
}

/**
 * Reads a vesting schedule.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `schedule`; `token`, which of the tokens that it holds
 * @param args.schedule Its address, as `foundPool` gives it.
 * @returns times, beneficiary, and the amounts of this token
 * @throws {ContractsError} `REVERTED` when there is no schedule at this address; `CHAIN_UNREACHABLE`.
 */
export function getVesting(
  client: Client,
  args: { readonly schedule: Address; readonly token: Address },
): Promise<Vesting> {
  const { schedule: address, token } = args
  const contract = { address, abi: vestingScheduleAbi } as const
  return reading('getVesting', async () => {
    const [beneficiary, startsAt, cliffAt, endsAt, released, releasable] = await Promise.all([
      readContract(client, { ...contract, functionName: 'owner' }),
      readContract(client, { ...contract, functionName: 'start' }),
      readContract(client, { ...contract, functionName: 'cliff' }),
      readContract(client, { ...contract, functionName: 'end' }),
      readContract(client, { ...contract, functionName: 'released', args: [token] }),
      readContract(client, { ...contract, functionName: 'releasable', args: [token] }),
    ])
    return { beneficiary, startsAt, cliffAt, endsAt, released, releasable }
  })
}

/**
 * Pays what has vested to the beneficiary. Anyone may send it; before the cliff it pays nothing.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `schedule`, its address, as `foundPool` gives it; `token`, which of the
 * tokens that it holds
 * @returns the mined transaction: its hash and receipt
 */
export function releaseVested(
  client: Client,
  args: WriteOptions & { readonly schedule: Address; readonly token: Address },
): Promise<Sent> {
  const data = encodeCall({ abi: vestingScheduleAbi, functionName: 'release', args: [args.token] })
  return send(client, 'VestingSchedule.release', { to: args.schedule, data }, args)
}
