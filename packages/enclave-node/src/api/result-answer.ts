/**
 * Who is given which sealed answer of a job.
 * @module
 */
import { type RecipientView, receiptBodySchema } from '@sealpool/attest'
import { type Address, encodeBase64Url, sha256Digest } from '@sealpool/crypto'
import { sealedCopyOf } from '../release/sealed-copies.js'
import type { JobRow } from '../state/job-table.js'
import type { ApiErrorCode } from './api-error.js'

/** What of a job is looked at. */
type AnsweredJob = Pick<
  JobRow,
  'id' | 'consumer' | 'state' | 'detached' | 'receipt' | 'resultDigest' | 'sealedResult'
>

/** Who got which view, as the receipt says; undefined when the consumer got the whole and nobody else got any. */
function viewsOf({ receipt }: Pick<JobRow, 'receipt'>): readonly RecipientView[] | undefined {
  const body = receiptBodySchema.safeParse(receipt?.statement.body)
  return body.success ? body.data.result?.views : undefined
}

/**
 * @param asked for whom, lower case; undefined: for the consumer
 * @returns whose the sealed answer is that a call is about
 */
export function resultOwner(job: Pick<JobRow, 'consumer' | 'receipt'>, asked: Address | undefined): Address {
  const named = viewsOf(job)?.some(({ recipient }) => recipient === asked) ?? false
  return named && asked !== undefined ? asked : job.consumer
}

/**
 * @param recipient whose copy is asked for, lower case; undefined: the consumer's
 * @returns the sealed answer, or why there is none
 */
export function resultAnswer(
  job: AnsweredJob,
  recipient: Address = job.consumer,
): Record<string, unknown> | ApiErrorCode {
  const { state, detached, sealedResult, resultDigest } = job
  const released = !detached && (state === 'released' || state === 'settled')
  if (released && sealedResult === null && resultDigest !== null) return 'RESULT_DELETED'
  if (!released || sealedResult === null) return 'RESULT_NOT_READY'
  const whole = recipient === job.consumer ? sealedResult : undefined
  const sealed = viewsOf(job) === undefined ? whole : sealedCopyOf(sealedResult, recipient)
  if (sealed === undefined) return 'RECIPIENT_UNKNOWN'
  return {
    job: job.id,
    sealed: encodeBase64Url(sealed),
    sealedDigest: sha256Digest(sealed),
    resultDigest,
  }
}
