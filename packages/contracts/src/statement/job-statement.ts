import { type Address, concatHex, type Hex, keccak256, pad } from 'viem'
import { ContractsError } from '../errors.js'
import { type Bound, bytes32, context, type NodeStatementContext, uint, word } from './statement-context.js'

/** What a job statement is about. `pools` is the job's own list, in its order: statements are bound to the first. */
export interface JobSubject {
  readonly jobId: bigint
  readonly pools: readonly Address[]
  readonly manifestDigest: Hex
}

/**
 * Context of a `sealpool/start/1` statement.
 *
 * @param args - `deployment` and `nonce`, which bind the statement; the job's `jobId`, `pools` and `manifestDigest`
 * @returns what the statement is bound to, and its facts in the contract's order
 */
export function startContext(args: Bound & JobSubject): NodeStatementContext {
  return jobContext('startContext', args, [])
}

/**
 * What a release is about: number, manifest and consumer of the job. A number alone is a counter, which a reorganisation may
 * give to another job.
 *
 * @param args - the job's `jobId`, `manifestDigest` and `consumer`
 * @returns keccak256 of the three as ABI words: the statement's subject
 */
export function releaseSubject(
  args: Pick<JobSubject, 'jobId' | 'manifestDigest'> & { readonly consumer: Address },
): Hex {
  return keccak256(concatHex([word(args.jobId), args.manifestDigest, pad(args.consumer, { size: 32 })]))
}

/**
 * Context of a `sealpool/release/1` statement: one budget head per pool, in the job's order.
 *
 * @param args - `deployment` and `nonce`, which bind the statement; the job's `jobId`, `pools`, `manifestDigest` and
 * `consumer`; digests of receipt and result; `budgetHeads`, one for each pool
 * @returns what the statement is bound to, and its facts in the contract's order
 */
export function releaseContext(
  args: Bound &
    JobSubject & {
      readonly consumer: Address
      readonly receiptDigest: Hex
      readonly resultDigest: Hex
      readonly budgetHeads: readonly Hex[]
    },
): NodeStatementContext {
  const words = [args.receiptDigest, args.resultDigest, ...args.budgetHeads]
  return { ...jobContext('releaseContext', args, words), subject: releaseSubject(args) }
}

/**
 * Context of a `sealpool/refusal/1` statement. `reason` is a 32-byte code, for example `stringToHex(code, { size: 32 })`.
 *
 * @param args - `deployment` and `nonce`, which bind the statement; the job's `jobId`, `pools` and `manifestDigest`;
 * `receiptDigest`, of the signed refusal; `reason`
 * @returns what the statement is bound to, and its facts in the contract's order
 */
export function refusalContext(
  args: Bound & JobSubject & { readonly receiptDigest: Hex; readonly reason: Hex },
): NodeStatementContext {
  return jobContext('refusalContext', args, [args.receiptDigest, args.reason])
}

/**
 * Context of a `sealpool/failure/1` statement.
 *
 * @param args - `deployment` and `nonce`, which bind the statement; the job's `jobId`, `pools` and `manifestDigest`;
 * `reason`, a 32-byte code
 * @returns what the statement is bound to, and its facts in the contract's order
 */
export function failureContext(args: Bound & JobSubject & { readonly reason: Hex }): NodeStatementContext {
  return jobContext('failureContext', args, [args.reason])
}

/**
 * Context of a `sealpool/heartbeat/1` statement. `time` is in unix seconds, later than the last and not in the future.
 *
 * @param args - `deployment` and `nonce`, which bind the statement; the job's `jobId`, `pools` and `manifestDigest`; `time`
 * @returns what the statement is bound to, and its facts in the contract's order
 */
export function heartbeatContext(args: Bound & JobSubject & { readonly time: bigint }): NodeStatementContext {
  const bound = jobContext('heartbeatContext', args, [])
  return { ...bound, facts: [...bound.facts, uint(args.time)] }
}

/**
 * Context of a `sealpool/hand-off/1` statement: the job goes to the node with this key.
 *
 * @param args - `deployment` and `nonce`, which bind the statement; the job's `jobId`, `pools` and `manifestDigest`; `to`,
 * the statement key of the node that takes over
 * @returns what the statement is bound to, and its facts in the contract's order
 */
export function handOffContext(args: Bound & JobSubject & { readonly to: Address }): NodeStatementContext {
  const bound = jobContext('handOffContext', args, [])
  return { ...bound, facts: [...bound.facts, { type: 'address', value: args.to }] }
}

function jobContext(place: string, args: Bound & JobSubject, words: readonly Hex[]): NodeStatementContext {
  const [first] = args.pools
  if (first === undefined) throw new ContractsError('ARGUMENT_INVALID', place, 'a job has at least one pool')
  return context(args, first, word(args.jobId), [args.manifestDigest, ...words].map(bytes32))
}
