/**
 * What the running node answers: sealed to the home node's key, so that nobody on the way learns even how the job ended.
 * @module
 */
import { canonicalBytes, type JsonValue } from '@sealpool/crypto'
import * as z from 'zod'
import { jsonObject } from '../json-object.js'
import { parcelDocument } from './parcel-document.js'
import { planShareSchema } from './plan-share.js'
import { secretText } from './secret-text.js'

const answerSchema = z.strictObject({
  format: z.literal('sealpool/hand-off-answer'),
  version: z.literal(1),
  transfer: z.string(),
  job: z.string(),
  /** 32 random bytes, base64url: the signed work names this file's digest in public, and an answer may have few values. */
  salt: secretText,
  outcome: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('answer'), answer: z.json() as z.ZodType<JsonValue> }),
    /** Of a shard: exact numbers of its rows, without noise. */
    z.strictObject({ kind: z.literal('share'), share: planShareSchema }),
    /** A noisy count of the contributors was too small; it was paid for. */
    z.strictObject({ kind: z.literal('too-few-contributors') }),
    /** It did not come to an end; why may depend on data and is not told. */
    z.strictObject({ kind: z.literal('failed') }),
  ]),
})

/** How a job ended on the running node. */
export type HandOffOutcome = z.output<typeof answerSchema>['outcome']

/** @returns canonical bytes, to be sealed */
export function encodeAnswer(of: {
  readonly transfer: string
  readonly job: string
  readonly salt: string
  readonly outcome: HandOffOutcome
}): Uint8Array {
  return canonicalBytes(jsonObject({ format: 'sealpool/hand-off-answer', version: 1, ...of }))
}

/** @returns the outcome; undefined when the bytes are none, or of another transfer or job */
export function parseAnswer(
  bytes: Uint8Array,
  of: { readonly transfer: string; readonly job: string },
): HandOffOutcome | undefined {
  const { document } = parcelDocument(bytes, answerSchema)
  return document?.transfer === of.transfer && document.job === of.job ? document.outcome : undefined
}
