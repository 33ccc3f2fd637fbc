import {
  type Address,
  type Client,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type EncodeFunctionDataParameters,
  type Hex,
  maxUint256,
  parseEventLogs,
  zeroHash,
} from 'viem'
import { jobBoardAbi } from '../abi/JobBoard.js'
import type { Deployment } from '../deploy/deployment.js'
import { ContractsError } from '../errors.js'
import type { StatementProof } from '../statement/node-statement.js'
import { encodeCall } from './encode-call.js'
import { type Funding, getFunding } from './job-funding.js'
import { getJob } from './job-read.js'
import { approveToken, getAllowance } from './token.js'
import { logsOf, type Sent, send, type WriteOptions } from './transaction.js'

type OnJob = WriteOptions & { readonly deployment: Deployment; readonly jobId: bigint }

/**
 * Proposes a job over one or more pools. It is approved at once when every pool has granted it before.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `manifestDigest`, 32 bytes; `manifestLocator`, where the
 * manifest is; `pools`, 1 to 16, each once: statements and budget heads keep to their order; `class`, who may run it;
 * `templateDigest`, under whose grants
 * @param args.deadline Unix seconds, chain time: without a result by then, everything in escrow returns.
 * @param args.priceCeiling Protocol tokens (smallest unit) that may be taken at most; default: no limit.
 * @returns the mined transaction, and the new job's identifier
 * @throws {ContractsError} `REVERTED`: `PoolUnknown`, `PoolTwice`, `DeadlineNotInFuture`.
 */
export async function proposeJob(
  client: Client,
  args: WriteOptions & {
    readonly deployment: Deployment
    readonly manifestDigest: Hex
    readonly manifestLocator: string
    readonly pools: readonly Address[]
    readonly deadline: bigint
    readonly priceCeiling?: bigint
    /** `Drawn`: a lot decides which node runs it; default `Open`. */
    readonly class?: 'Open' | 'Drawn'
    /** The template whose grants the job uses; default: grants for exactly this manifest. */
    readonly templateDigest?: Hex
    /** Digest of the code that the manifest names: a pool that lists its job code funds no job without it. */
    readonly codeDigest?: Hex
    /** Digest of tables, columns and purpose, where the grant has a scope; both must be equal. */
    readonly scopeDigest?: Hex
  },
): Promise<Sent & { readonly jobId: bigint }> {
  const place = 'JobBoard.proposeJob'
  const more = [args.class, args.templateDigest, args.codeDigest, args.scopeDigest]
  const plain = more.every((one) => one === undefined)
  const ceiling = args.priceCeiling ?? maxUint256
  const data = plain
    ? encodeCall({
        abi: jobBoardAbi,
        functionName: 'propose',
        args: [args.manifestDigest, args.manifestLocator, args.pools, ceiling, args.deadline],
      })
    : encodeCall({
        abi: jobBoardAbi,
        functionName: 'proposeJob',
        args: [
          {
            manifestDigest: args.manifestDigest,
            templateDigest: args.templateDigest ?? zeroHash,
            codeDigest: args.codeDigest ?? zeroHash,
            scopeDigest: args.scopeDigest ?? zeroHash,
            manifestLocator: args.manifestLocator,
            pools: args.pools,
            priceCeiling: ceiling,
            deadline: args.deadline,
            class: args.class === 'Drawn' ? 1 : 0,
          },
        ],
      })
  const sent = await send(client, place, { to: args.deployment.jobBoard, data }, args)
  const [event] = parseEventLogs({
    abi: jobBoardAbi,
    eventName: 'JobProposed',
    logs: logsOf(sent, args.deployment.jobBoard),
  })
  if (event === undefined)
    throw new ContractsError('NOT_FOUND', place, 'the receipt holds no JobProposed event')
  return { ...sent, jobId: event.args.id }
}

/**
 * Pays for an approved job: price and pool tokens go into escrow. Only the consumer.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `jobId`, of an approved job that the sender proposed
 * @param args.approveTokens Allow the job board to take exactly what is missing first; default `false`.
 * @param args.burnCeilings The most of each pool's tokens that may be taken, in the job's order; default: what the grants say
 * when this is called, so that a grant that is replaced meanwhile takes no more.
 * @param args.creditLimits The most of each pool's credits to spend, in the job's order: as many as its price takes are spent.
 * Default: none.
 * @param args.priceLimit With `creditLimits`: the most protocol tokens that may be taken besides; default: what is missing by
 * the worth of a credit when this is called, so that a vote meanwhile takes no more.
 * @returns the mined transaction that funds; those that approved tokens are not told
 * @throws {ContractsError} `REVERTED`: `TransitionNotAllowed`, `GrantExhausted`, `GrantOutsideWindow`,
 * `PriceAboveCeiling`, `BurnAboveCeiling`, `CreditsShort`, `CreditsNotTaken`, `BurnCeilingsDiffer`, `JobIsSuspended`, `JobCodeNotAccepted`, `ScopeOther`, `ERC20InsufficientAllowance`, `ERC20InsufficientBalance`.
 */
