import type { QuickJSWASMModule } from 'quickjs-emscripten'
import type { TextJob } from '../engine.js'
import type { LoadedCode } from './loaded-code.js'

/** A script whose memory can be put back to what it was after loading. */
export interface MemoryImage {
  readonly loaded: LoadedCode
  /** What the memory depends on: the script, and what of a job's limits and attachments stands in it. */
  readonly key: string
  /** The memory's pages up to the last that is not empty; what lies behind is free memory. */
  readonly pages: readonly MemoryPages[]
  /** Steps that loading took, which a run has fewer. */
  readonly steps: number
}

/** Pages that follow each other: all with their bytes, or all empty (most of the stack is, and so is a buffer that loading made). */
interface MemoryPages {
  readonly first: number
  readonly end: number
  readonly bytes: Uint8Array | undefined
}

const PAGE = 65_536

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

function isEmpty(words: Uint32Array, page: number): boolean {
  const end = ((page + 1) * PAGE) / 4
  for (let at = (page * PAGE) / 4; at < end; at += 1) if (words[at] !== 0) return false
  return true
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
  const pages: MemoryPages[] = []
  const count = buffer.byteLength / PAGE
  for (let first = 0, end = 0; first < count; first = end) {
    const empty = isEmpty(words, first)
    for (end = first + 1; end < count && isEmpty(words, end) === empty; ) end += 1
    const bytes = empty ? undefined : new Uint8Array(buffer, first * PAGE, (end - first) * PAGE).slice()
    if (bytes !== undefined || end < count) pages.push({ first, end, bytes })
  }
  return { loaded, key: codeKey(job), pages, steps }
}

/**
 * Puts a script's memory back after a run that ended in order. What lies behind the image is free memory again.
 *
 * @param image - its image
 */
export function putBack({ loaded, pages }: MemoryImage): void {
  const memory = new Uint8Array(loaded.module.getWasmMemory().buffer)
  for (const { first, end, bytes } of pages) {
    // Whether or not the run wrote there: to find out takes longer than to empty them.
    if (bytes === undefined) memory.fill(0, first * PAGE, end * PAGE)
    else memory.set(bytes, first * PAGE)
  }
}
