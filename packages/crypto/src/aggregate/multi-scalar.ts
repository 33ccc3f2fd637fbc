import { type GroupElement, identityElement } from '../threshold/group.js'

/** A public point and how often it counts. */
export interface ScaledPoint {
  readonly point: GroupElement
  /** Not negative. */
  readonly scalar: bigint
}

/**
 * A sum of many multiples of public points (Pippenger 1976, the bucket method): what it costs grows with the length of the
 * scalars, so that short weights are worth having. Its time tells the scalars.
 *
 * @param terms - points and scalars
 * @returns the sum
 */
export function multiScalarProduct(terms: readonly ScaledPoint[]): GroupElement {
  const width = windowOf(terms.length)
  const mask = 2 ** width - 1
  const digits = terms.map(({ point, scalar }) => ({ point, digits: digitsOf(scalar, width) }))
  const windows = digits.reduce((most, each) => Math.max(most, each.digits.length), 0)
  let sum = identityElement()
  for (let window = windows - 1; window >= 0; window--) {
    for (let doubling = 0; doubling < width; doubling++) sum = sum.double()
    const buckets: (GroupElement | undefined)[] = new Array(mask + 1)
    for (const { point, digits: own } of digits) {
      const digit = own[window]
      if (digit !== undefined && digit > 0) buckets[digit] = buckets[digit]?.add(point) ?? point
    }
    let [running, total] = [identityElement(), identityElement()]
    for (let digit = mask; digit > 0; digit--) {
      const bucket = buckets[digit]
      if (bucket !== undefined) running = running.add(bucket)
      total = total.add(running)
    }
    sum = sum.add(total)
  }
  return sum
}

/** About as many additions into the buckets as out of them. */
function windowOf(terms: number): number {
  return Math.max(2, Math.min(12, Math.floor(Math.log2(terms + 1)) - 2))
}

/** The least significant digit first, none behind the most significant that is not zero. */
function digitsOf(scalar: bigint, width: number): readonly number[] {
  const binary = scalar.toString(2)
  const digits: number[] = []
  for (let end = binary.length; end > 0; end -= width) {
    digits.push(Number.parseInt(binary.slice(Math.max(0, end - width), end), 2))
  }
  return digits
}
