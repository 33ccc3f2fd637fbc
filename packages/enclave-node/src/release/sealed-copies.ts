/**
 * The sealed copies of a result that has views, as the state keeps them in the place of the one sealed file.
 * @module
 */
import {
  type Address,
  canonicalBytes,
  decodeBase64Url,
  encodeBase64Url,
  parseCanonical,
} from '@sealpool/crypto'
import * as z from 'zod'

/** What was sealed to one recipient. */
export interface SealedCopy {
  /** Lower case. */
  readonly recipient: Address
  readonly sealed: Uint8Array
}

const copiesSchema = z.strictObject({
  format: z.literal('sealpool/sealed-copies'),
  version: z.literal(1),
  copies: z.record(z.string(), z.string()),
})

/** @returns the copies in one piece */
export function encodeSealedCopies(copies: readonly SealedCopy[]): Uint8Array {
  return canonicalBytes({
    format: 'sealpool/sealed-copies',
    version: 1,
    copies: Object.fromEntries(copies.map(({ recipient, sealed }) => [recipient, encodeBase64Url(sealed)])),
  })
}

/** @returns what was sealed to a recipient; undefined when nothing was */
export function sealedCopyOf(copies: Uint8Array, recipient: Address): Uint8Array | undefined {
  const parsed = copiesSchema.parse(parseCanonical(copies))
  const own = Object.hasOwn(parsed.copies, recipient) ? parsed.copies[recipient] : undefined
  return own === undefined ? undefined : decodeBase64Url(own)
}
