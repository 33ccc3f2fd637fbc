/** How often which label is given to which kind of row: weights by label, by kind. JSON, and aggregates alone. */
export type LabelReference = { readonly [kind: string]: { readonly [label: string]: number } }

/** A label that is less than a hundredth of one contributor's says nothing, and who gives each of a million rows another would fill the table. */
const LEAST_LABEL = 0.01
/** Half of a pair: such a text has no UTF-8 and no canonical form. */
const halfCharacter = /\p{Surrogate}/u

/**
 * What a pool's contributors call which kind of row, for `labelFlips`. Each contributor has a weight of 1 for each kind, however many rows he
 * has of it, and kinds of fewer contributors than `least` are left out. So are labels of less than a hundredth of one
 * contributor, and texts with half a character: there are no bytes for them, and the table is among the inputs of everybody's verdict.
 *
 * @param rows of all contributions, accepted ones
 * @param options `least` contributors of a kind; default 5
 * @returns private as the pool is: it goes to the code in the enclave, not out
 */
export function labelReference(
  rows: Iterable<{ readonly contributor: string; readonly kind: string; readonly label: string }>,
  options: { readonly least?: number } = {},
): LabelReference {
  const { least = 5 } = options
  const kinds = new Map<string, Map<string, Map<string, number>>>()
  for (const { contributor, kind, label } of rows) {
    if (halfCharacter.test(kind) || halfCharacter.test(label)) continue
    const people = kinds.get(kind) ?? new Map<string, Map<string, number>>()
    const labels = people.get(contributor) ?? new Map<string, number>()
    labels.set(label, (labels.get(label) ?? 0) + 1)
    kinds.set(kind, people.set(contributor, labels))
  }
  const told: [string, Record<string, number>][] = []
  for (const [kind, people] of kinds) {
    if (people.size < least) continue
    const weights = new Map<string, number>()
    for (const labels of people.values()) {
      let all = 0
      for (const count of labels.values()) all += count
      for (const [label, count] of labels) weights.set(label, (weights.get(label) ?? 0) + count / all)
    }
    told.push([kind, Object.fromEntries([...weights].filter(([, weight]) => weight >= LEAST_LABEL))])
  }
  return Object.fromEntries(told)
}
