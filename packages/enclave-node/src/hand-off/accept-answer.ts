import { type Address, type JsonValue, type KeyScope, sha256Digest } from '@sealpool/crypto'
import { type PlanShare, QueryError, requireShare } from '@sealpool/query'
import { NodeError } from '../errors.js'
import { JobRefusal } from '../job/job-refusal.js'
import type { PlannedJob } from '../job/planned-job.js'
import type { NodeSigner } from '../key/node-signer.js'
import { isAnswerOf } from './check-answer.js'
import { parseAnswer } from './hand-off-answer.js'
import { readWork, type Work } from './hand-off-statements.js'
import { openParcel } from './sealed-parcel.js'

/** What of a signed work must be as the home node knows it. */
export type ExpectedWork = Pick<
  Work,
  'transfer' | 'job' | 'home' | 'manifest' | 'plan' | 'parts' | 'keySet' | 'simulated' | 'shard'
>

/** What a node gives back: of a whole job its answer, of a shard its share. */
export type TakenOutcome =
  | { readonly kind: 'answer'; readonly answer: JsonValue }
  | { readonly kind: 'share'; readonly share: PlanShare }

/**
 * Believes an answer for what the running node signed, what it opens to, and what the plan declares.
 * @param options `given`: of the running node; `privateKey`: this job's, to which the answer is sealed; `signer`: the node that was
 * attested when the transfer began; `expected.shard`: of a job that was dealt
 * @returns the answer, or the share of a shard, with the signed work
 * @throws NodeError `HAND_OFF_REFUSED` naming what is wrong; JobRefusal `EXECUTION_FAILED`,
 * `TOO_FEW_CONTRIBUTORS_AFTER_NOISE` when the job ended like that
 */
export async function acceptAnswer(options: {
  readonly given: { readonly sealed: Uint8Array; readonly work: unknown }
  readonly planned: Pick<PlannedJob, 'kind' | 'plan' | 'query'>
  readonly privateKey: Uint8Array
  readonly scope: KeyScope
  readonly deployment: NodeSigner['deployment']
  readonly url: string
  readonly signer: Address
  readonly expected: ExpectedWork
}): Promise<{ readonly outcome: TakenOutcome; readonly work: NonNullable<ReturnType<typeof readWork>> }> {
  const { given, expected, scope, signer, deployment, privateKey } = options
  const refuse = (why: string) => new NodeError('HAND_OFF_REFUSED', options.url, why)
  const { job, transfer } = expected
  const work = readWork(given.work, { signer, deployment, pool: scope.pool, job })
  if (work === undefined) {
    throw refuse('the work is not signed by the node that was attested, for this job')
  }
  for (const name of Object.keys(expected) as (keyof ExpectedWork)[]) {
    if (work.body[name] !== expected[name]) throw refuse(`the signed work names another ${name}`)
  }
  if (work.body.shard !== expected.shard) throw refuse('the signed work names another shard')
  if (work.body.sealed !== sha256Digest(given.sealed))
    throw refuse('the signed work is of other sealed bytes')
  const bytes = await openParcel(given.sealed, { kind: 'answer', privateKey, scope })
  if (bytes === undefined) throw refuse('the answer is not sealed to this job')
  if (work.body.answer !== sha256Digest(bytes)) throw refuse('the signed work is of another answer')
  const outcome = parseAnswer(bytes, { transfer, job })
  bytes.fill(0)
  if (outcome === undefined) throw refuse('the answer is of another transfer, or none')
  if (outcome.kind === 'failed') throw JobRefusal.of('EXECUTION_FAILED')
  const otherForm = () => refuse('the answer is not of the form that the plan declares')
  if (outcome.kind === 'too-few-contributors') {
    // Who has a shard adds no noise, and cannot know.
    throw expected.shard === undefined ? JobRefusal.of('TOO_FEW_CONTRIBUTORS_AFTER_NOISE') : otherForm()
  }
  const fits =
    expected.shard === undefined
      ? outcome.kind === 'answer' && isAnswerOf(options.planned, outcome.answer)
      : outcome.kind === 'share' && isShareOf(options.planned, outcome.share)
  if (!fits) throw otherForm()
  return { outcome, work }
}

function isShareOf({ query }: Pick<PlannedJob, 'query'>, share: PlanShare): boolean {
  if (query === undefined) return false
  try {
    requireShare(query, share)
    return true
  } catch (error) {
    if (error instanceof QueryError) return false
    throw error
  }
}
