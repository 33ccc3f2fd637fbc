/**
 * What a node has for programs of pools: their bytes, runtimes to run them in, and the outcomes that must not be told yet.
 * @module
 */
import type { BlobStore } from '@sealpool/client'
import { encodeHex } from '@sealpool/crypto'
import type { JobRuntime } from '@sealpool/sandbox'
import type { ProgramRuntime, ProgramSettings } from '../config/program-settings.js'
import { type HeldAnswers, heldAnswers } from './held-answers.js'
import type { openProgramRuntime } from './open-program-runtime.js'
import { type ProgramCodes, programCodes } from './program-code.js'

/** What jobs of programs work with. */
export interface Programs {
  /** Number of this process, which no other has: 32 hexadecimal digits. It is no secret. */
  readonly process: string
  /** Those that the settings name. */
  readonly runtimes: ReadonlySet<ProgramRuntime>
  /** Runs of one program at once. */
  readonly parallel: number
  readonly code: ProgramCodes
  /** Starts a runtime for one job, which closes it. @throws SandboxError `RUNTIME_UNAVAILABLE`; the signal's reason once the node stops */
  open(runtime: ProgramRuntime): Promise<JobRuntime>
  readonly held: HeldAnswers
  /** Monotonic, in milliseconds. */
  readonly clock: () => number
  /** Resolves after so many milliseconds, at once where there are none, and once the node stops. */
  wait(milliseconds: number): Promise<void>
  /** Aborted when the node stops: what runs then is not begun again. */
  readonly stopping: AbortSignal
  /** Ends what runs. */
  stop(): Promise<void>
}

/** How programs are run. */
export interface ProgramsOptions {
  readonly settings: ProgramSettings
  /** Of the sandbox. */
  readonly isolation: 'bubblewrap' | 'process' | 'best'
  readonly open: typeof openProgramRuntime
}

/** @returns what jobs of programs work with; nothing is started yet */
export function openPrograms(
  options: ProgramsOptions & {
    readonly blobStore: Pick<BlobStore, 'get'>
    readonly clock: () => number
    /** Draws the number of this process. */
    readonly random: (length: number) => Uint8Array
    /** Resolves after so many milliseconds, or when the signal is aborted. */
    readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>
  },
): Programs {
  const { settings, isolation, open } = options
  const { children } = settings
  const stopping = new AbortController()
  const opened = new Set<JobRuntime>()
  return {
    process: encodeHex(options.random(16)).slice(2),
    runtimes: new Set(settings.runtimes),
    parallel: children,
    code: programCodes(options.blobStore),
    async open(runtime) {
      stopping.signal.throwIfAborted()
      const started = await open({ runtime, isolation, children })
      if (stopping.signal.aborted) await started.close()
      stopping.signal.throwIfAborted()
      opened.add(started)
      return {
        ...started,
        async close() {
          if (opened.delete(started)) await started.close()
        },
      }
    },
    held: heldAnswers(),
    clock: options.clock,
    async wait(milliseconds) {
      if (milliseconds > 0) await options.wait(milliseconds, stopping.signal)
    },
    stopping: stopping.signal,
    async stop() {
      stopping.abort()
      const left = [...opened]
      opened.clear()
      await Promise.all(left.map((runtime) => runtime.close()))
    },
  }
}

/**
 * Starts and ends each runtime of the settings once: a node that could not run what it says it runs does not start.
 * @returns what is between each of them and the machine, in words for receipts
 * @throws SandboxError `RUNTIME_UNAVAILABLE`
 */
export async function tryRuntimes(options: ProgramsOptions): Promise<string> {
  const { settings, isolation, open } = options
  const words: string[] = []
  for (const runtime of settings.runtimes) {
    const started = await open({ runtime, isolation, children: 1 })
    words.push(`${runtime} ${started.isolation}`)
    await started.close()
  }
  return words.join(', ')
}
