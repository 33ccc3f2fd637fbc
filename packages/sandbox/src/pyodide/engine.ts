import type { Engine, TextJob, TextResult } from '../engine.js'
import { failure } from '../failure.js'
import { PYTHON_HARNESS } from './harness.js'
import { stillWorld } from './still-world.js'

/** The part of Pyodide's API that is used. */
interface Pyodide {
  readonly globals: { get(name: string): unknown }
  runPython(code: string, options?: { readonly filename?: string }): unknown
}

const BUILTIN = /^[A-Z][A-Za-z]{1,40}(Error|Exception|Interrupt|Exit|Iteration|Warning)$/

/**
 * Makes an engine that runs one Python script with the standard library of Pyodide, on an instant that stands still and random
 * bytes that are always the same. It runs one job: the interpreter is shared by all that was imported, so the process ends after it.
 *
 * @returns the engine; loading takes a second or two
 */
export async function createPyodideEngine(): Promise<Engine> {
  const world = stillWorld()
  const { loadPyodide } = (await import('pyodide')) as unknown as {
    readonly loadPyodide: (options: object) => Promise<Pyodide>
  }
  const python = await loadPyodide({
    // Python's view of JavaScript: nothing.
    jsglobals: Object.create(null) as object,
    env: { HOME: '/home', PYTHONHASHSEED: '0', PYTHONDONTWRITEBYTECODE: '1', TZ: 'UTC' },
    stdout: () => {},
    stderr: () => {},
  })
  python.runPython(PYTHON_HARNESS, { filename: 'harness.py' })
  const call = python.globals.get('__sealpool_run') as (...texts: unknown[]) => string
  python.runPython('del __sealpool_run')
  let used = false
  return {
    async run(job) {
      if (used) return failure('RUNTIME_LOST', 'load')
      used = true
      world.limitMemory(job.limits.memoryBytes)
      return read(call, job)
    },
    dispose() {},
  }
}

function read(call: (...texts: unknown[]) => string, job: TextJob): TextResult {
  let answer: unknown
  try {
    answer = JSON.parse(call(job.code, job.entry, job.input, job.limits.outputBytes))
  } catch (error) {
    return failure(error instanceof RangeError ? 'STACK_OVERFLOW' : 'OUT_OF_MEMORY', 'run')
  }
  const { status, name, line, output, logs } = answer as Record<string, unknown>
  const place = typeof line === 'number' && line > 0 ? `line ${line}` : 'run'
  switch (status) {
    case 'ok':
      return {
        ok: true,
        output: String(output),
        logs: Array.isArray(logs) ? logs.filter((one) => typeof one === 'string') : [],
      }
    case 'syntax':
      return failure('CODE_INVALID', place)
    case 'missing':
      return failure('ENTRY_MISSING', 'load')
    case 'memory':
      return failure('OUT_OF_MEMORY', place)
    case 'stack':
      return failure('STACK_OVERFLOW', place)
    case 'json':
      return failure('OUTPUT_NOT_JSON', 'output')
    case 'large':
      return failure('OUTPUT_TOO_LARGE', 'output')
    default: {
      // A class name passes when it is one of Python's own kinds; others could be made from what was read.
      const told = typeof name === 'string' && BUILTIN.test(name) ? name : 'an error of its own'
      return {
        ok: false,
        code: 'THREW',
        message: `the code threw ${told}; its message is withheld, it may hold private data`,
        place,
      }
    }
  }
}
