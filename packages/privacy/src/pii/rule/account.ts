import { sha256 } from '@noble/hashes/sha2.js'
import { digitsOf, luhn, modulo97, uniform } from '../check-digit.js'
import type { PiiRule } from '../finding.js'

/** Rules for payment cards, bank accounts and wallets; the same in every language. */
export const accountRules: readonly PiiRule[] = [
  {
    type: 'card',
    name: 'card',
    pattern: /(?<![\p{L}\p{N}.-])[2-6](?:[ -]?[0-9]){12,18}(?![\p{L}\p{N}-])/gu,
    accept: (match) => isCard(digitsOf(match)),
  },
  {
    type: 'iban',
    name: 'iban',
    pattern: /(?<![\p{L}\p{N}])[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,30}/giu,
    accept: ibanPart,
  },
  {
    type: 'wallet',
    name: 'ethereum-address',
    pattern: /(?<![\p{L}\p{N}])0x[0-9a-f]{40}(?![\p{L}\p{N}])/giu,
  },
  {
    type: 'wallet',
    name: 'ens-name',
    pattern: /(?<![\p{L}\p{N}.@-])[\p{L}\p{N}][\p{L}\p{N}-]{2,62}\.eth(?![\p{L}\p{N}.-])/giu,
  },
  {
    type: 'wallet',
    name: 'bitcoin-bech32',
    pattern: /(?<![\p{L}\p{N}])bc1[02-9ac-hj-np-z]{11,71}(?![\p{L}\p{N}])/giu,
    accept: isBech32,
  },
  {
    type: 'wallet',
    name: 'bitcoin-base58',
    pattern: /(?<![\p{L}\p{N}])[13][1-9A-HJ-NP-Za-km-z]{25,34}(?![\p{L}\p{N}])/gu,
    accept: isBase58Check,
  },
  {
    type: 'wallet',
    name: 'solana-address',
    pattern: /(?<![\p{L}\p{N}])[1-9A-HJ-NP-Za-km-z]{43,44}(?![\p{L}\p{N}])/gu,
    accept: isKeyInBase58,
  },
]

/** Issuers' ranges and lengths (ISO/IEC 7812, public lists of the networks). */
function isCard(digits: readonly number[]): boolean {
  const text = digits.join('')
  const lengths = /^4/.test(text)
    ? [13, 16, 19]
    : /^3[47]/.test(text)
      ? [15]
      : /^(?:5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720))/.test(text)
        ? [16]
        : /^3(?:0[0-5]|[689])/.test(text)
          ? [14, 16, 19]
          : /^(?:35|6(?:011|4[4-9]|5|2))/.test(text)
            ? [16, 17, 18, 19]
            : /^(?:5[06789]|6)/.test(text)
              ? [13, 14, 15, 16, 17, 18, 19]
              : []
  return lengths.includes(digits.length) && !uniform(digits) && luhn(digits)
}

/** Lengths of the countries' account numbers (SWIFT's IBAN registry). */
const IBAN_LENGTHS: Readonly<Record<string, number>> = Object.fromEntries(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 ' +
    'FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 ' +
    'LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ' +
    'ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)

/** As many characters as the country's number has; words that follow are not part of it. */
function ibanPart(match: string): false | { readonly from: number; readonly to: number } {
  const length = IBAN_LENGTHS[match.slice(0, 2).toUpperCase()] ?? Number.POSITIVE_INFINITY
  let taken = ''
  let to = 0
  for (; to < match.length && taken.length < length; to++) {
    const character = match[to] ?? ''
    if (/[A-Z0-9]/i.test(character)) taken += character
  }
  const cut = /[A-Z0-9]/i.test(match[to] ?? '')
  const checks = taken.length === length && !cut && modulo97(taken.slice(4) + taken.slice(0, 4)) === 1
  return checks && { from: 0, to }
}

/** BIP 173 and BIP 350: the checksum of a bech32 or bech32m string. */
function isBech32(match: string): boolean {
  if (match !== match.toLowerCase() && match !== match.toUpperCase()) return false
  const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
  const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
  // The prefix "bc", spread as BIP 173 says.
  const values = [
    3,
    3,
    0,
    2,
    3,
    ...[...match.toLowerCase().slice(3)].map((symbol) => alphabet.indexOf(symbol)),
  ]
  let checksum = 1
  for (const value of values) {
    const top = checksum >>> 25
    checksum = ((checksum & 0x1ffffff) << 5) ^ value
    generator.forEach((word, bit) => {
      if ((top >>> bit) & 1) checksum ^= word
    })
  }
  return checksum === 1 || checksum === 0x2bc830a3
}

function readBase58(text: string): bigint {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  let value = 0n
  for (const symbol of text) value = value * 58n + BigInt(alphabet.indexOf(symbol))
  return value
}

/** 32 bytes without a checksum: what has capitals, small letters and digits of this length is a key or the name of one. */
function isKeyInBase58(match: string): boolean {
  const mixed = /[A-Z]/.test(match) && /[a-z]/.test(match) && /[1-9]/.test(match)
  return mixed && readBase58(match) < 1n << 256n
}

/** 25 bytes of which the last four are a double SHA-256 of the others. */
function isBase58Check(match: string): boolean {
  const value = readBase58(match)
  if (value >= 1n << 200n) return false
  const bytes = Uint8Array.from({ length: 25 }, (_, index) =>
    Number((value >> BigInt(8 * (24 - index))) & 255n),
  )
  const sum = sha256(sha256(bytes.subarray(0, 21)))
  return bytes.subarray(21).every((byte, index) => byte === sum[index])
}
