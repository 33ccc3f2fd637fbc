/**
 * How much one question to a validator holds: its body must fit into the API, whatever contributors have sealed.
 * @module
 */
import { listRecipients } from '@sealpool/crypto'
import { itemsAtOnce, longestHeader } from './told-facts.js'

/** Bytes of headers in one question: in base64url, with all else, well below the largest body that the API takes. */
const headersAtOnce = 100_000

/**
 * Whether a header can be sent to validators, sealed to them as well.
 * @param header of a sealed file, as it was parsed before
 * @returns false for one of too many recipients, or with two under one name: a validator could not be told from another
 */
export function isFitHeader(header: Uint8Array): boolean {
  if (header.length > longestHeader) return false
  const names = listRecipients(header).flatMap(({ type, keyId }) =>
    keyId === undefined ? [] : [`${type} ${keyId}`],
  )
  return new Set(names).size === names.length
}

/**
 * Divides contributions into questions.
 * @param judged in their order
 * @returns the same, in as few questions as hold them
 */
export function questionsOf<Judged extends { readonly file: { readonly header: Uint8Array } | undefined }>(
  judged: readonly Judged[],
): readonly (readonly Judged[])[] {
  const questions: Judged[][] = []
  let bytes = 0
  for (const one of judged) {
    const length = one.file?.header.length ?? 0
    const last = questions.at(-1)
    if (last === undefined || last.length === itemsAtOnce || bytes + length > headersAtOnce) {
      questions.push([one])
      bytes = length
    } else {
      last.push(one)
      bytes += length
    }
  }
  return questions
}
