import { hchacha } from '@noble/ciphers/chacha.js'
import { equalBytes, secretCopy, secretMoved } from '../encoding/bytes.js'
import { type AeadKey, type AeadName, aeadTagLength } from './aead.js'

/** The part of `node:crypto` that is used. */
export interface NodeCrypto {
  createCipheriv(
    name: string,
    key: Uint8Array,
    nonce: Uint8Array,
    options: { readonly authTagLength: number },
  ): NodeCipher & { getAuthTag(): Uint8Array }
  createDecipheriv(
    name: string,
    key: Uint8Array,
    nonce: Uint8Array,
    options: { readonly authTagLength: number },
  ): NodeCipher & { setAuthTag(tag: Uint8Array): void }
}

interface NodeCipher {
  setAAD(associated: Uint8Array, options: { readonly plaintextLength: number }): void
  update(bytes: Uint8Array): Uint8Array
  final(): Uint8Array
}

// OpenSSL computes on the calling thread: after so many bytes other work of the program gets its turn.
const bytesPerTurn = 4_194_304

/**
 * A key whose cipher Node's OpenSSL computes: AES-GCM, ChaCha20-Poly1305, and XChaCha20-Poly1305 with its subkey from noble
 * (draft-irtf-cfrg-xchacha section 2.3).
 *
 * @param node - `node:crypto`
 * @param name - the cipher
 * @param key - of the cipher's length
 * @param letOthersRun - awaited now and then
 * @returns the ready key
 */
export function nodeKey(
  node: NodeCrypto,
  name: AeadName,
  key: Uint8Array,
  letOthersRun: () => Promise<unknown>,
): AeadKey {
  const options = { authTagLength: aeadTagLength }
  const own = secretCopy(key)
  const prepare = name === 'xchacha20-poly1305' ? extendedNonces(own) : undefined
  const cipherName = name === 'xchacha20-poly1305' ? 'chacha20-poly1305' : name
  const of = (nonce: Uint8Array) => prepare?.of(nonce) ?? { key: own, nonce }
  let bytes = 0
  const account = async (length: number): Promise<void> => {
    bytes += length
    if (bytes < bytesPerTurn) return
    bytes = 0
    await letOthersRun()
  }
  return {
    async seal(nonce, plaintext, associated, into = new Uint8Array(plaintext.length + aeadTagLength)) {
      const use = of(nonce)
      const cipher = node.createCipheriv(cipherName, use.key, use.nonce, options)
      if (associated !== undefined) cipher.setAAD(associated, { plaintextLength: plaintext.length })
      into.set(cipher.update(plaintext))
      cipher.final()
      into.set(cipher.getAuthTag(), plaintext.length)
      await account(plaintext.length)
      return into
    },
    async open(nonce, sealed, associated) {
      const length = sealed.length - aeadTagLength
      if (length < 0) return undefined
      const use = of(nonce)
      const decipher = node.createDecipheriv(cipherName, use.key, use.nonce, options)
      if (associated !== undefined) decipher.setAAD(associated, { plaintextLength: length })
      decipher.setAuthTag(sealed.subarray(length))
      // What update gives is not authentic before final has passed, and leaves this function only then.
      const plaintext = decipher.update(sealed.subarray(0, length))
      try {
        decipher.final()
      } catch {
        return undefined
      }
      await account(length)
      return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length)
    },
    forget() {
      own.fill(0)
      prepare?.forget()
    },
  }
}

/** Splits nonces of 24 bytes; the subkey is made once for all nonces that begin alike, as those of one payload do. */
function extendedNonces(key: Uint8Array) {
  let known: { readonly prefix: Uint8Array; readonly key: Uint8Array } | undefined
  const forget = () => known?.key.fill(0)
  return {
    of(nonce: Uint8Array) {
      const prefix = nonce.slice(0, 16)
      if (known === undefined || !equalBytes(known.prefix, prefix)) {
        forget()
        known = { prefix, key: secretMoved(subkeyOf(key, prefix)) }
      }
      const short = new Uint8Array(12)
      short.set(nonce.subarray(16), 4)
      return { key: known.key, nonce: short }
    },
    forget,
  }
}

const constants = /* @__PURE__ */ new Uint32Array([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574])

function subkeyOf(key: Uint8Array, prefix: Uint8Array): Uint8Array {
  const words = (bytes: Uint8Array) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    return new Uint32Array(bytes.length / 4).map((_, index) => view.getUint32(4 * index, true))
  }
  const output = new Uint32Array(8)
  hchacha(constants, words(key), words(prefix), output)
  const subkey = new Uint8Array(32)
  const view = new DataView(subkey.buffer)
  output.forEach((word, index) => {
    view.setUint32(4 * index, word, true)
  })
  return subkey
}
