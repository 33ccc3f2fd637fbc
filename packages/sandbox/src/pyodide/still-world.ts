import childProcess from 'node:child_process'
import nodeCrypto from 'node:crypto'

/** What the machine gives to Python, made to stand still. */
export interface StillWorld {
  /** From now on the interpreter's memory grows to this many bytes at most. */
  limitMemory(bytes: number): void
}

/** 2000-01-01T00:00:00Z: an instant that no export takes for today. */
const INSTANT = 946_684_800_000

interface Growable {
  readonly buffer: { readonly byteLength: number }
  grow(pages: number): number
}

/**
 * Replaces this process's clock and random bytes for good, before Pyodide is loaded: whatever way Python asks for the time or for
 * randomness, it ends at these functions. To be called in a process that serves nothing else.
 *
 * @returns the means to bound WebAssembly's memory, which has no limit of its own
 */
export function stillWorld(): StillWorld {
  const world = globalThis as unknown as {
    Date: DateConstructor
    performance: { now(): number }
    crypto: { getRandomValues(into: Uint8Array): Uint8Array }
    WebAssembly: { Memory: { readonly prototype: Growable } }
  }
  const RealDate = world.Date
  // A proxy keeps every other use of Date (parts of a date, parsing, UTC) as it is.
  world.Date = new Proxy(RealDate, {
    construct: (target, args: unknown[], called) =>
      Reflect.construct(target, args.length === 0 ? [INSTANT] : args, called) as object,
    apply: (target) => new target(INSTANT).toString(),
  })
  Object.defineProperty(RealDate, 'now', { value: () => INSTANT })
  Object.defineProperty(world.performance, 'now', { value: () => 0 })
  // A fixed sequence, different from byte to byte: libraries that insist on distinct values get them.
  const fill = (into: Uint8Array): Uint8Array => {
    for (let index = 0; index < into.length; index++) into[index] = (index * 167 + 13) & 255
    return into
  }
  Object.defineProperty(world.crypto, 'getRandomValues', { value: fill })
  // What Emscripten asks on Node.
  Object.defineProperty(nodeCrypto, 'randomFillSync', { value: fill })
  Object.defineProperty(nodeCrypto, 'randomBytes', {
    value: (length: number) => fill(new Uint8Array(length)),
  })
  // Emscripten's system() starts a shell on Node. Under bubblewrap there is none; this says so before it is looked for.
  Object.defineProperty(childProcess, 'spawnSync', { value: () => ({ status: 127, signal: null }) })
  let limit = Infinity
  const { prototype } = world.WebAssembly.Memory
  const grow = prototype.grow
  Object.defineProperty(prototype, 'grow', {
    value: function (this: Growable, pages: number): number {
      if (this.buffer.byteLength + pages * 65_536 > limit) throw new RangeError('memory limit')
      return grow.call(this, pages)
    },
  })
  return {
    limitMemory(bytes) {
      limit = bytes
    },
  }
}
