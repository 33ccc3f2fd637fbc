import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { canonicalBytes } from '../canonical-json/canonical-bytes.js'
import { type Digest, parseDigest } from '../digest/digest.js'
import { type Address, parseAddress } from '../encoding/address.js'
import { requireBytes, requireNonZero } from '../encoding/bytes.js'
import { requireOptions } from '../encoding/options.js'
import { utf8 } from '../encoding/utf8.js'
import { isWhole } from '../encoding/whole-number.js'
import { CryptoError } from '../errors.js'
import { type Kem, type KeyPair, requireKem } from '../hpke/kem.js'
import { x25519Kem } from '../hpke/x25519-kem.js'
import { keyIdOfKey } from '../recipient/x25519.js'

/** What a derived key belongs to; every part separates keys. */
export interface KeyScope {
  readonly chainId: number
  readonly pool: Address
  /** Digest of the pool's policy: another policy has another key. */
  readonly policyDigest: Digest
  /** Key epoch, 0 to 2^32 - 1. */
  readonly epoch: number
}

/** A pool's key pair of one epoch under one policy. */
export interface PoolKey extends KeyPair {
  /** SHA-256 of the public key: the recipient's name in sealed files and the key's digest on chain. */
  readonly keyId: Digest
}

const salt = /* @__PURE__ */ utf8('sealpool/key-tree/1')

/**
 * Derives a pool's key pair from the node's root: HKDF-SHA-256 (RFC 5869) over chain, pool, policy and epoch, then
 * DeriveKeyPair (RFC 9180 section 7.1.3). A file sealed under one policy cannot be opened with the key of another.
 *
 * @param options - `root`: 32 secret bytes; `kem`: `x25519Kem` by default, or `xwingKem`, whose key is another one;
 *   the rest see {@link KeyScope}
 * @returns the key pair and its id
 * @throws CryptoError `KEY_INVALID` (root), `CONTEXT_INVALID`, `ADDRESS_INVALID`, `DIGEST_INVALID`
 */
export function derivePoolKey(
  options: { readonly root: Uint8Array; readonly kem?: Kem | undefined } & KeyScope,
): PoolKey {
  requireOptions(options)
  const { root, kem = x25519Kem } = options
  requireKem(kem)
  const purpose = kem.name === 'x25519' ? 'sealpool/pool-key' : `sealpool/pool-key/${kem.name}`
  const keys = kem.deriveKeyPair(expandRoot(root, purpose, options))
  return { ...keys, keyId: keyIdOfKey(keys.publicKey) }
}

/**
 * Derives a symmetric key for one purpose within a pool, such as storage or keyed sketches.
 *
 * @param options - `root`: 32 secret bytes; `purpose`: 1 to 128 characters of a-z 0-9 . / -; the rest see
 *   {@link KeyScope}
 * @returns 32 secret bytes
 * @throws CryptoError `KEY_INVALID` (root), `OPTION_INVALID` (purpose), `CONTEXT_INVALID`, `ADDRESS_INVALID`,
 *   `DIGEST_INVALID`
 */
export function deriveSecret(
  options: { readonly root: Uint8Array; readonly purpose: string } & KeyScope,
): Uint8Array {
  requireOptions(options)
  if (typeof options.purpose !== 'string' || !/^[a-z0-9][a-z0-9./-]{0,127}$/.test(options.purpose)) {
    throw new CryptoError('OPTION_INVALID', 'purpose', 'a purpose is 1 to 128 characters of a-z 0-9 . / -')
  }
  return expandRoot(options.root, `sealpool/secret/${options.purpose}`, options)
}

function expandRoot(root: Uint8Array, purpose: string, scope: KeyScope): Uint8Array {
  // A root that was wiped too early would give a key that everybody has.
  requireNonZero(requireBytes(root, 32, 'root'), 'KEY_INVALID', 'root')
  const { chainId, pool, policyDigest, epoch } = scope
  if (!isWhole(chainId, 1)) {
    throw new CryptoError('CONTEXT_INVALID', 'chainId', 'a chain id is a positive whole number')
  }
  if (!isWhole(epoch, 0, 2 ** 32 - 1)) {
    throw new CryptoError('CONTEXT_INVALID', 'epoch', 'an epoch is a whole number below 2^32')
  }
  // Canonical JSON has one text per value, so no two scopes share an info.
  const info = canonicalBytes({
    purpose,
    chainId,
    pool: parseAddress(pool, 'pool'),
    policyDigest: parseDigest(policyDigest, 'policyDigest'),
    epoch,
  })
  return hkdf(sha256, root, salt, info, 32)
}
