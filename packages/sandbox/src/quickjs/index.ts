/**
 * The portable adapter: QuickJS compiled to WebAssembly, in this process (Node and browser).
 *
 * @module
 */

import { checkAttachments } from '../attachments.js'
import type { Engine } from '../engine.js'
import { SandboxError } from '../errors.js'
import { failure } from '../failure.js'
import { decodeOutput, encodeInput } from '../json-boundary.js'
import { validateLimits } from '../limits.js'
import type { JobRuntime } from '../runtime.js'
import { createEngine } from './engine.js'

/**
 * Makes a runtime that runs code in this process. The WebAssembly memory is the only wall (`isolation` is `none`), and
 * a few long native steps of QuickJS cannot be interrupted: where the code is not trusted to end, use
 * `@sealpool/sandbox/process`, which kills.
 *
 * @returns a runtime; runs are one at a time because WebAssembly runs on the caller's thread
 * @throws SandboxError `RUNTIME_UNAVAILABLE` when the WebAssembly module cannot be loaded
 * @example
 * ```ts
 * import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
 * const runtime = await createQuickJsRuntime()
 * const result = await runtime.run({
 *   code: 'globalThis.sealpool = { double: (x) => 2 * x }',
 *   entry: 'double',
 *   input: 21,
 *   limits: { memoryBytes: 2 ** 24, timeMs: 1000, outputBytes: 1000 },
 * })
 * console.log(result) // { ok: true, output: 42, logs: [] }
 * await runtime.close()
 * ```
 */
export async function createQuickJsRuntime(): Promise<JobRuntime> {
  let engine: Engine | undefined
  try {
    engine = await createEngine()
  } catch (cause) {
    throw new SandboxError(
      'RUNTIME_UNAVAILABLE',
      'quickjs',
      'QuickJS did not load; install quickjs-emscripten and allow WebAssembly',
      { cause },
    )
  }
  let last: Promise<unknown> = Promise.resolve()
  return {
    name: 'quickjs-emscripten 0.32',
    isolation: 'none',
    async run(job) {
      if (engine === undefined) throw closed()
      const limits = validateLimits(job.limits)
      const input = encodeInput(job.input)
      const attachments = checkAttachments(job.attachments)
      const previous = last
      let done = (): void => {}
      last = new Promise<void>((resolve) => {
        done = resolve
      })
      try {
        await previous
        if (engine === undefined) return failure('RUNTIME_LOST', 'load')
        const result = await engine.run({ code: job.code, entry: job.entry, input, attachments, limits })
        if (!result.ok) return result
        const output = decodeOutput(result.output)
        if (output === undefined) return failure('OUTPUT_NOT_JSON', 'output')
        return {
          ok: true,
          output: output.value,
          logs: result.logs,
          ...(result.attachments === undefined || result.attachments.length === 0
            ? {}
            : { attachments: result.attachments }),
        }
      } finally {
        done()
      }
    },
    async close() {
      engine?.dispose()
      engine = undefined
    },
  }
}

function closed(): SandboxError {
  return new SandboxError('RUNTIME_CLOSED', 'runtime', 'this runtime was closed; make a new one')
}
