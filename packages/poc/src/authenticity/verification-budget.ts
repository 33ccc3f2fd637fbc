import { PocError } from '../errors.js'

/**
 * Most work that verifying one contribution may cost, counted and not timed, so that the same file is refused on every machine. What
 * exceeds it is not authentic, as a whole (`TOO_MUCH_WORK`).
 */
export interface VerificationBudget {
  /** Signatures that are verified, once for each key that is tried. One takes about a millisecond. */
  readonly signatures: number
  /** Bytes that are read or hashed, each time anew. */
  readonly bytes: number
}

/** Enough for a mailbox of 10,000 letters, or 10,000 records of a device. */
export const DEFAULT_VERIFICATION_BUDGET: VerificationBudget = /* @__PURE__ */ Object.freeze({
  signatures: 10_000,
  bytes: 256 * 1024 * 1024,
})

/** Takes work off a budget before it is done. @throws TooMuchWork when there is none left */
export type WorkMeter = (work: Partial<VerificationBudget>) => void

/** Ends a verification; it never leaves the package. */
export class TooMuchWork extends Error {
  override readonly name = 'TooMuchWork'
}

/**
 * Begins to count.
 *
 * @param budget for everything that is counted with the meter
 * @returns the meter
 * @throws PocError `OPTION_INVALID` when the budget is no pair of whole numbers from 0
 */
export function workMeter(budget: VerificationBudget = DEFAULT_VERIFICATION_BUDGET): WorkMeter {
  let { signatures, bytes } = budget
  if (![signatures, bytes].every((amount) => Number.isSafeInteger(amount) && amount >= 0)) {
    throw new PocError('OPTION_INVALID', 'budget', 'a budget is signatures and bytes, whole numbers from 0')
  }
  return (work) => {
    signatures -= work.signatures ?? 0
    bytes -= work.bytes ?? 0
    if (signatures < 0 || bytes < 0) throw new TooMuchWork()
  }
}
