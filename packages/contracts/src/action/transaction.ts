import {
  type Abi,
  type Account,
  type Address,
  BaseError,
  type Client,
  decodeErrorResult,
  type Hash,
  type Hex,
  InsufficientFundsError,
  isHex,
  parseAbi,
  type TransactionReceipt,
  TransactionReceiptNotFoundError,
  withRetry,
} from 'viem'
import {
  call,
  estimateGas,
  getTransactionReceipt,
  sendTransaction,
  waitForTransactionReceipt,
} from 'viem/actions'
import { parseAccount } from 'viem/utils'
import { errorSignatures } from '../abi/error-signatures.js'
import { ContractsError, type Revert } from '../errors.js'
import { advice } from './advice.js'
import { argumentInvalid } from './encode-call.js'

/** What every writing action accepts besides its own arguments. */
export interface WriteOptions {
  /** Who sends; default: the client's account. */
  readonly account?: Account | Address
  /** Gas limit; default: estimated, which simulates the call as well. */
  readonly gas?: bigint
  /** Milliseconds to wait for the receipt; default 120,000. */
  readonly timeoutMs?: number
}

/** A mined, successful transaction. */
export interface Sent {
  readonly hash: Hash
  readonly receipt: TransactionReceipt
}

const DEFAULT_TIMEOUT_MS = 120_000

/**
 * Simulates a call, sends it, waits for its receipt. One account's calls must be awaited one after the other: nonces
 * that overtake each other leave transactions behind that are never mined.
 *
 * @throws {ContractsError} `NO_ACCOUNT`, `REVERTED` (with the decoded error), `TRANSACTION_REJECTED`,
 * `TRANSACTION_TIMEOUT`, `CHAIN_UNREACHABLE`.
 */
export async function send(
  client: Client,
  place: string,
  target: {
    readonly to: Address | null
    readonly data: Hex
    /** Gas beyond the estimate that the call may need when it is mined later than it is simulated. */
    readonly reserve?: bigint
    /** Wei that go along; default 0. */
    readonly value?: bigint
    /** Errors of the contract when it is none of ours. */
    readonly errors?: Abi
  },
  options: WriteOptions,
): Promise<Sent> {
  const chosen = options.account ?? client.account
  if (chosen === undefined) {
    throw new ContractsError('NO_ACCOUNT', place, 'no account: give the client one or pass `account`')
  }
  const account = parseAccount(chosen)
  const transaction = {
    account,
    data: target.data,
    ...(target.to === null ? {} : { to: target.to }),
    ...(target.value === undefined ? {} : { value: target.value }),
  }
  try {
    let gas = options.gas
    if (gas === undefined) {
      gas = withMargin(await estimateGas(client, transaction)) + (target.reserve ?? 0n)
    } else await call(client, { ...transaction, gas })
    const hash = await sendTransaction(client, { ...transaction, gas, chain: client.chain ?? null })
    const receipt = await receiptOf(client, hash, options.timeoutMs ?? DEFAULT_TIMEOUT_MS)
    if (receipt.status !== 'success') {
      // It passed the simulation and failed when mined: ask the chain again, at that block, for the reason.
      await call(client, { ...transaction, gas, blockNumber: receipt.blockNumber })
      throw new ContractsError(
        'TRANSACTION_REJECTED',
        place,
        `transaction ${hash} failed when it was mined; the state changed after the simulation, try again`,
      )
    }
    return { hash, receipt }
  } catch (error) {
    throw toContractsError(place, error, target.errors)
  }
}

/**
 * What one contract logged in a transaction. A wallet that bundles calls (ERC-4337, EIP-5792) may have others beside ours in one receipt.
 *
 * @param sent the transaction
 * @param address the contract that was called
 * @returns its logs, in their order
 */
export function logsOf({ receipt }: Sent, address: Address): TransactionReceipt['logs'] {
  return receipt.logs.filter((log) => log.address.toLowerCase() === address.toLowerCase())
}

/**
 * A failure of viem as an error of this package; a contract's revert is decoded and comes with advice.
 *
 * @param errors Errors of contracts that are not ours.
 */
