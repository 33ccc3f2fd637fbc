import {
  type BatchEntry,
  batchTree,
  ContractsError,
  contributionBatchesAbi,
  type Deployment,
  getBatches,
  getContribution,
  inspect,
} from '@sealpool/contracts'
import type { Address, Hex } from '@sealpool/crypto'
import { type Client, isAddressEqual } from 'viem'
import { getContractEvents } from 'viem/actions'
import { ClientError } from '../errors.js'

/** A contribution that a newer version is to stand for. */
export type OlderVersion =
  | { readonly kind: 'single'; readonly id: bigint; readonly superseded: boolean }
  | {
      readonly kind: 'entry'
      readonly batchId: bigint
      readonly index: number
      readonly entry: BatchEntry
      /** Its place in the batch's tree, for the contract. */
      readonly proof: readonly Hex[]
      readonly superseded: boolean
    }

/** Nodes count entries of Merkle batches from here: 1,024 numbers for each batch. */
const firstEntry = 100_000_000_000_000_000n
const entriesPerBatch = 1_024n

/**
 * Looks up what is to be superseded.
 *
 * @param chain a viem client on the deployment's chain
 * @param options `id`: the registry's number, or that of an entry of a Merkle batch as receipts and nodes have it; whose it must be
 * @returns where it stands
 * @throws ClientError `NOT_SUPERSEDABLE` for what is not there, somebody else's, of another pool, or taken back; ContractsError
 *   `CHAIN_UNREACHABLE`
 */
export async function olderVersion(
  chain: Client,
  options: {
    readonly deployment: Deployment
    readonly pool: Address
    readonly owner: Address
    readonly id: bigint
  },
): Promise<OlderVersion> {
  const { deployment, pool, owner, id } = options
  if (id >= firstEntry) return olderEntry(chain, options)
  const record = await getContribution(chain, { deployment, id }).catch((error: unknown) => {
    if (error instanceof ContractsError && error.code === 'NOT_FOUND') throw unfit(id, 'there is none')
    throw error
  })
  if (!isAddressEqual(record.pool, pool)) throw unfit(id, 'it is of another pool')
  if (!isAddressEqual(record.owner, owner)) throw unfit(id, 'it is another owner’s')
  if (record.state === 'Withdrawn' || record.state === 'Erased') throw unfit(id, 'it was taken back')
  return { kind: 'single', id, superseded: record.state === 'Superseded' }
}

async function olderEntry(chain: Client, options: Parameters<typeof olderVersion>[1]): Promise<OlderVersion> {
  const { deployment, pool, owner, id } = options
  const batchId = (id - firstEntry) / entriesPerBatch
  const index = Number((id - firstEntry) % entriesPerBatch)
  const batch = (await getBatches(chain, { deployment })).find((one) => one.id === batchId)
  const entry = batch?.entries[index]
  if (batch === undefined || entry === undefined) throw unfit(id, 'there is none')
  if (!isAddressEqual(batch.header.pool, pool)) throw unfit(id, 'it is of another pool')
  if (!isAddressEqual(entry.owner, owner)) throw unfit(id, 'it is another owner’s')
  const superseded = await inspect(chain, {
    address: deployment.contributionBatches,
    abi: contributionBatchesAbi,
    functionName: 'isWithdrawn',
    args: [batchId, BigInt(index)],
  })
  return { kind: 'entry', batchId, index, entry, proof: batchTree(batch.entries).proof(index), superseded }
}

/**
 * Whether the chain holds that an entry of a Merkle batch was replaced by a sealed file.
 *
 * @param options.fromBlock where the event may first stand
 */
export async function isReplacedBy(
  chain: Client,
  options: {
    readonly deployment: Deployment
    readonly batchId: bigint
    readonly index: number
    readonly replacement: Hex
    readonly fromBlock: bigint
  },
): Promise<boolean> {
  const { deployment, batchId, index, replacement, fromBlock } = options
  try {
    const events = await getContractEvents(chain, {
      address: deployment.contributionBatches,
      abi: contributionBatchesAbi,
      eventName: 'BatchEntrySuperseded',
      args: { id: batchId },
      fromBlock,
      strict: true,
    })
    return events.some(({ args }) => Number(args.index) === index && args.replacement === replacement)
  } catch (cause) {
    const message = 'the chain does not answer; try again'
    throw new ClientError('CHAIN_READ_FAILED', 'BatchEntrySuperseded', message, { cause })
  }
}

/** The error of what cannot be superseded. */
export function unfit(id: bigint, why: string): ClientError {
  const message = `contribution ${id} cannot be superseded: ${why}; nothing was sent`
  return new ClientError('NOT_SUPERSEDABLE', 'supersedes', message)
}
