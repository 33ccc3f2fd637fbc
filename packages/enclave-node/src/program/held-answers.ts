/**
 * Outcomes of programs that must not be told yet. How long the runs of a program took hangs on the data that it saw, so an outcome is
 * told at a moment that was fixed before the first run, whatever it is: an answer, or that there is none. Until then it is in memory
 * alone. A stop forgets it, and the job ends without an answer (`one-process`).
 * @module
 */
import type { JsonValue } from '@sealpool/crypto'

/** How a program ended. */
export type ProgramOutcome =
  | { readonly ok: true; readonly answer: JsonValue }
  | { readonly ok: false; readonly error: unknown }

/** One outcome, and when it may be told. */
export interface HeldOutcome {
  /** On the monotonic clock, in milliseconds. */
  readonly at: number
  readonly outcome: ProgramOutcome
}

/** Outcomes by job. */
export interface HeldAnswers {
  /** @param charge name of the job's charge: an outcome of other inputs is none of this job's */
  find(job: string, charge: string): HeldOutcome | undefined
  keep(job: string, charge: string, held: HeldOutcome): void
  forget(job: string): void
  /** Notes that the program of a charge is begun, for as long as the process is there. */
  begin(charge: string): void
  /** Whether it was, whatever became of its outcome: it is not begun again. */
  isBegun(charge: string): boolean
}

/** Begins without any. */
export function heldAnswers(): HeldAnswers {
  const all = new Map<string, { readonly charge: string; readonly held: HeldOutcome }>()
  const begun = new Set<string>()
  return {
    find(job, charge) {
      const found = all.get(job)
      return found?.charge === charge ? found.held : undefined
    },
    keep(job, charge, held) {
      all.set(job, { charge, held })
    },
    forget(job) {
      all.delete(job)
    },
    begin(charge) {
      begun.add(charge)
    },
    isBegun: (charge) => begun.has(charge),
  }
}

/**
 * When the outcome of a program is told: at the first point of a grid that begins with the program. Its first point lies behind the time that
 * all runs may take together, so that it is the one; a machine that is slower than that tells in how many such times it was done, and no more.
 * @param ran `began`, `ended`: on one clock, in milliseconds; `atLeast`: between two points
 */
export function tellingTime(ran: {
  readonly began: number
  readonly ended: number
  readonly atLeast: number
}): number {
  const { began, ended, atLeast } = ran
  return began + atLeast * Math.max(1, Math.ceil((ended - began) / atLeast))
}
