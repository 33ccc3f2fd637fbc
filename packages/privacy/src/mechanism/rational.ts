import { PrivacyError } from '../errors.js'

/** An exact fraction; the denominator is positive. */
export interface Rational {
  readonly numerator: bigint
  readonly denominator: bigint
}

/**
 * Makes a fraction in lowest terms.
 *
 * @param numerator - Any integer.
 * @param denominator - Any integer but zero.
 * @returns The reduced fraction with a positive denominator.
 * @throws PrivacyError `PARAMETER_INVALID` when the denominator is zero.
 */
export function rational(numerator: bigint, denominator = 1n): Rational {
  if (denominator === 0n) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'denominator',
      'A fraction needs a denominator other than zero.',
    )
  }
  const sign = denominator < 0n ? -1n : 1n
  const divisor = greatestCommonDivisor(magnitude(numerator), magnitude(denominator))
  return { numerator: (sign * numerator) / divisor, denominator: (sign * denominator) / divisor }
}

/**
 * The nearest double to a fraction, for showing and for intervals; never used on the sampling path.
 *
 * @param value - Fraction.
 * @returns A double within a few units in the last place.
 */
export function toNumber(value: Rational): number {
  const { numerator, denominator } = value
  // Scaling keeps 64 significant bits even where both parts exceed the range of a double.
  const shift = BigInt(Math.max(0, 64 - bitLength(numerator) + bitLength(denominator)))
  const quotient = (numerator << shift) / denominator
  const excess = Math.max(0, bitLength(quotient) - 64)
  return Number(quotient >> BigInt(excess)) * 2 ** (excess - Number(shift))
}

/**
 * A fraction that is at least `value`, with a short denominator.
 *
 * @param value - Non-negative finite double.
 * @returns The double itself, as an exact fraction, or more by at most one part in 2^40 (2^-900 for anything smaller).
 * @throws PrivacyError `PARAMETER_INVALID` when the value is negative or not finite.
 */
export function rationalAtLeast(value: number): Rational {
  if (!Number.isFinite(value) || value < 0) {
    throw new PrivacyError('PARAMETER_INVALID', 'value', 'Expected a finite number of at least zero.')
  }
  if (value === 0) return { numerator: 0n, denominator: 1n }
  // Below this the factor would leave the range of doubles; nobody calibrates noise there.
  if (value < 2 ** -900) return { numerator: 1n, denominator: 1n << 900n }
  // Multiplying by a power of two is exact, so the ceiling is the only rounding, and it goes up.
  const exponent = 40 - Math.floor(Math.log2(value))
  return exponent >= 0
    ? rational(BigInt(Math.ceil(value * 2 ** exponent)), 1n << BigInt(exponent))
    : { numerator: BigInt(Math.ceil(value)), denominator: 1n }
}

/**
 * Smallest integer whose square is at least `value`.
 *
 * @param value - Non-negative integer.
 * @returns Ceiling of the square root.
 */
export function ceilingSquareRoot(value: bigint): bigint {
  if (value < 2n) return value
  let low = 1n
  let high = 1n << BigInt(Math.ceil(bitLength(value) / 2))
  while (low < high) {
    const middle = (low + high) >> 1n
    if (middle * middle < value) low = middle + 1n
    else high = middle
  }
  return low
}

/** Number of binary digits of the magnitude. */
function bitLength(value: bigint): number {
  return magnitude(value).toString(2).length
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value
}

function greatestCommonDivisor(left: bigint, right: bigint): bigint {
  let [a, b] = [left, right]
  while (b !== 0n) [a, b] = [b, a % b]
  return a === 0n ? 1n : a
}
