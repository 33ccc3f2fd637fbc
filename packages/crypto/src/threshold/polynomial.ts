import type { Random } from '../encoding/bytes.js'
import { combination } from './discrete-log-proof.js'
import {
  type GroupElement,
  generator,
  identityElement,
  invertScalar,
  randomScalar,
  toScalar,
} from './group.js'

/**
 * Draws a polynomial whose value at zero is the secret (Shamir 1979).
 *
 * @param secret - value at zero, not zero itself
 * @param threshold - how many points determine it
 * @param random - source of random bytes
 * @returns coefficients, the constant one first
 */
export function randomPolynomial(secret: bigint, threshold: number, random: Random): readonly bigint[] {
  return [secret, ...Array.from({ length: threshold - 1 }, () => randomScalar(random))]
}

/**
 * The value of a polynomial.
 *
 * @param coefficients - the constant one first
 * @param at - a member's index, from 1
 * @returns a scalar
 */
export function evaluatePolynomial(coefficients: readonly bigint[], at: number): bigint {
  return coefficients.reduceRight((sum, coefficient) => toScalar(sum * BigInt(at) + coefficient), 0n)
}

/**
 * Commits to a polynomial without telling it (Feldman 1987).
 *
 * @param coefficients - none of them zero
 * @returns one point for each
 */
export function commitPolynomial(coefficients: readonly bigint[]): readonly GroupElement[] {
  return coefficients.map((coefficient) => generator().multiply(coefficient))
}

/**
 * The image of a polynomial's value, from its commitments alone.
 *
 * @param commitments - the constant coefficient's first
 * @param at - a member's index, from 1
 * @returns the generator times the value at that index
 */
export function evaluateCommitments(commitments: readonly GroupElement[], at: number): GroupElement {
  return commitments.reduceRight(
    (sum, commitment) => sum.multiplyUnsafe(BigInt(at)).add(commitment),
    identityElement(),
  )
}

/**
 * The weights that make the value at zero of the values at some indices.
 *
 * @param indices - different whole numbers from 1
 * @returns one scalar for each index
 */
export function lagrangeAtZero(indices: readonly number[]): readonly bigint[] {
  return indices.map((index) => {
    let above = 1n
    let below = 1n
    for (const other of indices) {
      if (other === index) continue
      above = toScalar(above * BigInt(other))
      below = toScalar(below * BigInt(other - index))
    }
    return toScalar(above * invertScalar(below))
  })
}

/**
 * The point at zero of a polynomial in the exponent.
 *
 * @param points - index and point of each known value, as many as the threshold
 * @returns the point at zero
 */
export function interpolateAtZero(
  points: readonly { readonly index: number; readonly point: GroupElement }[],
): GroupElement {
  return combination(
    points.map(({ point }) => point),
    lagrangeAtZero(points.map(({ index }) => index)),
  )
}
