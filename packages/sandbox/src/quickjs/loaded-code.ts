/**
 * A script in a context: loaded, run, and brought back to what it was after loading. Loading a bundle costs more than most runs of it, and
 * what it leaves in memory depends on the script alone: there is no clock, no randomness and no input yet. So the bytes of that memory
 * are kept and put back after each run, instead of making a context and loading the script again.
 */
import type { QuickJSContext, QuickJSHandle, QuickJSRuntime, QuickJSWASMModule } from 'quickjs-emscripten'
import { type BatchHost, BatchStop, createBatchHost } from '../batch/batch-host.js'
import type { TextJob, TextResult } from '../engine.js'
import { explainThrow, failure, type RunFailure } from '../failure.js'
import { HARNESS } from './harness.js'
import { isLate, isStopped, poll, type RunState, stopFailure } from './run-state.js'
import { fitsUtf8 } from './utf8-length.js'

// Everything but Date; what is left is cut down further by the harness.
const intrinsics = {
  BaseObjects: true,
  BigInt: true,
  Eval: true,
  JSON: true,
  MapSet: true,
  Promise: true,
  Proxy: true,
  RegExp: true,
  RegExpCompiler: true,
  StringNormalize: true,
  TypedArrays: true,
} as const

const LONGEST_LOGS = 1024 * 1024

/** The run that a context serves; there is one at a time. */
interface Serving {
  state: RunState
  batch: BatchHost
}

/** A script, loaded. */
export interface LoadedCode {
  readonly module: QuickJSWASMModule
  /** Why it cannot be run: it is no script, or it threw. */
  readonly failed: RunFailure | undefined
  readonly runtime: QuickJSRuntime
  readonly context: QuickJSContext
  readonly harness: QuickJSHandle | undefined
  readonly serving: Serving
  readonly owned: readonly QuickJSHandle[]
}

function createBatch(job: TextJob, state: RunState): BatchHost {
  return createBatchHost({
    memoryBytes: job.limits.memoryBytes,
    outputBytes: job.limits.outputBytes,
    attachments: job.attachments ?? [],
    expired: () => isLate(state),
  })
}

/**
 * Loads a job's script into a new context.
 *
 * @param module - where
 * @param job - its code and limits count
 * @param state - the run
 * @returns the script, loaded or not
 */
export function loadCode(module: QuickJSWASMModule, job: TextJob, state: RunState): LoadedCode {
  const serving: Serving = { state, batch: createBatch(job, state) }
  const runtime = module.newRuntime({
    memoryLimitBytes: job.limits.memoryBytes,
    maxStackSizeBytes: job.limits.stackBytes,
    interruptHandler: () => poll(serving.state),
  })
  const context = runtime.newContext({ intrinsics })
  const owned: QuickJSHandle[] = []
  const own = (handle: QuickJSHandle): QuickJSHandle => {
    owned.push(handle)
    return handle
  }
  const base = { module, runtime, context, serving, owned }
  const harness = installHarness(context, serving, own)
  if (harness === undefined)
    return { ...base, harness, failed: stopFailure(state) ?? failure('OUT_OF_MEMORY', 'load') }
  const loaded = context.evalCode(job.code, 'code.js', { type: 'global' })
  if (loaded.error === undefined) {
    own(loaded.value)
    return { ...base, harness, failed: undefined }
  }
  call(context, harness, own, 'explain', own(loaded.error))
  return { ...base, harness, failed: explained({ ...base, harness, failed: undefined }, own, job) }
}

/** Ends a script and frees what it took. */
export function disposeCode({ owned, context, runtime }: LoadedCode): void {
  for (const handle of owned) if (handle.alive) handle.dispose()
  context.dispose()
  runtime.dispose()
}

/**
 * Calls a loaded script's function.
 *
 * @param loaded - the script; its memory is changed by the run
 * @param job - entry, input and attachments
 * @param state - the run
 * @returns what it gave
 */
