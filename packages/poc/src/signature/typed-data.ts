import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, type JsonObject, type JsonValue } from '@sealpool/crypto'

/** Struct types of EIP-712 by name. */
export type TypedDataTypes = Readonly<
  Record<string, readonly { readonly name: string; readonly type: string }[]>
>

/** What EIP-712 signs, as `eth_signTypedData_v4` takes it. */
export interface TypedData {
  readonly domain: JsonObject
  readonly types: TypedDataTypes
  readonly primaryType: string
  readonly message: JsonObject
}

/** The value does not fit its type. */
class TypeMismatch extends Error {}

const DEEPEST = 32
const domainFields = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
  { name: 'salt', type: 'bytes32' },
] as const

const text = (value: string): Uint8Array => keccak_256(new TextEncoder().encode(value))

/**
 * The hash that a signature over typed data covers (EIP-712): structs, arrays, `string`, `bytes`, `bytesN`, `uintN`, `intN`,
 * `address` and `bool`. Whole numbers are JSON numbers, or decimal or 0x-hexadecimal texts. Members that a type does not have are
 * refused: they would look signed and are not.
 *
 * @param data typed data, its message hostile
 * @returns 32 bytes, or undefined when the message does not fit its types
 */
export function typedDataHash(data: TypedData): Uint8Array | undefined {
  return orUndefined(() => {
    const fields = domainFields.filter(({ name }) => Object.hasOwn(data.domain, name))
    const domain = hashStruct({ EIP712Domain: fields }, 'EIP712Domain', data.domain, 0)
    const message = hashStruct(data.types, data.primaryType, data.message, 0)
    return keccak_256(concatBytes(Uint8Array.of(0x19, 0x01), domain, message))
  })
}

/**
 * The 32 bytes in which a member of the message is signed (EIP-712, encodeData): one for all ways to write a value, so that `7`, `"07"`
 * and `"0x7"` are the same.
 *
 * @param data typed data, its message hostile
 * @param name of a member of the primary type
 * @returns 32 bytes, or undefined when the type has no such member or the value does not fit
 */
export function typedMemberWord(data: TypedData, name: string): Uint8Array | undefined {
  const fields = Object.hasOwn(data.types, data.primaryType) ? data.types[data.primaryType] : undefined
  const field = fields?.find((one) => one.name === name)
  if (field === undefined || !Object.hasOwn(data.message, name)) return undefined
  return orUndefined(() => encode(data.types, field.type, data.message[name], 1))
}

function orUndefined(hash: () => Uint8Array): Uint8Array | undefined {
  try {
    return hash()
  } catch (error) {
    if (error instanceof TypeMismatch) return undefined
    throw error
  }
}

function hashStruct(
  types: TypedDataTypes,
  type: string,
  value: JsonValue | undefined,
  depth: number,
): Uint8Array {
  const fields = Object.hasOwn(types, type) ? types[type] : undefined
  if (
    fields === undefined ||
    depth > DEEPEST ||
    typeof value !== 'object' ||
    value === null ||
    Array.isArray(value)
  ) {
    throw new TypeMismatch()
  }
  const object = value as JsonObject
  const names = new Set(fields.map(({ name }) => name))
  if (!Object.keys(object).every((name) => names.has(name))) throw new TypeMismatch()
  return keccak_256(
    concatBytes(
      text(encodeType(types, type)),
      ...fields.map((field) =>
        encode(
          types,
          field.type,
          Object.hasOwn(object, field.name) ? object[field.name] : undefined,
          depth + 1,
        ),
      ),
    ),
  )
}

/** The type with all it refers to, sorted (EIP-712, encodeType). */
function encodeType(types: TypedDataTypes, primary: string): string {
  const found = new Set<string>()
  const visit = (type: string): void => {
    const name = type.replace(/(\[\d*\])+$/, '')
    if (found.has(name) || !Object.hasOwn(types, name)) return
    found.add(name)
    for (const field of types[name] ?? []) visit(field.type)
  }
  visit(primary)
  found.delete(primary)
  return [primary, ...[...found].sort()]
    .map((name) => `${name}(${(types[name] ?? []).map((field) => `${field.type} ${field.name}`).join(',')})`)
    .join('')
}

function encode(
  types: TypedDataTypes,
  type: string,
  value: JsonValue | undefined,
  depth: number,
): Uint8Array {
  if (depth > DEEPEST) throw new TypeMismatch()
  const array = /^(.+)\[(\d*)\]$/.exec(type)
  if (array !== null) {
    const [, item = '', size = ''] = array
    if (!Array.isArray(value) || (size !== '' && value.length !== Number(size))) throw new TypeMismatch()
    // One after the other: a list of the contributor's length would not fit into the arguments of a call.
    const hash = keccak_256.create()
    for (const one of value as readonly JsonValue[]) hash.update(encode(types, item, one, depth + 1))
    return hash.digest()
  }
  if (Object.hasOwn(types, type)) return hashStruct(types, type, value, depth)
  if (type === 'string') {
    if (typeof value !== 'string' || !isWellFormed(value)) throw new TypeMismatch()
    return text(value)
  }
  if (type === 'bytes') return keccak_256(hexBytes(value))
  if (type === 'bool') {
    if (typeof value !== 'boolean') throw new TypeMismatch()
    return word(value ? 1n : 0n)
  }
  if (type === 'address') {
    const bytes = hexBytes(value)
    if (bytes.length !== 20) throw new TypeMismatch()
    return concatBytes(new Uint8Array(12), bytes)
  }
  const fixed = /^bytes(\d{1,2})$/.exec(type)
  if (fixed !== null) {
    const bytes = hexBytes(value)
    const size = Number(fixed[1])
    if (size < 1 || size > 32 || bytes.length !== size) throw new TypeMismatch()
    return concatBytes(bytes, new Uint8Array(32 - size))
  }
  const integer = /^(u?)int(\d{1,3})$/.exec(type)
  if (integer !== null) return encodeInteger(value, integer[1] === 'u', BigInt(integer[2] ?? '0'))
  throw new TypeMismatch()
}

function encodeInteger(value: JsonValue | undefined, unsigned: boolean, bits: bigint): Uint8Array {
  if (bits < 8n || bits > 256n || bits % 8n !== 0n) throw new TypeMismatch()
  const number =
    typeof value === 'number' && Number.isSafeInteger(value)
      ? BigInt(value)
      : typeof value === 'string' && /^(-?[0-9]{1,80}|0x[0-9a-fA-F]{1,64})$/.test(value)
        ? BigInt(value)
        : undefined
  const least = unsigned ? 0n : -(1n << (bits - 1n))
  const most = unsigned ? (1n << bits) - 1n : (1n << (bits - 1n)) - 1n
  if (number === undefined || number < least || number > most) throw new TypeMismatch()
  return word(BigInt.asUintN(256, number))
}

function word(value: bigint): Uint8Array {
  const hex = value.toString(16).padStart(64, '0')
  return Uint8Array.from({ length: 32 }, (_, index) =>
    Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16),
  )
}

function hexBytes(value: JsonValue | undefined): Uint8Array {
  if (typeof value !== 'string' || !/^0x([0-9a-fA-F]{2})*$/.test(value)) throw new TypeMismatch()
  return Uint8Array.from({ length: value.length / 2 - 1 }, (_, index) =>
    Number.parseInt(value.slice(2 + index * 2, 4 + index * 2), 16),
  )
}

function isWellFormed(value: string): boolean {
  return !/\p{Surrogate}/u.test(value)
}
