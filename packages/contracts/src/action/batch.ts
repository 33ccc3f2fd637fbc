import { type Address, type Client, concatHex, type Hex, maxUint64, parseEventLogs, slice } from 'viem'
import { getContractEvents, readContract } from 'viem/actions'
import { contributionBatchesAbi } from '../abi/ContributionBatches.js'
import type { Deployment } from '../deploy/deployment.js'
import { ContractsError } from '../errors.js'
import { type MerkleTree, merkleTree } from '../merkle/tree.js'
import {
  type BatchEntry,
  type BatchHeader,
  type BatchVerdict,
  batchEntryLeaf,
  batchVerdictLeaf,
} from '../statement/batched-contribution.js'
import type { StatementProof } from '../statement/node-statement.js'
import { packEntry } from './batch-entry.js'
import { type EventQuery, perRequest, rangeOf } from './contribution.js'
import { encodeCall } from './encode-call.js'
import type { EventPlace } from './job-read.js'
import { readInRanges } from './logs.js'
import { logsOf, reading, type Sent, send, type WriteOptions } from './transaction.js'

type OnBatch = WriteOptions & { readonly deployment: Deployment; readonly batchId: bigint }

/** Most entries of one batch. */
export const maximumBatchEntries = 1_024

const ENTRY_BYTES = 116

/** A batch of contributions as its event tells it. */
export interface BatchEvent extends EventPlace {
  readonly id: bigint
  readonly relayer: Address
  readonly number: bigint
  readonly root: Hex
  readonly header: BatchHeader
  readonly entries: readonly BatchEntry[]
}

/** A batch as the chain remembers it. */
export interface Batch {
  readonly id: bigint
  readonly relayer: Address
  readonly count: number
  readonly epoch: number
  readonly root: Hex
  /** `null` before a node's verdicts came. */
  readonly verdictRoot: Hex | null
}

/**
 * The number that a relayer's next batch must have: owners sign it.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `deployment`, whose registry of batches is asked; `relayer`, who will send the batch
 * @returns the number, from 0 up; each relayer counts for itself
 */
export function getNextBatchNumber(
  client: Client,
  args: { readonly deployment: Deployment; readonly relayer: Address },
): Promise<bigint> {
  return reading('ContributionBatches.nextNumber', () =>
    readContract(client, {
      address: args.deployment.contributionBatches,
      abi: contributionBatchesAbi,
      functionName: 'nextNumber',
      args: [args.relayer],
    }),
  )
}

/**
 * Records a batch of signed contributions of one pool. The sender must be the relayer that the signatures name.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `number`, the batch's number by {@link getNextBatchNumber};
 * `header`, pool, epoch, schema and locators that all entries share
 * @param args.entries In the order of the indices that were signed; at most {@link maximumBatchEntries}.
 * @returns the mined transaction, the batch's identifier, and the root over its entries (see {@link batchTree})
 * @throws {ContractsError} `ARGUMENT_INVALID` for an empty or too large batch; `REVERTED`: `NumberNotNext`,
 * `ContributionSignatureInvalid` (with the index), `EpochNotCurrent`, `EntriesLengthInvalid`.
 */
export async function contributeMerkleBatch(
  client: Client,
  args: WriteOptions & {
    readonly deployment: Deployment
    readonly number: bigint
    readonly header: BatchHeader
    readonly entries: readonly (BatchEntry & { /** 65 bytes r || s || v. */ readonly signature: Hex })[]
  },
): Promise<Sent & { readonly batchId: bigint; readonly root: Hex }> {
  const place = 'ContributionBatches.contributeBatch'
  const { entries } = args
  if (entries.length === 0 || entries.length > maximumBatchEntries) {
    throw new ContractsError('ARGUMENT_INVALID', place, `a batch has 1 to ${maximumBatchEntries} entries`)
  }
  const data = encodeCall({
    abi: contributionBatchesAbi,
    functionName: 'contributeBatch',
    args: [
      args.number,
      { ...args.header, deadline: args.header.deadline ?? maxUint64 },
      concatHex(entries.map(packEntry)),
      concatHex(entries.map(({ signature }) => signature)),
    ],
  })
  const sent = await send(client, place, { to: args.deployment.contributionBatches, data }, args)
  const [event] = parseEventLogs({
    abi: contributionBatchesAbi,
    eventName: 'BatchContributed',
    logs: logsOf(sent, args.deployment.contributionBatches),
  })
  if (event === undefined)
    throw new ContractsError('NOT_FOUND', place, 'the receipt holds no BatchContributed event')
  return { ...sent, batchId: event.args.id, root: event.args.root }
}

/**
 * Reads the batches that were contributed, oldest first.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - which blocks to read, both ends included; of all pools
 * @returns the batches with all their entries, and where their events stand
 */
