import { heartbeatContext } from '@sealpool/contracts'
import { digestToHex } from '@sealpool/crypto'
import type { JobRow } from '../state/job-table.js'
import type { JobContext } from './job-context.js'

/** Tells the chain that this node still has a job that it has begun. */
export function signOfLife({ chain, sign }: Pick<JobContext, 'chain' | 'sign'>, job: JobRow): Promise<void> {
  return chain.heartbeat({
    job: job.id,
    sign: (time) =>
      sign({
        type: 'sealpool/heartbeat',
        body: { job: job.id, time },
        ...heartbeatContext({
          deployment: sign.deployment,
          nonce: 0n,
          jobId: BigInt(job.id),
          pools: job.pools,
          manifestDigest: digestToHex(job.manifestDigest),
          time: BigInt(time),
        }),
      }),
  })
}
