import { type Digest, digestOf } from '@sealpool/crypto'

/**
 * What tells a committee's sessions apart, as its members sign it.
 * @param text any words, never used twice: in a second attempt, add its number
 */
export function committeePurpose(text: string): Digest {
  return digestOf({ format: 'sealpool/node-committee', version: 1, purpose: text })
}
