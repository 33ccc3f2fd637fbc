/** An exact decimal number: `units` times 10 to the power of minus `decimals`. */
export interface Decimal {
  readonly units: bigint
  readonly decimals: number
}

/** Digits after the point that a literal may have: what the policies' columns may have as well. */
export const maximumDecimals = 9
const maximumDigits = 30

/**
 * Reads a decimal literal exactly, without a float in between.
 *
 * @param text digits with an optional sign, point and exponent, as PostgreSQL or JSON write them
 * @returns the number with as few decimals as it needs, or null when it is no decimal of at most 30 digits, 9 of them
 *   after the point
 */
export function parseDecimal(text: string): Decimal | null {
  const match = /^([+-]?)([0-9]{0,40})(?:\.([0-9]{0,40}))?(?:[eE]([+-]?[0-9]{1,3}))?$/.exec(text)
  if (match === null) return null
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  if (whole.length + fraction.length === 0) return null
  let units = BigInt(whole + fraction)
  let decimals = fraction.length - Number(exponent)
  if (units === 0n) return { units: 0n, decimals: 0 }
  while (decimals > 0 && units % 10n === 0n) {
    units /= 10n
    decimals -= 1
  }
  if (decimals < -maximumDigits || decimals > maximumDecimals) return null
  if (decimals < 0) {
    units *= 10n ** BigInt(-decimals)
    decimals = 0
  }
  if (units >= 10n ** BigInt(maximumDigits)) return null
  return { units: sign === '-' ? -units : units, decimals }
}

/**
 * Brings a decimal to a number of decimals.
 *
 * @param round where to go when digits are lost: `down` and `up` are towards minus and plus infinity
 */
export function rescale(value: Decimal, decimals: number, round: 'down' | 'up'): bigint {
  if (decimals >= value.decimals) return value.units * 10n ** BigInt(decimals - value.decimals)
  const divisor = 10n ** BigInt(value.decimals - decimals)
  const quotient = value.units / divisor
  const remainder = value.units % divisor
  if (remainder === 0n) return quotient
  if (round === 'down') return remainder < 0n ? quotient - 1n : quotient
  return remainder > 0n ? quotient + 1n : quotient
}

/** The nearest JavaScript number of `units / 10^decimals`. */
export function toNumber(units: bigint, decimals: number): number {
  const negative = units < 0n
  const digits = (negative ? -units : units).toString().padStart(decimals + 1, '0')
  const cut = digits.length - decimals
  return Number(`${negative ? '-' : ''}${digits.slice(0, cut)}.${digits.slice(cut) || '0'}`)
}
