/**
 * Counts cases by kind and prints a line for each: `kind: N agree, M differ`.
 *
 * @param print takes one line
 * @returns `count(kind, agrees, what)`, and `finish()` which prints and gives the totals
 */
export function createTally(print) {
  const kinds = new Map()
  return {
    count(kind, agrees, what) {
      const entry = kinds.get(kind) ?? { agree: 0, differ: 0 }
      entry[agrees ? 'agree' : 'differ'] += 1
      kinds.set(kind, entry)
      if (!agrees && entry.differ <= 10) print(`  ${kind} differs: ${what}`)
    },
    finish() {
      const total = { agree: 0, differ: 0 }
      for (const [kind, { agree, differ }] of kinds) {
        print(`${kind}: ${agree} agree, ${differ} differ`)
        total.agree += agree
        total.differ += differ
      }
      return total
    },
  }
}
