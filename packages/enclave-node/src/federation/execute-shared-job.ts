/**
 * Makes the answer of a job over pools of several homes: the shares are added up, noise is added once.
 * @module
 */
import {
  type Address,
  canonicalBytes,
  decodeHex,
  digestToHex,
  encodeBase64Url,
  type JsonValue,
  sha256Digest,
} from '@sealpool/crypto'
import { executeShares } from '@sealpool/query'
import type { JobContext } from '../job/job-context.js'
import { noiseStream } from '../job/job-noise.js'
import { JobRefusal } from '../job/job-refusal.js'
import type { PlannedJob } from '../job/planned-job.js'
import { jsonObject } from '../json-object.js'
import type { JobRow, Reservation } from '../state/job-table.js'
import type { GivenShare } from './federation.js'
import { ownShare } from './own-share.js'
import type { SharedPlan } from './plan-shared-job.js'

/**
 * The seed of a shared job's noise. It follows from a secret of every home, each of the plan and of what that home reads: no home
 * alone knows or chooses it, and the same plan on the same inputs has the same noise whoever runs it again.
 * @param parts one of each home, by its first pool of the job
 * @returns 32 bytes
 */
export function jointSeed(
  plan: string,
  parts: readonly { readonly pool: Address; readonly noise: Uint8Array }[],
): Uint8Array {
  const sorted = [...parts].sort((a, b) => (a.pool < b.pool ? -1 : 1))
  const bytes = canonicalBytes({
    format: 'sealpool/joint-noise',
    version: 1,
    plan,
    parts: sorted.map(({ pool, noise }) => ({ pool, noise: encodeBase64Url(noise) })),
  })
  return decodeHex(digestToHex(sha256Digest(bytes)))
}

/**
 * Runs a shared job at the node that coordinates it, whose own pools are reserved.
 * @returns the answer, already private, and what the other homes gave
 * @throws JobRefusal `EXECUTION_FAILED` and what gathering throws; JobPutOff while a home is waited for
 */
export async function executeSharedJob(
  context: JobContext,
  planned: { readonly own: PlannedJob; readonly shared: SharedPlan },
  reservation: Reservation,
  asked: { readonly job: JobRow; readonly beat: () => Promise<void> },
): Promise<{ readonly answer: JsonValue; readonly given: readonly GivenShare[] }> {
  const { federation } = context
  const first = planned.own.charges[0]?.pool.address
  if (federation === undefined || first === undefined) throw JobRefusal.of('EXECUTION_FAILED')
  const given = await federation.gather({ job: asked.job, planned: planned.shared }, asked.beat)
  const own = await ownShare(context, planned, reservation)
  const parts = given.map(({ body, noise }) => ({ pool: body.pools[0]?.pool ?? first, noise }))
  try {
    const answer = await executeShares({
      plan: planned.shared.query,
      shares: [own.share, ...given.map(({ share }) => share)],
      random: noiseStream(
        jointSeed(planned.shared.planDigest, [{ pool: first, noise: own.noise }, ...parts]),
      ),
    })
    return { answer: jsonObject(answer), given }
  } catch (error) {
    throw JobRefusal.of('EXECUTION_FAILED', error)
  }
}
