/** What a pool does when a second wallet comes with an account that a first wallet holds. */
export type AccountRule =
  /** The first wallet keeps it, the second is refused. */
  | 'first-wallet'
  /** Both contribute, and count as one contributor: the first wallet. */
  | 'merge'
  /** The account moves to the wallet that proved it last; the first wallet's later contributions are refused. */
  | 'latest-wallet'

/** What follows from the rule. */
export interface AccountDecision {
  readonly accepted: boolean
  /** Wallet that counts as the contributor, when accepted. */
  readonly contributor: string | null
  /** Wallet that holds the account from now on. */
  readonly holder: string
  readonly reason: 'FIRST' | 'SAME_WALLET' | 'MERGED' | 'MOVED' | 'ACCOUNT_OF_ANOTHER_WALLET'
}

/**
 * Decides about an account that a wallet has proved to control.
 *
 * @param options `rule`; `holder`: wallet that the pool's register names for the account, undefined when none does; `claimant`: wallet
 *   that contributes now
 * @returns the decision; the register is the caller's
 */
export function decideAccount(options: {
  readonly rule: AccountRule
  readonly holder: string | undefined
  readonly claimant: string
}): AccountDecision {
  const claimant = options.claimant.toLowerCase()
  const holder = options.holder?.toLowerCase()
  if (holder === undefined)
    return { accepted: true, contributor: claimant, holder: claimant, reason: 'FIRST' }
  if (holder === claimant) return { accepted: true, contributor: holder, holder, reason: 'SAME_WALLET' }
  switch (options.rule) {
    case 'merge':
      return { accepted: true, contributor: holder, holder, reason: 'MERGED' }
    case 'latest-wallet':
      return { accepted: true, contributor: claimant, holder: claimant, reason: 'MOVED' }
    case 'first-wallet':
      return { accepted: false, contributor: null, holder, reason: 'ACCOUNT_OF_ANOTHER_WALLET' }
  }
}
