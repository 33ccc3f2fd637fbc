/**
 * Whether a value is a whole number within bounds.
 *
 * @param value - any value
 * @param minimum - smallest that is taken
 * @param maximum - largest that is taken, at most 2^53 - 1
 * @returns true for such a number
 */
export function isWhole(
  value: unknown,
  minimum: number,
  maximum: number = Number.MAX_SAFE_INTEGER,
): value is number {
  return Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum
}
