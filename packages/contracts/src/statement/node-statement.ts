import { type Address, concatHex, encodeAbiParameters, type Hex, keccak256 } from 'viem'
import { ContractsError } from '../errors.js'
import {
  type Bound,
  bytes32,
  context,
  factsHash,
  type NodeStatementContext,
  uint,
  word,
} from './statement-context.js'

/** What a node adds to the facts: sent along with them. */
export interface StatementProof {
  /** SHA-256 of the canonical JSON of the statement, 32-byte hex. */
  readonly digest: Hex
  readonly nonce: bigint
  /** 65 bytes r || s || v. */
  readonly signature: Hex
}

/** Kinds of node statements that contracts understand. */
export const statementKinds = {
  poolKey: 'sealpool/pool-key/1',
  verdictBatch: 'sealpool/verdict-batch/1',
  refinement: 'sealpool/refinement/1',
  start: 'sealpool/start/1',
  release: 'sealpool/release/1',
  refusal: 'sealpool/refusal/1',
  failure: 'sealpool/failure/1',
  heartbeat: 'sealpool/heartbeat/1',
  handOff: 'sealpool/hand-off/1',
  erasure: 'sealpool/erasure/1',
  verdictRoot: 'sealpool/verdict-root/1',
  batchErasure: 'sealpool/batch-erasure/1',
  budgetHead: 'sealpool/budget-head/1',
  checkpoint: 'sealpool/checkpoint/1',
  aggregate: 'sealpool/aggregate/1',
} as const

/** A node's verdict on one contribution, as recorded on chain. */
export interface VerdictEntry {
  readonly contributionId: bigint
  /** Integer 0 to 10,000; 0 when refused. */
  readonly score: number
  readonly refused: boolean
  /** Digest of the whole verdict, 32-byte hex. */
  readonly verdictDigest: Hex
}

/**
 * Context of a `sealpool/pool-key/1` statement: the key of the next epoch.
 *
 * @param args - `deployment` and `nonce`, which bind the statement; `pool`; `epoch`, one more than the current;
 * `policyDigest`, of the policy in force; `keyDigest`, SHA-256 of the pool's public key
 * @returns what the statement is bound to, and its facts in the contract's order; its subject is epoch and policy
 */
export function poolKeyContext(
  args: Bound & {
    readonly pool: Address
    readonly epoch: number
    readonly policyDigest: Hex
    readonly keyDigest: Hex
  },
): NodeStatementContext {
  const epoch = uint(BigInt(args.epoch))
  const policyDigest = bytes32(args.policyDigest)
  return context(args, args.pool, factsHash([epoch, policyDigest]), [
    epoch,
    policyDigest,
    bytes32(args.keyDigest),
  ])
}

/**
 * Context of a `sealpool/verdict-batch/1` statement: number of entries, and one hash over them all, so that a statement
 * stays small whatever the batch.
 *
 * @param args - `deployment` and `nonce`, which bind the statement; `pool`; `entries`, the verdicts in the order in which
 * they are sent
 * @returns what the statement is bound to, and its facts in the contract's order; its subject is the first contribution
 * @throws {ContractsError} `ARGUMENT_INVALID` for an empty batch.
 */
export function verdictBatchContext(
  args: Bound & { readonly pool: Address; readonly entries: readonly VerdictEntry[] },
): NodeStatementContext {
  const [first] = args.entries
  if (first === undefined) {
    throw new ContractsError('ARGUMENT_INVALID', 'verdictBatchContext', 'a batch has at least one entry')
  }
  return context(args, args.pool, word(first.contributionId), [
    uint(BigInt(args.entries.length)),
    bytes32(verdictEntriesHash(args.entries)),
  ])
}

/**
 * keccak256 of the ABI encoding of verdict entries, as the data registry computes it.
 *
 * @param entries - the verdicts in the order in which they are sent
 * @returns the hash, 32 bytes
 */
export function verdictEntriesHash(entries: readonly VerdictEntry[]): Hex {
  return keccak256(encodeAbiParameters(verdictEntriesType, [entries]))
}

const verdictEntriesType = [
  {
    type: 'tuple[]',
    components: [
      { name: 'contributionId', type: 'uint256' },
      { name: 'score', type: 'uint16' },
      { name: 'refused', type: 'bool' },
      { name: 'verdictDigest', type: 'bytes32' },
    ],
  },
] as const

/**
 * Context of a `sealpool/refinement/1` statement.
 *
 * @param args - `deployment` and `nonce`, which bind the statement; `pool`; `schemaId`, of the tables, 32 bytes;
 * `rowsRoot`, the root over their rows
 * @returns what the statement is bound to, and its facts in the contract's order
 */
export function refinementContext(
  args: Bound & { readonly pool: Address; readonly schemaId: Hex; readonly rowsRoot: Hex },
): NodeStatementContext {
  return context(args, args.pool, args.schemaId, [bytes32(args.schemaId), bytes32(args.rowsRoot)])
}

/**
 * What a verdict root is about: number and entries of the batch.
 *
 * @param args - `batchId`; `entriesRoot`, the root over the batch's entries ({@link Batch} has it, `batchTree` computes it)
 * @returns keccak256 of both as ABI words: the statement's subject
 */
export function verdictRootSubject(args: { readonly batchId: bigint; readonly entriesRoot: Hex }): Hex {
  return keccak256(concatHex([word(args.batchId), args.entriesRoot]))
}

