/**
 * The runs of one job's program. What the code does wrong is no answer of that run; what the machine does wrong is never the data's.
 * @module
 */
import { type Digest, digestOf, type JsonValue, sha256Digest } from '@sealpool/crypto'
import { type JobRuntime, type Limits, type RunResult, SandboxError } from '@sealpool/sandbox'
import { JobPutOff } from '../job/job-refusal.js'

/** Runs a program, each time in a fresh context. */
export interface ProgramRunner {
  /** Runs at once. */
  readonly parallel: number
  /** Called before the first run: what the runs take is counted from here. */
  begin(): Promise<void>
  /**
   * @returns what the code gave; null: it gave no answer
   * @throws Error when a run was lost too often, so that it is not known what the code would have answered; JobPutOff `NODE_STOPS`
   */
  run(input: JsonValue): Promise<JsonValue | null>
  /** Digest of everything that the runs gave, in the order in which they were begun. @throws Error while one is under way */
  outcomes(): Digest
}

/** How often a run is begun whose process was lost. */
const tries = 3

/** Longest output of a run in bytes: 64 numbers with their names, and room. */
export const programOutputBytes = 64 * 1024

/**
 * @param options `code`: as the runtime takes it; `begun`: told before the first run; `stopping`: aborted when the node stops
 * @returns a runner over a runtime that is the job's own
 */
export function programRuns(options: {
  readonly runtime: Pick<JobRuntime, 'run'>
  readonly code: string
  readonly entry: string
  readonly limits: Omit<Limits, 'outputBytes'>
  readonly parallel: number
  readonly begun: () => Promise<void>
  readonly stopping: AbortSignal
}): ProgramRunner {
  const { runtime, code, entry, parallel, begun, stopping } = options
  const limits: Limits = { ...options.limits, outputBytes: programOutputBytes }
  const given: (string | undefined)[] = []
  const once = async (input: JsonValue): Promise<RunResult | undefined> => {
    try {
      return await runtime.run({ code, entry, input, limits })
    } catch (error) {
      // A process that cannot be started anew is as lost as one that was killed.
      if (error instanceof SandboxError && error.code === 'RUNTIME_UNAVAILABLE') return undefined
      throw error
    }
  }
  const run = async (input: JsonValue): Promise<JsonValue | null> => {
    const index = given.push(undefined) - 1
    for (let attempt = 1; attempt <= tries; attempt++) {
      const result = await once(input).catch((error: unknown) => {
        if (stopping.aborted) return undefined
        throw error
      })
      if (stopping.aborted) throw nodeStops()
      if (result === undefined || (!result.ok && result.code === 'RUNTIME_LOST')) continue
      const output = result.ok ? result.output : null
      given[index] = sha256Digest(new TextEncoder().encode(JSON.stringify(output)))
      return output
    }
    throw new Error('the process of a run was lost again and again')
  }
  return {
    parallel,
    begin: begun,
    run,
    outcomes() {
      if (given.includes(undefined)) throw new Error('a run is under way')
      return digestOf(given as readonly string[])
    },
  }
}

/** The job is run again by whoever has the state next. */
function nodeStops(): JobPutOff {
  return new JobPutOff(
    'NODE_STOPS',
    'the node was stopped while the program ran; it is run again',
    undefined,
    0,
  )
}
