import type { ProgramOutput } from './plan-program.js'

/**
 * What a run's answer adds to the sums, on the integer grid. This is the border behind which nothing that a program does can
 * count for more than the plan says: every number is held to its range, and whatever is not exactly the declared numbers is no answer.
 *
 * @param answer - Anything that a run gave.
 * @param outputs - Declared by the plan.
 * @param steps - Of the grid, from the middle of a range to its end.
 * @returns One integer from `-steps` to `steps` for each output, or null for no answer.
 */
export function answerSteps(
  answer: unknown,
  outputs: readonly ProgramOutput[],
  steps: number,
): readonly number[] | null {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return null
  if (Object.keys(answer).length !== outputs.length) return null
  const given = new Map<string, unknown>(Object.entries(answer))
  const placed: number[] = []
  for (const { name, min, max } of outputs) {
    const value = given.get(name)
    if (typeof value !== 'number' || !Number.isFinite(value)) return null
    const { middle, half } = scaleOf({ min, max })
    const step = Math.round(((Math.min(max, Math.max(min, value)) - middle) / half) * steps)
    if (!Number.isFinite(step)) return null
    // Rounding may leave the range by a step. Adding zero turns -0 into 0.
    placed.push(Math.min(steps, Math.max(-steps, step)) + 0)
  }
  return placed
}

/** Middle and half width of a range. */
export function scaleOf({ min, max }: { readonly min: number; readonly max: number }): {
  readonly middle: number
  readonly half: number
} {
  return { middle: min / 2 + max / 2, half: max / 2 - min / 2 }
}
