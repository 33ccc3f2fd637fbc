import type { Backend } from '../aead/backend.js'
import { canonicalBytes } from '../canonical-json/canonical-bytes.js'
import type { JsonObject } from '../canonical-json/canonicalize.js'
import { decodeBase64Url, encodeBase64Url } from '../encoding/base64url.js'
import { concatBytes, type Random, requireBytes, secretCopy } from '../encoding/bytes.js'
import { utf8 } from '../encoding/utf8.js'
import { CryptoError, type CryptoErrorCode } from '../errors.js'
import { hpkeOpenWith, hpkeSealWith } from '../hpke/hpke.js'
import type { Kem, KemPrivateKey } from '../hpke/kem.js'
import type { SealContext } from '../sealed-file/context.js'

/** A file key wrapped for one recipient, as it stands in a sealed file's header. */
export type Stanza = JsonObject & { readonly type: string }

/** What a recipient wraps: the file key, and the digest of the header's fixed part, to which the wrap is bound. */
export interface WrapRequest {
  /**
   * 32 secret bytes. A copy of the recipient's own, which it may wipe; sealing wipes it once the wrap has settled, so that
   * nothing later may read it.
   */
  readonly fileKey: Uint8Array
  /** SHA-256 of the header without its recipients, 32 bytes; a copy too. */
  readonly binding: Uint8Array
  /** What the file is for. */
  readonly context: SealContext
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
  /** What the key is for, where that is known: `currentRecipient`, `recipientOfEpoch` and committees wrap for no other context. */
  readonly scope?: Partial<SealContext> | undefined
  /** Wraps the file key. The request's bytes are copies for this call alone: {@link WrapRequest.fileKey}. */
  wrap(request: WrapRequest): Promise<Stanza>
}

/** What an identity opens. */
export interface UnwrapRequest {
  readonly stanzas: readonly Stanza[]
  /** What the file says that it is for; authentic once the file key has verified the header's MAC. */
  readonly context: SealContext
  readonly binding: Uint8Array
  readonly backend: Backend
}

/** Someone who can open files. */
export interface Identity {
  readonly type: string
  readonly keyId: string
  /**
   * The file key (32 bytes); undefined when no stanza is meant for this identity. The bytes stay the identity's, unless it
   * {@link Identity.givesAway}: opening copies them at once and neither changes nor wipes them, so that it may keep them, or wipe them later.
   *
   * @throws CryptoError `WRAP_REFUSED` when a stanza is meant for it but is not authentic
   */
  unwrap(request: UnwrapRequest): Promise<Uint8Array | undefined>
  /** What it unwraps is nobody else's: opening takes it as it is, and overwrites it. */
  readonly givesAway?: true | undefined
}

const wrapLabel = /* @__PURE__ */ utf8('sealpool/sealed-file/1/wrap\0')
/** Length of a file key that HPKE wrapped, in bytes: 32 and the tag. */
export const wrappedKeyLength = 48

/** The public, authenticated part of a stanza that HPKE wraps. */
export type StanzaLabel = JsonObject & {
  readonly type: 'hpke' | 'wallet'
  readonly kem: Kem['name']
  readonly keyId: string
}

/**
 * What every wrap is bound to beside its own label.
 *
 * @param binding - SHA-256 of the header without its recipients
 * @returns HPKE's `info`
 */
export function wrapInfo(binding: Uint8Array): Uint8Array {
  return concatBytes(wrapLabel, binding)
}

/**
 * A recipient that wraps the file key with HPKE (RFC 9180), bound to the header and to the stanza's own label.
 *
 * @param label - the stanza's public part
 * @param kem - X25519 or X-Wing
 * @param publicKey - of that KEM
 * @returns the recipient
 */
export function kemRecipient(label: StanzaLabel, kem: Kem, publicKey: Uint8Array): Recipient {
  const key = new Uint8Array(publicKey)
  const stanza = (enc: Uint8Array, wrapped: Uint8Array): Stanza => ({
    ...label,
    enc: encodeBase64Url(enc),
    wrapped: encodeBase64Url(wrapped),
  })
  return {
    type: label.type,
    keyId: label.keyId,
    template: stanza(new Uint8Array(kem.encLength), new Uint8Array(wrappedKeyLength)),
    async wrap({ fileKey, binding, random, backend }) {
      // Its own: the caller may wipe what it lent as soon as it has the promise.
      const plaintext = secretCopy(requireBytes(fileKey, 32, 'fileKey'))
      const message = await hpkeSealWith({
        kem,
        publicKey: key,
        info: wrapInfo(binding),
        aad: canonicalBytes(label),
        plaintext,
        random,
        backend,
      })
      plaintext.fill(0)
      return stanza(message.slice(0, kem.encLength), message.slice(kem.encLength))
    },
  }
}

/**
 * An identity that opens the stanza which bears its label.
 *
 * @param label - the stanza's public part
 * @param kem - X25519 or X-Wing
 * @param key - the prepared private key
 * @returns the identity
 */
export function kemIdentity(label: StanzaLabel, kem: Kem, key: KemPrivateKey): Identity {
  return {
    type: label.type,
    keyId: label.keyId,
    givesAway: true,
    async unwrap({ stanzas, binding, backend }) {
      const stanza = stanzas.find((each) =>
        Object.entries(label).every(([name, value]) => each[name] === value),
      )
      if (stanza === undefined) return undefined
      try {
        return await hpkeOpenWith({
          kem,
          key,
          info: wrapInfo(binding),
          aad: canonicalBytes(label),
          message: concatBytes(
            decodeBase64Url(stanza['enc'] as string),
            decodeBase64Url(stanza['wrapped'] as string),
          ),
          backend,
        })
      } catch (error) {
        if (!(error instanceof CryptoError) || error.code !== 'HPKE_OPEN_REFUSED') throw error
        throw wrapRefused(error)
      }
    },
  }
}

/**
 * The error for one's own stanza that does not open.
 *
 * @param cause - the error underneath, without private values
 * @returns `WRAP_REFUSED`
 */
export function wrapRefused(cause?: unknown): CryptoError {
  const why = 'the stanza for this identity does not open: altered, or for another key'
  return new CryptoError('WRAP_REFUSED', '$.recipients', why, cause === undefined ? undefined : { cause })
}

/**
 * Refuses what is no key id.
 *
 * @param keyId - what the caller gave
 * @param code - reason of a refusal
 * @param place - named in the error
 * @returns the key id
 * @throws CryptoError with `code` unless it is 1 to 128 printable ASCII characters without blanks
 */
export function requireKeyId(
  keyId: unknown,
  code: CryptoErrorCode = 'RECIPIENT_INVALID',
  place = 'keyId',
): string {
  if (typeof keyId === 'string' && /^[\x21-\x7e]{1,128}$/.test(keyId)) return keyId
  throw new CryptoError(code, place, 'expected 1 to 128 printable ASCII characters')
}
