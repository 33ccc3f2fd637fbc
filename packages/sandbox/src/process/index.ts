/**
 * The adapter for servers: a child process that can be killed, under bubblewrap where that works.
 *
 * @module
 */
import { createRequire } from 'node:module'
import { checkAttachments } from '../attachments.js'
import { crossesUnchanged } from '../code-text.js'
import type { TextJob, TextResult } from '../engine.js'
import { SandboxError } from '../errors.js'
import { failure } from '../failure.js'
import { encodeInput } from '../json-boundary.js'
import { validateLimits } from '../limits.js'
import type { JobRuntime } from '../runtime.js'
import { acceptAnswer } from './accept-answer.js'
import { bubblewrapCommands } from './bubblewrap.js'
import { type Child, type Command, startChild } from './child.js'
import type { EngineName } from './engine-name.js'

export type { EngineName } from './engine-name.js'

const names: Readonly<Record<EngineName, string>> = {
  quickjs: 'quickjs-emscripten 0.32 in a child process',
  webassembly: 'WebAssembly in a child process',
  pyodide: 'Pyodide in a child process',
}

const MOST_CHILDREN = 64

/** How to start the child. */
export interface ProcessRuntimeOptions {
  /**
   * `bubblewrap`: fail when it cannot be had. `process`: a plain child (own memory and clock, but the files and network
   * of its user). `best`: bubblewrap, else process. There is no default: how far to trust code is the caller's choice.
   */
  readonly isolation: 'bubblewrap' | 'process' | 'best'
  /**
   * What the code is. `quickjs` (when absent): a classic script. `webassembly`: a module in base64 that imports nothing, see the
   * README for its exports. `pyodide`: Python 3 with its standard library, in an interpreter of its own for each run (needs the
   * optional peer `pyodide`, and bubblewrap whatever isolation is asked for).
   */
  readonly engine?: EngineName
  /** How many children, 1 to 64; 1 when absent. Runs go to the one with the fewest, so that as many run at once. */
  readonly children?: number
  /** Heap of the child's JavaScript engine in MiB, which holds code, input and output texts; 512 when absent. */
  readonly heapMib?: number
  /**
   * Milliseconds without a run after which a child that has run anything is ended, and another one started in its place: what the runs
   * have left in its memory goes with it. Never when absent.
   */
  readonly renewAfterMs?: number
}

/**
 * Starts long-lived children (one, unless told otherwise) that run jobs one at a time each, in the order they came. A job that outlives its deadline in a
 * step QuickJS cannot interrupt gets the child killed; the next job gets a new one. The child ends with its parent.
 *
 * @param options the isolation to ask for
 * @returns a runtime whose `isolation` is what is really in force; the child has proved that it starts
 * @throws SandboxError `RUNTIME_UNAVAILABLE` when a child does not start or bubblewrap was asked for and does not work; `LIMITS_INVALID`
 *   for a number of children that is none
 * @example
 * ```ts
 * import { createProcessRuntime } from '@sealpool/sandbox/process'
 * const runtime = await createProcessRuntime({ isolation: 'best' })
 * const result = await runtime.run({
 *   code: 'globalThis.sealpool = { spin: () => { for (;;) {} } }',
 *   entry: 'spin',
 *   input: null,
 *   limits: { memoryBytes: 2 ** 24, timeMs: 100, outputBytes: 1000 },
 * })
 * console.log(runtime.isolation, result.ok ? '' : result.code) // bubblewrap TIMEOUT
 * await runtime.close()
 * ```
 */
export async function createProcessRuntime(options: ProcessRuntimeOptions): Promise<JobRuntime> {
  const { children = 1 } = options
  if (!Number.isSafeInteger(children) || children < 1 || children > MOST_CHILDREN) {
    throw new SandboxError('LIMITS_INVALID', 'children', `expected a whole number from 1 to ${MOST_CHILDREN}`)
  }
  const first = await startRuntime(options)
  if (children === 1) return first
  const runtimes = [{ runtime: first, runs: 0 }]
  try {
    while (runtimes.length < children) {
      // What the first could have, all have: never one of them with less between it and the machine.
      const isolation = first.isolation === 'bubblewrap' ? 'bubblewrap' : options.isolation
      runtimes.push({ runtime: await startRuntime({ ...options, isolation }), runs: 0 })
    }
  } catch (error) {
    await Promise.all(runtimes.map(({ runtime }) => runtime.close()))
    throw error
  }
  return {
    name: first.name,
    isolation: first.isolation,
    async run(job) {
      const least = runtimes.reduce((best, each) => (each.runs < best.runs ? each : best))
      least.runs += 1
      try {
        return await least.runtime.run(job)
      } finally {
        least.runs -= 1
      }
    },
    async close() {
      await Promise.all(runtimes.map(({ runtime }) => runtime.close()))
    },
  }
}

