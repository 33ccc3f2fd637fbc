/** Counts what agrees and what differs, by kind. */
export function createTally(print) {
  const kinds = new Map()
  const entryOf = (kind) => {
    if (!kinds.has(kind)) kinds.set(kind, { agree: 0, differ: 0 })
    return kinds.get(kind)
  }
  const count = (kind, agrees, what) => {
    const entry = entryOf(kind)
    entry[agrees ? 'agree' : 'differ'] += 1
    if (!agrees && entry.differ <= 10) print(`  ${kind} differs: ${what}`)
  }
  return {
    count,
    /** Names a kind, so that it is listed even when no case of it is found. */
    expect: (kind) => void entryOf(kind),
    /** Runs one case: whatever it throws is a difference of this case, and never the end of the run. */
    attempt(kind, what, ask) {
      try {
        return ask()
      } catch (error) {
        count(kind, false, `${what}: ${error?.code ?? error?.name ?? 'error'}: ${error?.message ?? error}`)
        return undefined
      }
    },
    /** One line per kind, and the sums. */
    finish() {
      let [agree, differ] = [0, 0]
      const all = [...kinds.keys()]
      for (const [kind, entry] of kinds) {
        // A family of kinds is only listed by itself when no case of any member was found.
        const empty = entry.agree + entry.differ === 0
        if (empty && all.some((other) => other.startsWith(`${kind} `))) continue
        print(`${kind}: ${entry.agree} agree, ${entry.differ} differ`)
        agree += entry.agree
        differ += entry.differ
      }
      return { agree, differ }
    },
  }
}

/** For callers that count nothing themselves: whatever is thrown goes on. */
export const uncounted = { count() {}, attempt: (_kind, _what, ask) => ask() }

/** For what another group counts: whatever is thrown leaves its case out. */
export const silent = {
  count() {},
  attempt(_kind, _what, ask) {
    try {
      return ask()
    } catch {
      return undefined
    }
  },
}
