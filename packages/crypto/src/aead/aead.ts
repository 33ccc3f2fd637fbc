import { requireBytes, unshared } from '../encoding/bytes.js'
import { type Backend, subtleFor } from './backend.js'
import { pureKey } from './pure-key.js'

/** Authenticated ciphers known here; all have a tag of 16 bytes. */
export type AeadName = 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305' | 'xchacha20-poly1305'

/** Bytes by which a sealed message is longer than its plaintext. */
export const aeadTagLength = 16

/** Key and nonce sizes in bytes. */
export const aeadSizes: Readonly<Record<AeadName, { readonly key: number; readonly nonce: number }>> = {
  'aes-128-gcm': { key: 16, nonce: 12 },
  'aes-256-gcm': { key: 32, nonce: 12 },
  'chacha20-poly1305': { key: 32, nonce: 12 },
  'xchacha20-poly1305': { key: 32, nonce: 24 },
}

/**
 * A key that is ready for use. The caller never repeats a nonce under one key. What it is given to seal or to open was read
 * when the call returns its promise, so that the caller may use the buffer again.
 */
export interface AeadKey {
  /** Ciphertext and tag; written to `into` when that is given, which has their length. */
  seal(
    nonce: Uint8Array,
    plaintext: Uint8Array,
    associated?: Uint8Array,
    into?: Uint8Array,
  ): Promise<Uint8Array>
  /** The plaintext, or undefined when the message is not authentic. */
  open(nonce: Uint8Array, sealed: Uint8Array, associated?: Uint8Array): Promise<Uint8Array | undefined>
  /**
   * Overwrites what this program holds of the key, when nothing is sealed or opened with it any more. What WebCrypto holds goes when
   * the engine collects it.
   */
  forget(): void
}

const empty = /* @__PURE__ */ new Uint8Array()

/** Makes a key ready on something that the platform has beside WebCrypto; undefined where it has nothing. */
export type CipherEngine = (
  name: AeadName,
  key: Uint8Array,
  letOthersRun: () => Promise<unknown>,
) => Promise<AeadKey | undefined>

let engine: CipherEngine | undefined

/**
 * Tells which engine computes ciphers natively. Called once by the package's edge to the platform, while it is loaded; it
 * changes where bytes are computed and never which.
 *
 * @param provided - the engine
 */
export function provideCipherEngine(provided: CipherEngine): void {
  engine = provided
}

/**
 * Makes a key ready: AES-GCM (NIST SP 800-38D) through Node, WebCrypto or noble, ChaCha20-Poly1305 (RFC 8439) and
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) through Node or noble, since WebCrypto has neither.
 *
 *
 * @param name - the cipher
 * @param key - its key, copied
 * @param backend - where to compute
 * @returns the ready key
 * @throws CryptoError `KEY_INVALID` for a key of the wrong length; `NATIVE_CRYPTO_MISSING`
 */
export async function importAeadKey(name: AeadName, key: Uint8Array, backend: Backend): Promise<AeadKey> {
  requireBytes(key, aeadSizes[name].key, 'key')
  const subtleOrNone = subtleFor(backend)
  if (subtleOrNone !== undefined && backend !== 'webcrypto') {
    const ready = await engine?.(name, key, () => subtleOrNone.digest('SHA-256', empty))
    if (ready !== undefined) return ready
  }
  const subtle = name === 'aes-128-gcm' || name === 'aes-256-gcm' ? subtleOrNone : undefined
  return subtle === undefined ? pureKey(name, key) : nativeKey(subtle, key)
}

async function nativeKey(subtle: SubtleCrypto, key: Uint8Array): Promise<AeadKey> {
  const imported = await subtle.importKey('raw', unshared(key), 'AES-GCM', false, ['encrypt', 'decrypt'])
  const parameters = (nonce: Uint8Array, associated: Uint8Array) => ({
    name: 'AES-GCM',
    iv: unshared(nonce),
    additionalData: unshared(associated),
    tagLength: 8 * aeadTagLength,
  })
  return {
    async seal(nonce, plaintext, associated = empty, into) {
      const sealed = new Uint8Array(
        await subtle.encrypt(parameters(nonce, associated), imported, unshared(plaintext)),
      )
      if (into === undefined) return sealed
      into.set(sealed)
      return into
    },
    async open(nonce, sealed, associated = empty) {
      if (sealed.length < aeadTagLength) return undefined
      try {
        return new Uint8Array(await subtle.decrypt(parameters(nonce, associated), imported, unshared(sealed)))
      } catch {
        return undefined
      }
    },
    forget() {},
  }
}
