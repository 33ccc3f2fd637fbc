import { RefineError } from '../errors.js'

/** Digits of DECIMAL(18, s): every unscaled value fits in 64 bits. */
export const decimalPrecision = 18
const limit = 10n ** BigInt(decimalPrecision)
// Bounded on both sides, so that a hostile exponent cannot ask for a gigabyte of zeros.
const form = /^(-?)(\d{1,40})(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,3}))?$/

const powers = Array.from({ length: 18 }, (_, exponent) => 10 ** exponent)

/** Most decimals there are: no exponent, at most 15 digits, and as whole numbers exact in a double; undefined for all others. */
function shortDecimal(value: string, decimals: number): number | undefined {
  const negative = value.charCodeAt(0) === 0x2d
  const first = negative ? 1 : 0
  const { length } = value
  let digits = 0
  let places = -1
  let scaled = 0
  for (let at = first; at < length; at += 1) {
    const code = value.charCodeAt(at)
    if (code === 0x2e && places < 0 && digits > 0) places = 0
    else if (code >= 0x30 && code <= 0x39) {
      scaled = 10 * scaled + code - 0x30
      digits += 1
      if (places >= 0) places += 1
    } else return undefined
    if (digits > 15) return undefined
  }
  if (digits === 0 || places === 0 || places > decimals) return undefined
  scaled *= powers[decimals - Math.max(places, 0)] ?? Number.NaN
  if (!Number.isSafeInteger(scaled)) return undefined
  return negative ? -scaled : scaled
}

/**
 * Reads a decimal exactly as the integer value * 10^decimals.
 *
 * @param value - decimal text, also with exponent (`-1.25`, `3e2`), at most 40 digits on each side
 * @param decimals - places after the point, 0 to 17
 * @returns the scaled integer; `'form'` when it is not a decimal, `'places'` when it has more non-zero places than
 *   `decimals`, `'range'` when it needs more than 18 digits
 *
 * @example
 * ```ts no-run
 * scaledDecimal('5.1', 2) // 510n
 * ```
 */
export function scaledDecimal(value: string, decimals: number): bigint | 'form' | 'places' | 'range' {
  const short = shortDecimal(value, decimals)
  if (short !== undefined) return BigInt(short)
  const match = form.exec(value)
  if (match === null) return 'form'
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const digits = BigInt(whole + fraction)
  if (digits === 0n) return 0n
  const shift = decimals - fraction.length + Number(exponent)
  let scaled: bigint
  if (shift >= 0) {
    if (shift > 60) return 'range'
    scaled = digits * 10n ** BigInt(shift)
  } else {
    const divisor = 10n ** BigInt(-shift)
    if (digits % divisor !== 0n) return 'places'
    scaled = digits / divisor
  }
  if (scaled >= limit) return 'range'
  return sign === '-' ? -scaled : scaled
}

/**
 * Prints a scaled integer with exactly `decimals` places: the one text of a decimal, whatever it was read from.
 *
 * @param scaled - value * 10^decimals
 * @param decimals - places after the point
 * @returns text such as `-0.50`
 */
export function printDecimal(scaled: bigint, decimals: number): string {
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(decimals + 1, '0')
  const sign = scaled < 0n ? '-' : ''
  if (decimals === 0) return sign + digits
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

/**
 * A bound of a decimal column as a scaled integer.
 *
 * @param bound - `min` or `max` of a validated column
 * @param decimals - the column's places
 * @returns bound * 10^decimals
 * @throws RefineError with `SCHEMA_INVALID` when the bound does not fit, which parseRefinerSchema rules out
 */
export function scaledBound(bound: number | string, decimals: number): bigint {
  const scaled = scaledDecimal(String(bound), decimals)
  if (typeof scaled !== 'bigint') {
    throw new RefineError('SCHEMA_INVALID', 'bound', 'A bound does not fit its decimal column')
  }
  return scaled
}