/** A runtime of one child. */
async function startRuntime(options: ProcessRuntimeOptions): Promise<JobRuntime> {
  const { child: first, command, isolation } = await startBest(options)
  let child: Child = first
  let closed = false
  let last: Promise<unknown> = Promise.resolve()

  // Python's interpreter remembers what ran in it: each run has a child of its own, started while nothing waits for it.
  const once = options.engine === 'pyodide'
  let next: Promise<Child> | undefined

  async function runText(job: TextJob): Promise<TextResult> {
    if (!child.alive && !closed) {
      const started = next ?? startChild(command)
      // One that did not start must not be waited for a second time.
      next = undefined
      child = await started
    }
    if (closed) {
      await child.kill()
      return failure('RUNTIME_LOST', 'load')
    }
    const result = await child.run(job)
    if (once) await renew()
    return result
  }

  async function renew(): Promise<void> {
    await child.kill()
    if (closed) return
    next = startChild(command)
    // Whoever waits for it hears of a failure; until then it must not end this process.
    next.catch(() => {})
  }

  const { renewAfterMs } = options
  let idle: NodeJS.Timeout | undefined
  function renewWhenIdle(): void {
    clearTimeout(idle)
    if (renewAfterMs === undefined || closed) return
    idle = setTimeout(() => {
      last = last.then(() => (child.alive ? renew() : undefined)).catch(() => {})
    }, renewAfterMs)
    idle.unref()
  }

  return {
    name: names[options.engine ?? 'quickjs'],
    isolation,
    async run(job) {
      if (closed)
        throw new SandboxError('RUNTIME_CLOSED', 'runtime', 'this runtime was closed; make a new one')
      const limits = validateLimits(job.limits)
      const input = encodeInput(job.input)
      const attachments = checkAttachments(job.attachments)
      if (attachments.length > 0 && (options.engine ?? 'quickjs') !== 'quickjs') {
        throw new SandboxError(
          'INPUT_NOT_JSON',
          'attachments',
          'only QuickJS reads attachments; use the input',
        )
      }
      // Before the frame's UTF-8 would mend what the engine is to refuse.
      if (!crossesUnchanged(job.code)) return failure('CODE_INVALID', 'load')
      if (!crossesUnchanged(job.entry)) return failure('ENTRY_MISSING', 'load')
      clearTimeout(idle)
      const turn = last.then(() => runText({ code: job.code, entry: job.entry, input, attachments, limits }))
      last = turn.catch(() => {}).finally(renewWhenIdle)
      const result = await turn
      return acceptAnswer(result, limits)
    },
    async close() {
      closed = true
      clearTimeout(idle)
      await child.kill()
      await last
      const spare = await next?.catch(() => undefined)
      await spare?.kill()
    },
  }
}

interface Started {
  readonly child: Child
  readonly command: Command
  readonly isolation: 'bubblewrap' | 'process'
}

async function startBest({
  isolation,
  heapMib = 512,
  engine = 'quickjs',
}: ProcessRuntimeOptions): Promise<Started> {
  const worker = locateWorker()
  const workerArgs = [`--engine=${engine}`]
  const nodeArgs = [
    `--max-old-space-size=${heapMib}`,
    '--disallow-code-generation-from-strings',
    '--no-warnings',
  ]
  // Emscripten gives Python the shell, sockets and mounts of the process it runs in: only a process that has none will do.
  const demanded = isolation === 'bubblewrap' || engine === 'pyodide'
  if (isolation !== 'process' || demanded) {
    try {
      return await startUnderBubblewrap(worker, nodeArgs, engine)
    } catch (cause) {
      if (demanded) {
        throw new SandboxError(
          'RUNTIME_UNAVAILABLE',
          'process.bubblewrap',
          'bubblewrap does not work here; install bwrap and allow user namespaces, or ask for another isolation by name',
          { cause },
        )
      }
    }
  }
  const command = { program: process.execPath, args: [...nodeArgs, worker, ...workerArgs, '--watch-parent'] }
  return { child: await startChild(command), command, isolation: 'process' }
}

async function startUnderBubblewrap(
  worker: string,
  nodeArgs: readonly string[],
  engine: EngineName,
): Promise<Started> {
  let refusal: unknown
  for (const command of await bubblewrapCommands(worker, nodeArgs, engine)) {
    try {
      return { child: await startChild(command), command, isolation: 'bubblewrap' }
    } catch (error) {
      refusal = error
    }
  }
  throw refusal
}

function locateWorker(): string {
  try {
    return createRequire(import.meta.url).resolve('@sealpool/sandbox/process-worker')
  } catch (cause) {
    const remedy = 'the worker file was not found; build or install @sealpool/sandbox'
    throw new SandboxError('RUNTIME_UNAVAILABLE', '@sealpool/sandbox/process-worker', remedy, { cause })
  }
}
