import type { CredentialCondition } from '@sealpool/contracts'
import { type Digest, digestOf } from '@sealpool/crypto'

/** @returns the digest under which a presentation for a condition is kept */
export function conditionDigest(condition: CredentialCondition): Digest {
  return digestOf(condition)
}