export async function fundJob(
  client: Client,
  args: OnJob & {
    readonly approveTokens?: boolean
    readonly burnCeilings?: readonly bigint[]
    readonly creditLimits?: readonly bigint[]
    readonly priceLimit?: bigint
  },
): Promise<Sent> {
  const { approveTokens = false, burnCeilings, creditLimits, priceLimit } = args
  if (priceLimit !== undefined && creditLimits === undefined) {
    throw new ContractsError(
      'ARGUMENT_INVALID',
      'fundJob',
      "`priceLimit` goes with `creditLimits`; without credits the proposal's price ceiling is the limit",
    )
  }
  let funding: Funding | undefined
  try {
    const known = burnCeilings !== undefined && (creditLimits === undefined || priceLimit !== undefined)
    if (approveTokens || !known) funding = await getFunding(client, args)
  } catch (error) {
    // Without a grant there is nothing to take: the chain says by name why the job cannot be funded.
    if (approveTokens || !(error instanceof ContractsError && error.code === 'NOT_FOUND')) throw error
  }
  if (approveTokens && funding !== undefined) {
    const { consumer } = await getJob(client, args)
    const spender = args.deployment.jobBoard
    for (const { token, amount } of [
      { token: args.deployment.protocolToken, amount: funding.price },
      ...funding.poolTokens,
    ]) {
      const allowance = await getAllowance(client, { token, owner: consumer, spender })
      if (allowance < amount) await approveToken(client, { ...options(args), token, spender, amount })
    }
  }
  const ceilings = burnCeilings ?? funding?.poolTokens.map(({ amount }) => amount) ?? []
  if (creditLimits !== undefined) {
    const most = priceLimit ?? funding?.price ?? 0n
    return onJob(client, args, 'fundWithCredits', [args.jobId, ceilings, creditLimits, most])
  }
  return ceilings.every((ceiling) => ceiling === 0n)
    ? onJob(client, args, 'fund', [args.jobId])
    : onJob(client, args, 'fundUpTo', [args.jobId, ceilings])
}

/**
 * A node takes a funded job (statement: `startContext`).
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `jobId`; `statement`, what the node that takes the job signed
 * @returns the mined transaction: its hash and receipt
 */
export function startJob(
  client: Client,
  args: OnJob & { readonly statement: StatementProof },
): Promise<Sent> {
  return onJob(client, args, 'start', [args.jobId, args.statement])
}

/** What a node declares of a result (statement: `releaseContext`). */
export interface JobOutcome {
  readonly receiptDigest: Hex
  readonly resultDigest: Hex
  /** One for each pool, in the order of the job. */
  readonly budgetHeads: readonly Hex[]
  readonly statement: StatementProof
}

/**
 * The node that runs a job declares its result (statement: `releaseContext`).
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `jobId`; `receiptDigest`, `resultDigest`, `budgetHeads` and the
 * node's `statement` over them
 * @returns the mined transaction: its hash and receipt
 */
export function releaseJob(client: Client, args: OnJob & JobOutcome): Promise<Sent> {
  return onJob(client, args, 'release', outcomeOf(args))
}

/**
 * {@link releaseJob} and {@link settleJob} in one transaction: less gas.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: the same as for {@link releaseJob}
 * @returns the mined transaction: its hash and receipt
 */
export function releaseAndSettleJob(client: Client, args: OnJob & JobOutcome): Promise<Sent> {
  return onJob(client, args, 'releaseAndSettle', outcomeOf(args))
}

/**
 * A node refuses a job for a reason (statement: `refusalContext`); the consumer gets everything back.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `jobId`; `reason`, a 32-byte code; `receiptDigest`, of the
 * signed refusal; `statement`, what the node signed over both
 * @returns the mined transaction: its hash and receipt
 */
export function refuseJob(
  client: Client,
  args: OnJob & { readonly reason: Hex; readonly receiptDigest: Hex; readonly statement: StatementProof },
): Promise<Sent> {
  return onJob(client, args, 'refuse', [args.jobId, args.reason, args.receiptDigest, args.statement])
}

/**
 * The node that runs a job cannot finish it (statement: `failureContext`); the consumer gets everything back.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `jobId`; `reason`, a 32-byte code; `statement`, what the node
 * signed over it
 * @returns the mined transaction: its hash and receipt
 */
export function failJob(
  client: Client,
  args: OnJob & { readonly reason: Hex; readonly statement: StatementProof },
): Promise<Sent> {
  return onJob(client, args, 'fail', [args.jobId, args.reason, args.statement])
}

/**
 * Pays a released job out: burn shares are burned, each pool gets its part. Anyone.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `jobId`, of a released job
 * @returns the mined transaction: its hash and receipt
 */
export function settleJob(client: Client, args: OnJob): Promise<Sent> {
  return onJob(client, args, 'settle', [args.jobId])
}

/**
 * Burns the pool tokens of all jobs over a pool that were settled since the last time. Anyone: settling gives them up, and
 * this takes them out of the supply, many jobs' for the price of one.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `pool`, whose tokens are burned
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `NothingToBurn`, `PoolUnknown`.
 */
