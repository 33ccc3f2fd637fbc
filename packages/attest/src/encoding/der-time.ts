import { AttestError } from '../errors.js'
import { type DerNode, derTag } from './der.js'

/**
 * Reads an X.509 `Time` (RFC 5280 4.1.2.5): UTCTime `YYMMDDHHMMSSZ` up to 2049, GeneralizedTime `YYYYMMDDHHMMSSZ` after.
 *
 * @param node the UTCTime or GeneralizedTime element
 * @returns unix seconds
 * @throws AttestError `BAD_DER` for any other form, for a date that does not exist, or for the wrong one of the two types
 */
export function derTime(node: DerNode): number {
  const fail = () =>
    new AttestError('BAD_DER', `byte ${node.offset}`, 'Not canonical DER: not a time as RFC 5280 demands')
  let text = ''
  for (const octet of node.content) text += String.fromCharCode(octet)
  let year: number
  let rest: string
  if (node.tag === derTag.utcTime && /^\d{12}Z$/.test(text)) {
    const two = Number(text.slice(0, 2))
    year = two >= 50 ? 1900 + two : 2000 + two
    rest = text.slice(2)
  } else if (node.tag === derTag.generalizedTime && /^\d{14}Z$/.test(text)) {
    year = Number(text.slice(0, 4))
    if (year >= 1950 && year <= 2049) throw fail()
    rest = text.slice(4)
  } else throw fail()
  const part = (at: number) => Number(rest.slice(at, at + 2))
  const milliseconds = Date.UTC(year, part(0) - 1, part(2), part(4), part(6), part(8))
  const date = new Date(milliseconds)
  // Date.UTC rolls 31 February over into March; reading the parts back catches every date that does not exist.
  if (
    date.getUTCFullYear() !== year ||
    date.getUTCMonth() !== part(0) - 1 ||
    date.getUTCDate() !== part(2) ||
    date.getUTCHours() !== part(4) ||
    date.getUTCMinutes() !== part(6) ||
    date.getUTCSeconds() !== part(8)
  ) {
    throw fail()
  }
  return milliseconds / 1000
}
