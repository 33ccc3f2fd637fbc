import { type AeadName, aeadSizes, importAeadKey } from '../aead/aead.js'
import type { Backend } from '../aead/backend.js'
import { bigEndian, concatBytes, requireByteString } from '../encoding/bytes.js'
import { CryptoError } from '../errors.js'
import { hpkeSuiteOf, labeledExpand, labeledExtract } from './labeled.js'

const none = /* @__PURE__ */ new Uint8Array()
// RFC 9180 section 7.2 and 7.3.
const kdfId = 0x0001
const aeadIds = { 'aes-128-gcm': 0x0001, 'aes-256-gcm': 0x0002, 'chacha20-poly1305': 0x0003 } as const
/** AEADs of RFC 9180 section 7.3; Sealpool's formats use `aes-256-gcm`. */
export type HpkeAead = keyof typeof aeadIds & AeadName
// RFC 9180 section 5.1; the modes with a pre-shared key are not offered.
const modes = { base: 0x00, auth: 0x02 } as const

/** What both sides know once the KEM has run. */
export interface HpkeSetup {
  readonly kemId: number
  readonly mode: keyof typeof modes
  readonly sharedSecret: Uint8Array
  /** What the messages are for; both sides must give the same. */
  readonly info: Uint8Array
  readonly aead: HpkeAead
  readonly backend: Backend
}

/** Keys of one conversation (RFC 9180 section 5.1). */
export interface HpkeSchedule {
  readonly key: Uint8Array
  readonly baseNonce: Uint8Array
  /** Computed when asked for: most messages export nothing. */
  exporterSecret(): Uint8Array
  /** Overwrites the key, what the exporter secret would be made of, and the shared secret that it was given. */
  forget(): void
}

/**
 * The key schedule in base and auth mode (RFC 9180 section 5.1).
 *
 * @param setup - see {@link HpkeSetup}
 * @returns key, nonce and exporter secret
 */
export function hpkeSchedule(setup: Omit<HpkeSetup, 'backend'>): HpkeSchedule {
  const { sharedSecret, info, aead } = setup
  const suite = suiteOf(setup)
  const context = concatBytes(
    new Uint8Array([modes[setup.mode]]),
    labeledExtract(suite, none, 'psk_id_hash', none),
    labeledExtract(suite, none, 'info_hash', info),
  )
  const secret = labeledExtract(suite, sharedSecret, 'secret', none)
  const key = labeledExpand(suite, secret, 'key', context, aeadSizes[aead].key)
  return {
    key,
    baseNonce: labeledExpand(suite, secret, 'base_nonce', context, aeadSizes[aead].nonce),
    exporterSecret: () => labeledExpand(suite, secret, 'exp', context, 32),
    forget() {
      for (const bytes of [sharedSecret, secret, key]) bytes.fill(0)
    },
  }
}

function suiteOf({ kemId, aead }: Pick<HpkeSetup, 'kemId' | 'aead'>): Uint8Array {
  return hpkeSuiteOf(kemId, kdfId, aeadIds[aead])
}

/** What both ends of a conversation have: secrets for other uses, such as the key of an answer (RFC 9180 section 9.8). */
export interface HpkeContext {
  /**
   * A secret that both sides have (RFC 9180 section 5.3).
   *
   * @param context - what it is for
   * @param length - 1 to 8,160 bytes
   * @throws CryptoError `OPTION_INVALID` for another length
   */
  exportSecret(context: Uint8Array, length: number): Uint8Array
}

/**
 * The sender's end (ContextS of RFC 9180 section 5.2). It opens nothing: both ends hold the same key and the same nonces, so a
 * message in the other direction would be a second one under a nonce that was used.
 */
export interface HpkeSenderContext extends HpkeContext {
  /** Seals the next message. Messages are numbered; the recipient opens them in the same order. */
  seal(plaintext: Uint8Array, aad?: Uint8Array): Promise<Uint8Array>
}

