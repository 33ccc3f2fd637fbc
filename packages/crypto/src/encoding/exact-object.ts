/**
 * Whether a value is a plain object that has some fields of its own and no others.
 *
 * @param value - of unknown origin
 * @param names - the fields
 * @returns true when it has exactly these
 */
export function hasExactly(
  value: unknown,
  names: readonly string[],
): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const own = Object.keys(value)
  return own.length === names.length && names.every((name) => own.includes(name))
}
