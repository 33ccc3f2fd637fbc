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

/** Field id to value; ids must ascend, absent optional fields are `undefined`. */
export type ThriftFields = readonly (readonly [id: number, value: ThriftValue | undefined])[]

const wireType = { bool: 1, i8: 3, i16: 4, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const
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

function varint(out: number[], value: bigint): void {
  let rest = value
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  out.push(Number(rest))
}

function zigzag(out: number[], value: bigint): void {
  varint(out, value >= 0n ? value << 1n : (-value << 1n) - 1n)
}

function append(out: number[], bytes: Uint8Array): void {
  for (const byte of bytes) out.push(byte)
}

function write(out: number[], value: ThriftValue): void {
  switch (value.kind) {
    case 'bool':
      out.push(value.value ? 1 : 2)
      return
    case 'i8':
      out.push(value.value & 0xff)
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
      if (value.values.length < 15) out.push((value.values.length << 4) | wireType[value.of])
      else {
        out.push(0xf0 | wireType[value.of])
        varint(out, BigInt(value.values.length))
      }
      for (const element of value.values) write(out, element)
      return
    case 'struct': {
      let last = 0
      for (const [id, field] of value.fields) {
        if (field === undefined) continue
        // A boolean field has its value in the field header and no body.
        const type = field.kind === 'bool' ? (field.value ? 1 : 2) : wireType[field.kind]
        const delta = id - last
        if (delta > 0 && delta <= 15) out.push((delta << 4) | type)
        else {
          out.push(type)
          zigzag(out, BigInt(id))
        }
        if (field.kind !== 'bool') write(out, field)
        last = id
      }
      out.push(0)
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
  const out: number[] = []
  write(out, value)
  return Uint8Array.from(out)
}
