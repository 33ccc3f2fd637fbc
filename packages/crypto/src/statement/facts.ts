import { parseAddress } from '../encoding/address.js'
import { bigEndian, concatBytes } from '../encoding/bytes.js'
import { decodeHex } from '../encoding/hex.js'
import { isList } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import { keccak256 } from './eip712.js'

/** One static ABI word that a contract checks: whole numbers as decimal text, the rest as hex or a boolean. */
export interface Fact {
  readonly type: 'uint256' | 'address' | 'bytes32' | 'bool'
  readonly value: string | boolean
}

/** Most facts one statement may carry. */
const maximumFacts = 64

/**
 * `keccak256(abi.encode(words))`, or 32 zero bytes when there are no facts.
 *
 * @param facts - static words in the contract's order
 * @param place - named in errors
 * @returns 32 bytes
 * @throws CryptoError `STATEMENT_INVALID` or `ADDRESS_INVALID` when a value does not fit its type
 */
export function factsHash(facts: readonly Fact[], place = '$.context.facts'): Uint8Array {
  if (!isList(facts)) throw new CryptoError('STATEMENT_INVALID', place, 'facts are an array')
  if (facts.length > maximumFacts) {
    throw new CryptoError('STATEMENT_INVALID', place, `more than ${maximumFacts} facts; put them in the body`)
  }
  if (facts.length === 0) return new Uint8Array(32)
  return keccak256(concatBytes(...Array.from(facts, (fact, index) => factWord(fact, `${place}[${index}]`))))
}

function factWord(fact: Fact, place: string): Uint8Array {
  const { type, value } = (fact ?? {}) as Partial<Fact>
  if (type === 'bool' && typeof value === 'boolean') return bigEndian(value ? 1 : 0, 32)
  if (type === 'uint256' && typeof value === 'string') return uint256Word(value, place)
  if (type === 'bytes32' && typeof value === 'string') return bytes32Word(value, place)
  if (type === 'address') return concatBytes(new Uint8Array(12), decodeHex(parseAddress(value, place)))
  throw new CryptoError(
    'STATEMENT_INVALID',
    place,
    'a fact is a uint256, address, bytes32 or bool with its value',
  )
}

/**
 * A whole number as a 32-byte word.
 *
 * @param decimal - decimal digits without sign or leading zeros, below 2^256
 * @param place - named in the error
 * @returns 32 bytes
 * @throws CryptoError `STATEMENT_INVALID`
 */
export function uint256Word(decimal: unknown, place: string): Uint8Array {
  if (
    typeof decimal !== 'string' ||
    !/^(?:0|[1-9][0-9]{0,77})$/.test(decimal) ||
    BigInt(decimal) >> 256n > 0n
  ) {
    throw new CryptoError('STATEMENT_INVALID', place, 'expected a whole number below 2^256 as decimal text')
  }
  return decodeHex(`0x${BigInt(decimal).toString(16).padStart(64, '0')}`)
}

/**
 * A `bytes32` as its word.
 *
 * @param hex - `0x` and 64 hexadecimal digits
 * @param place - named in the error
 * @returns 32 bytes
 * @throws CryptoError `STATEMENT_INVALID`
 */
export function bytes32Word(hex: unknown, place: string): Uint8Array {
  if (typeof hex !== 'string' || !/^0x[0-9a-fA-F]{64}$/.test(hex)) {
    throw new CryptoError('STATEMENT_INVALID', place, 'expected 0x and 64 hexadecimal digits')
  }
  return decodeHex(hex)
}
