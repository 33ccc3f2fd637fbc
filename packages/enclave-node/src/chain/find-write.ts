/**
 * Looks whether what the node wrote stands on the chain.
 * @module
 */
import { contributionBatchesAbi, type Deployment, dataRegistryAbi } from '@sealpool/contracts'
import { digestToHex } from '@sealpool/crypto'
import { BaseError, type Client, ContractFunctionRevertedError } from 'viem'
import { readContract, simulateContract } from 'viem/actions'
import type { ChainWrite } from '../state/unsettled-write.js'
import { proofOf } from './send-once.js'

/** `ContributionState` of the contract: nothing there, not judged, its erasure stated. */
const none = 0
const offered = 1
const erased = 6

/**
 * Looks for a write in the state after a block.
 * @returns whether all of it stands there
 */
export async function findWrite(
  client: Client,
  deployment: Deployment,
  write: ChainWrite,
  blockNumber: bigint,
): Promise<boolean> {
  const batches = {
    address: deployment.contributionBatches,
    abi: contributionBatchesAbi,
    blockNumber,
  } as const
  const stateOf = async (id: string): Promise<number> =>
    (
      await readContract(client, {
        address: deployment.dataRegistry,
        abi: dataRegistryAbi,
        functionName: 'getRecord',
        args: [BigInt(id)],
        blockNumber,
      })
    ).state
  switch (write.kind) {
    case 'verdicts':
      // Any of them may have been judged by another node or withdrawn; one that still waits was not told.
      for (const id of write.contributions) {
        const state = await stateOf(id)
        if (state === none || state === offered) return false
      }
      return true
    case 'erasure':
      return (await stateOf(write.contribution)) === erased
    case 'root': {
      const id = BigInt(write.batch)
      const { verdictRoot } = await readContract(client, {
        ...batches,
        functionName: 'getBatch',
        args: [id],
      })
      if (verdictRoot !== write.root) return false
      for (const index of write.paid) {
        const args = [id, BigInt(index)] as const
        if (await readContract(client, { ...batches, functionName: 'isPaid', args })) continue
        if (!(await readContract(client, { ...batches, functionName: 'isWithdrawn', args }))) return false
      }
      return true
    }
    case 'refinement':
      // The contract keeps no list of refinements, only of the numbers that are used up: it is asked to take it once more.
      try {
        await simulateContract(client, {
          address: deployment.dataRegistry,
          abi: dataRegistryAbi,
          functionName: 'recordRefinement',
          args: [
            write.pool,
            digestToHex(write.schemaId),
            digestToHex(write.digest),
            proofOf(write.statement),
          ],
          blockNumber,
        })
        return false
      } catch (error) {
        const reverted =
          error instanceof BaseError && error.walk((one) => one instanceof ContractFunctionRevertedError)
        if (reverted instanceof ContractFunctionRevertedError && reverted.data?.errorName === 'StatementUsed')
          return true
        throw error
      }
  }
}