export function toContractsError(place: string, error: unknown, errors?: Abi): ContractsError {
  if (error instanceof ContractsError) return error
  if (!(error instanceof BaseError)) {
    return new ContractsError('CHAIN_UNREACHABLE', place, 'the call failed outside the chain client', {
      cause: error,
    })
  }
  const revert = decodeRevert(error, errors ?? ownErrors())
  if (revert !== undefined) {
    const hint = advice[revert.name]
    const text = `${revert.name}(${revert.args.map(String).join(', ')})`
    return new ContractsError('REVERTED', place, hint === undefined ? text : `${text}. ${hint}`, {
      cause: error,
      revert,
    })
  }
  const named = error.walk((inner) => inner instanceof BaseError && TIMEOUTS.has(inner.name))
  if (named !== null) {
    return new ContractsError(
      'TRANSACTION_TIMEOUT',
      place,
      'no answer in time; the transaction may still be mined, look for its effect before you send it again',
      { cause: error },
    )
  }
  const unfit = error.walk((inner) => inner instanceof BaseError && UNFIT.has(inner.name))
  if (unfit instanceof BaseError) return argumentInvalid(place, unfit)
  if (error.walk((inner) => inner instanceof InsufficientFundsError) !== null) {
    return new ContractsError(
      'TRANSACTION_REJECTED',
      place,
      'the account cannot pay for gas; send it some of the chain’s currency',
      {
        cause: error,
      },
    )
  }
  if (error.walk((inner) => inner instanceof BaseError && inner.name === 'HttpRequestError') !== null) {
    return new ContractsError(
      'CHAIN_UNREACHABLE',
      place,
      'the chain does not answer; check the RPC address',
      {
        cause: error,
      },
    )
  }
  return new ContractsError('TRANSACTION_REJECTED', place, error.shortMessage, { cause: error })
}

/** @returns every error of our contracts but those of permits */
export function ownErrors(): Abi {
  return parseAbi(errorSignatures.split('\n').map((signature) => `error ${signature}`))
}

/** What viem says of arguments that a function does not have. */
const UNFIT = new Set([
  'AbiEncodingBytesSizeMismatchError',
  'IntegerOutOfRangeError',
  'InvalidAddressError',
  'InvalidArrayError',
])

/** Of several endpoints behind one address one may show the transaction in a block, and another not know its receipt yet. */
const TIMEOUTS = new Set([
  'TimeoutError',
  'WaitForTransactionReceiptTimeoutError',
  'TransactionReceiptNotFoundError',
])

/** Runs a read and turns its failure into an error of this package. */
export async function reading<Result>(
  place: string,
  read: () => Promise<Result>,
  errors?: Abi,
): Promise<Result> {
  try {
    return await read()
  } catch (error) {
    throw toContractsError(place, error, errors)
  }
}

/**
 * What an estimate lacks when the transaction is mined a second later than it was simulated: vote checkpoints are one
 * per second and account, so the same call may then write new slots. Gas that is not used is not paid.
 */
function withMargin(estimate: bigint): bigint {
  return estimate + estimate / 5n + 150_000n
}

/** A chain that mines at once has the receipt within milliseconds; asking at its block interval would waste seconds. */
const EARLY_LOOKS = 8
const FIRST_LOOK_MS = 2

async function receiptOf(client: Client, hash: Hash, timeout: number): Promise<TransactionReceipt> {
  const missing = (error: Error) => error instanceof TransactionReceiptNotFoundError
  try {
    return await withRetry(() => getTransactionReceipt(client, { hash }), {
      delay: ({ count }) => FIRST_LOOK_MS * 2 ** count,
      retryCount: EARLY_LOOKS,
      shouldRetry: ({ error }) => missing(error),
    })
  } catch (error) {
    if (!missing(error as Error)) throw error
  }
  return waitForTransactionReceipt(client, {
    hash,
    timeout,
    pollingInterval: Math.min(client.pollingInterval, 1000),
  })
}

function decodeRevert(error: BaseError, errors: Abi): Revert | undefined {
  let data: Hex | undefined
  error.walk((inner) => {
    const carried = (inner as { data?: unknown } | null)?.data
    const found = isHex(carried) ? carried : (carried as { data?: unknown } | undefined)?.data
    if (isHex(found) && found.length >= 10) data = found
    return false
  })
  if (data === undefined) {
    const reverted = error.walk(
      (inner) => inner instanceof BaseError && inner.name === 'ExecutionRevertedError',
    )
    return reverted === null ? undefined : { name: 'Unknown', args: [] }
  }
  try {
    const decoded = decodeErrorResult({ abi: errors, data })
    return { name: decoded.errorName, args: decoded.args ?? [] }
  } catch {
    return { name: 'Unknown', args: [data.slice(0, 10)] }
  }
}
