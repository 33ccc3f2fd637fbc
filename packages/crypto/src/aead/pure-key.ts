import { gcm } from '@noble/ciphers/aes.js'
import { chacha20poly1305, xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { secretCopy } from '../encoding/bytes.js'
import { type AeadKey, type AeadName, aeadTagLength } from './aead.js'

const empty = /* @__PURE__ */ new Uint8Array()

/**
 * A key whose cipher noble computes in JavaScript.
 *
 * @param name - the cipher
 * @param key - of the cipher's length
 * @returns the ready key
 */
export function pureKey(name: AeadName, key: Uint8Array): AeadKey {
  const own = secretCopy(key)
  const cipher =
    name === 'chacha20-poly1305' ? chacha20poly1305 : name === 'xchacha20-poly1305' ? xchacha20poly1305 : gcm
  return {
    async seal(nonce, plaintext, associated = empty, into) {
      const sealed = cipher(own, nonce, associated).encrypt(plaintext)
      if (into === undefined) return sealed
      into.set(sealed)
      return into
    },
    async open(nonce, sealed, associated = empty) {
      if (sealed.length < aeadTagLength) return undefined
      try {
        return cipher(own, nonce, associated).decrypt(sealed)
      } catch {
        return undefined
      }
    },
    forget() {
      own.fill(0)
    },
  }
}
