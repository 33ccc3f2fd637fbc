import type { BudgetTotals } from './filter.js'
import type { BudgetState, ChargeRequest, LedgerEntry } from './ledger-entry.js'

/** Newest state of a pool's ledger. */
export interface LedgerHead {
  readonly pool: string
  readonly state: BudgetState
}

/** Proof of a charge: the budget before and after it. */
export interface ChargeReceipt {
  readonly before: BudgetState
  readonly after: BudgetState
  /** Hash of the entry that booked it. */
  readonly head: string
}

/**
 * Where privacy budgets are kept. A port: adapters are `createMemoryLedger` here and a PGlite one in
 * `@sealpool/enclave-node`; all pass one conformance suite.
 *
 * Rules: a charge is durable before the promise resolves; it is atomic; it is never refunded; it never passes
 * a pool's total; charging the same (pool, job) again returns the first receipt and books nothing.
 */
export interface BudgetLedger {
  /**
   * Opens a pool's budget. Opening it again with the same totals changes nothing.
   * @throws PrivacyError `LEDGER_CONFLICT` when it is open with other totals; `PARAMETER_INVALID`.
   */
  open(pool: string, totals: BudgetTotals): Promise<LedgerHead>
  /** @throws PrivacyError `LEDGER_UNKNOWN_POOL` when the pool's budget was never opened. */
  head(pool: string): Promise<LedgerHead>
  /**
   * Books one charge.
   * @throws PrivacyError `BUDGET_EXHAUSTED` (with `remaining`), `LEDGER_UNKNOWN_POOL`, `LEDGER_CONFLICT`, `PARAMETER_INVALID`.
   */
  charge(request: ChargeRequest): Promise<ChargeReceipt>
  /**
   * Books several charges (a job that joins pools) or none: when one does not fit, no pool is charged.
   * @throws PrivacyError as `charge`.
   */
  chargeAll(requests: readonly ChargeRequest[]): Promise<ChargeReceipt[]>
  /** All entries of a pool, oldest first, for `verifyLedgerChain`. */
  entries(pool: string): Promise<LedgerEntry[]>
}
