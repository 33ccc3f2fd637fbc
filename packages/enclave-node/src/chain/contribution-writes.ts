/**
 * What the node writes about pools' keys and contributions.
 * @module
 */
import {
  ContractsError,
  contributionBatchesAbi,
  dataRegistryAbi,
  getContribution,
  invoke,
  payBatchVerdicts,
  publishPoolKey,
  recordRefinement,
  recordVerdictRoot,
  recordVerdicts,
  verdictTree,
} from '@sealpool/contracts'
import { digestToHex, type Hex } from '@sealpool/crypto'
import { zeroHash } from 'viem'
import { readContract } from 'viem/actions'
import { NodeError } from '../errors.js'
import type { ChainPort } from './chain-port.js'
import { readPool } from './read-pool.js'
import { type ChainWriter, proofOf } from './send-once.js'

/** Entries of a Merkle batch that are paid in one transaction. */
const entriesPerPayment = 100

/** @returns that part of the chain's port */
export function contributionWrites({
  client,
  deployment,
  send,
  once,
}: ChainWriter): Pick<
  ChainPort,
  | 'publishPoolKey'
  | 'recordVerdicts'
  | 'recordVerdictRoot'
  | 'payVerdicts'
  | 'recordRefinement'
  | 'recordErasure'
> {
  const batches = { address: deployment.contributionBatches, abi: contributionBatchesAbi } as const
  /**
   * Every entry is asked: one may have been withdrawn since, and one that another node judged is left out by the contract,
   * so that it says nothing of the others.
   */
  const standsWhole = async (ids: readonly string[]): Promise<boolean> => {
    for (const id of ids) {
      const { state } = await getContribution(client, { deployment, id: BigInt(id) }).catch(
        (error: unknown) => {
          if (error instanceof ContractsError && error.code === 'NOT_FOUND') return { state: 'Offered' }
          throw error
        },
      )
      if (state === 'Offered') return false
    }
    return true
  }

  return {
    publishPoolKey: (key) =>
      once(
        () =>
          publishPoolKey(client, {
            pool: key.pool,
            epoch: key.epoch,
            policyDigest: digestToHex(key.policyDigest),
            keyDigest: digestToHex(key.keyDigest),
            statement: proofOf(key.statement),
          }),
        async () =>
          ((await readPool(client, { address: key.pool, deployment })).keyEpoch?.epoch ?? 0) >= key.epoch,
      ),
    recordVerdicts: (batch) =>
      once(
        async () => {
          try {
            return await recordVerdicts(client, {
              deployment,
              pool: batch.pool,
              entries: batch.entries.map((entry) => ({
                contributionId: BigInt(entry.contributionId),
                score: entry.score,
                refused: entry.refused,
                verdictDigest: digestToHex(entry.verdictDigest),
              })),
              statement: proofOf(batch.statement),
            })
          } catch (error) {
            const gone =
              error instanceof ContractsError &&
              ['VerdictAlreadyRecorded', 'ContributionUnknown', 'ContributionOfOtherPool'].includes(
                error.revert?.name ?? '',
              )
            if (!gone || (await standsWhole(batch.entries.map(({ contributionId }) => contributionId))))
              throw error
            throw new NodeError(
              'ENTRIES_GONE',
              `verdict batch ${batch.id}`,
              'contributions in it were withdrawn or are not there any more; the others are sent in another batch',
              { cause: error },
            )
          }
        },
        () => standsWhole(batch.entries.map(({ contributionId }) => contributionId)),
      ),
    recordVerdictRoot: ({ batch, root, verdicts, statement }) =>
      once(
        () =>
          recordVerdictRoot(client, {
            deployment,
            batchId: BigInt(batch),
            root,
            accepted: verdicts.length,
            statement: proofOf(statement),
          }),
        async () => {
          const stored = await readContract(client, {
            ...batches,
            functionName: 'getBatch',
            args: [BigInt(batch)],
          })
          if (stored.verdictRoot === zeroHash) return false
          if (stored.verdictRoot === root) return true
          throw new NodeError(
            'CHAIN_MISMATCH',
            `batch ${batch}`,
            'the chain has other verdicts on it than this node',
          )
        },
      ),
    payVerdicts: ({ batch, verdicts }) =>
      send(async () => {
        const batchId = BigInt(batch)
        const tree = verdicts.length === 0 ? undefined : verdictTree(batchId, verdicts)
        const open: { readonly verdict: (typeof verdicts)[number]; readonly proof: Hex[] }[] = []
        for (const [leaf, verdict] of verdicts.entries()) {
          const args = [batchId, BigInt(verdict.index)] as const
          const [paid, withdrawn] = await Promise.all([
            readContract(client, { ...batches, functionName: 'isPaid', args }),
            readContract(client, { ...batches, functionName: 'isWithdrawn', args }),
          ])
          if (!paid && !withdrawn && tree !== undefined) open.push({ verdict, proof: tree.proof(leaf) })
        }
        let last: bigint | null = null
        for (let first = 0; first < open.length; first += entriesPerPayment) {
          const part = open.slice(first, first + entriesPerPayment)
          const { receipt } = await payBatchVerdicts(client, {
            deployment,
            batchId,
            verdicts: part.map(({ verdict, proof }) => ({ ...verdict, proof })),
          })
          last = receipt.blockNumber
        }
        return last
      }),
    recordRefinement: (refinement) =>
      once(
        () =>
          recordRefinement(client, {
            deployment,
            pool: refinement.pool,
            schemaId: digestToHex(refinement.schemaId),
            rowsRoot: digestToHex(refinement.digest),
            statement: proofOf(refinement.statement),
          }),
        // The contract keeps no list of refinements: a repeat is told by its StatementUsed.
        async () => false,
      ),
    recordErasure: ({ contribution, statement }) =>
      once(
        () =>
          invoke(client, {
            address: deployment.dataRegistry,
            abi: dataRegistryAbi,
            functionName: 'recordErasure',
            args: [BigInt(contribution), proofOf(statement)],
          }),
        async () =>
          (await getContribution(client, { deployment, id: BigInt(contribution) })).state === 'Erased',
      ),
  }
}
