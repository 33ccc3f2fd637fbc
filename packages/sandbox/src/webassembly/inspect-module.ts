/** What a module asks for, read from its bytes before any engine sees it. */
export interface ModuleShape {
  readonly imports: number
  /** Upper bound of its one memory in bytes, undefined without memory or bound. */
  readonly memoryBytes: number | undefined
  /** Upper bound of all its tables, in elements; Infinity when one has none. */
  readonly tableElements: number
}

const PAGE = 65_536

/**
 * Reads the sections of a WebAssembly module (Core Specification 2.0, section 5.5) that say what it takes from its host.
 *
 * @param bytes any bytes
 * @returns the shape, or undefined when the sections are malformed, or a memory is shared, has 64-bit addresses or is not alone
 */
export function inspectModule(bytes: Uint8Array): ModuleShape | undefined {
  try {
    return readShape(bytes)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function readShape(bytes: Uint8Array): ModuleShape | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0) !== 0x0061736d || view.getUint32(4) !== 0x01000000) return undefined
  let at = 8
  // LEB128 of at most five bytes; DataView throws RangeError past the end.
  const whole = (): number => {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = view.getUint8(at++)
      value += (byte & 127) * 2 ** shift
      if (byte < 128) return value
    }
    throw new RangeError('number too long')
  }
  let imports = 0
  let memories = 0
  let memoryBytes: number | undefined
  let tableElements = 0
  while (at < bytes.length) {
    const id = view.getUint8(at++)
    const size = whole()
    const end = at + size
    if (end > bytes.length) return undefined
    if (id === 2) imports += whole()
    if (id === 4) {
      for (let count = whole(); count > 0; count--) {
        const kind = view.getUint8(at++)
        // Tables with an initialiser (0x40) belong to proposals that this sandbox does not take.
        if (kind !== 0x70 && kind !== 0x6f) return undefined
        const flags = view.getUint8(at++)
        if (flags > 1) return undefined
        const least = whole()
        tableElements += flags === 1 ? whole() : least === 0 ? 0 : Infinity
      }
    }
    if (id === 5) {
      for (let count = whole(); count > 0; count--) {
        memories++
        const flags = view.getUint8(at++)
        // 1 is "has a maximum"; others are shared or 64-bit.
        if (flags > 1) return undefined
        whole()
        if (flags === 1) memoryBytes = whole() * PAGE
      }
    }
    at = end
  }
  return memories > 1 ? undefined : { imports, memoryBytes, tableElements }
}
