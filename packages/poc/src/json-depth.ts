/** Deepest nesting that is looked at, as of canonical JSON in `@sealpool/crypto`: what is deeper has no canonical form. */
export const DEEPEST_JSON = 128

/**
 * Whether a parsed JSON value nests at most so deep. It walks with a list of its own and not by calls, so that no depth ends the stack:
 * `JSON.parse` takes any depth, most of what follows does not.
 *
 * @param value hostile JSON, parsed
 * @param deepest levels of lists and objects
 */
export function isWithinDepth(value: unknown, deepest: number = DEEPEST_JSON): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    const next: unknown[] = []
    for (const one of level) {
      if (typeof one !== 'object' || one === null) continue
      if (depth >= deepest) return false
      for (const member of Object.values(one)) {
        if (typeof member === 'object' && member !== null) next.push(member)
      }
    }
    level = next
  }
  return true
}
