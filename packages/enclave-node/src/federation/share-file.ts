/**
 * A home's share as it travels: sealed to the key set of the node that coordinates.
 * @module
 */
import { canonicalBytes, type Digest, decodeBase64Url, encodeBase64Url } from '@sealpool/crypto'
import type { PlanShare } from '@sealpool/query'
import * as z from 'zod'
import { parcelDocument } from '../hand-off/parcel-document.js'
import { planShareSchema } from '../hand-off/plan-share.js'
import { secretText } from '../hand-off/secret-text.js'
import { jsonObject } from '../json-object.js'

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/) as z.ZodType<Digest>

const fileSchema = z.strictObject({
  format: z.literal('sealpool/share'),
  version: z.literal(1),
  job: z.string(),
  manifest: digest,
  plan: digest,
  /** Random: the statement names the digest in public, and a share may have few values. */
  salt: secretText,
  noise: secretText,
  verdicts: z.record(z.string(), z.array(digest)),
  share: planShareSchema,
})

/** What a home gives of one job. */
export interface ShareFile {
  readonly job: string
  readonly manifest: Digest
  readonly plan: Digest
  readonly salt: Uint8Array
  readonly noise: Uint8Array
  readonly verdicts: Readonly<Record<string, readonly Digest[]>>
  readonly share: PlanShare
}

/** @returns canonical bytes, to be sealed */
export function encodeShareFile({ salt, noise, ...of }: ShareFile): Uint8Array {
  const file = { format: 'sealpool/share', version: 1, ...of }
  return canonicalBytes(jsonObject({ ...file, salt: encodeBase64Url(salt), noise: encodeBase64Url(noise) }))
}

/** @returns the share; undefined when the bytes are none, or of another job, manifest or plan */
export function parseShareFile(
  bytes: Uint8Array,
  of: Pick<ShareFile, 'job' | 'manifest' | 'plan'>,
): ShareFile | undefined {
  const { document } = parcelDocument(bytes, fileSchema)
  if (document === undefined) return undefined
  const { job, manifest, plan, salt, noise, verdicts, share } = document
  if (job !== of.job || manifest !== of.manifest || plan !== of.plan) return undefined
  return {
    job,
    manifest,
    plan,
    salt: decodeBase64Url(salt),
    noise: decodeBase64Url(noise),
    verdicts,
    share,
  }
}
