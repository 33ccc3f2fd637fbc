import {
  newQuickJSWASMModule,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSWASMModule,
} from 'quickjs-emscripten'
import { attachedLength } from '../attachments.js'
import { type BatchHost, BatchStop, createBatchHost } from '../batch/batch-host.js'
import { crossesUnchanged } from '../code-text.js'
import type { Engine, TextJob, TextResult } from '../engine.js'
import { explainThrow, failure, type RunFailure } from '../failure.js'
import { HARNESS } from './harness.js'

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

// WebAssembly memory never shrinks: past this a module is thrown away so that one greedy run does not hold memory for ever.
const KEEP_BELOW_BYTES = 128 * 1024 * 1024
// JS_INTERRUPT_COUNTER_INIT of QuickJS: loops and calls between two questions to the host.
const STEPS_OF_A_POLL = 10_000
const LONGEST_LOGS = 1024 * 1024

/**
 * Makes an engine. A module in which anything went wrong on the host's side of the boundary (the WebAssembly stack
 * overflowed, QuickJS aborted) is never used again: the next run gets a new one, which takes about 10 ms.
 *
 * @returns the engine, ready to run
 */
export async function createEngine(): Promise<Engine> {
  let module: QuickJSWASMModule | undefined = await newQuickJSWASMModule()
  return {
    async run(job) {
      if (!crossesUnchanged(job.code)) return failure('CODE_INVALID', 'load')
      if (!crossesUnchanged(job.entry)) return failure('ENTRY_MISSING', 'load')
      const crossing = job.code.length + job.input.length + attachedLength(job.attachments)
      if (crossing > job.limits.memoryBytes) return failure('OUT_OF_MEMORY', 'input')
      const current = module ?? (await newQuickJSWASMModule())
      module = undefined
      const state: RunState = {
        expired: false,
        full: false,
        large: false,
        steps: job.limits.steps,
        stage: 'load',
        deadline: performance.now() + job.limits.timeMs,
      }
      try {
        const result = runOnce(current, job, state)
        if (current.getWasmMemory().buffer.byteLength <= KEEP_BELOW_BYTES) module = current
        return result
      } catch (error) {
        // The module is in an unknown state and is dropped undisposed: disposing would abort it.
        if (state.expired) return failure('TIMEOUT', state.stage)
        if (state.steps < 0) return failure('OUT_OF_STEPS', state.stage)
        return failure(error instanceof RangeError ? 'STACK_OVERFLOW' : 'OUT_OF_MEMORY', state.stage)
      }
    },
    dispose() {
      module = undefined
    },
  }
}

/** How a run stands. */
interface RunState {
  readonly deadline: number
  /** The deadline has passed. */
  expired: boolean
  /** Steps that are left; below 0 when they ended the run. */
  steps: number
  /** Batch functions took more than the run's memory. */
  full: boolean
  /** What the code attached is longer than the output may be. */
  large: boolean
  stage: string
}

function runOnce(module: QuickJSWASMModule, job: TextJob, state: RunState): TextResult {
  const runtime = module.newRuntime({
    memoryLimitBytes: job.limits.memoryBytes,
    maxStackSizeBytes: job.limits.stackBytes,
    interruptHandler: () => {
      if (performance.now() > state.deadline) state.expired = true
      state.steps -= STEPS_OF_A_POLL
      return state.expired || state.full || state.large || state.steps < 0
    },
  })
  const context = runtime.newContext({ intrinsics })
  const result = runInContext(context, job, state)
  context.dispose()
  runtime.dispose()
  // The last uninterruptible step may have ended after the deadline; a late answer is none.
  return state.expired || performance.now() > state.deadline ? failure('TIMEOUT', state.stage) : result
}

