import { scanModule } from './scan-module.js'

/** A function of the module: addresses and counts in, one out. */
type Scan = (...given: readonly number[]) => number

/** An instance of assembly/scan-rows.ts; what its functions take stands there. */
export interface ScanCore {
  readonly memory: WebAssembly.Memory
  readonly csv: Scan
  readonly json: Scan
  readonly row: Scan
  readonly lineFeeds: Scan
  readonly canonical: Scan
  readonly page: Scan
}

/** Below it stand the module's own tables. */
export const scanBase = 4096
const pageBytes = 65_536

let compiled: WebAssembly.Module | undefined

/**
 * Makes an instance with a memory of its own, all zero from {@link scanBase} on.
 *
 * @param size - bytes of its memory, at least; what is not written is not taken from the machine
 * @returns the instance; undefined where no such memory can be had
 */
export function createScanCore(size: number): ScanCore | undefined {
  compiled ??= new WebAssembly.Module(
    Uint8Array.from(atob(scanModule), (character) => character.charCodeAt(0)),
  )
  let memory: WebAssembly.Memory
  try {
    memory = new WebAssembly.Memory({ initial: Math.ceil(size / pageBytes) })
  } catch (error) {
    // Address space, of which WebAssembly wants far more than memory, may be limited.
    if (error instanceof RangeError) return undefined
    throw error
  }
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } })
  const scan = (name: string): Scan => {
    const found = exports[name]
    if (typeof found !== 'function') throw new TypeError(`The module has no function ${name}`)
    return found as Scan
  }
  scan('prepare')()
  return {
    memory,
    csv: scan('csv'),
    json: scan('json'),
    row: scan('row'),
    lineFeeds: scan('lineFeeds'),
    canonical: scan('canonical'),
    page: scan('page'),
  }
}
