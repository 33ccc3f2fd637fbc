/**
 * The adapter for native programs: each run is a process of its own behind the kernel's walls.
 *
 * @module
 */
import { checkAttachments } from '../attachments.js'
import { crossesUnchanged } from '../code-text.js'
import { SandboxError } from '../errors.js'
import { failure } from '../failure.js'
import { encodeInput } from '../json-boundary.js'
import { type CheckedLimits, validateLimits } from '../limits.js'
import { bubblewrapWalls } from '../process/bubblewrap.js'
import type { Job, JobRuntime, RunResult } from '../runtime.js'
import { inspectElf } from './inspect-elf.js'
import { writeLauncher } from './launcher.js'
import { type Machine, machineOf } from './machine.js'
import { inFolder, insideBubblewrap, type ProgramPlace } from './place-program.js'
import { probe } from './probe.js'
import { NO_ENTRY, NOT_A_PROGRAM, readEnding } from './read-ending.js'
import { type RunningProgram, startProgram } from './start-program.js'

const LONGEST_ENTRY = 256
const MOST_PROGRAMS = 64

/** What stands between programs and the machine. */
export interface NativeRuntimeOptions {
  /**
   * `bubblewrap`: namespaces, an empty root and no capability beside the kernel's limits and the filter of system calls. `process`: the
   * limits and the filter alone. There is no default and nothing in between: what cannot be had is refused.
   */
  readonly isolation: 'bubblewrap' | 'process'
  /** How many programs run at once, 1 to 64; 1 when absent. Others wait for their turn. */
  readonly programs?: number
}

/**
 * Opens a runtime for native programs. The code of a job is a static program for this machine (x86-64 or AArch64, Linux) in base64: an
 * ELF file without an interpreter. It is started with the job's entry as its one argument, reads the input's JSON text from its standard
 * input, writes JSON text to its standard output and ends with status 0; 64 says that it has no such entry, 12 that it found no memory.
 *
 * What it may ask of the kernel is a short list of calls; any other ends it. Before the runtime is given out, a program that makes one
 * has been ended for it.
 *
 * @param options - the isolation, by name
 * @returns a runtime that is not `repeatable`: a program computes on whatever its processor has, and nobody counts its steps
 * @throws SandboxError `RUNTIME_UNAVAILABLE` where the isolation, the filter or the machine is not to be had; `LIMITS_INVALID` for a
 *   number of programs that is none
 * @example
 * ```ts
 * import { createNativeRuntime } from '@sealpool/sandbox/native'
 * const runtime = await createNativeRuntime({ isolation: 'bubblewrap' })
 * const limits = { memoryBytes: 2 ** 26, timeMs: 1000, outputBytes: 1000 }
 * const result = await runtime.run({ code: 'bm8gcHJvZ3JhbQ==', entry: 'sum', input: [1, 2], limits })
 * console.log(result.ok ? '' : result.code) // CODE_INVALID
 * await runtime.close()
 * ```
 */