export async function getBatches(client: Client, args: EventQuery): Promise<BatchEvent[]> {
  return reading('getBatches', async () => {
    const logs = await readInRanges(await rangeOf(client, args), perRequest(args), (range) =>
      getContractEvents(client, {
        address: args.deployment.contributionBatches,
        abi: contributionBatchesAbi,
        eventName: 'BatchContributed',
        strict: true,
        ...range,
      }),
    )
    return logs.map(({ args: fields, blockNumber, blockHash, logIndex, transactionHash }) => {
      const { id, relayer, number, root, header } = fields
      const place = { blockNumber, blockHash, logIndex, transactionHash }
      return { id, relayer, number, root, header, entries: unpackEntries(fields.entries), ...place }
    })
  })
}

/**
 * Reads a batch.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `deployment`; `batchId`, counted from 1
 * @returns relayer, number of entries, key epoch and roots; the entries themselves are only in {@link getBatches}
 * @throws {ContractsError} `NOT_FOUND` when there is none with this identifier.
 */
export async function getBatch(
  client: Client,
  args: { readonly deployment: Deployment; readonly batchId: bigint },
): Promise<Batch> {
  const { batchId: id } = args
  const batch = await reading('ContributionBatches.getBatch', () =>
    readContract(client, {
      address: args.deployment.contributionBatches,
      abi: contributionBatchesAbi,
      functionName: 'getBatch',
      args: [id],
    }),
  )
  if (batch.count === 0) throw new ContractsError('NOT_FOUND', 'getBatch', `there is no batch ${id}`)
  const { relayer, count, epoch, root } = batch
  return {
    id,
    relayer,
    count,
    epoch,
    root,
    verdictRoot: BigInt(batch.verdictRoot) === 0n ? null : batch.verdictRoot,
  }
}

/**
 * The tree of a batch's entries: an owner's proof for {@link withdrawBatchEntry}.
 *
 * @param entries - all entries of the batch, in its order; at least one
 * @returns the tree: `root` is the batch's, `proof(index)` an entry's
 */
export function batchTree(entries: readonly BatchEntry[]): MerkleTree {
  return merkleTree(entries.map((entry, index) => batchEntryLeaf(index, entry)))
}

/**
 * The tree of a batch's verdicts, in the given order: its root goes into the node's statement.
 *
 * @param batchId - identifier of the batch, which every leaf names
 * @param verdicts - verdicts on accepted entries, at least one; refused entries are left out
 * @returns the tree; its proofs count by the place in `verdicts`, not by the entries' indices
 */
export function verdictTree(batchId: bigint, verdicts: readonly BatchVerdict[]): MerkleTree {
  return merkleTree(verdicts.map((verdict) => batchVerdictLeaf(batchId, verdict)))
}

/**
 * Records the root of a node's verdicts on a batch (statement: `verdictRootContext`).
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `batchId`; `root`, of {@link verdictTree}; `accepted`, the
 * number of its leaves; `statement`, what a node that the pool accepts signed over the three
 * @returns the mined transaction: its hash and receipt
 */
export function recordVerdictRoot(
  client: Client,
  args: OnBatch & { readonly root: Hex; readonly accepted: number; readonly statement: StatementProof },
): Promise<Sent> {
  const data = encodeCall({
    abi: contributionBatchesAbi,
    functionName: 'recordVerdictRoot',
    args: [args.batchId, args.root, BigInt(args.accepted), args.statement],
  })
  const place = 'ContributionBatches.recordVerdictRoot'
  return send(client, place, { to: args.deployment.contributionBatches, data }, args)
}

/**
 * Credits entries of a batch to their owners, each once. Anyone may send it. Points count at once; pool tokens are minted
 * when their owner collects them (`collectPoolTokens`), from all batches together. Put verdicts of one owner side by side:
 * they become one credit.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `batchId`, of a batch whose verdict root is recorded
 * @param args.verdicts Each with its proof; or, without any proof, all leaves of the tree in its order, which costs less.
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `AlreadyPaid`, `AlreadyWithdrawn`, `ProofInvalid`, `BatchUnknown`.
 */
export function payBatchVerdicts(
  client: Client,
  args: OnBatch & {
    readonly verdicts:
      | readonly (BatchVerdict & { readonly proof: readonly Hex[] })[]
      | readonly (BatchVerdict & { readonly proof?: never })[]
  },
): Promise<Sent> {
  const data = encodeCall({
    abi: contributionBatchesAbi,
    functionName: 'payVerdicts',
    args: [
      args.batchId,
      args.verdicts,
      args.verdicts.flatMap(({ proof }) => (proof === undefined ? [] : [proof])),
    ],
  })
  const place = 'ContributionBatches.payVerdicts'
  return send(client, place, { to: args.deployment.contributionBatches, data }, args)
}

function unpackEntries(packed: Hex): BatchEntry[] {
  const count = (packed.length - 2) / 2 / ENTRY_BYTES
  return Array.from({ length: count }, (_, index) => {
    const start = index * ENTRY_BYTES
    return {
      owner: slice(packed, start, start + 20),
      blobDigest: slice(packed, start + 20, start + 52),
      commitment: slice(packed, start + 52, start + 84),
      consentDigest: slice(packed, start + 84, start + 116),
    }
  })
}
