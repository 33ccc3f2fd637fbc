import { canonicalBytes } from '../canonical-json/canonical-bytes.js'
import { decodeBase64Url, encodeBase64Url } from '../encoding/base64url.js'
import { concatBytes, drawRandom, isBytes, type Random, requireBytes } from '../encoding/bytes.js'
import { requireOptions } from '../encoding/options.js'
import { isWhole } from '../encoding/whole-number.js'
import { CryptoError } from '../errors.js'
import type { SealContext } from '../sealed-file/context.js'
import {
  type Identity,
  type Recipient,
  requireKeyId,
  type Stanza,
  wrapInfo,
  wrapRefused,
} from './recipient.js'

/** Most bytes of a threshold envelope. */
export const maximumEnvelopeLength = 65_536

const schemePattern = /^[a-z0-9][a-z0-9./-]{0,63}$/

/** What a threshold scheme wraps. */
export interface ThresholdWrapRequest {
  /** 32 secret bytes: a copy for this call alone, which the scheme may wipe, and which is wiped once it has settled. */
  readonly fileKey: Uint8Array
  /** Public bytes that the envelope must be bound to (a TDH2 label, associated data): another context, no file key. */
  readonly context: Uint8Array
  readonly random: Random
}

/** What a threshold scheme opens. */
export interface ThresholdUnwrapRequest {
  readonly envelope: Uint8Array
  /** As at wrapping. */
  readonly context: Uint8Array
  /** What the file says that it is for; {@link ThresholdUnwrapRequest.context} depends on it. */
  readonly file: SealContext
}

/** The public part of a `threshold` stanza. */
export interface ThresholdLabel {
  /** Name of the scheme and its version, 1 to 64 characters of a-z 0-9 . / - (`tdh2/1`). */
  readonly scheme: string
  /** Name of the committee's key, 1 to 128 printable ASCII characters. */
  readonly keyId: string
}

/**
 * A committee as recipient: t of n members together open the file. The scheme is the caller's; this package frames
 * its envelope and binds it to the file.
 *
 * @param options - the label; `envelopeLength`: bytes of every envelope, 1 to 65,536; `wrap`: makes the envelope
 * @returns the recipient
 * @throws CryptoError `RECIPIENT_INVALID`; from `wrap` also when the envelope has another length
 */
export function thresholdRecipient(
  options: ThresholdLabel & {
    readonly envelopeLength: number
    readonly wrap: (request: ThresholdWrapRequest) => Uint8Array | Promise<Uint8Array>
  },
): Recipient {
  requireOptions(options)
  const label = labelOf(options)
  const { envelopeLength } = options
  if (!isWhole(envelopeLength, 1, maximumEnvelopeLength)) {
    throw new CryptoError('RECIPIENT_INVALID', 'envelopeLength', 'an envelope has 1 to 65,536 bytes')
  }
  const { wrap } = options
  if (typeof wrap !== 'function') throw new CryptoError('RECIPIENT_INVALID', 'wrap', 'expected a function')
  const stanza = (envelope: Uint8Array): Stanza => ({ ...label, envelope: encodeBase64Url(envelope) })
  return {
    type: 'threshold',
    keyId: label.keyId,
    template: stanza(new Uint8Array(envelopeLength)),
    async wrap({ fileKey: lent, binding, random }) {
      const fileKey = new Uint8Array(requireBytes(lent, 32, 'fileKey'))
      try {
        const envelope = await wrap({
          fileKey,
          context: contextOf(binding, label),
          random: (length) => drawRandom(random, length),
        })
        if (!isBytes(envelope) || envelope.length !== envelopeLength) {
          const why = `the scheme must give an envelope of ${envelopeLength} bytes`
          throw new CryptoError('RECIPIENT_INVALID', 'wrap', why)
        }
        return stanza(envelope)
      } finally {
        fileKey.fill(0)
      }
    },
  }
}

/**
 * Opens files for a committee: `unwrap` collects and combines the members' shares.
 *
 * @param options - the label; `unwrap`: the file key of an envelope, or undefined when it does not open; opening copies the
 *   bytes and leaves them to the scheme
 * @returns the identity
 * @throws CryptoError `RECIPIENT_INVALID`; errors of `unwrap` come out of opening as they are
 */
export function thresholdIdentity(
  options: ThresholdLabel & {
    readonly unwrap: (
      request: ThresholdUnwrapRequest,
    ) => Uint8Array | undefined | Promise<Uint8Array | undefined>
  },
): Identity {
  requireOptions(options)
  const label = labelOf(options)
  return {
    type: 'threshold',
    keyId: label.keyId,
    async unwrap({ stanzas, binding, context: file }) {
      const own = stanzas.find((each) => Object.entries(label).every(([name, value]) => each[name] === value))
      if (own === undefined) return undefined
      const envelope = decodeBase64Url(own['envelope'] as string)
      const fileKey = await options.unwrap({ envelope, context: contextOf(binding, label), file })
      if (fileKey === undefined) throw wrapRefused()
      return fileKey
    },
  }
}

/**
 * The public part of a stanza.
 *
 * @param label - scheme and key id
 * @returns the same, checked, with the stanza's type
 * @throws CryptoError `RECIPIENT_INVALID`
 */
export function labelOf({ scheme, keyId }: ThresholdLabel) {
  if (typeof scheme !== 'string' || !schemePattern.test(scheme)) {
    throw new CryptoError('RECIPIENT_INVALID', 'scheme', 'a scheme is 1 to 64 characters of a-z 0-9 . / -')
  }
  return { type: 'threshold', scheme, keyId: requireKeyId(keyId) } as const
}

/**
 * What a scheme's envelope is bound to.
 *
 * @param binding - digest of the header without its recipients
 * @param label - the stanza's public part
 * @returns public bytes
 */
export function contextOf(binding: Uint8Array, label: ReturnType<typeof labelOf>): Uint8Array {
  return concatBytes(wrapInfo(binding), canonicalBytes(label))
}