export async function createNativeRuntime(options: NativeRuntimeOptions): Promise<JobRuntime> {
  const { isolation, programs = 1 } = options
  if (!Number.isSafeInteger(programs) || programs < 1 || programs > MOST_PROGRAMS) {
    throw new SandboxError('LIMITS_INVALID', 'programs', `expected a whole number from 1 to ${MOST_PROGRAMS}`)
  }
  const machine = process.platform === 'linux' ? machineOf(process.arch) : undefined
  if (machine === undefined) {
    const remedy = 'native programs run on Linux on x86-64 and AArch64 alone; use WebAssembly'
    throw new SandboxError('RUNTIME_UNAVAILABLE', 'native.machine', remedy)
  }
  const place = await openPlace(machine, isolation)
  const running = new Set<RunningProgram>()
  const lanes = Array.from({ length: programs }, () => ({ last: Promise.resolve(), waiting: 0 }))
  let decoded: { readonly code: string; readonly program: Uint8Array } | undefined
  let closed = false

  const runProgram = async (job: Job, limits: CheckedLimits, input: string): Promise<RunResult> => {
    if (closed) return failure('RUNTIME_LOST', 'load')
    if (decoded?.code !== job.code) decoded = decodeProgram(job.code)
    const shape = decoded === undefined ? undefined : inspectElf(decoded.program, machine)
    if (decoded === undefined || shape === undefined) return NOT_A_PROGRAM
    if (shape.memoryBytes > limits.memoryBytes) return failure('OUT_OF_MEMORY', 'load')
    const placed = place.place(decoded.program, (path) =>
      writeLauncher({ machine, path, entry: job.entry, limits }),
    )
    try {
      const { command, feeds } = placed
      const { timeMs, outputBytes } = limits
      const given = { command, feeds, input: new TextEncoder().encode(input), timeMs, outputBytes }
      const program = startProgram(given)
      running.add(program)
      const ending = await program.ended
      running.delete(program)
      return readEnding(ending)
    } finally {
      placed.remove()
    }
  }

  return {
    name: `native programs (${machine}), system calls filtered`,
    isolation,
    repeatable: false,
    async run(job) {
      if (closed)
        throw new SandboxError('RUNTIME_CLOSED', 'runtime', 'this runtime was closed; make a new one')
      const limits = checkLimits(job)
      const input = encodeInput(job.input)
      if (checkAttachments(job.attachments).length > 0) {
        throw new SandboxError(
          'INPUT_NOT_JSON',
          'attachments',
          'only QuickJS reads attachments; use the input',
        )
      }
      if (!crossesUnchanged(job.entry) || job.entry.length > LONGEST_ENTRY) return NO_ENTRY
      const lane = lanes.reduce((best, each) => (each.waiting < best.waiting ? each : best))
      lane.waiting += 1
      const turn = lane.last.then(() => runProgram(job, limits, input))
      lane.last = turn.then(
        () => {},
        () => {},
      )
      try {
        return await turn
      } finally {
        lane.waiting -= 1
      }
    },
    async close() {
      closed = true
      for (const program of running) program.kill()
      await Promise.all(lanes.map(({ last }) => last))
    },
  }
}

/** Nobody counts a program's steps, and a bound that does not hold must not look as if it did. */
function checkLimits({ limits }: Job): CheckedLimits {
  const checked = validateLimits(limits)
  if (limits.steps !== undefined) {
    throw new SandboxError(
      'LIMITS_INVALID',
      'limits.steps',
      'steps of native programs are not counted; leave the bound out, or use WebAssembly or QuickJS',
    )
  }
  return checked
}

/** Base64 in its one canonical form, so that a program has one text and one digest. */
function decodeProgram(code: string): { readonly code: string; readonly program: Uint8Array } | undefined {
  const program = Buffer.from(code, 'base64')
  return program.toString('base64') === code ? { code, program } : undefined
}

async function openPlace(machine: Machine, isolation: 'bubblewrap' | 'process'): Promise<ProgramPlace> {
  const wanted: string = isolation
  // A caller without types may ask for anything, for `best` of the other runtimes too.
  if (wanted !== 'bubblewrap' && wanted !== 'process') {
    const remedy = 'native programs run under bubblewrap, or under process when that is asked for by its name'
    throw new SandboxError('RUNTIME_UNAVAILABLE', 'native.isolation', remedy)
  }
  const places = wanted === 'bubblewrap' ? bubblewrapWalls().map(insideBubblewrap) : [inFolder]
  let refusal: unknown
  for (const place of places) {
    try {
      await probe(machine, place)
      return place
    } catch (error) {
      refusal = error
    }
  }
  throw new SandboxError(
    'RUNTIME_UNAVAILABLE',
    `native.${wanted}`,
    wanted === 'process'
      ? 'programs cannot be started behind a filter of system calls here; is the folder for temporary files mounted noexec?'
      : 'bubblewrap does not work here; install bwrap and allow user namespaces, or ask for another isolation by name',
    { cause: refusal },
  )
}
