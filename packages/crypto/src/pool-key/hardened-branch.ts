import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { bigEndian, concatBytes } from '../encoding/bytes.js'
import { utf8 } from '../encoding/utf8.js'
import { CryptoError } from '../errors.js'

/**
 * The private key of a hardened branch of a seed (BIP-32: master key generation, then CKDpriv for each step).
 *
 * @param seed - 16 to 64 secret bytes
 * @param steps - numbers below 2^31; each is hardened
 * @returns 32 secret bytes
 * @throws CryptoError `KEY_INVALID` for a seed without such a key (one of about 2^127)
 */
export function hardenedBranch(seed: Uint8Array, steps: readonly number[]): Uint8Array {
  const { Fn } = secp256k1.Point
  let [key, chainCode] = halves(utf8('Bitcoin seed'), seed)
  try {
    let scalar = Fn.fromBytes(key)
    for (const step of steps) {
      const [left, right] = halves(
        chainCode,
        concatBytes(new Uint8Array(1), key, bigEndian(2 ** 31 + step, 4)),
      )
      scalar = Fn.add(Fn.fromBytes(left), scalar)
      key = Fn.toBytes(scalar)
      chainCode = right
    }
    if (scalar !== 0n) return key
  } catch {
    // Refused below; noble's own message may quote a number.
  }
  throw new CryptoError('KEY_INVALID', 'seed', 'this seed has no such key; draw another one')
}

function halves(key: Uint8Array, message: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const both = hmac(sha512, key, message)
  return [both.slice(0, 32), both.slice(32)]
}
