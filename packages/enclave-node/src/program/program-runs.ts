/**
 * The runs of one job's program. However a run ends, it ends as an answer or as none, and when the next one begins was fixed before the first: a run
 * that could end the job, or choose the moment of another, would say something of its contributors without noise.
 * @module
 */
import { type Digest, digestOf, type JsonValue, sha256Digest } from '@sealpool/crypto'
import { type JobRuntime, type Limits, SandboxError } from '@sealpool/sandbox'
import { JobPutOff } from '../job/job-refusal.js'

/** Runs a program, each time in a fresh context. */
export interface ProgramRunner {
  /** Runs at once. */
  readonly parallel: number
  /** Called before the first run: what the runs take is counted from here. */
  begin(): Promise<void>
  /**
   * @returns what the code gave; null: it gave no answer, or its process was lost too often
   * @throws JobPutOff `NODE_STOPS`; SandboxError for what is wrong with every run
   */
  run(input: JsonValue): Promise<JsonValue | null>
  /** Digest of everything that the runs gave, in the order in which they were begun. @throws Error while one is under way */
  outcomes(): Digest
}

/** How often a run is begun whose process was lost. */
const tries = 3

/** No result: its process was lost. */
const lost = Symbol('lost')

/** Longest output of a run in bytes: 64 numbers with their names, and room. */
export const programOutputBytes = 64 * 1024

/** Longest input of a run in bytes of JSON: to move more takes longer than a run has beside its own time. A block of more gives no answer. */
export const programInputBytes = 8 * 1024 * 1024

/**
 * @param options `code`: as the runtime takes it; `slotMs`: from the begin of one run to that of the next, its own time and what it takes to end
 * it; `clock`, `wait`: monotonic milliseconds; `begun`: told before the first run; `stopping`: aborted when the node stops, which ends `wait`
 * @returns a runner over a runtime that is the job's own
 */
export function programRuns(options: {
  readonly runtime: Pick<JobRuntime, 'run'>
  readonly code: string
  readonly entry: string
  readonly limits: Omit<Limits, 'outputBytes'>
  readonly parallel: number
  readonly slotMs: number
  readonly clock: () => number
  readonly wait: (milliseconds: number) => Promise<void>
  readonly begun: () => Promise<void>
  readonly stopping: AbortSignal
}): ProgramRunner {
  const { runtime, code, entry, parallel, slotMs, clock, wait, begun, stopping } = options
  const limits: Limits = { ...options.limits, outputBytes: programOutputBytes }
  const given: (string | undefined)[] = []
  let began = clock()
  const once = async (input: JsonValue): Promise<JsonValue | typeof lost> => {
    try {
      const result = await runtime.run({ code, entry, input, limits })
      if (result.ok) return result.output
      return result.code === 'RUNTIME_LOST' ? lost : null
    } catch (error) {
      if (stopping.aborted) return lost
      if (!(error instanceof SandboxError)) throw error
      // A process that cannot be started anew is as lost as one that was killed.
      if (error.code === 'RUNTIME_UNAVAILABLE') return lost
      // It hangs on the rows of this run alone.
      if (error.code === 'INPUT_NOT_JSON') return null
      throw error
    }
  }
  const answerTo = async (input: JsonValue): Promise<JsonValue | null> => {
    if (!isShort(input)) return null
    const from = clock()
    for (let attempt = 1; ; attempt++) {
      const output = await once(input)
      if (stopping.aborted) throw nodeStops()
      if (output !== lost) return output
      // Code may know how to end its own process: for its run alone, and within the run's time, or its failure would say who was in it.
      if (attempt === tries || clock() - from > (slotMs - limits.timeMs) / 2) return null
    }
  }
  const run = async (input: JsonValue): Promise<JsonValue | null> => {
    const index = given.push(undefined) - 1
    // Not when the one before has ended: code with a clock, as native programs have, would hand on what it saw by the moment of its end.
    await wait(began + Math.floor(index / parallel) * slotMs - clock())
    if (stopping.aborted) throw nodeStops()
    const output = await answerTo(input)
    given[index] = sha256Digest(new TextEncoder().encode(JSON.stringify(output)))
    return output
  }
  return {
    parallel,
    async begin() {
      began = clock()
      await begun()
    },
    run,
    outcomes() {
      if (given.includes(undefined)) throw new Error('a run is under way')
      return digestOf(given as readonly string[])
    },
  }
}

function isShort(input: JsonValue): boolean {
  try {
    return new TextEncoder().encode(JSON.stringify(input)).length <= programInputBytes
  } catch {
    // Longer than any text can be.
    return false
  }
}

/** Nothing is decided by a node that stops: whoever has the state next ends the job, which cannot be run again. */
function nodeStops(): JobPutOff {
  return new JobPutOff('NODE_STOPS', 'the node was stopped while the program ran', undefined, 0)
}
