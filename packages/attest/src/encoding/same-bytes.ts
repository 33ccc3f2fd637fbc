/**
 * Whether two byte strings are equal. For public data only: the time taken tells where they differ.
 *
 * @returns true when length and every byte agree
 */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false
  return true
}
