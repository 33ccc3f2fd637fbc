/**
 * Refuses a share: what a home signs and logs before it says no.
 * @module
 */
import { type Address, statementDigest } from '@sealpool/crypto'
import { findJob, type JobRow } from '../state/job-table.js'
import { logRefusal } from './kept-refusal.js'
import { type ShareRefusalReason, shareRefusalReason, signShareRefusal } from './refusal-statement.js'
import type { ServeShareOptions, ShareAnswer, ShareWish } from './serve-share.js'

/** Reasons that say nothing of why a job ended, but that somebody asks who may not, or asks for something else. */
const aboutTheQuestion: readonly ShareRefusalReason[] = [
  'COORDINATOR_NOT_ATTESTED',
  'PLAN_DIFFERS',
  'SHARE_JOB',
]

/**
 * Signs a refusal. One that is told to the node that coordinates the job stands in this home's log and state first; anybody else
 * gets a signed one too, of which nothing is kept: whoever may ask could fill the disk.
 * @param refused `reason`: a code, of which only what `shareRefusalReasons` lists is told. The caller holds the lock of the job
 * @throws NodeError `KEYS_MOVED`
 */
export async function refuseShare(
  { job: context, audit }: Pick<ServeShareOptions, 'job' | 'audit'>,
  {
    caller,
    wish,
    reason: code,
  }: { readonly caller: Address; readonly wish: ShareWish; readonly reason: string },
): Promise<ShareAnswer> {
  const { store, chain, keys, evidence } = context
  // What is known of it now: it may have been charged since it was asked for.
  const job = await findJob(store, wish.job)
  const [first] = job?.pools ?? []
  if (job === undefined || first === undefined) return { state: 'later', reason: 'CHAIN_BEHIND' }
  const charged = job.reservation !== null
  const reason = told(shareRefusalReason(code), charged)
  const statement = signShareRefusal(context.sign, first, {
    job: job.id,
    manifest: job.manifestDigest,
    plan: wish.plan,
    step: wish.step,
    coordinator: caller,
    reason,
    charged,
    keySet: keys.keySetDigest,
    quote: evidence.quoteDigest,
    simulated: evidence.simulated,
    issuedAt: new Date((await chain.head()).timestamp * 1000).toISOString(),
  })
  if (!(await isCoordinator(caller, job))) return { state: 'refused', refusal: statement }
  const refusal = await logRefusal(store, job.id, statement, () =>
    audit.write({
      event: 'share-refused',
      facts: { job: job.id, reason, charged, statement: statementDigest(statement.statement) },
    }),
  )
  return refusal === undefined ? { state: 'later', reason: 'HOME_FAILED' } : { state: 'refused', refusal }

  async function isCoordinator(node: Address, { pools: [pool] }: JobRow): Promise<boolean> {
    if (pool === undefined) return false
    return (await chain.pool(pool)).keyEpoch?.node?.toLowerCase() === node
  }
}

/** After a charge, why it ended may depend on data. */
function told(reason: ShareRefusalReason, charged: boolean): ShareRefusalReason {
  return charged && !aboutTheQuestion.includes(reason) ? 'EXECUTION_FAILED' : reason
}
