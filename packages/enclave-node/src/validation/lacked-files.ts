/**
 * Remembers whose files validators do not get: of that hangs what the home does for them, and when it takes a file for missing.
 * @module
 */
import type { Address } from '@sealpool/crypto'

/** How often in a row a file was lacking. */
export interface TimesLacked {
  /** To one validator or more: its owner's store may be silent to it alone. */
  readonly byAny: number
  /** To so many that the others are too few for a verdict. One that says so by itself, while others are away, has no contribution refused. */
  readonly byTooMany: number
}

/** Files that validators lack, as of the last question about each. */
export interface LackedFiles {
  timesOf(contribution: string): TimesLacked
  /**
   * Takes out what was noted of contributions that are asked about anew.
   * @param tooMany so many validators that without them there is no verdict
   * @returns notes that a validator lacks the file of one of them now, however often it says so
   */
  ask(contributions: readonly string[], tooMany: number): (contribution: string, validator: Address) => void
}

const never: TimesLacked = { byAny: 0, byTooMany: 0 }

/** @param most contributions that are remembered; beyond, the oldest begin anew */
export function lackedFiles(most: number): LackedFiles {
  const lacking = new Map<string, TimesLacked>()
  const timesOf = (contribution: string): TimesLacked => lacking.get(contribution) ?? never
  return {
    timesOf,
    ask(contributions, tooMany) {
      const before = new Map(contributions.map((id) => [id, timesOf(id)]))
      const lackedBy = new Map<string, Set<Address>>()
      for (const id of contributions) lacking.delete(id)
      return (contribution, validator) => {
        const by = (lackedBy.get(contribution) ?? new Set()).add(validator)
        lackedBy.set(contribution, by)
        const { byAny, byTooMany } = before.get(contribution) ?? never
        lacking.set(contribution, {
          byAny: byAny + 1,
          byTooMany: byTooMany + (by.size >= tooMany ? 1 : 0),
        })
        const [oldest] = lacking.keys()
        if (lacking.size > most && oldest !== undefined) lacking.delete(oldest)
      }
    },
  }
}
