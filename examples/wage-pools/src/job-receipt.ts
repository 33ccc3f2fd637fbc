import { parseSignedStatement } from '@sealpool/crypto'
import type { FinishedJob } from './stage/consumer.js'

/** One pool in a receipt, as far as the demo shows it. */
export interface ReceiptPoolBudget {
  readonly name: string
  readonly budget: {
    readonly before: {
      readonly epsilonSpent: string
      readonly epsilonTotal: string
      readonly deltaTotal: string
    }
    readonly after: { readonly epsilonSpent: string }
    readonly charged: { readonly epsilon: string; readonly delta: string }
  } | null
}

/** What a job's receipt says, as far as the demo shows it. */
export interface ReceiptView {
  readonly isolation: string
  readonly refusal: { readonly code: string; readonly message: string } | null
  readonly pools: readonly ReceiptPoolBudget[]
}

/** Reads a receipt. Whether it is true is the auditor's question, who verifies it from its files. */
export function receiptOf(job: FinishedJob): ReceiptView {
  return parseSignedStatement(job.bundle.receipt).statement.body as unknown as ReceiptView
}

/** How many rows or coefficients a job released. */
export function rowsOf(job: FinishedJob): number {
  const value = job.result?.value as
    | { readonly rows?: unknown[]; readonly coefficients?: unknown[] }
    | undefined
  return value?.rows?.length ?? value?.coefficients?.length ?? 0
}