export function burnSettledTokens(
  client: Client,
  args: WriteOptions & { readonly deployment: Deployment; readonly pool: Address },
): Promise<Sent> {
  return onJob(client, args, 'burnSettled', [args.pool])
}

/**
 * Withdraws a job that has not started; escrow returns. Only the consumer.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `jobId`, of a job that the sender proposed
 * @returns the mined transaction: its hash and receipt
 */
export function cancelJob(client: Client, args: OnJob): Promise<Sent> {
  return onJob(client, args, 'cancel', [args.jobId])
}

/**
 * Ends a job whose deadline passed without a result; escrow returns. Anyone. Before the deadline too when a pool turns away the node
 * for which the job was drawn, and that node was silent for its time: no other way leads on from there.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `jobId`, of a job past its deadline by chain time, or of such a one
 * @returns the mined transaction: its hash and receipt
 */
export function expireJob(client: Client, args: OnJob): Promise<Sent> {
  return onJob(client, args, 'expire', [args.jobId])
}

/**
 * Stops a job that has not started. Any contributor of `pool`.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `jobId`; `pool`, one of the job's, in which the sender has
 * points (`getPoints`)
 * @returns the mined transaction: its hash and receipt
 */
export function suspendJob(client: Client, args: OnJob & { readonly pool: Address }): Promise<Sent> {
  return onJob(client, args, 'suspend', [args.jobId, args.pool])
}

/**
 * Gives a drawn job to a node by lot; send it from two blocks after the funding on. When the deciding block is forgotten, a
 * later one decides: read the job and send it again. While a pool is paused or holds the job, or none of the candidates can run it,
 * the first call fixes the lot, which then falls when that is over, however late.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `jobId`, of a funded job of the class `Drawn`
 * @returns the mined transaction; it may have drawn nobody: {@link getJob} tells
 * @throws {ContractsError} `REVERTED`: `NotDrawn`, `DrawTooEarly`, `TransitionNotAllowed`; `JobIsSuspended`, `PoolIsPaused` or
 * `NodeNotActive` (of node zero: no candidate can run the job) when the lot is fixed already.
 */
export function assignJob(client: Client, args: OnJob): Promise<Sent> {
  return onJob(client, args, 'assign', [args.jobId])
}

/**
 * Takes a job from a node that did not show up or fell silent. Anyone.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `jobId`, of an assigned or running job
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `NodeNotSilent`, `TooManyAttempts`, `TransitionNotAllowed`; `JobIsSuspended`,
 * `PoolIsPaused`, or `NodeNotAccepted` (a pool turns the node of a drawn job away) while that lasts.
 */
export function requeueJob(client: Client, args: OnJob): Promise<Sent> {
  return onJob(client, args, 'requeue', [args.jobId])
}

/**
 * The node that runs a job says that it is still there (statement: `heartbeatContext`).
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `jobId`; `time`, later than the last heartbeat and not in the
 * future of the chain; `statement`, what the node signed over it
 * @returns the mined transaction: its hash and receipt
 */
export function heartbeatJob(
  client: Client,
  args: OnJob & { /** Unix seconds. */ readonly time: bigint; readonly statement: StatementProof },
): Promise<Sent> {
  return onJob(client, args, 'heartbeat', [args.jobId, args.time, args.statement])
}

/**
 * The node that runs a job hands it to another attested node (statement: `handOffContext`).
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `jobId`; `to`, the statement key of the node that takes over;
 * `statement`, what the node that gives the job away signed over it
 * @returns the mined transaction: its hash and receipt
 */
export function handOffJob(
  client: Client,
  args: OnJob & { readonly to: Address; readonly statement: StatementProof },
): Promise<Sent> {
  return onJob(client, args, 'handOff', [args.jobId, args.to, args.statement])
}

type Write = ContractFunctionName<typeof jobBoardAbi, 'nonpayable'>

/** One call of the job board, under the name of its function. */
function onJob<const Name extends Write>(
  client: Client,
  args: WriteOptions & { readonly deployment: Deployment },
  functionName: Name,
  parameters: ContractFunctionArgs<typeof jobBoardAbi, 'nonpayable', Name>,
): Promise<Sent> {
  const call = { abi: jobBoardAbi, functionName, args: parameters }
  const data = encodeCall(call as EncodeFunctionDataParameters)
  return send(client, `JobBoard.${functionName}`, { to: args.deployment.jobBoard, data }, args)
}

function outcomeOf({ jobId, receiptDigest, resultDigest, budgetHeads, statement }: OnJob & JobOutcome) {
  return [jobId, receiptDigest, resultDigest, budgetHeads, statement] as const
}

/** The sender's options without `gas`, which was meant for another call. */
function options(args: WriteOptions): WriteOptions {
  return {
    ...(args.account === undefined ? {} : { account: args.account }),
    ...(args.timeoutMs === undefined ? {} : { timeoutMs: args.timeoutMs }),
  }
}
