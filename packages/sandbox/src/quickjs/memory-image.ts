import type { QuickJSWASMModule } from 'quickjs-emscripten'
import type { TextJob } from '../engine.js'
import type { LoadedCode } from './loaded-code.js'

/** A script whose memory can be put back to what it was after loading. */
export interface MemoryImage {
  readonly loaded: LoadedCode
  /** What the memory depends on: the script, and what of a job's limits and attachments stands in it. */
  readonly key: string
  /** The memory's bytes up to the last that is not 0. */
  readonly bytes: Uint8Array
  /** Steps that loading took, which a run has fewer. */
  readonly steps: number
}

/**
 * What a loaded script's memory depends on.
 *
 * @param job - a job of it
 * @returns the key
 */
export function codeKey({ code, limits, attachments = [] }: TextJob): string {
  return `${limits.memoryBytes} ${limits.stackBytes} ${attachments.length} ${code}`
}

/**
 * How much memory a module has.
 *
 * @param module - the module
 * @returns bytes
 */
export function memoryBytes(module: QuickJSWASMModule): number {
  return module.getWasmMemory().buffer.byteLength
}

/**
 * Takes the image of a script that was loaded and not yet run.
 *
 * @param loaded - the script, in a module that has held nothing else
 * @param job - the job it was loaded for
 * @param steps - steps that loading took
 * @returns the image
 */
export function takeImage(loaded: LoadedCode, job: TextJob, steps: number): MemoryImage {
  const { buffer } = loaded.module.getWasmMemory()
  const words = new Uint32Array(buffer)
  let end = words.length
  while (end > 0 && words[end - 1] === 0) end -= 1
  return { loaded, key: codeKey(job), bytes: new Uint8Array(buffer).slice(0, 4 * end), steps }
}

/**
 * Puts a script's memory back after a run that ended in order. What lies behind the image is free memory again.
 *
 * @param image - its image
 */
export function putBack({ loaded, bytes }: MemoryImage): void {
  new Uint8Array(loaded.module.getWasmMemory().buffer).set(bytes)
}
