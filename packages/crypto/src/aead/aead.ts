import { gcm } from '@noble/ciphers/aes.js'
import { chacha20poly1305, xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { requireBytes, unshared } from '../encoding/bytes.js'
import { type Backend, subtleFor } from './backend.js'

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

/** A key that is ready for use. The caller never repeats a nonce under one key. */
export interface AeadKey {
  /** Ciphertext and tag. */
  seal(nonce: Uint8Array, plaintext: Uint8Array, associated?: Uint8Array): Promise<Uint8Array>
  /** The plaintext, or undefined when the message is not authentic. */
  open(nonce: Uint8Array, sealed: Uint8Array, associated?: Uint8Array): Promise<Uint8Array | undefined>
}

const empty = /* @__PURE__ */ new Uint8Array()

/**
 * Makes a key ready: AES-GCM (NIST SP 800-38D) through WebCrypto or noble, ChaCha20-Poly1305 (RFC 8439) and
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) through noble, since WebCrypto has neither.
 *
 * @param name - the cipher
 * @param key - its key
 * @param backend - where to compute
 * @returns the ready key
 * @throws CryptoError `KEY_INVALID` for a key of the wrong length; `NATIVE_CRYPTO_MISSING`
 */
export async function importAeadKey(name: AeadName, key: Uint8Array, backend: Backend): Promise<AeadKey> {
  requireBytes(key, aeadSizes[name].key, 'key')
  const subtle = name === 'aes-128-gcm' || name === 'aes-256-gcm' ? subtleFor(backend) : undefined
  return subtle === undefined ? pureKey(name, key) : nativeKey(subtle, key)
}

function pureKey(name: AeadName, key: Uint8Array): AeadKey {
  const cipher =
    name === 'chacha20-poly1305' ? chacha20poly1305 : name === 'xchacha20-poly1305' ? xchacha20poly1305 : gcm
  return {
    async seal(nonce, plaintext, associated = empty) {
      return cipher(key, nonce, associated).encrypt(plaintext)
    },
    async open(nonce, sealed, associated = empty) {
      if (sealed.length < aeadTagLength) return undefined
      try {
        return cipher(key, nonce, associated).decrypt(sealed)
      } catch {
        return undefined
      }
    },
  }
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
    async seal(nonce, plaintext, associated = empty) {
      return new Uint8Array(
        await subtle.encrypt(parameters(nonce, associated), imported, unshared(plaintext)),
      )
    },
    async open(nonce, sealed, associated = empty) {
      if (sealed.length < aeadTagLength) return undefined
      try {
        return new Uint8Array(await subtle.decrypt(parameters(nonce, associated), imported, unshared(sealed)))
      } catch {
        return undefined
      }
    },
  }
}
