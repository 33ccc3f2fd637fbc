import { releaseContext, releaseJob, startContext, startJob } from '@sealpool/contracts'
import { type Address, digestOf, digestToHex, hpkeRecipient, sealBytes, sha256Digest } from '@sealpool/crypto'
import type { DevnetPool } from './devnet-pool.js'
import { type ReleasedJob, receiptBundle, result } from './receipt-bundle.js'

/**
 * Plays the node's part in a paid job: starts it, seals the result to the consumer, and releases it with a receipt that the chain
 * records.
 *
 * @returns what the node would hand out afterwards
 */
export async function releaseOnChain(
  world: DevnetPool,
  job: Pick<
    ReleasedJob,
    'jobId' | 'consumer' | 'manifest' | 'policy' | 'evidence' | 'verdicts' | 'inputs' | 'issuedAt'
  > & {
    readonly resultPublicKey: Uint8Array
  },
): Promise<{ readonly bundle: ReturnType<typeof receiptBundle>['bundle']; readonly sealed: Uint8Array }> {
  const { deployment, prove } = world
  const { jobId, manifest } = job
  const { pool } = world.contracts
  const subject = {
    deployment,
    nonce: 0n,
    jobId,
    pools: [pool],
    manifestDigest: digestToHex(digestOf(manifest)),
  }
  const statement = await prove('start', startContext(subject))
  await startJob(world.walletOf(0), { deployment, jobId, statement })
  const sealed = await sealBytes(result, {
    recipients: [hpkeRecipient({ publicKey: job.resultPublicKey })],
    context: {
      chainId: deployment.chainId,
      pool: pool.toLowerCase() as Address,
      policyDigest: digestOf(job.policy),
      epoch: 1,
      mediaType: 'application/json',
    },
  })
  const { node } = world
  const { bundle, recorded } = receiptBundle(undefined, {
    ...job,
    deployment,
    pool,
    node,
    result,
    sealedResult: sealed,
  })
  const facts = {
    receiptDigest: digestToHex(recorded),
    resultDigest: digestToHex(sha256Digest(result)),
    budgetHeads: [digestToHex(digestOf('head 4'))],
  }
  const release = await prove('release', releaseContext({ ...subject, consumer: job.consumer, ...facts }))
  await releaseJob(world.walletOf(0), { deployment, jobId, ...facts, statement: release })
  return { bundle, sealed }
}
