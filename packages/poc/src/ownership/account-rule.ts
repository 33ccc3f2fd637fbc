/** What a pool does when a second wallet comes with an account that a first wallet holds. */
export type AccountRule =
  /** The first wallet keeps it, the second is refused. */
  | 'first-wallet'
  /** Both contribute, and count as one contributor: the first wallet. */
  | 'merge'
  /**
   * The account moves to the wallet that proved it last, by a binding that is newer than the holder's; the former wallet's later
   * contributions are refused until it proves the account anew.
   */
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
 *   that contributes now; `held`, `proved`: when the holder's and the claimant's bindings were made (`verifyBinding`), Unix seconds. An
 *   account moves only by a `proved` that is later than `held`, so that two wallets cannot take turns with one binding each
 * @returns the decision; the register, with `proved` of whoever holds the account from now on, is the caller's
 */
export function decideAccount(options: {
  readonly rule: AccountRule
  readonly holder: string | undefined
  readonly claimant: string
  readonly held?: number
  readonly proved?: number
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
      return options.proved !== undefined && options.held !== undefined && options.proved > options.held
        ? { accepted: true, contributor: claimant, holder: claimant, reason: 'MOVED' }
        : { accepted: false, contributor: null, holder, reason: 'ACCOUNT_OF_ANOTHER_WALLET' }
    case 'first-wallet':
      return { accepted: false, contributor: null, holder, reason: 'ACCOUNT_OF_ANOTHER_WALLET' }
  }
}
