import { type Address, type Client, parseEventLogs } from 'viem'
import { readContract } from 'viem/actions'
import { creditsAbi } from '../abi/Credits.js'
import { jobBoardAbi } from '../abi/JobBoard.js'
import type { Deployment } from '../deploy/deployment.js'
import { ContractsError } from '../errors.js'
import { encodeCall } from './encode-call.js'
import type { ProposedCall } from './governance.js'
import { logsOf, reading, type Sent, send, type WriteOptions } from './transaction.js'

type OfPool = { readonly deployment: Deployment; readonly pool: Address }

/** An account's credits in one pool. Credits are whole numbers: one for each point that was earned by contributing. */
export interface CreditBalance {
  /** What can be spent now. */
  readonly balance: bigint
  /** What {@link earnCredits} would add now. */
  readonly earnable: bigint
  /** Protocol tokens (smallest unit) of its own price that the pool waives for one credit; 0 when it takes none. */
  readonly worth: bigint
}

/** What is held in place of tokens for a pool's part of a job. */
export interface CreditPayment {
  readonly account: Address
  readonly credits: bigint
  /** Protocol tokens (smallest unit) that need not be paid. */
  readonly waived: bigint
}

/**
 * The ledger of credits of a deployment, which its job board names.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `deployment`, whose job board is asked
 * @returns the address of the contract `Credits`, for `inspect` and `invoke`
 * @throws {ContractsError} `REVERTED`, `CHAIN_UNREACHABLE`.
 */
export function getCreditLedger(client: Client, args: { readonly deployment: Deployment }): Promise<Address> {
  return reading('JobBoard.credits', () =>
    readContract(client, {
      address: args.deployment.jobBoard,
      abi: jobBoardAbi,
      functionName: 'credits',
    }),
  )
}

/**
 * Turns an account's points that were not counted before into credits, one for one. Anyone may send it; nothing is counted
 * twice, also when points end by a withdrawal and are earned anew.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `pool`; `contributor`, whose points they are; default: the sender
 * @returns the mined transaction, and how many credits were added
 * @throws {ContractsError} `REVERTED`: `NothingToEarn`, `PoolUnknown`; `NO_ACCOUNT`.
 */
export async function earnCredits(
  client: Client,
  args: WriteOptions & OfPool & { readonly contributor?: Address },
): Promise<Sent & { readonly amount: bigint }> {
  const place = 'Credits.earn'
  const sender = args.account ?? client.account
  const contributor = args.contributor ?? (typeof sender === 'string' ? sender : sender?.address)
  if (contributor === undefined) {
    throw new ContractsError('NO_ACCOUNT', place, 'no account: give the client one or pass `contributor`')
  }
  const ledger = await getCreditLedger(client, args)
  const data = encodeCall({
    abi: creditsAbi,
    functionName: 'earn',
    args: [args.pool, contributor],
  })
  const sent = await send(client, place, { to: ledger, data }, args)
  const [event] = parseEventLogs({
    abi: creditsAbi,
    eventName: 'CreditsEarned',
    logs: logsOf(sent, ledger),
  })
  if (event === undefined)
    throw new ContractsError('NOT_FOUND', place, 'the receipt holds no CreditsEarned event')
  return { ...sent, amount: event.args.amount }
}

/**
 * Reads what an account can fund jobs with besides tokens.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `deployment`; `pool`; `account`, whose credits
 * @returns balance, what could be earned now, and what the pool's vote made a credit worth
 * @throws {ContractsError} `REVERTED`, `CHAIN_UNREACHABLE`.
 */
export async function getCredits(
  client: Client,
  args: OfPool & { readonly account: Address },
): Promise<CreditBalance> {
  const { pool, account } = args
  const ledger = { address: await getCreditLedger(client, args), abi: creditsAbi } as const
  const [balance, earnable, worth] = await reading('Credits.balanceOf', () =>
    Promise.all([
      readContract(client, { ...ledger, functionName: 'balanceOf', args: [pool, account] }),
      readContract(client, { ...ledger, functionName: 'earnable', args: [pool, account] }),
      readContract(client, { ...ledger, functionName: 'worthOf', args: [pool] }),
    ]),
  )
  return { balance, earnable, worth }
}

/**
 * Reads what is held in place of tokens for a pool's part of a job.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `deployment`; `jobId`; `pool`, one of the job's
 * @returns who paid, how many credits, and what they waive; `null` when none are held, also when the job is over
 * @throws {ContractsError} `REVERTED`, `CHAIN_UNREACHABLE`.
 */
export async function getCreditPayment(
  client: Client,
  args: OfPool & { readonly jobId: bigint },
): Promise<CreditPayment | null> {
  const address = await getCreditLedger(client, args)
  const { account, credits, waived } = await reading('Credits.paymentOf', () =>
    readContract(client, {
      address,
      abi: creditsAbi,
      functionName: 'paymentOf',
      args: [args.jobId, args.pool],
    }),
  )
  return credits === 0n ? null : { account, credits, waived }
}

/**
 * The call by which a pool's vote says what a credit is worth: for `propose`.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `deployment`; `pool`, whose members vote; `worth`, protocol tokens (smallest unit) of the pool's own price
 * that one credit pays; 0: it takes none any more
 * @returns the call, which only the pool's timelock may make
 * @throws {ContractsError} `REVERTED`, `CHAIN_UNREACHABLE`.
 */
export async function creditWorthCall(
  client: Client,
  args: OfPool & { readonly worth: bigint },
): Promise<ProposedCall> {
  const data = encodeCall({
    abi: creditsAbi,
    functionName: 'setWorth',
    args: [args.pool, args.worth],
  })
  return { target: await getCreditLedger(client, args), data }
}
