/**
 * Which texts a pool's contributors must have agreed to, as settings.
 * @module
 */
import { type Digest, digestToHex, type Hex } from '@sealpool/crypto'
import * as z from 'zod'
import { digestSchema } from './digest-schema.js'

/**
 * Digests of the consent records (`consentRecord` of `@sealpool/client/consent`) that count. What was contributed under another is used by no
 * job until its owner agrees again; null: any counts.
 */
export const consentsSchema = z
  .array(digestSchema)
  .min(1)
  .max(100)
  .refine((list) => new Set(list).size === list.length, 'a digest is listed twice; list each once')
  .nullable()
  .default(null)

/** Digests that count, or null where any does. */
export type PoolConsents = readonly Digest[]

/** @returns the measured part, in an order that says nothing */
export function measuredConsents(consents: PoolConsents): string[] {
  return [...consents].sort()
}

/** @returns whether a contribution's consent is one of those that count */
export function isAcceptedConsent(
  { consents }: { readonly consents: PoolConsents | null },
  { consentDigest }: { readonly consentDigest: Hex },
): boolean {
  return consents === null || consents.some((digest) => digestToHex(digest) === consentDigest)
}
