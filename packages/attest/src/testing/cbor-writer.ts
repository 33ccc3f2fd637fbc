import { concatBytes } from '@noble/hashes/utils.js'

// CBOR (RFC 8949) as evidence is written in it, shortest heads unless told otherwise.

const head = (major: number, value: number) => {
  const first = major << 5
  if (value < 24) return Uint8Array.of(first | value)
  if (value < 0x100) return Uint8Array.of(first | 24, value)
  if (value < 0x10000) return Uint8Array.of(first | 25, value >> 8, value & 0xff)
  const bytes = new Uint8Array(9)
  bytes[0] = first | 27
  new DataView(bytes.buffer).setBigUint64(1, BigInt(value))
  return bytes
}

/** An integer of either sign. */
export const cborInteger = (value: number) => (value < 0 ? head(1, -1 - value) : head(0, value))
/** A byte string. */
export const cborBytes = (value: Uint8Array) => concatBytes(head(2, value.length), value)
/** A text. */
export const cborText = (value: string) => {
  const bytes = new TextEncoder().encode(value)
  return concatBytes(head(3, bytes.length), bytes)
}
/** A list of items that are encoded already. */
export const cborList = (items: readonly Uint8Array[]) => concatBytes(head(4, items.length), ...items)
/** A map of entries that are encoded already; of indefinite length as Nitro's own payloads are, when asked for. */
export const cborMap = (entries: readonly (readonly [Uint8Array, Uint8Array])[], indefinite = false) =>
  indefinite
    ? concatBytes(Uint8Array.of(0xbf), ...entries.flat(), Uint8Array.of(0xff))
    : concatBytes(head(5, entries.length), ...entries.flat())
export const cborNull = Uint8Array.of(0xf6)
