import { type Address, type Client, concatHex, type Hex, maxUint64 } from 'viem'
import { readContract } from 'viem/actions'
import { contributionBatchesAbi } from '../abi/ContributionBatches.js'
import type { Deployment } from '../deploy/deployment.js'
import {
  type BatchEntry,
  type BatchHeader,
  type BatchVerdict,
  batchHash,
} from '../statement/batched-contribution.js'
import type { StatementProof } from '../statement/node-statement.js'
import { encodeCall } from './encode-call.js'
import { reading, type Sent, send, type WriteOptions } from './transaction.js'

type OnBatch = WriteOptions & { readonly deployment: Deployment; readonly batchId: bigint }
type OnEntry = OnBatch & {
  readonly index: number
  readonly entry: BatchEntry
  readonly proof: readonly Hex[]
}

/** A place in a batch that is not recorded yet, as owners sign it. */
export interface AwaitedPlace {
  readonly deployment: Deployment
  /** Who would send the batch. */
  readonly relayer: Address
  /** The relayer's batch number that was signed. */
  readonly number: bigint
  readonly header: BatchHeader
  /** From 0. */
  readonly index: number
}

/**
 * Cancels a signature that the sender gave for a place in a batch that is not recorded yet. Should the batch come, the entry is
 * withdrawn from the beginning, and holds up no other. Afterwards {@link withdrawBatchEntry} does the same.
 *
 * @param client - a viem client with the owner's account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `relayer`, `number`, `header` and `index` as they were signed
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `NumberNotNext` when a batch of this number is recorded already,
 * `EntryAlreadyCancelled`.
 */
export function cancelBatchEntry(client: Client, args: WriteOptions & AwaitedPlace): Promise<Sent> {
  const { relayer, number, header, index } = args
  const data = encodeCall({
    abi: contributionBatchesAbi,
    functionName: 'cancelEntry',
    args: [relayer, number, { ...header, deadline: header.deadline ?? maxUint64 }, BigInt(index)],
  })
  const place = 'ContributionBatches.cancelEntry'
  return send(client, place, { to: args.deployment.contributionBatches, data }, args)
}

/**
 * Whether an owner cancelled a place of a batch: a relayer may look before it sends.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `deployment`; `relayer`, `number`, `header` and `index` as they were signed; `owner`, who signed
 * @returns whether the entry would be withdrawn from the beginning
 */
export function isBatchEntryCancelled(
  client: Client,
  args: AwaitedPlace & { readonly owner: Address },
): Promise<boolean> {
  return reading('ContributionBatches.isCancelled', () =>
    readContract(client, {
      address: args.deployment.contributionBatches,
      abi: contributionBatchesAbi,
      functionName: 'isCancelled',
      args: [batchHash(args), BigInt(args.index), args.owner],
    }),
  )
}

/**
 * Takes an entry of a batch back because a newer version stands for it. Only its owner.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `batchId`; `index`, the entry's place in the batch, from 0;
 * `entry`, as it was contributed; `proof`, of `batchTree`; `replacement`, the blob digest of the newer version
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `OwnerNotSender`, `AlreadyWithdrawn`, `ReplacementZero`, `ProofInvalid`.
 */
export function supersedeBatchEntry(
  client: Client,
  args: OnEntry & { readonly replacement: Hex },
): Promise<Sent> {
  const data = encodeCall({
    abi: contributionBatchesAbi,
    functionName: 'supersede',
    args: [args.batchId, BigInt(args.index), packEntry(args.entry), args.proof, args.replacement],
  })
  const place = 'ContributionBatches.supersede'
  return send(client, place, { to: args.deployment.contributionBatches, data }, args)
}

/**
 * Records that a node destroyed what it held of an entry that its owner took back (statement: `batchErasureContext`).
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `batchId`; `index`, the entry's place; `statement`, what a node that
 * the pool accepts signed over both
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `NotErasable`, `StatementSignerNotActive`, `NodeNotAccepted`.
 */
export function recordBatchErasure(
  client: Client,
  args: OnBatch & { readonly index: number; readonly statement: StatementProof },
): Promise<Sent> {
  const data = encodeCall({
    abi: contributionBatchesAbi,
    functionName: 'recordErasure',
    args: [args.batchId, BigInt(args.index), args.statement],
  })
  const place = 'ContributionBatches.recordErasure'
  return send(client, place, { to: args.deployment.contributionBatches, data }, args)
}

/**
 * Takes an entry of a batch back. Only its owner.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `batchId`; `index`, the entry's place in the batch, from 0;
 * `entry`, as it was contributed; `proof`, of `batchTree`
 * @returns the mined transaction: its hash and receipt
 */
export function withdrawBatchEntry(client: Client, args: OnEntry): Promise<Sent> {
  const data = encodeCall({
    abi: contributionBatchesAbi,
    functionName: 'withdraw',
    args: [args.batchId, BigInt(args.index), packEntry(args.entry), args.proof],
  })
  const place = 'ContributionBatches.withdraw'
  return send(client, place, { to: args.deployment.contributionBatches, data }, args)
}

/**
 * Ends the points of a withdrawn entry that was paid before. Anyone.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `batchId`; `verdict`, the one that was paid; `proof`, its proof
 * in `verdictTree`
 * @returns the mined transaction: its hash and receipt
 */
export function forfeitBatchEntry(
  client: Client,
  args: OnBatch & { readonly verdict: BatchVerdict; readonly proof: readonly Hex[] },
): Promise<Sent> {
  const data = encodeCall({
    abi: contributionBatchesAbi,
    functionName: 'forfeit',
    args: [args.batchId, args.verdict, args.proof],
  })
  const place = 'ContributionBatches.forfeit'
  return send(client, place, { to: args.deployment.contributionBatches, data }, args)
}

/** An entry as the contract reads it: 116 bytes. */
export function packEntry({ owner, blobDigest, commitment, consentDigest }: BatchEntry): Hex {
  return concatHex([owner, blobDigest, commitment, consentDigest])
}
