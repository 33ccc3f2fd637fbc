import type { Noise, NoisePool } from '@sealpool/privacy'

/** Steps of the integer grid per clipping length. Squares of grid vectors stay below 2^53. */
export const GRID = 2 ** 24

/**
 * Exact bound of the squared length of a grid vector: clipping length, and half a step of rounding per
 * coordinate. This integer is the squared L2 sensitivity of a sum to which each contributor adds one vector.
 *
 * @param coordinates - Length of the vector.
 * @returns Squared bound in grid steps.
 */
export function gridBound(coordinates: number): bigint {
  return BigInt(GRID + Math.ceil(Math.sqrt(coordinates))) ** 2n
}

/**
 * Puts a vector on the integer grid and holds it to the bound.
 *
 * Everything before this point is floating point on one contributor's values; everything after it is exact.
 * Whatever went wrong before, no vector leaves that is longer than the bound: a longer one, or one with a
 * value that is not finite, becomes zero.
 *
 * @param vector - Real vector whose length should not exceed `clip`.
 * @param clip - Length that becomes {@link GRID} steps.
 * @returns Integers whose squares add up to at most `gridBound(vector.length)`.
 */
export function onGrid(vector: readonly number[], clip: number): number[] {
  const steps = vector.map((value) => Math.round((value / clip) * GRID))
  const squared = steps.reduce((sum, value) => sum + BigInt(Number.isFinite(value) ? value : 0) ** 2n, 0n)
  const fits = steps.every(Number.isFinite) && squared <= gridBound(vector.length)
  // Adding zero turns -0 into 0.
  return steps.map((value) => (fits ? value + 0 : 0))
}

/**
 * Sums one grid vector per contributor exactly and adds exact noise to every coordinate.
 *
 * @param options - `count` of rows; `vector`: a row's real vector; `coordinates` and `clip` of the stage;
 *   `noise` and the pool to draw it from.
 * @returns The released vector in real units.
 */
export function noisySum(options: {
  readonly count: number
  readonly vector: (index: number) => readonly number[]
  readonly coordinates: number
  readonly clip: number
  readonly noise: Noise
  readonly pool: NoisePool
}): number[] {
  const { clip, noise, pool } = options
  return exactSum(options).map((sum) => (Number(sum + pool.draw(noise)) * clip) / GRID)
}

/**
 * The exact sum before noise. Private: it must not leave the node.
 *
 * @param options - As for {@link noisySum}, without noise.
 * @returns Integer sums.
 */
export function exactSum(options: {
  readonly count: number
  readonly vector: (index: number) => readonly number[]
  readonly coordinates: number
  readonly clip: number
}): bigint[] {
  const sums = new Array<bigint>(options.coordinates).fill(0n)
  for (let index = 0; index < options.count; index++) {
    const steps = onGrid(options.vector(index), options.clip)
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0n) + BigInt(steps[i] ?? 0)
  }
  return sums
}
