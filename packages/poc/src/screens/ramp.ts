/**
 * A straight line between two points, held at 0 and 1: how a statistic becomes a suspicion. Screens compute with +, -, *, / and square roots
 * alone, which are the same to the last bit in every engine; logarithms and powers are not.
 *
 * @param value the statistic; not a number counts as nothing
 * @param none where it is 0
 * @param full where it is 1; it may lie below `none`
 */
export function ramp(value: number, none: number, full: number): number {
  const share = (value - none) / (full - none)
  return share > 0 ? Math.min(1, share) : 0
}
