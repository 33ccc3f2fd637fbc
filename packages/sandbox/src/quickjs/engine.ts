import type { QuickJSWASMModule } from 'quickjs-emscripten'
import { attachedLength } from '../attachments.js'
import { crossesUnchanged } from '../code-text.js'
import type { Engine, TextJob, TextResult } from '../engine.js'
import { failure } from '../failure.js'
import { DEFAULT_LIMITS } from '../limits.js'
import { disposeCode, loadCode, runLoaded } from './loaded-code.js'
import { codeKey, type MemoryImage, memoryBytes, putBack, takeImage } from './memory-image.js'
import { createQuickJsModule } from './quickjs-module.js'
import { createRunState, isLate, type RunState } from './run-state.js'

// WebAssembly memory never shrinks: past this modules are thrown away so that one greedy run does not hold memory for ever.
const KEEP_BELOW_BYTES = 128 * 1024 * 1024
// A pool judges by one script and refines by another; a few more may be under way.
const KEPT_IMAGES = 4
const REMEMBERED_CODES = 8

/**
 * Makes an engine. A script that comes for the second time gets a module of its own, whose memory is put back after each run to what it was
 * after loading: each run begins with the very bytes of a fresh context, without the cost of making one. A module in which anything went
 * wrong on the host's side of the boundary (the WebAssembly stack overflowed, QuickJS aborted) is never used again: the next run gets a
 * new one, which takes about 10 ms.
 *
 * @returns the engine, ready to run
 */
export async function createEngine(): Promise<Engine> {
  // For scripts that come for the first time: one behind the other, each in a context that is disposed of.
  let shared: SharedModule | undefined = await createShared(DEFAULT_LIMITS.memoryBytes)
  // Least recently used first.
  let images: MemoryImage[] = []
  let remembered: string[] = []

  const keep = (image: MemoryImage): void => {
    images.push(image)
    let bytes = images.reduce((sum, { loaded }) => sum + memoryBytes(loaded.module), 0)
    while (images.length > KEPT_IMAGES || bytes > KEEP_BELOW_BYTES) {
      const dropped = images.shift()
      if (dropped !== undefined) bytes -= memoryBytes(dropped.loaded.module)
    }
  }

  /** A run of a script whose image is there. */
  const runImage = (image: MemoryImage, job: TextJob, state: RunState): TextResult => {
    state.steps -= image.steps
    // Loading would have used them up.
    if (state.steps < 0) {
      keep(image)
      return failure('OUT_OF_STEPS', 'load')
    }
    const result = runLoaded(image.loaded, job, state)
    putBack(image)
    keep(image)
    return result
  }

  /** The first run in a module of the script's own. */
  const runOwn = async (job: TextJob): Promise<TextResult> => {
    const module = await createQuickJsModule(job.limits.memoryBytes)
    return guarded(job, (state) => {
      const loaded = loadCode(module, job, state)
      // What loading computed with batch functions may hang on this job's attachments.
      // A memory that is too large to be kept needs no image.
      const isKept = memoryBytes(module) <= KEEP_BELOW_BYTES
      if (loaded.failed !== undefined || state.asked || !isKept) return runLoaded(loaded, job, state)
      const image = takeImage(loaded, job, job.limits.steps - state.steps)
      const result = runLoaded(loaded, job, state)
      putBack(image)
      keep(image)
      return result
    })
  }

  /** A run of a script that is not known. */
  const runShared = async (job: TextJob): Promise<TextResult> => {
    const { memoryBytes: granted } = job.limits
    const taken = shared?.granted === granted ? shared : await createShared(granted)
    shared = undefined
    const { module } = taken
    return guarded(job, (state) => {
      const loaded = loadCode(module, job, state)
      const isPure = loaded.failed === undefined && !state.asked
      const result = runLoaded(loaded, job, state)
      disposeCode(loaded)
      if (memoryBytes(module) <= KEEP_BELOW_BYTES) shared = taken
      if (isPure) remembered = [...remembered, codeKey(job)].slice(-REMEMBERED_CODES)
      return result
    })
  }

  return {
    async run(job) {
      if (!crossesUnchanged(job.code)) return failure('CODE_INVALID', 'load')
      if (!crossesUnchanged(job.entry)) return failure('ENTRY_MISSING', 'load')
      const crossing = job.code.length + job.input.length + attachedLength(job.attachments)
      if (crossing > job.limits.memoryBytes) return failure('OUT_OF_MEMORY', 'input')
      const key = codeKey(job)
      const image = images.find((each) => each.key === key)
      if (image !== undefined) {
        // A run that ends in disorder leaves it out.
        images = images.filter((each) => each !== image)
        return guarded(job, (state) => runImage(image, job, state))
      }
      return remembered.includes(key) ? runOwn(job) : runShared(job)
    },
    dispose() {
      shared = undefined
      images = []
      remembered = []
    },
  }
}

/** A module that several scripts use, and the memory that its runs may take. */
interface SharedModule {
  readonly module: QuickJSWASMModule
  readonly granted: number
}

async function createShared(granted: number): Promise<SharedModule> {
  return { module: await createQuickJsModule(granted), granted }
}

/** Runs, and tells what ended a run on the host's side. The module is in an unknown state then, and dropped: disposing would abort it. */
function guarded(job: TextJob, run: (state: RunState) => TextResult): TextResult {
  const state = createRunState(job.limits)
  try {
    const result = run(state)
    // The last step that could not be interrupted may have ended after the deadline; a late answer is none.
    return isLate(state) ? failure('TIMEOUT', state.stage) : result
  } catch (error) {
    if (state.expired) return failure('TIMEOUT', state.stage)
    if (state.steps < 0) return failure('OUT_OF_STEPS', state.stage)
    return failure(error instanceof RangeError ? 'STACK_OVERFLOW' : 'OUT_OF_MEMORY', state.stage)
  }
}
