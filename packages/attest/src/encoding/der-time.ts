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
  const { tag, content } = node
  const short = tag === derTag.utcTime
  const fail = () =>
    new AttestError('BAD_DER', `byte ${node.offset}`, 'Not canonical DER: not a time as RFC 5280 demands')
  if (!short && tag !== derTag.generalizedTime) throw fail()
  const start = short ? 2 : 4
  if (content.length !== start + 11 || content[start + 10] !== 0x5a) throw fail()
  const two = (at: number) => {
    const [tens, ones] = [(content[at] ?? 0) - 48, (content[at + 1] ?? 0) - 48]
    if (tens < 0 || tens > 9 || ones < 0 || ones > 9) throw fail()
    return 10 * tens + ones
  }
  const first = two(0)
  const year = short ? first + (first >= 50 ? 1900 : 2000) : 100 * first + two(2)
  if (!short && year >= 1950 && year <= 2049) throw fail()
  const [month, day, hour] = [two(start), two(start + 2), two(start + 4)]
  const [minute, second] = [two(start + 6), two(start + 8)]
  const milliseconds = Date.UTC(year, month - 1, day, hour, minute, second)
  // Date.UTC reads years below 100 as of the twentieth century, and rolls 31 February over into March.
  const longest = [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0
  if (year < 100 || day < 1 || day > longest || hour > 23 || minute > 59 || second > 59) throw fail()
  return milliseconds / 1000
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
}
