/**
 * Writer for the Thrift compact protocol, as far as Parquet's metadata needs it.
 * Source: Thrift compact protocol encoding (thrift-compact-protocol.md), parquet.thrift of parquet-format 2.10.
 */

/** A value together with its Thrift wire type. */
export type ThriftValue =
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'i8' | 'i16' | 'i32'; readonly value: number }
  | { readonly kind: 'i64'; readonly value: bigint }
  | { readonly kind: 'binary'; readonly value: Uint8Array }
  | { readonly kind: 'list'; readonly of: ThriftValue['kind']; readonly values: readonly ThriftValue[] }
  | { readonly kind: 'struct'; readonly fields: ThriftFields }
  | { readonly kind: 'encoded'; readonly bytes: Uint8Array }

/** Field id to value; ids must ascend, absent optional fields are `undefined`. */
export type ThriftFields = readonly (readonly [id: number, value: ThriftValue | undefined])[]

const wireType = {
  bool: 1,
  i8: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  binary: 8,
  list: 9,
  struct: 12,
  encoded: 12,
} as const
const utf8 = new TextEncoder()

/** @param value - 32-bit signed integer */
export const i32 = (value: number): ThriftValue => ({ kind: 'i32', value })
/** @param value - 64-bit signed integer, given as a safe integer */
export const i64 = (value: number): ThriftValue => ({ kind: 'i64', value: BigInt(value) })
/** @param value - 16-bit signed integer */
export const i16 = (value: number): ThriftValue => ({ kind: 'i16', value })
/** @param value - 8-bit signed integer */
export const i8 = (value: number): ThriftValue => ({ kind: 'i8', value })
/** @param value - true or false */
export const bool = (value: boolean): ThriftValue => ({ kind: 'bool', value })
/** @param value - bytes, or text that is written as UTF-8 */
export const binary = (value: Uint8Array | string): ThriftValue => ({
  kind: 'binary',
  value: typeof value === 'string' ? utf8.encode(value) : value,
})
/** @param of - the wire type of every element @param values - the elements */
export const list = (of: ThriftValue['kind'], values: readonly ThriftValue[]): ThriftValue => ({
  kind: 'list',
  of,
  values,
})
/** @param fields - field ids, ascending, with their values */
export const struct = (...fields: ThriftFields): ThriftValue => ({ kind: 'struct', fields })

/** @param bytes - a struct that {@link encodeThrift} has made bytes of: many of them are much smaller so */
export const encoded = (bytes: Uint8Array): ThriftValue => ({ kind: 'encoded', bytes })

/** Bytes that become more. */
interface Sink {
  bytes: Uint8Array<ArrayBuffer>
  length: number
}

function reserve(out: Sink, more: number): void {
  if (out.length + more <= out.bytes.length) return
  const grown = new Uint8Array(Math.max(2 * out.bytes.length, out.length + more))
  grown.set(out.bytes.subarray(0, out.length))
  out.bytes = grown
}

function push(out: Sink, byte: number): void {
  reserve(out, 1)
  out.bytes[out.length] = byte
  out.length += 1
}

function varint(out: Sink, value: bigint): void {
  let rest = value
  while (rest > 0x7fn) {
    push(out, Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  push(out, Number(rest))
}

function zigzag(out: Sink, value: bigint): void {
  varint(out, value >= 0n ? value << 1n : (-value << 1n) - 1n)
}

function append(out: Sink, bytes: Uint8Array): void {
  reserve(out, bytes.length)
  out.bytes.set(bytes, out.length)
  out.length += bytes.length
}

function write(out: Sink, value: ThriftValue): void {
  switch (value.kind) {
    case 'bool':
      push(out, value.value ? 1 : 2)
      return
    case 'i8':
      push(out, value.value & 0xff)
      return
    case 'i16':
    case 'i32':
      zigzag(out, BigInt(value.value))
      return
    case 'i64':
      zigzag(out, value.value)
      return
    case 'binary':
      varint(out, BigInt(value.value.length))
      append(out, value.value)
      return
    case 'list':
      if (value.values.length < 15) push(out, (value.values.length << 4) | wireType[value.of])
      else {
        push(out, 0xf0 | wireType[value.of])
        varint(out, BigInt(value.values.length))
      }
      for (const element of value.values) write(out, element)
      return
    case 'encoded':
      append(out, value.bytes)
      return
    case 'struct': {
      let last = 0
      for (const [id, field] of value.fields) {
        if (field === undefined) continue
        // A boolean field has its value in the field header and no body.
        const type = field.kind === 'bool' ? (field.value ? 1 : 2) : wireType[field.kind]
        const delta = id - last
        if (delta > 0 && delta <= 15) push(out, (delta << 4) | type)
        else {
          push(out, type)
          zigzag(out, BigInt(id))
        }
        if (field.kind !== 'bool') write(out, field)
        last = id
      }
      push(out, 0)
    }
  }
}

/**
 * Encodes one Thrift value (for Parquet always a struct).
 *
 * @param value - what to encode
 * @returns its compact-protocol bytes
 */
export function encodeThrift(value: ThriftValue): Uint8Array {
  const out: Sink = { bytes: new Uint8Array(64), length: 0 }
  write(out, value)
  return out.bytes.slice(0, out.length)
}
