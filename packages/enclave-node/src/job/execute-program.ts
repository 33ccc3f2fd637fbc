/**
 * Runs the program of a job, and tells how it ended at a moment that does not hang on what it saw.
 * @module
 */
import type { JsonValue } from '@sealpool/crypto'
import { type HeldOutcome, type ProgramOutcome, tellingTime } from '../program/held-answers.js'
import { codeText } from '../program/open-program-runtime.js'
import { type ProgramRunner, programRuns } from '../program/program-runs.js'
import type { Programs } from '../program/programs.js'
import { slotMs, tellingMs } from '../program/require-program.js'
import { putOffJob } from '../state/job-table.js'
import type { JobContext } from './job-context.js'
import { JobPutOff, JobRefusal } from './job-refusal.js'
import type { PlannedJob } from './planned-job.js'

/** Why a job waits whose program has been begun. */
export const programWaits = 'PROGRAM_RUNS'
const waitsText = 'the program has the time that its plan gives it; how it ended is told when that is over'

/** A job of a program. */
export interface ProgramJob {
  readonly id: string
  /** Name of its charge. */
  readonly charge: string
  readonly program: NonNullable<PlannedJob['program']>
}

/**
 * @param run runs the plan with a runner; it is called once for a job that was charged, by the process that charged it
 * @returns what `run` gave
 * @throws JobPutOff `PROGRAM_RUNS` until it may be told, `NODE_STOPS`, `BLOB_STORE_FAILED`, `PROGRAM_AWAY`; JobRefusal
 * `EXECUTION_FAILED`, `PROGRAM_INTERRUPTED`; what `run` throws
 */
export async function executeProgram(
  context: Pick<JobContext, 'programs' | 'store' | 'now'>,
  job: ProgramJob,
  run: (runner: ProgramRunner) => Promise<JsonValue>,
): Promise<JsonValue> {
  const { programs } = context
  if (programs === undefined) throw JobRefusal.of('EXECUTION_FAILED')
  const found = programs.held.find(job.id, job.charge)
  // The chain took the job away and gave it back, or the runtime did not end: the outcome is gone, and another one would be a second answer.
  if (found === undefined && programs.held.isBegun(job.charge) && !programs.stopping.aborted)
    throw JobRefusal.of('PROGRAM_INTERRUPTED')
  const held = found ?? (await outcomeOf({ ...context, programs }, job, run))
  if (found === undefined) {
    programs.held.keep(job.id, job.charge, held)
    // In its place among the jobs that run at once: when another job gets that, which the chain shows by its start, must not hang on how long the
    // runs took, nor on how many contributors there were to run.
    await programs.wait(held.at - programs.clock())
  }
  const left = held.at - programs.clock()
  // The row has said since the first run that the job waits: it is told in a turn of its own.
  if (found === undefined || left > 0)
    throw new JobPutOff(programWaits, waitsText, undefined, Math.max(0, Math.ceil(left / 1000)))
  if (held.outcome.ok) return held.outcome.answer
  throw held.outcome.error
}

async function outcomeOf(
  context: Pick<JobContext, 'store' | 'now'> & { readonly programs: Programs },
  job: ProgramJob,
  run: (runner: ProgramRunner) => Promise<JsonValue>,
): Promise<HeldOutcome> {
  const { programs, store } = context
  const { runtime: kind, entry, limits } = job.program.program
  const code = await codeOf(programs, job)
  const atLeast = tellingMs(job.program)
  let began = programs.clock()
  const runtime = await programs.open(kind).catch((error: unknown) => {
    if (!programs.stopping.aborted) throw JobRefusal.of('EXECUTION_FAILED', error)
    throw new JobPutOff('NODE_STOPS', 'the node was stopped before the program began', error, 0)
  })
  const runner = programRuns({
    runtime,
    code: codeText(kind, code),
    entry,
    limits,
    // Where nobody counts steps, one run would feel another beside it: by the time that it gets, or by a clock.
    parallel: limits.steps === undefined ? 1 : programs.parallel,
    slotMs: slotMs(job.program),
    clock: programs.clock,
    wait: (milliseconds) => programs.wait(milliseconds),
    stopping: programs.stopping,
    async begun() {
      began = programs.clock()
      programs.held.begin(job.charge)
      // Now, and not when it has ended: what the job's status says meanwhile is the same however long the program takes.
      const at = context.now() + Math.ceil(atLeast / 1000)
      await putOffJob(store, job.id, { reason: programWaits, reasonText: waitsText, at })
    },
  })
  const outcome = await run(runner)
    .then(
      (answer): ProgramOutcome => ({ ok: true, answer }),
      (error: unknown): ProgramOutcome => {
        if (error instanceof JobPutOff) throw error
        return { ok: false, error }
      },
    )
    .finally(() => runtime.close())
  return { at: tellingTime({ began, ended: programs.clock(), atLeast }), outcome }
}

/** The job is charged: code that is away now was there before, and is waited for until the job's deadline. */
async function codeOf(programs: Programs, job: ProgramJob): Promise<Uint8Array> {
  try {
    return await programs.code(job.program.program.code)
  } catch (error) {
    if (!(error instanceof JobRefusal)) throw error
    const text = 'the blob store does not give the program any more; it is asked for again'
    throw new JobPutOff('PROGRAM_AWAY', text, error)
  }
}
