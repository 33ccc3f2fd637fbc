/** Counts what agrees and what differs, by kind. */
export function createTally(print) {
  const kinds = new Map()
  return {
    count(kind, agrees, what) {
      const entry = kinds.get(kind) ?? { agree: 0, differ: 0 }
      entry[agrees ? 'agree' : 'differ'] += 1
      kinds.set(kind, entry)
      if (!agrees && entry.differ <= 10) print(`  ${kind} differs: ${what}`)
    },
    /** One line per kind, and the sums. */
    finish() {
      let [agree, differ] = [0, 0]
      for (const [kind, entry] of kinds) {
        print(`${kind}: ${entry.agree} agree, ${entry.differ} differ`)
        agree += entry.agree
        differ += entry.differ
      }
      return { agree, differ }
    },
  }
}
