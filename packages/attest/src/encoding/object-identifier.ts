import { AttestError } from '../errors.js'

function bad(offset: number, what: string): AttestError {
  return new AttestError('BAD_DER', `byte ${offset}`, `Not canonical DER: ${what}`)
}

/**
 * Checks the content octets of an OBJECT IDENTIFIER without reading it: every arc is complete and in its shortest form.
 *
 * @throws AttestError `BAD_DER` when empty, truncated or padded with 80
 */
export function checkObjectIdentifier(content: Uint8Array, offset: number): void {
  let started = false
  for (const octet of content) {
    if (!started && octet === 0x80) throw bad(offset, 'an OBJECT IDENTIFIER is padded')
    started = octet >= 0x80
  }
  if (content.length === 0) throw bad(offset, 'an OBJECT IDENTIFIER is empty')
  if (started) throw bad(offset, 'an OBJECT IDENTIFIER is truncated')
}

/**
 * Reads the content octets of an OBJECT IDENTIFIER (X.690 8.19) as dotted decimal.
 *
 * @param content content octets, without identifier and length
 * @param offset where the element starts in the whole input, for the error's place
 * @returns for example `1.2.840.10045.4.3.2`
 * @throws AttestError `BAD_DER` when empty, truncated, padded with 80 or beyond 2^53
 */
export function objectIdentifier(content: Uint8Array, offset = 0): string {
  checkObjectIdentifier(content, offset)
  const arcs: number[] = []
  let value = 0
  for (const octet of content) {
    value = value * 128 + (octet & 0x7f)
    if (value > Number.MAX_SAFE_INTEGER) throw bad(offset, 'an OBJECT IDENTIFIER is too large')
    if (octet < 0x80) {
      if (arcs.length === 0) {
        const first = value < 40 ? 0 : value < 80 ? 1 : 2
        arcs.push(first, value - first * 40)
      } else arcs.push(value)
      value = 0
    }
  }
  return arcs.join('.')
}
