import { PrivacyError } from '../errors.js'

/** Decimal places of each accounted quantity. Amounts are integers in units of 10^-places. */
export const PLACES = { epsilon: 9, delta: 18, rho: 12 } as const

/** A quantity that a budget counts. */
export type Quantity = keyof typeof PLACES

/**
 * A decimal number as an integer number of units. A double stands for its shortest decimal form (what JSON
 * shows), so 0.1 is exactly a tenth.
 *
 * @param value - Non-negative finite number.
 * @param quantity - Decides the unit: 1e-9 for epsilon, 1e-18 for delta, 1e-12 for rho.
 * @param rounding - `up` for what is spent, `down` for what may be spent: never in favour of the spender.
 * @returns Integer units.
 * @throws PrivacyError `PARAMETER_INVALID` when negative, not finite, or above 1e12.
 */
export function toUnits(value: number, quantity: Quantity, rounding: 'up' | 'down'): bigint {
  if (!(typeof value === 'number' && value >= 0 && value <= 1e12)) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      quantity,
      `${quantity} must be a finite number between 0 and 1e12.`,
    )
  }
  const [mantissa = '0', exponent = '0'] = String(value).split('e')
  const [whole = '0', fraction = ''] = mantissa.split('.')
  const digits = BigInt(whole + fraction)
  const shift = PLACES[quantity] + Number(exponent) - fraction.length
  if (shift >= 0) return digits * 10n ** BigInt(shift)
  const divisor = 10n ** BigInt(-shift)
  const quotient = digits / divisor
  return rounding === 'up' && quotient * divisor !== digits ? quotient + 1n : quotient
}

/**
 * Integer units as a decimal string without trailing zeros.
 *
 * @param units - Non-negative integer.
 * @param quantity - Decides the unit.
 * @returns For example `0.25`.
 */
export function fromUnits(units: bigint, quantity: Quantity): string {
  const places = PLACES[quantity]
  const text = units.toString().padStart(places + 1, '0')
  const fraction = text.slice(-places).replace(/0+$/, '')
  const whole = text.slice(0, -places)
  return fraction === '' ? whole : `${whole}.${fraction}`
}