function runInContext(context: QuickJSContext, job: TextJob, state: RunState): TextResult {
  const owned: QuickJSHandle[] = []
  const own = (handle: QuickJSHandle): QuickJSHandle => {
    owned.push(handle)
    return handle
  }
  try {
    const batch = createBatchHost({
      memoryBytes: job.limits.memoryBytes,
      outputBytes: job.limits.outputBytes,
      attachments: job.attachments ?? [],
      expired: () => {
        if (performance.now() > state.deadline) state.expired = true
        return state.expired
      },
    })
    const harness = installHarness(context, batch, state, own)
    if (harness === undefined) return failure('OUT_OF_MEMORY', 'load')
    const call = (name: string, ...args: QuickJSHandle[]): QuickJSHandle | undefined => {
      const answer = context.callFunction(own(context.getProp(harness, name)), context.undefined, ...args)
      if (answer.error) {
        own(answer.error)
        return undefined
      }
      return own(answer.value)
    }
    const readText = (name: string, longest: number): string | undefined => {
      const handle = call(name)
      if (handle === undefined || context.typeof(handle) !== 'string') return undefined
      // A string's length cannot be forged; it is read before a byte is copied.
      if (context.getNumber(own(context.getProp(handle, 'length'))) > longest) return undefined
      return context.getString(handle)
    }
    const explained = (): RunFailure => {
      if (state.expired) return failure('TIMEOUT', state.stage)
      if (state.large) return failure('OUTPUT_TOO_LARGE', 'output')
      if (state.full) return failure('OUT_OF_MEMORY', state.stage)
      if (state.steps < 0) return failure('OUT_OF_STEPS', state.stage)
      const reason = readText('why', 256)
      // Without a reason the harness itself had no room left to say one.
      return reason === undefined || reason === ''
        ? failure('OUT_OF_MEMORY', state.stage)
        : explainThrow(reason, job.code, state.stage)
    }

    const loaded = context.evalCode(job.code, 'code.js', { type: 'global' })
    if (loaded.error) {
      call('explain', own(loaded.error))
      return explained()
    }
    own(loaded.value)
    state.stage = 'input'
    const entry = own(context.newString(job.entry))
    const input = own(context.newString(job.input))
    if (context.typeof(entry) !== 'string' || context.typeof(input) !== 'string') {
      return failure('OUT_OF_MEMORY', 'input')
    }
    state.stage = 'run'
    const status = call('run', entry, input)
    if (state.expired) return failure('TIMEOUT', 'run')
    if (state.large) return failure('OUTPUT_TOO_LARGE', 'output')
    if (state.full) return failure('OUT_OF_MEMORY', 'run')
    if (state.steps < 0) return failure('OUT_OF_STEPS', 'run')
    switch (status === undefined ? -1 : context.getNumber(status)) {
      case 0:
        break
      case 1:
        return failure('ENTRY_MISSING', 'load')
      case 2:
      case 3:
        return failure('OUTPUT_NOT_JSON', 'output')
      default:
        return explained()
    }
    state.stage = 'output'
    const output = readText('take', job.limits.outputBytes)
    if (state.steps < 0) return failure('OUT_OF_STEPS', 'output')
    const { attached } = batch
    if (output === undefined || !fits([output, ...attached], job.limits.outputBytes)) {
      return failure('OUTPUT_TOO_LARGE', 'output')
    }
    return { ok: true, output, logs: readLogs(readText('logs', LONGEST_LOGS)), attachments: attached }
  } finally {
    for (const handle of owned) if (handle.alive) handle.dispose()
  }
}

/** Evaluates the harness and gives it the one host function; undefined when there is no room for it. */
function installHarness(
  context: QuickJSContext,
  batch: BatchHost,
  state: RunState,
  own: (handle: QuickJSHandle) => QuickJSHandle,
): QuickJSHandle | undefined {
  const host = own(
    context.newFunction('batch', (name, args, long) => {
      // After a stop nothing more is computed, whatever the code catches.
      if (state.expired || state.full || state.large || state.steps < 0) throw new Error('stopped')
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
  const count = own(context.newNumber(batch.given))
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

/** Are texts together at most so long in UTF-8? What is far from the limit is not counted. */
function fits(texts: readonly string[], most: number): boolean {
  const units = texts.reduce((sum, text) => sum + text.length, 0)
  // No unit takes more than three bytes.
  return units * 3 <= most || texts.reduce((sum, text) => sum + utf8Length(text), 0) <= most
}

function utf8Length(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    // A surrogate pair is two units and four bytes, so each half counts for two.
    if (unit >= 0xd800 && unit <= 0xdfff) bytes += 1
    else if (unit >= 0x800) bytes += 2
    else if (unit >= 0x80) bytes += 1
  }
  return bytes
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