export function runLoaded(loaded: LoadedCode, job: TextJob, state: RunState): TextResult {
  const { context, harness, serving } = loaded
  if (loaded.failed !== undefined || harness === undefined) {
    return loaded.failed ?? failure('OUT_OF_MEMORY', 'load')
  }
  if (serving.state !== state) {
    serving.state = state
    serving.batch = createBatch(job, state)
  }
  const owned: QuickJSHandle[] = []
  const own = (handle: QuickJSHandle): QuickJSHandle => {
    owned.push(handle)
    return handle
  }
  try {
    state.stage = 'input'
    const entry = own(context.newString(job.entry))
    const input = own(context.newString(job.input))
    if (context.typeof(entry) !== 'string' || context.typeof(input) !== 'string') {
      return failure('OUT_OF_MEMORY', 'input')
    }
    state.stage = 'run'
    const status = call(context, harness, own, 'run', entry, input)
    const stopped = stopFailure(state)
    if (stopped !== undefined) return stopped
    switch (status === undefined ? -1 : context.getNumber(status)) {
      case 0:
        break
      case 1:
        return failure('ENTRY_MISSING', 'load')
      case 2:
      case 3:
        return failure('OUTPUT_NOT_JSON', 'output')
      default:
        return explained(loaded, own, job)
    }
    state.stage = 'output'
    const output = readText(loaded, own, 'take', job.limits.outputBytes)
    if (state.steps < 0) return failure('OUT_OF_STEPS', 'output')
    const { attached } = serving.batch
    if (output === undefined || !fitsUtf8([output, ...attached], job.limits.outputBytes)) {
      return failure('OUTPUT_TOO_LARGE', 'output')
    }
    const logs = readLogs(readText(loaded, own, 'logs', LONGEST_LOGS))
    return { ok: true, output, logs, attachments: attached }
  } finally {
    for (const handle of owned) if (handle.alive) handle.dispose()
  }
}

type Own = (handle: QuickJSHandle) => QuickJSHandle

function call(
  context: QuickJSContext,
  harness: QuickJSHandle,
  own: Own,
  name: string,
  ...args: QuickJSHandle[]
): QuickJSHandle | undefined {
  const answer = context.callFunction(own(context.getProp(harness, name)), context.undefined, ...args)
  if (answer.error) {
    own(answer.error)
    return undefined
  }
  return own(answer.value)
}

function readText(
  { context, harness }: Pick<LoadedCode, 'context' | 'harness'>,
  own: Own,
  name: string,
  longest: number,
): string | undefined {
  const handle = harness === undefined ? undefined : call(context, harness, own, name)
  if (handle === undefined || context.typeof(handle) !== 'string') return undefined
  // A string's length cannot be forged; it is read before a byte is copied.
  if (context.getNumber(own(context.getProp(handle, 'length'))) > longest) return undefined
  return context.getString(handle)
}

function explained(loaded: LoadedCode, own: Own, job: TextJob): RunFailure {
  const { state } = loaded.serving
  const stopped = stopFailure(state)
  if (stopped !== undefined) return stopped
  const reason = readText(loaded, own, 'why', 256)
  // Without a reason the harness itself had no room left to say one.
  return reason === undefined || reason === ''
    ? failure('OUT_OF_MEMORY', state.stage)
    : explainThrow(reason, job.code, state.stage)
}

/** Evaluates the harness and gives it the one host function; undefined when there is no room for it. */
function installHarness(context: QuickJSContext, serving: Serving, own: Own): QuickJSHandle | undefined {
  const host = own(
    context.newFunction('batch', (name, args, long) => {
      const { state, batch } = serving
      state.asked = true
      // After a stop nothing more is computed, whatever the code catches.
      if (isStopped(state)) throw new Error('stopped')
      try {
        return context.newString(
          batch.call(context.getString(name), context.getString(args), context.getString(long)),
        )
      } catch (error) {
        if (error instanceof BatchStop && error.reason === 'time') state.expired = true
        else if (error instanceof BatchStop && error.reason === 'output') state.large = true
        else state.full = true
        throw new Error('stopped')
      }
    }),
  )
  const count = own(context.newNumber(serving.batch.given))
  const made = context.evalCode(HARNESS, 'harness.js', { type: 'global', strict: true })
  if (made.error) {
    own(made.error)
    return undefined
  }
  const harness = context.callFunction(own(made.value), context.undefined, host, count)
  if (harness.error) {
    own(harness.error)
    return undefined
  }
  return own(harness.value)
}

function readLogs(text: string | undefined): string[] {
  if (text === undefined) return []
  try {
    const lines: unknown = JSON.parse(text)
    return Array.isArray(lines) ? lines.filter((line) => typeof line === 'string') : []
  } catch {
    return []
  }
}
