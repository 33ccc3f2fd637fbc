import { type Address, type Client, type Hex, zeroHash } from 'viem'
import { readContract } from 'viem/actions'
import { anchorsAbi } from '../abi/Anchors.js'
import type { StatementProof } from '../statement/node-statement.js'
import { encodeCall } from './encode-call.js'
import { reading, type Sent, send, type WriteOptions } from './transaction.js'

type OnAnchors = WriteOptions & {
  /** Address of the contract `Anchors` (`deployMarket` makes one). */
  readonly anchors: Address
  readonly pool: Address
  readonly statement: StatementProof
}

/** The newest entry of a chain of anchors. */
export interface AnchoredHead {
  /** Counts from 1. */
  readonly sequence: bigint
  /** Unix seconds. */
  readonly anchoredAt: bigint
  readonly value: Hex
}

/** The claim on an encrypted aggregate: over which inputs it is opened. */
export interface AggregateClaim {
  readonly inputsRoot: Hex
  /** The node that claimed it. */
  readonly node: Address
  /** Unix seconds. */
  readonly claimedAt: bigint
}

/**
 * Anchors the next head of a pool's budget ledger (statement: `budgetHeadContext`).
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `anchors`, the contract's address; `pool`, whose ledger it is; `head`, the
 * new head, 32 bytes; `statement`, what a node signed over sequence, head and previous
 * @param args.sequence One more than that of {@link getBudgetHead}; 1 for the first.
 * @param args.previous The head before; zero for the first.
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `SequenceNotNext`, `PreviousOther`, `RootZero`, `StatementSignerNotActive`.
 */
export function anchorBudgetHead(
  client: Client,
  args: OnAnchors & { readonly sequence: bigint; readonly head: Hex; readonly previous: Hex },
): Promise<Sent> {
  const { pool, sequence, head, previous, statement } = args
  const data = encodeCall({
    abi: anchorsAbi,
    functionName: 'anchorBudget',
    args: [pool, sequence, head, previous, statement],
  })
  return send(client, 'Anchors.anchorBudget', { to: args.anchors, data }, args)
}

/**
 * Anchors the next root of one kind of log: receipts, dataset attestations, a transparency log (statement:
 * `checkpointContext`).
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `anchors`, the contract's address; `pool`, whose log it is; `sequence`, one
 * more than that of {@link getCheckpoint} and 1 for the first; `root`, the new root, 32 bytes; `statement`, what a node
 * signed over these
 * @param args.kind 32 bytes that name the log.
 * @param args.size Entries under the root.
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `SequenceNotNext`, `RootZero`, `StatementSignerNotActive`.
 */
export function anchorCheckpoint(
  client: Client,
  args: OnAnchors & {
    readonly kind: Hex
    readonly sequence: bigint
    readonly root: Hex
    readonly size: bigint
  },
): Promise<Sent> {
  const { pool, kind, sequence, root, size, statement } = args
  const data = encodeCall({
    abi: anchorsAbi,
    functionName: 'checkpoint',
    args: [pool, kind, sequence, root, size, statement],
  })
  return send(client, 'Anchors.checkpoint', { to: args.anchors, data }, args)
}

/**
 * Claims, once and for ever, over which inputs an encrypted aggregate is opened (statement: `aggregateContext`). The first
 * claim wins: two quorums that open different subsets could subtract one sum from the other.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `anchors`, the contract's address; `pool`, whose aggregate it is;
 * `statement`, what a node signed over definition and inputs root
 * @param args.definition Digest of the aggregate's definition.
 * @param args.inputsRoot Root over the inputs that are summed.
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `AggregateAlreadyClaimed`, whose third argument is the inputs root that stands;
 * `RootZero`, `StatementSignerNotActive`.
 */
export function claimAggregate(
  client: Client,
  args: OnAnchors & { readonly definition: Hex; readonly inputsRoot: Hex },
): Promise<Sent> {
  const { pool, definition, inputsRoot, statement } = args
  const data = encodeCall({
    abi: anchorsAbi,
    functionName: 'claimAggregate',
    args: [pool, definition, inputsRoot, statement],
  })
  return send(client, 'Anchors.claimAggregate', { to: args.anchors, data }, args)
}

/**
 * Reads the claim on an aggregate's definition; `null` when there is none.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `anchors`, the contract's address; `pool`, whose aggregate it is; `definition`, the digest of its
 * definition
 * @returns the claim that stands for ever; `null` when nobody has claimed yet
 */
export async function getAggregateClaim(
  client: Client,
  args: { readonly anchors: Address; readonly pool: Address; readonly definition: Hex },
): Promise<AggregateClaim | null> {
  const claim = await reading('Anchors.aggregateOf', () =>
    readContract(client, {
      address: args.anchors,
      abi: anchorsAbi,
      functionName: 'aggregateOf',
      args: [args.pool, args.definition],
    }),
  )
  return claim.inputsRoot === zeroHash ? null : claim
}

/**
 * Reads the newest budget head of a pool; `null` before the first.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `anchors`, the contract's address; `pool`, whose ledger it is
 * @returns sequence, time and head (`value`); `null` before the first
 */
export async function getBudgetHead(
  client: Client,
  args: { readonly anchors: Address; readonly pool: Address },
): Promise<AnchoredHead | null> {
  const head = await reading('Anchors.budgetOf', () =>
    readContract(client, {
      address: args.anchors,
      abi: anchorsAbi,
      functionName: 'budgetOf',
      args: [args.pool],
    }),
  )
  return head.sequence === 0n ? null : head
}

/**
 * Reads the newest checkpoint of one kind of log; `null` before the first.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `anchors`, the contract's address; `pool`, whose log it is; `kind`, the 32 bytes that name the log
 * @returns sequence, time and root (`value`); `null` before the first
 */
export async function getCheckpoint(
  client: Client,
  args: { readonly anchors: Address; readonly pool: Address; readonly kind: Hex },
): Promise<AnchoredHead | null> {
  const head = await reading('Anchors.checkpointOf', () =>
    readContract(client, {
      address: args.anchors,
      abi: anchorsAbi,
      functionName: 'checkpointOf',
      args: [args.pool, args.kind],
    }),
  )
  return head.sequence === 0n ? null : head
}
