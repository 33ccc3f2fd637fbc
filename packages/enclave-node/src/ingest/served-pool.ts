import type { ReceiptPool } from '@sealpool/attest'
import type { Address, Digest, JsonObject, KeyScope } from '@sealpool/crypto'
import type { VerificationBudget } from '@sealpool/poc/authenticity'
import type { PoolPolicy } from '@sealpool/privacy'
import type { BundledRefiner } from '@sealpool/refine'
import type { PoolConsents } from '../config/consent-settings.js'
import type { PoolFacts } from '../config/facts-settings.js'
import type { PoolFarming } from '../config/judging-rules.js'
import type { Keep } from '../config/own-copies-settings.js'
import type { PoolRescoring } from '../config/rescoring-settings.js'
import type { PoolRetention } from '../config/retention-settings.js'
import type { PoolValidators } from '../config/validator-settings.js'

/** A pool as jobs over it are planned; its policy stands on the chain. */
export interface PlannablePool {
  readonly address: Address
  /** The policy's name of the pool; SQL names its tables `name.table`. */
  readonly name: string
  readonly policy: PoolPolicy
  readonly policyDigest: Digest
  /** Access rules that restrictions have added to the policy's own, oldest first; absent: none. */
  readonly accessAdded?: readonly JsonObject[]
  /** What its access conditions came to for the job that is planned; absent before that, and where there are none. */
  readonly access?: ReceiptPool['access']
}

/** What a pool has judged again, with everything checked. */
export interface ServedRescoring extends Pick<PoolRescoring, 'share' | 'rule'> {
  /** Policies that allow it, and the proofs that judged under them. */
  readonly earlier: readonly { readonly policyDigest: Digest; readonly poc: Digest }[]
}

/** A pool that this node serves, with everything checked against the chain. */
export interface ServedPool extends PlannablePool {
  /** What happens when a second wallet comes with an account that a first one holds. */
  readonly accountRule: 'first-wallet' | 'merge'
  /** How its scores are scaled; null: not at all. */
  readonly farming: PoolFarming | null
  /** What the node tells about its tables; null: nothing. */
  readonly facts: PoolFacts | null
  /** Share of contributions whose verdicts are judged again, 0 to 1. */
  readonly auditShare: number
  /** Most work that verifying the sources of one contribution may cost; null: as `poc` has it. */
  readonly verification: VerificationBudget | null
  /** Whether sealed copies and rows of contributions are kept at all. */
  readonly keep: Keep
  /** For how long what is kept; null: as long as its owners leave it. */
  readonly retention: PoolRetention | null
  /** Who judges its contributions besides this node, and how many must agree; null: this node alone. */
  readonly validators: PoolValidators | null
  /** Texts of which its contributors must have agreed to one; null: to any. */
  readonly consents: PoolConsents | null
  /** What of older policies is judged again by the present proof; null: nothing. */
  readonly rescoring: ServedRescoring | null
  readonly poc: { readonly code: string; readonly digest: Digest }
  readonly refiner: BundledRefiner
  /** Digest of the refiner's schema. */
  readonly schemaId: Digest
  readonly chainId: number
}

/** What judging a contribution takes of its pool. */
export type JudgedPool = Pick<
  ServedPool,
  | 'address'
  | 'chainId'
  | 'policyDigest'
  | 'poc'
  | 'refiner'
  | 'farming'
  | 'verification'
  | 'keep'
  | 'consents'
>

/** The scope of a pool's keys in one epoch. */
export function keyScope(
  pool: Pick<ServedPool, 'address' | 'chainId' | 'policyDigest'>,
  epoch: number,
): KeyScope {
  return { chainId: pool.chainId, pool: pool.address, policyDigest: pool.policyDigest, epoch }
}

/**
 * The scope of secrets that must not change with key epochs: the tables' storage key and the fingerprints' key.
 * Epochs count from 1 on the chain, so that this scope is never a contribution key's.
 */
export function lastingScope(pool: Pick<ServedPool, 'address' | 'chainId' | 'policyDigest'>): KeyScope {
  return keyScope(pool, 0)
}
