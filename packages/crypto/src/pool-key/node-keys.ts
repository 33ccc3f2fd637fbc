import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { HDKey } from '@scure/bip32'
import { isBytes, requireNonZero } from '../encoding/bytes.js'
import { utf8 } from '../encoding/utf8.js'
import { CryptoError } from '../errors.js'
import type { KeyPair } from '../hpke/kem.js'
import { deriveKeyPair } from '../hpke/x25519-kem.js'

/** Every key of a node, from one seed. */
export interface NodeKeys {
  /** Root of the pool keys and secrets, 32 secret bytes. */
  readonly root: Uint8Array
  /** secp256k1 key that signs statements, 32 secret bytes. */
  readonly statementKey: Uint8Array
  /** X25519 key pair for messages to the node itself. */
  readonly hpke: KeyPair
}

// Hardened steps only: no public part of one branch helps to compute another. 7365 spells "se" of Sealpool.
const paths = { root: "m/7365'/0'", statement: "m/7365'/1'", hpke: "m/7365'/2'" } as const

/**
 * Derives a node's keys from a seed over hardened BIP-32 branches: `m/7365'/0'` root, `m/7365'/1'` statement key,
 * `m/7365'/2'` HPKE key.
 *
 * @param seed - 32 to 64 secret bytes
 * @returns the keys
 * @throws CryptoError `KEY_INVALID` when the seed has another length or is all zeros
 */
export function deriveNodeKeys(seed: Uint8Array): NodeKeys {
  if (!isBytes(seed) || seed.length < 32 || seed.length > 64) {
    throw new CryptoError('KEY_INVALID', 'seed', 'a seed has 32 to 64 bytes')
  }
  // A seed that was wiped too early would give keys that everybody has.
  requireNonZero(seed, 'KEY_INVALID', 'seed')
  const tree = HDKey.fromMasterSeed(seed)
  const branch = (path: string): Uint8Array => {
    const key = tree.derive(path).privateKey
    if (key === null)
      throw new CryptoError('KEY_INVALID', 'seed', 'this seed has no such key; draw another one')
    return key
  }
  // Scalars are not uniform bytes, and other uses of the same branch must not meet these: hence HKDF.
  const spread = (path: string, info: string) =>
    hkdf(sha256, branch(path), utf8('sealpool/node-keys/1'), utf8(info), 32)
  return {
    root: spread(paths.root, 'root'),
    statementKey: branch(paths.statement),
    hpke: deriveKeyPair(spread(paths.hpke, 'hpke')),
  }
}
