import { receiptOf, rowsOf } from './job-receipt.js'
import type { FinishedJob } from './stage/consumer.js'
import type { Ingested } from './stage/ingest.js'
import type { Payments } from './stage/payments.js'
import type { Refusal } from './stage/refusals.js'

/** What became of every receipt. */
export interface Verified {
  /** By folder name. */
  readonly answers: ReadonlyMap<string, boolean>
  readonly tamper: { readonly flipped: number; readonly detected: number }
}

/** Everything that happened, for scripts: what `--json` writes. */
export function summaryOf(parts: {
  readonly workers: number
  readonly contributed: number
  readonly ingested: Ingested
  readonly payments: Payments
  readonly finished: readonly FinishedJob[]
  readonly refusals: readonly Refusal[]
  readonly verified: Verified
  readonly stages: readonly { readonly name: string; readonly seconds: number }[]
}) {
  const { ingested, verified } = parts
  return {
    simulated: true,
    workers: parts.workers,
    contributions: parts.contributed,
    accepted: ingested.accepted,
    refused: ingested.refused,
    rewards: ingested.rewards,
    payments: parts.payments,
    jobs: parts.finished.map((job) => ({
      id: job.id.toString(),
      title: job.request.title,
      kind: job.manifest.kind,
      state: job.state,
      rows: rowsOf(job),
      refusal: receiptOf(job).refusal,
      budgets: receiptOf(job).pools.map(({ name, budget }) => ({ pool: name, ...budget })),
      receiptFile: `receipts/job-${job.request.key}/receipt.json`,
      verified: verified.answers.get(`job-${job.request.key}`) === true,
    })),
    refusals: parts.refusals.map(({ key, asked, code, message }) => ({
      asked,
      code,
      message,
      receiptFile: `receipts/refused-${key}/receipt.json`,
      verified: verified.answers.get(`refused-${key}`) === true,
    })),
    tamper: verified.tamper,
    seconds: Object.fromEntries(parts.stages.map(({ name, seconds }) => [name, seconds])),
  }
}
