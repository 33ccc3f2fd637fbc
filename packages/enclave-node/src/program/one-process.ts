/**
 * A job of a program is run by the process that charged it, and by no other. What runs of a program give may hang on a clock or on chance, and
 * who has the machine can starve them, so that a second run would be another answer under one charge. Its charge names the process, by a number
 * that nobody else draws, and is anchored before anything is read: of all processes that could begin the job, from whatever copy of the disk, the
 * chain takes the charge of one, and that one is gone when it ends. So nothing is left that could be begun twice: that one remembers for as long as
 * it is there what it has begun (`held-answers`), whatever the chain takes away and gives back meanwhile.
 * @module
 */
import { JobRefusal } from '../job/job-refusal.js'
import type { PlannedJob } from '../job/planned-job.js'
import type { Reservation } from '../state/job-table.js'
import type { Programs } from './programs.js'

/**
 * @param planned the job
 * @param programs of this process
 * @returns what the charge of the job, and what is reserved under it, have in addition; nothing where it is no program
 */
export function processOf(
  { program }: Pick<PlannedJob, 'program'>,
  programs: Pick<Programs, 'process'> | undefined,
): Pick<Reservation, 'process'> {
  return program === undefined || programs === undefined ? {} : { process: programs.process }
}

/**
 * Sees to it that a program that was charged is begun by nobody but the process that charged it.
 * @param planned the job; one that is no program may go on anywhere
 * @param programs of this process; absent: its settings name no runtime for any
 * @param reservation what was charged
 * @throws JobRefusal `PROGRAM_INTERRUPTED`
 */
export function requireOwnProcess(
  { program }: Pick<PlannedJob, 'program'>,
  programs: Pick<Programs, 'process'> | undefined,
  { process }: Pick<Reservation, 'process'>,
): void {
  if (program === undefined) return
  if (programs === undefined || process !== programs.process) throw JobRefusal.of('PROGRAM_INTERRUPTED')
}