/** The recipient's end (ContextR of RFC 9180 section 5.2). It seals nothing: see {@link HpkeSenderContext}. */
export interface HpkeReceiverContext extends HpkeContext {
  /**
   * Opens the next message. After a refusal the same message number is still expected.
   *
   * @throws CryptoError `HPKE_OPEN_REFUSED`
   */
  open(ciphertext: Uint8Array, aad?: Uint8Array): Promise<Uint8Array>
}

/**
 * Makes the sender's context of RFC 9180 section 5.2.
 *
 * @param setup - see {@link HpkeSetup}
 * @returns the context; its message number starts at 0
 * @throws CryptoError `NATIVE_CRYPTO_MISSING`
 */
export async function hpkeSenderContext(setup: HpkeSetup): Promise<HpkeSenderContext> {
  const { aead, nonceOf, exportSecret } = await readyContext(setup)
  let sealed = 0
  return {
    async seal(plaintext, aad = none) {
      requireByteString(plaintext, 'plaintext')
      requireByteString(aad, 'aad')
      return aead.seal(nonceOf(sealed++), plaintext, aad)
    },
    exportSecret,
  }
}

/**
 * Makes the recipient's context of RFC 9180 section 5.2.
 *
 * @param setup - see {@link HpkeSetup}
 * @returns the context; the message number that it expects starts at 0
 * @throws CryptoError `NATIVE_CRYPTO_MISSING`
 */
export async function hpkeReceiverContext(setup: HpkeSetup): Promise<HpkeReceiverContext> {
  const { aead, nonceOf, exportSecret } = await readyContext(setup)
  let opened = 0
  let opening: Promise<unknown> = Promise.resolve()
  return {
    async open(ciphertext, aad = none) {
      requireByteString(ciphertext, 'ciphertext')
      requireByteString(aad, 'aad')
      // Copies: it may be a while until it is this message's turn.
      const [message, associated] = [new Uint8Array(ciphertext), new Uint8Array(aad)]
      // One after the other, so that calls which overlap take message numbers in the order of the calls.
      const next = opening.then(async () => {
        const plaintext = await aead.open(nonceOf(opened), message, associated)
        if (plaintext === undefined) throw openRefused()
        opened += 1
        return plaintext
      })
      opening = next.catch(() => undefined)
      return next
    },
    exportSecret,
  }
}

async function readyContext(setup: HpkeSetup) {
  const { key, baseNonce, exporterSecret } = hpkeSchedule(setup)
  const aead = await importAeadKey(setup.aead, key, setup.backend)
  return {
    aead,
    nonceOf(sequence: number): Uint8Array {
      if (sequence >= Number.MAX_SAFE_INTEGER) {
        const why = 'no message numbers are left; set up a new context'
        throw new CryptoError('OPTION_INVALID', 'context', why)
      }
      const counter = bigEndian(sequence, baseNonce.length)
      return baseNonce.map((byte, index) => byte ^ (counter[index] ?? 0))
    },
    exportSecret(context: Uint8Array, length: number): Uint8Array {
      if (!Number.isInteger(length) || length < 1 || length > 8160) {
        throw new CryptoError('OPTION_INVALID', 'length', 'an exported secret has 1 to 8,160 bytes')
      }
      return labeledExpand(suiteOf(setup), exporterSecret(), 'sec', context, length)
    },
  }
}

/**
 * Refuses what is no AEAD of RFC 9180.
 *
 * @param aead - its name; none for the default
 * @throws CryptoError `OPTION_INVALID`
 */
export function requireAead(aead: HpkeAead | undefined): void {
  if (aead !== undefined && (typeof aead !== 'string' || !Object.hasOwn(aeadIds, aead))) {
    throw new CryptoError('OPTION_INVALID', 'aead', `expected ${Object.keys(aeadIds).join(', ')}`)
  }
}

/**
 * The one error for messages that do not open.
 *
 * @returns `HPKE_OPEN_REFUSED`
 */
export function openRefused(): CryptoError {
  const why = 'the message is not authentic for this key, sender, info and data'
  return new CryptoError('HPKE_OPEN_REFUSED', 'message', why)
}
