import { receiptBodySchema } from '@sealpool/attest'
import { walkBack } from '@sealpool/attest/provenance'
import { nodeApi } from '@sealpool/client'
import { readLineage } from '@sealpool/client/lineage'
import { type Address, parseSignedStatement } from '@sealpool/crypto'
import type { HandOffWorld } from './hand-off-world.js'

/**
 * Reads what a job was made of, as anybody does, to walk back from its answer.
 * @returns the records, and the walk by the word of whom one trusts
 */
export async function walkBackOf({ world }: Pick<HandOffWorld, 'world'>, url: string, jobId: bigint) {
  const { receipt, records } = await readLineage({ node: nodeApi({ url }), chain: world.client, jobId })
  const { result } = receiptBodySchema.parse(parseSignedStatement(receipt).statement.body)
  if (result === null) throw new Error('the job has no result')
  const { chainId, nodeRegistry: registry } = world.deployment
  return {
    records,
    walk: async (signers: readonly Address[]) =>
      walkBack({ ...records, result: result.digest, receipt, signers, deployment: { chainId, registry } }),
  }
}
