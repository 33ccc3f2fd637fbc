import { concatBytes } from '@noble/hashes/utils.js'
import { derTag } from '../encoding/der.js'

/** One DER element with the given identifier octet. */
export function der(tag: number, ...content: Uint8Array[]): Uint8Array {
  const body = concatBytes(...content)
  const { length } = body
  const octets = [length >> 16, (length >> 8) & 0xff, length & 0xff]
  const long = octets.slice(octets.findIndex((octet) => octet !== 0))
  const size = length < 0x80 ? [length] : [0x80 + long.length, ...long]
  return concatBytes(Uint8Array.of(tag, ...size), body)
}

/** SEQUENCE. */
export function derSequence(...content: Uint8Array[]): Uint8Array {
  return der(derTag.sequence, ...content)
}

/** INTEGER from big-endian unsigned bytes, minimal. */
export function derUnsigned(bytes: Uint8Array): Uint8Array {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1
  const value = bytes.subarray(start)
  return der(derTag.integer, (value[0] ?? 0) >= 0x80 ? concatBytes(Uint8Array.of(0), value) : value)
}

/** INTEGER from a small number. */
export function derNumber(value: number): Uint8Array {
  return derUnsigned(Uint8Array.of((value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff))
}

/** OBJECT IDENTIFIER from dotted decimal. */
export function derOid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const octets: number[] = []
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      groups.unshift((left & 0x7f) | 0x80)
    }
    octets.push(...groups)
  }
  return der(derTag.objectIdentifier, Uint8Array.from(octets))
}

/** OCTET STRING. */
export function derOctets(content: Uint8Array): Uint8Array {
  return der(derTag.octetString, content)
}

/** BIT STRING with the given count of unused bits. */
export function derBits(content: Uint8Array, unused = 0): Uint8Array {
  return der(derTag.bitString, Uint8Array.of(unused), content)
}

/** UTCTime up to 2049, GeneralizedTime after (RFC 5280 4.1.2.5). */
export function derDate(unixSeconds: number): Uint8Array {
  const text = new Date(unixSeconds * 1000).toISOString().replace(/[-:T]/g, '').slice(0, 14)
  const utc = Number(text.slice(0, 4)) < 2050
  const written = `${utc ? text.slice(2) : text}Z`
  return der(utc ? derTag.utcTime : derTag.generalizedTime, new TextEncoder().encode(written))
}
