import type { Backend } from '../aead/backend.js'
import { canonicalBytes } from '../canonical-json/canonical-bytes.js'
import type { JsonObject } from '../canonical-json/canonicalize.js'
import { decodeBase64Url, encodeBase64Url } from '../encoding/base64url.js'
import { concatBytes, drawRandom, type Random } from '../encoding/bytes.js'
import { CryptoError } from '../errors.js'
import { encapsulatedKeyLength, hpkeOpenWith, hpkeSeal } from './hpke.js'
import type { KeyAgreement } from './x25519.js'

/** A file key wrapped for one recipient, as it stands in a sealed file's header. */
export type Stanza = JsonObject & { readonly type: string }

/** What a recipient wraps: the file key, and the digest of the header's fixed part, to which the wrap is bound. */
export interface WrapRequest {
  /** 32 secret bytes. */
  readonly fileKey: Uint8Array
  /** SHA-256 of the header without its recipients, 32 bytes. */
  readonly binding: Uint8Array
  readonly random: Random
  readonly backend: Backend
}

/** Someone to whom a file is sealed. */
export interface Recipient {
  readonly type: string
  /** Name by which the recipient's own stanza is found. */
  readonly keyId: string
  /** A stanza of the exact size that {@link Recipient.wrap} will give, for computing sizes. */
  readonly template: Stanza
  /** Wraps the file key. */
  wrap(request: WrapRequest): Promise<Stanza>
}

/** What an identity opens. */
export interface UnwrapRequest {
  readonly stanzas: readonly Stanza[]
  readonly binding: Uint8Array
  readonly backend: Backend
}

/** Someone who can open files. */
export interface Identity {
  readonly type: string
  readonly keyId: string
  /**
   * The file key (32 bytes); undefined when no stanza is meant for this identity.
   *
   * @throws CryptoError `WRAP_REFUSED` when a stanza is meant for it but is not authentic
   */
  unwrap(request: UnwrapRequest): Promise<Uint8Array | undefined>
}

const encoder = /* @__PURE__ */ new TextEncoder()
const wrapLabel = /* @__PURE__ */ encoder.encode('sealpool/sealed-file/1/wrap\0')
/** Length of a wrapped file key in bytes: 32 and the tag. */
export const wrappedKeyLength = 48

/** The public, authenticated part of a stanza of KEM X25519. */
export type StanzaLabel = JsonObject & {
  readonly type: 'hpke' | 'wallet'
  readonly kem: 'x25519'
  readonly keyId: string
}

/**
 * A recipient that wraps the file key with HPKE (RFC 9180), bound to the header and to the stanza's own label.
 *
 * @param label - the stanza's public part
 * @param publicKey - X25519, 32 bytes
 * @returns the recipient
 */
export function x25519Recipient(label: StanzaLabel, publicKey: Uint8Array): Recipient {
  const key = publicKey.slice()
  const stanza = (enc: Uint8Array, wrapped: Uint8Array): Stanza => ({
    ...label,
    enc: encodeBase64Url(enc),
    wrapped: encodeBase64Url(wrapped),
  })
  return {
    type: label.type,
    keyId: label.keyId,
    template: stanza(new Uint8Array(encapsulatedKeyLength), new Uint8Array(wrappedKeyLength)),
    async wrap({ fileKey, binding, random, backend }) {
      const message = await hpkeSeal({
        publicKey: key,
        info: concatBytes(wrapLabel, binding),
        aad: canonicalBytes(label),
        plaintext: fileKey,
        random: (length) => drawRandom(random, length),
        backend,
      })
      return stanza(message.slice(0, encapsulatedKeyLength), message.slice(encapsulatedKeyLength))
    },
  }
}

/**
 * An identity that opens the stanza which bears its label.
 *
 * @param label - the stanza's public part
 * @param keys - the public key and, for each backend, the prepared private key
 * @returns the identity
 */
export function x25519Identity(
  label: StanzaLabel,
  keys: { readonly publicKey: Uint8Array; readonly agreement: (backend: Backend) => KeyAgreement },
): Identity {
  return {
    type: label.type,
    keyId: label.keyId,
    async unwrap({ stanzas, binding, backend }) {
      const stanza = stanzas.find((each) =>
        Object.entries(label).every(([name, value]) => each[name] === value),
      )
      if (stanza === undefined) return undefined
      try {
        return await hpkeOpenWith({
          agreement: keys.agreement(backend),
          publicKey: keys.publicKey,
          info: concatBytes(wrapLabel, binding),
          aad: canonicalBytes(label),
          message: concatBytes(
            decodeBase64Url(stanza['enc'] as string),
            decodeBase64Url(stanza['wrapped'] as string),
          ),
          backend,
        })
      } catch (error) {
        if (!(error instanceof CryptoError) || error.code !== 'HPKE_OPEN_REFUSED') throw error
        throw new CryptoError(
          'WRAP_REFUSED',
          '$.recipients',
          'the stanza for this identity does not open: the header was altered or names another key',
        )
      }
    },
  }
}
