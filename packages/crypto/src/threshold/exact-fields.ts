import type { JsonValue } from '../canonical-json/canonicalize.js'
import { type Digest, parseDigest } from '../digest/digest.js'
import { type Address, parseAddress } from '../encoding/address.js'
import { exactly } from '../encoding/exact-object.js'
import { decodeHex, type Hex } from '../encoding/hex.js'
import { isWhole } from '../encoding/whole-number.js'
import { CryptoError, type CryptoErrorCode } from '../errors.js'

/** Reads the fields of an object of unknown origin; every refusal has one code and names the field. */
export interface FieldReader {
  /** The object's fields, which are exactly the named ones. */
  readonly fields: Readonly<Record<string, JsonValue>>
  /** A whole number within bounds. */
  readonly whole: (name: string, minimum: number, maximum: number) => number
  /** An address in lower case. */
  readonly address: (name: string) => Address
  /** A SHA-256 digest. */
  readonly digest: (name: string) => Digest
  /** The lower-case hex of bytes of one length. */
  readonly text: (name: string, length: number) => Hex
  /** Bytes of one length, from lower-case hex. */
  readonly bytes: (name: string, length: number) => Uint8Array
  /** An array whose length lies within bounds. */
  readonly list: (name: string, minimum: number, maximum: number) => readonly JsonValue[]
}

/**
 * Opens an object of unknown origin.
 *
 * @param value - what was received
 * @param names - the fields it must have, and no others
 * @param code - reason of every refusal
 * @param place - where the object stands
 * @returns readers for its fields
 * @throws CryptoError with `code`
 */
export function exactFields(
  value: unknown,
  names: readonly string[],
  code: CryptoErrorCode,
  place: string,
): FieldReader {
  const fields = exactly(value, names, code, place) as Readonly<Record<string, JsonValue>>
  const refuse = (name: string, why: string) => new CryptoError(code, `${place}.${name}`, why)
  const read = <T>(name: string, parse: (value: unknown, at: string) => T): T => {
    try {
      return parse(fields[name], name)
    } catch {
      throw refuse(name, 'not in its one form')
    }
  }
  const hex = (name: string, length: number): Hex => {
    const text = fields[name]
    if (typeof text !== 'string' || text.length !== 2 + 2 * length || !/^0x[0-9a-f]*$/.test(text)) {
      throw refuse(name, `expected ${length} bytes in lower-case hex`)
    }
    return text as Hex
  }
  return {
    fields,
    whole(name, minimum, maximum) {
      const number = fields[name]
      if (!isWhole(number, minimum, maximum)) {
        throw refuse(name, `expected a whole number from ${minimum} to ${maximum}`)
      }
      return number
    },
    address(name) {
      const address = read(name, parseAddress)
      if (address !== fields[name]) throw refuse(name, 'expected an address in lower case')
      return address
    },
    digest: (name) => read(name, parseDigest),
    text: hex,
    bytes: (name, length) => decodeHex(hex(name, length)),
    list(name, minimum, maximum) {
      const items = fields[name]
      if (!Array.isArray(items) || items.length < minimum || items.length > maximum) {
        throw refuse(name, `expected an array of ${minimum} to ${maximum} items`)
      }
      // Holes become values, which are refused by whoever reads them.
      return Array.from(items as readonly JsonValue[])
    },
  }
}