/**
 * Context of a `sealpool/erasure/1` statement: the node destroyed what it held of a contribution.
 *
 * @param args - `deployment` and `nonce`, which bind the statement; `pool`; `contributionId`, of a contribution that was
 * withdrawn or superseded
 * @returns what the statement is bound to, and its facts in the contract's order
 */
export function erasureContext(
  args: Bound & { readonly pool: Address; readonly contributionId: bigint },
): NodeStatementContext {
  return context(args, args.pool, word(args.contributionId), [uint(args.contributionId)])
}

/**
 * Context of a `sealpool/batch-erasure/1` statement: the node destroyed what it held of an entry of a Merkle batch.
 *
 * @param args - `deployment` and `nonce`, which bind the statement; `pool`; `batchId` and `index`, of an entry that was taken
 * back
 * @returns what the statement is bound to, and its facts in the contract's order
 */
export function batchErasureContext(
  args: Bound & { readonly pool: Address; readonly batchId: bigint; readonly index: number },
): NodeStatementContext {
  const index = BigInt(args.index)
  const subject = keccak256(concatHex([word(args.batchId), word(index)]))
  return context(args, args.pool, subject, [uint(args.batchId), uint(index)])
}

/**
 * Context of a `sealpool/verdict-root/1` statement: verdicts on a batch of contributions.
 *
 * @param args - `deployment` and `nonce`, which bind the statement; `pool`; `batchId`; `entriesRoot`, of the batch's entries;
 * `root`, of `verdictTree`; `accepted`, the number of its leaves
 * @returns what the statement is bound to, and its facts in the contract's order
 */
export function verdictRootContext(
  args: Bound & {
    readonly pool: Address
    readonly batchId: bigint
    readonly entriesRoot: Hex
    readonly root: Hex
    readonly accepted: number
  },
): NodeStatementContext {
  return context(args, args.pool, verdictRootSubject(args), [
    uint(args.batchId),
    bytes32(args.root),
    uint(BigInt(args.accepted)),
  ])
}

/**
 * Context of a `sealpool/budget-head/1` statement: the next head of a pool's budget ledger, and the one before.
 *
 * @param args - `deployment` and `nonce`, which bind the statement; `pool`; `sequence`, from 1; `head`, the new head;
 * `previous`, the one before, zero for the first
 * @returns what the statement is bound to, and its facts in the contract's order
 */
export function budgetHeadContext(
  args: Bound & {
    readonly pool: Address
    readonly sequence: bigint
    readonly head: Hex
    readonly previous: Hex
  },
): NodeStatementContext {
  const { sequence, head, previous } = args
  return context(args, args.pool, word(sequence), [uint(sequence), bytes32(head), bytes32(previous)])
}

/**
 * Context of a `sealpool/checkpoint/1` statement: the next root of one kind of log, over `size` entries.
 *
 * @param args - `deployment` and `nonce`, which bind the statement; `pool`; `kind`, the 32 bytes that name the log;
 * `sequence`, from 1; `root`; `size`
 * @returns what the statement is bound to, and its facts in the contract's order
 */
export function checkpointContext(
  args: Bound & {
    readonly pool: Address
    readonly kind: Hex
    readonly sequence: bigint
    readonly root: Hex
    readonly size: bigint
  },
): NodeStatementContext {
  const { kind, sequence, root, size } = args
  const subject = keccak256(concatHex([kind, word(sequence)]))
  return context(args, args.pool, subject, [bytes32(kind), uint(sequence), bytes32(root), uint(size)])
}

/**
 * Context of a `sealpool/aggregate/1` statement: over which inputs an encrypted aggregate is opened.
 *
 * @param args - `deployment` and `nonce`, which bind the statement; `pool`; `definition`, digest of the aggregate's
 * definition; `inputsRoot`, root over the inputs that are summed
 * @returns what the statement is bound to, and its facts in the contract's order
 */
export function aggregateContext(
  args: Bound & { readonly pool: Address; readonly definition: Hex; readonly inputsRoot: Hex },
): NodeStatementContext {
  return context(args, args.pool, args.definition, [bytes32(args.definition), bytes32(args.inputsRoot)])
}

/** EIP-712 types of a node statement. */
export const statementTypes = {
  Statement: [
    { name: 'kind', type: 'string' },
    { name: 'pool', type: 'address' },
    { name: 'subject', type: 'bytes32' },
    { name: 'facts', type: 'bytes32' },
    { name: 'digest', type: 'bytes32' },
    { name: 'nonce', type: 'uint256' },
  ],
} as const

/**
 * The EIP-712 data that a node signs. `@sealpool/crypto` computes the same hash without viem; this is for wallets and
 * tests.
 *
 * @param args - `kind`, one of {@link statementKinds}; `context`, made for this kind; `digest`, SHA-256 of the statement's
 * canonical JSON
 * @returns domain, types and message as viem's `signTypedData` takes them
 */
export function statementTypedData(args: {
  readonly kind: string
  readonly context: NodeStatementContext
  readonly digest: Hex
}) {
  const { context: bound } = args
  return {
    domain: { name: 'Sealpool', version: '1', chainId: bound.chainId, verifyingContract: bound.registry },
    types: statementTypes,
    primaryType: 'Statement',
    message: {
      kind: args.kind,
      pool: bound.pool,
      subject: bound.subject,
      facts: factsHash(bound.facts),
      digest: args.digest,
      nonce: BigInt(bound.nonce),
    },
  } as const
}
