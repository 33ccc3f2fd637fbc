/** What chain and store say after a run: the material of the invariants. */

/** A contribution that the workload was told is on the chain. */
export interface SentContribution {
  readonly id: string
  /** Reasons for which the node may refuse it; empty: it must be accepted. */
  readonly mayBeRefused: readonly string[]
}

/** Everything that the invariants are checked on. Amounts in the smallest unit, as decimal text. */
export interface Facts {
  /** Contributions whose transaction the workload saw mined and that no reorganisation took back. */
  readonly sent: readonly SentContribution[]
  /** Jobs that the workload paid for and that no reorganisation took back. */
  readonly paid: readonly string[]
  /** Whether blocks were taken off the chain: what was charged stays charged then. */
  readonly reorganised: boolean
  /** Pool tokens for one accepted contribution. */
  readonly rewardEach: string
  readonly chain: {
    readonly contributions: readonly {
      readonly id: string
      readonly pool: string
      readonly owner: string
      readonly state: string
    }[]
    /** One for each recorded verdict. */
    readonly verdicts: readonly { readonly id: string; readonly refused: boolean }[]
    readonly balances: readonly { readonly pool: string; readonly owner: string; readonly balance: string }[]
    readonly jobs: readonly {
      readonly id: string
      readonly state: string
      readonly pools: readonly string[]
      readonly price: string
      readonly released: number
      readonly settled: number
      readonly refunded: number
      /** Digest of the receipt under which it was released; null: it was not. */
      readonly receipt: string | null
    }[]
    /** Newest anchored version of each pool's budget ledger; 0: none. */
    readonly anchors: readonly { readonly pool: string; readonly version: number }[]
    /** What the consumer has paid in all. */
    readonly consumerSpent: string
  }
  readonly store: {
    readonly contributions: readonly {
      readonly id: string
      readonly pool: string
      readonly state: string
      readonly reason: string | null
    }[]
    readonly jobs: readonly {
      readonly id: string
      readonly state: string
      readonly reason: string | null
      readonly hasResult: boolean
    }[]
    /** The budget ledgers, opening entries included. `job` is the number of the job alone. */
    readonly ledger: readonly {
      readonly pool: string
      readonly version: number
      readonly job: string | null
      readonly epsilonSpent: string
      readonly epsilonCharged: string | null
    }[]
    readonly receipts: readonly { readonly job: string; readonly outcome: string; readonly digest: string }[]
  }
}
