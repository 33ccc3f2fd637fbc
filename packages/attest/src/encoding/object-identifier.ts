import { AttestError } from '../errors.js'

/**
 * Reads the content octets of an OBJECT IDENTIFIER (X.690 8.19) as dotted decimal.
 *
 * @param content content octets, without identifier and length
 * @param offset where the element starts in the whole input, for the error's place
 * @returns for example `1.2.840.10045.4.3.2`
 * @throws AttestError `BAD_DER` when empty, truncated, padded with 80 or beyond 2^53
 */
export function objectIdentifier(content: Uint8Array, offset = 0): string {
  const fail = (what: string) => new AttestError('BAD_DER', `byte ${offset}`, `Not canonical DER: ${what}`)
  if (content.length === 0) throw fail('an OBJECT IDENTIFIER is empty')
  const arcs: number[] = []
  let value = 0
  let started = false
  for (const octet of content) {
    if (!started && octet === 0x80) throw fail('an OBJECT IDENTIFIER is padded')
    value = value * 128 + (octet & 0x7f)
    if (value > Number.MAX_SAFE_INTEGER) throw fail('an OBJECT IDENTIFIER is too large')
    started = (octet & 0x80) !== 0
    if (!started) {
      if (arcs.length === 0) {
        const first = value < 40 ? 0 : value < 80 ? 1 : 2
        arcs.push(first, value - first * 40)
      } else arcs.push(value)
      value = 0
    }
  }
  if (started) throw fail('an OBJECT IDENTIFIER is truncated')
  return arcs.join('.')
}
