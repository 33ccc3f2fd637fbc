/** A CBOR value (RFC 8949) as C2PA uses it. Maps keep their keys' types. */
export type Cbor =
  | number
  | bigint
  | string
  | boolean
  | null
  | Uint8Array
  | readonly Cbor[]
  | ReadonlyMap<Cbor, Cbor>
  | { readonly tag: number; readonly value: Cbor }

/** The bytes are no CBOR, or of a kind that is not read. */
class CborError extends Error {}

const DEEPEST = 32
/** Claims and signatures have hundreds of items; a list of millions would take many times the memory of the file. */
const MOST_ITEMS = 100_000

/**
 * Decodes one CBOR item that fills the bytes: definite lengths, no floats but 0 to 8 bytes of them.
 *
 * @param bytes hostile bytes
 * @returns the value, or undefined
 */
export function decodeCbor(bytes: Uint8Array): Cbor | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw new CborError()
    at += length
    return bytes.subarray(at - length, at)
  }
  const argument = (info: number): number | bigint => {
    if (info < 24) return info
    if (info > 27) throw new CborError()
    const size = 1 << (info - 24)
    take(size)
    if (size === 1) return view.getUint8(at - 1)
    if (size === 2) return view.getUint16(at - 2)
    if (size === 4) return view.getUint32(at - 4)
    const value = view.getBigUint64(at - 8)
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
  }
  const count = (info: number): number => {
    const value = argument(info)
    // Every item takes a byte at least.
    if (typeof value !== 'number' || value > bytes.length - at) throw new CborError()
    return value
  }
  let items = 0
  const item = (depth: number): Cbor => {
    items++
    if (depth > DEEPEST || items > MOST_ITEMS) throw new CborError()
    const [first = 0] = take(1)
    const info = first & 31
    switch (first >> 5) {
      case 0:
        return argument(info)
      case 1: {
        const value = argument(info)
        return typeof value === 'number' ? -1 - value : -1n - value
      }
      case 2:
        return take(count(info))
      case 3:
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(take(count(info)))
      case 4: {
        // Not made as long as it says before its items are there: lists in lists would each take the room of the whole file.
        const list: Cbor[] = []
        for (let left = count(info); left > 0; left--) list.push(item(depth + 1))
        return list
      }
      case 5: {
        const map = new Map<Cbor, Cbor>()
        for (let left = count(info); left > 0; left--) {
          const key = item(depth + 1)
          if (map.has(key)) throw new CborError()
          map.set(key, item(depth + 1))
        }
        return map
      }
      case 6: {
        const tag = argument(info)
        if (typeof tag !== 'number') throw new CborError()
        return { tag, value: item(depth + 1) }
      }
      default:
        if (info === 20 || info === 21) return info === 21
        if (info === 22 || info === 23) return null
        if (info === 26) {
          take(4)
          return view.getFloat32(at - 4)
        }
        if (info === 27) {
          take(8)
          return view.getFloat64(at - 8)
        }
        throw new CborError()
    }
  }
  try {
    const value = item(0)
    return at === bytes.length ? value : undefined
  } catch (error) {
    // TextDecoder says TypeError for bytes that are no UTF-8.
    if (error instanceof CborError || error instanceof TypeError) return undefined
    throw error
  }
}

/** A member of a map by its text or number; undefined when the value is no map or has none. */
export function member(value: Cbor | undefined, key: string | number): Cbor | undefined {
  return value instanceof Map ? (value as ReadonlyMap<Cbor, Cbor>).get(key) : undefined
}
