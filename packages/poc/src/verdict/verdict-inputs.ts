import { canonicalize, type Digest, type JsonObject } from '@sealpool/crypto'
import { keyedFingerprint } from '@sealpool/privacy'
import type { Limits } from '@sealpool/sandbox'
import { DEFAULT_VERIFICATION_BUDGET, type VerificationBudget } from '../authenticity/verification-budget.js'
import type { Facts } from '../define/check.js'
import { assertFingerprintKey } from '../uniqueness/content-fingerprint.js'

/** What a verdict follows from besides the file and the code, which its statement names anyway. */
export interface JudgedBy {
  readonly mediaType: string
  /** As `runPoc` gave them to the code: what the pool's indexes and registers answered, and not how they are asked. */
  readonly facts: Pick<Facts, 'uniqueness' | 'account' | 'issuer' | 'at' | 'owner' | 'labels'>
  readonly limits: Limits
  /** Most work that verifying could cost; `DEFAULT_VERIFICATION_BUDGET` when absent. */
  readonly budget?: VerificationBudget | undefined
  /** What the score was scaled by afterwards, where the pool has a farming rule: rule, history and novelty. */
  readonly scaling?: JsonObject
  /** Ten-thousandths that its lineage or the same content had been rewarded with before, and that its score was lessened by; absent: none. */
  readonly rewarded?: number
  /** What only whoever keeps the pool can know, and told the others: that a file does not open, of which one it is a copy. */
  readonly told?: JsonObject
}

/**
 * Digest of what several validators judged one contribution by, to be signed with their verdicts: two verdicts over the same inputs that
 * differ are a dispute, two over different ones (an index that had grown meanwhile) are not. It is keyed, because facts are few and could
 * be guessed: whoever has no key can tell whether two digests are equal, and nothing else.
 *
 * @param options `key`: at least 32 secret bytes that the pool's validators share; what was judged by
 * @returns `sha256:` and 64 hexadecimal digits
 * @throws PocError `KEY_INVALID` when the key is shorter than 32 bytes
 */
export function verdictInputs(options: JudgedBy & { readonly key: Uint8Array }): Digest {
  const {
    key,
    mediaType,
    facts,
    limits,
    budget = DEFAULT_VERIFICATION_BUDGET,
    scaling,
    rewarded,
    told,
  } = options
  assertFingerprintKey(key)
  const { uniqueness, account, issuer, at, owner, labels } = facts
  const data = canonicalize({
    mediaType,
    owner: owner.toLowerCase(),
    at: at ?? null,
    uniqueness: { ...uniqueness },
    account: account === undefined ? null : { ...account },
    issuer: issuer === undefined ? null : { ...issuer, reason: issuer.reason ?? null },
    budget: { signatures: budget.signatures, bytes: budget.bytes },
    limits: { ...limits },
    scaling: scaling ?? null,
    // Absent rather than null: what was signed before there were such fields keeps its digest.
    ...(labels === undefined ? {} : { labels }),
    ...(rewarded === undefined ? {} : { rewarded }),
    ...(told === undefined ? {} : { told }),
  })
  return `sha256:${keyedFingerprint({ key, domain: 'sealpool/verdict/inputs/1', data })}`
}
