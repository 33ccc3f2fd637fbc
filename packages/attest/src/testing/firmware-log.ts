import { sha384 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'

// A firmware's event log in TCG's crypto-agile format, event by event, each with what is wrong with it.

const u16 = (value: number) => Uint8Array.of(value & 0xff, value >> 8)
const u32 = (value: number) => concatBytes(u16(value & 0xffff), u16(value >>> 16))
const sized = (bytes: Uint8Array) => concatBytes(u32(bytes.length), bytes)

/** Data of a separator as firmware writes it. */
export const separatorData = new Uint8Array(4)
export const eventType = { noAction: 3, separator: 4, action: 5 } as const

/** A digest of an event: TCG's number of the algorithm, and the bytes. */
export type EventDigest = readonly [algorithm: number, value: Uint8Array]

/** One event; its digest is the SHA-384 of its data unless others are given. */
export function firmwareEvent(
  register: number,
  type: number,
  data: Uint8Array,
  digests: readonly EventDigest[] = [[12, sha384(data)]],
): Uint8Array {
  const values = digests.map(([algorithm, value]) => concatBytes(u16(algorithm), value))
  return concatBytes(u32(register), u32(type), u32(digests.length), ...values, sized(data))
}

/** The log's first event, which says that its digests are of several algorithms. */
export function firmwareHeader(type: number = eventType.noAction, text = 'Spec ID Event03\0'): Uint8Array {
  return concatBytes(u32(0), u32(type), new Uint8Array(20), sized(new TextEncoder().encode(text)))
}

/** A log that has one separator in each of the registers 1 to 3, and then these events. */
export function firmwareLog(...more: Uint8Array[]): Uint8Array {
  const separators = [1, 2, 3].map((one) => firmwareEvent(one, eventType.separator, separatorData))
  return concatBytes(firmwareHeader(), ...separators, ...more)
}
