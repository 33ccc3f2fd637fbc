import type { Engine, TextJob, TextResult } from '../engine.js'
import { failure, type RunFailure } from '../failure.js'
import { inspectModule } from './inspect-module.js'
import { METER, meterModule } from './meter-module.js'

const MOST_TABLE_ELEMENTS = 100_000

// The lib of this package is ECMAScript alone; these are the parts of the WebAssembly JavaScript Interface that are used.
interface WasmMemory {
  readonly buffer: ArrayBuffer
}
interface WasmGlobal {
  readonly value: number | bigint
}
interface Wasm {
  validate(bytes: Uint8Array): boolean
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> }
  readonly Memory: new (...args: never[]) => WasmMemory
  readonly RuntimeError: new (...args: never[]) => Error
  readonly CompileError: new (...args: never[]) => Error
}

/**
 * Makes an engine for approved WebAssembly modules: the code is a module in base64 that imports nothing. It exports its memory as
 * `memory` (with a maximum), `allocate(bytes: i32) -> i32`, and each entry as `(pointer: i32, bytes: i32) -> i64`: JSON text in
 * UTF-8 goes in at a pointer that `allocate` gave, and the result's pointer (upper half) and length (lower half) come out.
 *
 * Every run has a fresh instance. The module is rewritten (`meterModule`) so that it counts its steps and its stack and gives every NaN
 * the same bits. Nothing interrupts WebAssembly from outside: the deadline is the caller's, who kills the process.
 */
export function createWebAssemblyEngine(): Engine {
  const wasm = (globalThis as unknown as { readonly WebAssembly: Wasm }).WebAssembly
  let last: (Compiled & Pick<TextJob, 'code' | 'limits'>) | undefined
  return {
    async run(job) {
      const { steps, stackBytes } = job.limits
      if (last?.code !== job.code || last.limits.steps !== steps || last.limits.stackBytes !== stackBytes) {
        const compiled = compile(wasm, job)
        if ('ok' in compiled) return compiled
        last = { code: job.code, limits: job.limits, ...compiled }
      }
      if (last.memoryBytes > job.limits.memoryBytes) return failure('OUT_OF_MEMORY', 'load')
      return runModule(wasm, last.module, job)
    },
    dispose() {
      last = undefined
    },
  }
}

interface Compiled {
  readonly module: object
  readonly memoryBytes: number
}

function compile(wasm: Wasm, { code, limits }: TextJob): RunFailure | Compiled {
  const bytes = decodeBase64(code)
  const shape = bytes === undefined ? undefined : inspectModule(bytes)
  if (bytes === undefined || shape?.memoryBytes === undefined || shape.imports > 0) {
    return failure('CODE_INVALID', 'load')
  }
  if (shape.tableElements > MOST_TABLE_ELEMENTS) return failure('OUT_OF_MEMORY', 'load')
  // First as it came: a module that names our counters is not valid before they are there.
  const metered = wasm.validate(bytes) ? meterModule(bytes, limits) : undefined
  if (metered === undefined) return failure('CODE_INVALID', 'load')
  try {
    return { module: new wasm.Module(metered), memoryBytes: shape.memoryBytes }
  } catch {
    return failure('CODE_INVALID', 'load')
  }
}

function runModule(wasm: Wasm, module: object, job: TextJob): TextResult {
  let stage = 'load'
  let exports: Record<string, unknown> = {}
  try {
    exports = new wasm.Instance(module, {}).exports
    functionOf(exports, METER.start)?.()
    const { memory } = exports
    const allocate = functionOf(exports, 'allocate')
    const ours = job.entry === 'allocate' || job.entry === METER.start
    const entry = ours ? undefined : functionOf(exports, job.entry)
    if (!(memory instanceof wasm.Memory) || allocate === undefined || entry === undefined) {
      return failure('ENTRY_MISSING', 'load')
    }
    stage = 'input'
    const input = new TextEncoder().encode(job.input)
    const pointer = Number(allocate(input.length)) >>> 0
    if (pointer + input.length > memory.buffer.byteLength) return failure('OUT_OF_MEMORY', 'input')
    new Uint8Array(memory.buffer, pointer, input.length).set(input)
    stage = 'run'
    const packed = entry(pointer, input.length)
    stage = 'output'
    if (typeof packed !== 'bigint') return failure('OUTPUT_NOT_JSON', 'output')
    const start = Number((packed >> 32n) & 0xffffffffn)
    const length = Number(packed & 0xffffffffn)
    if (start + length > memory.buffer.byteLength) return failure('OUTPUT_NOT_JSON', 'output')
    if (length > job.limits.outputBytes) return failure('OUTPUT_TOO_LARGE', 'output')
    // Fatal: what is not UTF-8 is no JSON. The copy is of this instance's memory, before anything else can run.
    const output = decodeUtf8(new Uint8Array(memory.buffer, start, length))
    if (output === undefined) return failure('OUTPUT_NOT_JSON', 'output')
    return { ok: true, output, logs: [] }
  } catch (error) {
    // V8 says RangeError for its exhausted stack and for memory it cannot have; traps are RuntimeError.
    if (error instanceof RangeError) {
      return failure(stage === 'load' ? 'OUT_OF_MEMORY' : 'STACK_OVERFLOW', stage)
    }
    if (!(error instanceof wasm.RuntimeError)) return failure('ENTRY_MISSING', stage)
    if (counter(exports, METER.steps) < 0) return failure('OUT_OF_STEPS', stage)
    if (counter(exports, METER.stack) < 0) return failure('STACK_OVERFLOW', stage)
    return {
      ok: false,
      code: 'THREW',
      message: 'the module trapped; memory out of bounds, division by zero, or an unreachable step',
      place: stage,
    }
  }
}

/** What is left on a counter; it is below zero when it ended the run. */
function counter(exports: Record<string, unknown>, name: string): number {
  const found = exports[name]
  return typeof found === 'object' && found !== null ? Number((found as WasmGlobal).value) : 0
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function functionOf(
  exports: Record<string, unknown>,
  name: string,
): ((...args: number[]) => unknown) | undefined {
  const found = Object.hasOwn(exports, name) ? exports[name] : undefined
  return typeof found === 'function' ? (found as (...args: number[]) => unknown) : undefined
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Base64 (RFC 4648 section 4) in its one canonical form, so that a module has one text and one digest. */
function decodeBase64(text: string): Uint8Array | undefined {
  const pad = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  if (text.length % 4 !== 0 || text.length === 0) return undefined
  const bytes = new Uint8Array((text.length / 4) * 3 - pad)
  let buffer = 0
  let at = 0
  for (let index = 0; index < text.length - pad; index++) {
    const value = ALPHABET.indexOf(text.charAt(index))
    if (value === -1) return undefined
    buffer = ((buffer << 6) | value) & 0xffffff
    const bits = ((index + 1) * 6) % 8
    if (index % 4 > 0) bytes[at++] = (buffer >> bits) & 255
  }
  const unused = pad === 2 ? 15 : pad === 1 ? 3 : 0
  return (buffer & unused) === 0 ? bytes : undefined
}
