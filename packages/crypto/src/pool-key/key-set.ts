import { digestOf } from '../canonical-json/canonical-bytes.js'
import type { JsonObject } from '../canonical-json/canonicalize.js'
import { type Digest, parseDigest } from '../digest/digest.js'
import { type Address, parseAddress } from '../encoding/address.js'
import { decodeBase64Url } from '../encoding/base64url.js'
import { exactly } from '../encoding/exact-object.js'
import { CryptoError } from '../errors.js'
import { requirePublicKey } from '../recipient/x25519.js'

/** A node's public keys; their digest stands in the quote's report data. */
export interface KeySet {
  readonly format: 'sealpool/key-set'
  readonly version: 1
  /** For messages to the node. */
  readonly hpke: { readonly kem: 'x25519' /** base64url, 32 bytes */; readonly publicKey: string }
  /** Whose statements are the node's. */
  readonly statement: { readonly scheme: 'eip712-secp256k1'; readonly address: Address }
  /** Digest of the node's configuration. */
  readonly config: Digest
}

const code = 'KEY_SET_INVALID'

/**
 * Reads a key set of unknown origin: exactly these fields, a public key that is none of low order, an address in
 * lower case.
 *
 * @param value - what was read
 * @returns the key set
 * @throws CryptoError `KEY_SET_INVALID`
 */
export function parseKeySet(value: unknown): KeySet {
  const set = exactly(value, ['format', 'version', 'hpke', 'statement', 'config'], code, '$')
  const hpke = exactly(set['hpke'], ['kem', 'publicKey'], code, '$.hpke')
  const statement = exactly(set['statement'], ['scheme', 'address'], code, '$.statement')
  if (set['format'] !== 'sealpool/key-set' || set['version'] !== 1) {
    throw invalid('$.format', 'expected sealpool/key-set of version 1')
  }
  if (hpke['kem'] !== 'x25519') throw invalid('$.hpke.kem', 'expected x25519')
  if (statement['scheme'] !== 'eip712-secp256k1') {
    throw invalid('$.statement.scheme', 'expected eip712-secp256k1')
  }
  const checked = <T>(place: string, read: () => T): T => {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error
      throw new CryptoError(code, place, 'not a key, address or digest in its one form', {
        cause: error,
      })
    }
  }
  checked('$.hpke.publicKey', () => requirePublicKey(decodeBase64Url(hpke['publicKey'] as string)))
  const address = checked('$.statement.address', () => parseAddress(statement['address']))
  if (address !== statement['address'])
    throw invalid('$.statement.address', 'write the address in lower case')
  checked('$.config', () => parseDigest(set['config']))
  return { ...set, hpke, statement } as unknown as KeySet
}

/**
 * The SHA-256 of a key set's canonical JSON, which a quote vouches for.
 *
 * @param keySet - the key set
 * @returns the digest
 * @throws CryptoError `KEY_SET_INVALID`
 */
export function keySetDigest(keySet: KeySet): Digest {
  return digestOf(parseKeySet(keySet) as unknown as JsonObject)
}

function invalid(place: string, why: string): CryptoError {
  return new CryptoError(code, place, why)
}
