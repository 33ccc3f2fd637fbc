/**
 * What can be known of a program before anybody is charged.
 * @module
 */
import type { ProgramPlan } from '@sealpool/compute'
import { SandboxError, validateLimits } from '@sealpool/sandbox'
import type { JobContext } from '../job/job-context.js'
import { JobRefusal } from '../job/job-refusal.js'
import { programOutputBytes } from './program-runs.js'

/**
 * Milliseconds beside its own time that a run may take until its process has ended and another one is there. Measured on two cores at a load of
 * 24: at most 671 for QuickJS, 582 for WebAssembly. Python starts an interpreter for each run.
 */
const besideMs = { quickjs: 1_000, webassembly: 1_000, pyodide: 5_000, native: 1_000 } as const

/** @returns what one run of a program may take, with what it takes to end it, in milliseconds */
export function slotMs({ program }: Pick<ProgramPlan, 'program'>): number {
  return program.limits.timeMs + besideMs[program.runtime]
}

/**
 * The time from the first run of a program to the moment when its outcome is told: what all of its runs may take, with what it takes to end
 * each of them, so that no program can make it longer.
 * @returns milliseconds
 */
export function tellingMs({ durationMs, program, split }: ProgramPlan): number {
  const runs = split.kind === 'blocks' ? split.blocks : split.atMost
  return durationMs + runs * besideMs[program.runtime]
}

/**
 * Sees to it that a program could be run here and now. It may take as long as the blob store takes.
 * @param context - `programs`: absent where the settings name none
 * @param plan of the job; absent: it is no program, and nothing is asked
 * @param deadline asks for the job's end on the chain; absent: it is not proposed yet, and has none
 * @throws JobRefusal `PROGRAMS_NOT_SERVED`, `PROGRAM_LIMITS`, `PROGRAM_PAST_DEADLINE`, `PROGRAM_MISSING`, `PROGRAM_DIGEST_MISMATCH`,
 * `PROGRAM_TOO_LARGE`; JobPutOff `BLOB_STORE_FAILED`
 */
export async function requireProgram(
  { chain, programs }: Pick<JobContext, 'programs'> & { readonly chain: Pick<JobContext['chain'], 'head'> },
  plan: ProgramPlan | undefined,
  deadline?: () => Promise<number>,
): Promise<void> {
  if (plan === undefined) return
  const { runtime, code, limits } = plan.program
  if (programs?.runtimes.has(runtime) !== true) throw JobRefusal.of('PROGRAMS_NOT_SERVED')
  try {
    validateLimits({ ...limits, outputBytes: programOutputBytes })
  } catch (error) {
    if (error instanceof SandboxError) throw JobRefusal.of('PROGRAM_LIMITS', error)
    throw error
  }
  if (deadline !== undefined) {
    const { timestamp } = await chain.head()
    if (timestamp + Math.ceil(tellingMs(plan) / 1000) >= (await deadline()))
      throw JobRefusal.of('PROGRAM_PAST_DEADLINE')
  }
  await programs.code(code)
}
