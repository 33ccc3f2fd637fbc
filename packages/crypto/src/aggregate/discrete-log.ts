import { normalizeZ } from '@noble/curves/abstract/curve.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { CryptoError } from '../errors.js'
import { type GroupElement, generator } from '../threshold/group.js'

/** How many points are brought to affine form at once. */
const batch = 4096

/**
 * Finds the small number that was put in the exponent: baby steps and giant steps (Shanks 1971), in about twice the
 * square root of the bound.
 *
 * @param points - each the generator times a whole number from 0 to `bound`
 * @param bound - largest number looked for, below 2^36
 * @returns the numbers
 * @throws CryptoError `AGGREGATE_INVALID` when a point holds no such number
 */
export function smallDiscreteLogs(points: readonly GroupElement[], bound: number): readonly number[] {
  const width = Math.ceil(Math.sqrt(bound + 1))
  const steps = babySteps(width)
  const stride = generator().multiplyUnsafe(BigInt(width)).negate()
  return points.map((point, place) => {
    let walked = point
    for (let giant = 0; giant * width <= bound; giant += batch) {
      const group: GroupElement[] = []
      for (let step = 0; step < batch && (giant + step) * width <= bound; step++) {
        group.push(walked)
        walked = walked.add(stride)
      }
      const found = group.findIndex((each) => each.is0())
      const zero = found < 0 ? Number.POSITIVE_INFINITY : (giant + found) * width
      const matched = firstMatch(group, steps)
      const number = Math.min(
        zero,
        matched === undefined ? Number.POSITIVE_INFINITY : (giant + matched.step) * width + matched.baby,
      )
      if (number <= bound) return number
    }
    throw new CryptoError(
      'AGGREGATE_INVALID',
      `totals[${place}]`,
      `the total is no number from 0 to ${bound}`,
    )
  })
}

/** 1 to width - 1 times the generator, by their bytes. */
function babySteps(width: number): ReadonlyMap<string, number> {
  const steps = new Map<string, number>()
  let walked = generator()
  for (let start = 1; start < width; start += batch) {
    const group: GroupElement[] = []
    for (let step = start; step < Math.min(start + batch, width); step++) {
      group.push(walked)
      walked = walked.add(generator())
    }
    affine(group).forEach((name, place) => {
      steps.set(name, start + place)
    })
  }
  return steps
}

function firstMatch(
  group: readonly GroupElement[],
  steps: ReadonlyMap<string, number>,
): { readonly step: number; readonly baby: number } | undefined {
  const names = affine(group.map((point) => (point.is0() ? generator() : point)))
  for (const [step, name] of names.entries()) {
    const baby = group[step]?.is0() === true ? undefined : steps.get(name)
    if (baby !== undefined) return { step, baby }
  }
  return undefined
}

/** A name for each point; one inversion serves them all. */
function affine(points: readonly GroupElement[]): readonly string[] {
  return normalizeZ(secp256k1.Point, [...points]).map((point) => {
    const { x, y } = point.toAffine()
    return `${x.toString(36)}${y & 1n}`
  })
}
