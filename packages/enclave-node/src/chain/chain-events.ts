/**
 * What the chain's events say, in the node's words.
 * @module
 */
import {
  contributionBatchesAbi,
  type Deployment,
  dataRegistryAbi,
  getBatches,
  getContributions,
  getJobEvents,
  type JobEvent,
} from '@sealpool/contracts'
import { type Address, hexToDigest } from '@sealpool/crypto'
import { type Client, getAbiItem } from 'viem'
import { getLogs, readContract } from 'viem/actions'
import { batchedContributionId } from '../state/batched-contribution.js'
import type { ChainContribution } from '../state/contribution-table.js'
import type { ChainWithdrawal } from '../state/withdrawal.js'
import type { ChainJobEvent, ChainJobFact } from './chain-port.js'

/** @returns contributions in blocks `fromBlock` to `toBlock`: the registry's, and the entries of Merkle batches */
export async function readContributions(
  client: Client,
  deployment: Deployment,
  fromBlock: bigint,
  toBlock: bigint,
): Promise<ChainContribution[]> {
  const range = { deployment, fromBlock, toBlock }
  const [single, batches] = await Promise.all([getContributions(client, range), getBatches(client, range)])
  const all = single.map(
    (event): ChainContribution => ({
      id: event.id.toString(),
      pool: lower(event.pool),
      owner: lower(event.owner),
      blobDigest: hexToDigest(event.blobDigest),
      commitment: hexToDigest(event.commitment),
      schemaId: event.schemaId,
      consentDigest: event.consentDigest,
      epoch: event.epoch,
      locator: event.locator,
      blockNumber: event.blockNumber,
      blockHash: event.blockHash,
      logIndex: event.logIndex,
      merkle: null,
    }),
  )
  for (const { id, header, entries, blockNumber, blockHash, logIndex } of batches) {
    for (const [index, entry] of entries.entries()) {
      all.push({
        id: batchedContributionId(id, index),
        pool: lower(header.pool),
        owner: lower(entry.owner),
        blobDigest: hexToDigest(entry.blobDigest),
        commitment: hexToDigest(entry.commitment),
        schemaId: header.schemaId,
        consentDigest: entry.consentDigest,
        epoch: header.epoch,
        locator: `${header.locatorBase}${entry.blobDigest.slice(2)}`,
        blockNumber,
        blockHash,
        logIndex,
        merkle: { batch: id.toString(), index },
      })
    }
  }
  return all.sort(
    (a, b) =>
      Number(a.blockNumber - b.blockNumber) ||
      a.logIndex - b.logIndex ||
      (a.merkle?.index ?? 0) - (b.merkle?.index ?? 0),
  )
}

/** @returns contributions that their owners took back or replaced in blocks `fromBlock` to `toBlock`, with what stands for them and whether they were rewarded */
export async function readWithdrawals(
  client: Client,
  deployment: Deployment,
  fromBlock: bigint,
  toBlock: bigint,
): Promise<ChainWithdrawal[]> {
  const range = { fromBlock, toBlock, strict: true } as const
  const batches = { address: deployment.contributionBatches, abi: contributionBatchesAbi } as const
  const [single, batched] = await Promise.all([
    getLogs(client, { address: deployment.dataRegistry, events: registryEvents, ...range }),
    getLogs(client, { address: deployment.contributionBatches, events: batchEvents, ...range }),
  ])
  const replaced = new Map<string, string>()
  for (const log of single) {
    if (log.eventName === 'ContributionSuperseded')
      replaced.set(log.args.id.toString(), log.args.by.toString())
  }
  for (const log of batched) {
    if (log.eventName !== 'BatchEntrySuperseded') continue
    const { id, index, replacement } = log.args
    replaced.set(batchedContributionId(id, Number(index)), hexToDigest(replacement))
  }
  const withdrawal = (id: string, blockNumber: bigint, paid: boolean): ChainWithdrawal => {
    const replacedBy = replaced.get(id)
    return {
      id,
      blockNumber,
      ...(paid ? {} : { unpaid: true }),
      ...(replacedBy === undefined ? {} : { replacedBy }),
    }
  }
  const withdrawals: ChainWithdrawal[] = []
  for (const log of single) {
    // A replaced contribution is withdrawn by the same event; the score is what it was rewarded for.
    if (log.eventName === 'ContributionWithdrawn')
      withdrawals.push(withdrawal(log.args.id.toString(), log.blockNumber, log.args.score > 0))
  }
  const entries = batched.flatMap((log) => (log.eventName === 'BatchEntryWithdrawn' ? [log] : []))
  for (let from = 0; from < entries.length; from += questionsAtOnce) {
    const some = entries
      .slice(from, from + questionsAtOnce)
      .map(async ({ args: { id, index }, blockNumber }) => {
        // An entry is not paid once it was taken back: at any later block the answer is the same.
        const paid = await readContract(client, { ...batches, functionName: 'isPaid', args: [id, index] })
        return withdrawal(batchedContributionId(id, Number(index)), blockNumber, paid)
      })
    withdrawals.push(...(await Promise.all(some)))
  }
  return withdrawals
}

/** Endpoints refuse callers who ask too much at once; one after the other, a thousand entries take as many round trips. */
const questionsAtOnce = 25

const registryEvents = [
  getAbiItem({ abi: dataRegistryAbi, name: 'ContributionWithdrawn' }),
  getAbiItem({ abi: dataRegistryAbi, name: 'ContributionSuperseded' }),
] as const
const batchEvents = [
  getAbiItem({ abi: contributionBatchesAbi, name: 'BatchEntryWithdrawn' }),
  getAbiItem({ abi: contributionBatchesAbi, name: 'BatchEntrySuperseded' }),
] as const

/** @returns what happened to jobs in blocks `fromBlock` to `toBlock`, in order */
export async function readJobEvents(
  client: Client,
  deployment: Deployment,
  fromBlock: bigint,
  toBlock: bigint,
): Promise<ChainJobEvent[]> {
  return (await getJobEvents(client, { deployment, fromBlock, toBlock })).map((event) => ({
    ...factOf(event),
    block: event.blockNumber,
    position: event.logIndex,
  }))
}

function factOf(event: JobEvent): ChainJobFact {
  const id = event.id.toString()
  switch (event.name) {
    case 'JobProposed': {
      const { consumer, manifestDigest, manifestLocator, pools } = event.args
      return {
        kind: 'proposed',
        id,
        job: {
          id,
          consumer: lower(consumer),
          manifestDigest: hexToDigest(manifestDigest),
          locator: manifestLocator,
          pools: pools.map(lower),
        },
      }
    }
    case 'JobApproved': {
      const { pool, terms } = event.args
      return {
        kind: 'approved',
        id,
        approval: { pool: lower(pool), block: event.blockNumber.toString(), price: terms.price.toString() },
      }
    }
    case 'JobReleased': {
      const { node, budgetHeads } = event.args
      return { kind: 'released', id, node: lower(node), budgetHeads: budgetHeads.map(hexToDigest) }
    }
    case 'JobStateChanged':
      return { kind: 'moved', id, state: event.args.to }
    case 'JobHandedOff':
      return { kind: 'handed', id, to: lower(event.args.to) }
    case 'JobLost':
      return { kind: 'lost', id, node: lower(event.args.node) }
    default:
      return { kind: 'touched', id }
  }
}

function lower(address: Address): Address {
  return address.toLowerCase() as Address
}
