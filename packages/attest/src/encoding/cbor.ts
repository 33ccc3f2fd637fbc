import { AttestError } from '../errors.js'
import { isBytes } from './is-bytes.js'

/** A CBOR value as evidence uses them (Nitro, dstack); maps keep their entries in order. */
export type Cbor = number | bigint | string | boolean | null | Uint8Array | Cbor[] | CborMap

/** A CBOR map. */
export interface CborMap {
  readonly entries: readonly (readonly [Cbor, Cbor])[]
}

const maximumDepth = 16

/**
 * Reads one CBOR item (RFC 8949) as evidence has them: strings of definite length, no floats, no tags; Nitro's signed
 * map may be of indefinite length.
 *
 * @param bytes the item and nothing else
 * @throws AttestError `BAD_EVIDENCE`
 */
export function parseCbor(bytes: Uint8Array): Cbor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const bad = (what: string) => new AttestError('BAD_EVIDENCE', `cbor.byte ${at}`, `Unusable CBOR: ${what}`)
  const skip = (length: number) => {
    if (length > bytes.length - at) throw bad('it ends too early')
    at += length
    return at - length
  }
  const argument = (info: number): number | bigint => {
    if (info < 24) return info
    if (info === 24) return view.getUint8(skip(1))
    if (info === 25) return view.getUint16(skip(2))
    if (info === 26) return view.getUint32(skip(4))
    if (info !== 27) throw bad('an indefinite or reserved length')
    const value = view.getBigUint64(skip(8))
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
  }
  const item = (depth: number): Cbor => {
    if (depth > maximumDepth) throw bad('it is nested too deep')
    const first = view.getUint8(skip(1))
    const [major, info] = [first >> 5, first & 0x1f]
    if (major === 7) {
      if (info === 20 || info === 21) return info === 21
      if (info === 22) return null
      throw bad('a simple value or float')
    }
    const pair = () => [item(depth + 1), item(depth + 1)] as const
    let entries: (readonly [Cbor, Cbor])[] = []
    if (major === 5 && info === 31) {
      while (bytes[at] !== 0xff) entries.push(pair())
      skip(1)
    } else {
      const value = argument(info)
      if (major === 0) return value
      if (major === 1) return typeof value === 'number' ? -1 - value : -1n - value
      if (major === 6) throw bad('a tag')
      if (typeof value !== 'number' || value > bytes.length - at) throw bad('a length beyond the end')
      if (major === 2 || major === 3) {
        const content = bytes.subarray(skip(value), at)
        return major === 2 ? content : decodeText(content, bad)
      }
      if (major === 4) return Array.from({ length: value }, () => item(depth + 1))
      entries = Array.from({ length: value }, pair)
    }
    const names = entries.map(([key]) => `${typeof key} ${String(key)}`)
    if (new Set(names).size !== names.length) throw bad('a map has one key twice')
    return { entries }
  }
  const value = item(0)
  if (at !== bytes.length) throw bad('bytes are left over')
  return value
}

function decodeText(content: Uint8Array, bad: (what: string) => AttestError): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch {
    throw bad('text that is not UTF-8')
  }
}

/** Whether a value is a map. */
export function isCborMap(value: Cbor | undefined): value is CborMap {
  return (
    typeof value === 'object' &&
    value !== null &&
    'entries' in value &&
    !Array.isArray(value) &&
    !isBytes(value)
  )
}

/** A map's value under a key. */
export function cborField(map: CborMap, key: string | number): Cbor | undefined {
  return map.entries.find(([name]) => name === key)?.[1]
}
