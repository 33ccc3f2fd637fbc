import { type AeadKey, aeadTagLength, importAeadKey } from '../aead/aead.js'
import type { Backend } from '../aead/backend.js'
import { concatBytes, isBytes, type Random } from '../encoding/bytes.js'
import { ownBytes, requireKnownNames } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import {
  type HpkeAead,
  type HpkeReceiverContext,
  type HpkeSenderContext,
  type HpkeSetup,
  hpkeReceiverContext,
  hpkeSchedule,
  hpkeSenderContext,
  openRefused,
  requireAead,
} from './context.js'
import { type Kem, type KemPrivateKey, requireKem } from './kem.js'
import { x25519Kem } from './x25519-kem.js'

/** What {@link hpkeSender} takes. */
export interface HpkeSenderOptions {
  /** The recipient's public key: X25519, 32 bytes, unless `kem` says otherwise. */
  readonly publicKey: Uint8Array
  /** What the messages are for; both sides must give the same. */
  readonly info: Uint8Array
  readonly random: Random
  /** `x25519Kem` by default; `xwingKem` of `@sealpool/crypto/post-quantum`. */
  readonly kem?: Kem | undefined
  /** The sender's own X25519 private key: the recipient then knows who sent (auth mode). Left out for base mode; undefined is refused. */
  readonly senderPrivateKey?: Uint8Array
  /** `aes-256-gcm` by default. */
  readonly aead?: HpkeAead | undefined
  readonly backend?: Backend | undefined
}

/**
 * Sets up the sender's side of a conversation: SetupBaseS, or SetupAuthS when a sender's key is given (RFC 9180
 * section 5.1).
 *
 * @param options - see {@link HpkeSenderOptions}
 * @returns what the recipient needs (`enc`), and the context that seals messages
 * @throws CryptoError `KEY_INVALID`, `RANDOM_INVALID`, `OPTION_INVALID`, `NATIVE_CRYPTO_MISSING`
 */
export async function hpkeSender(
  options: HpkeSenderOptions,
): Promise<{ readonly enc: Uint8Array; readonly context: HpkeSenderContext }> {
  requireKnownNames(options, [...senderNames, 'aead'], ['senderPrivateKey'])
  requireAead(options.aead)
  const own = ownBytes(options, ['info'])
  const { enc, setup } = await setUpSender(own)
  return { enc, context: await hpkeSenderContext(setup) }
}

const senderNames = ['publicKey', 'info', 'random', 'kem', 'senderPrivateKey', 'backend'] as const
const receiverNames = ['privateKey', 'info', 'kem', 'senderPublicKey', 'backend'] as const

async function setUpSender(
  options: HpkeSenderOptions,
): Promise<{ readonly enc: Uint8Array; readonly setup: HpkeSetup }> {
  const { publicKey, info, random, senderPrivateKey, kem = x25519Kem } = options
  const { aead = 'aes-256-gcm', backend = 'auto' } = options
  const { enc, sharedSecret } = await requireKem(kem).encapsulate({
    publicKey,
    random,
    backend,
    senderPrivateKey,
  })
  const mode = senderPrivateKey === undefined ? 'base' : 'auth'
  return { enc, setup: { kemId: kem.id, mode, sharedSecret, info, aead, backend } }
}

/** What {@link hpkeReceiver} takes. */
export interface HpkeReceiverOptions {
  /** The recipient's private key, 32 bytes; or one that `kem.prepare` made ready for many messages. */
  readonly privateKey: Uint8Array | KemPrivateKey
  readonly enc: Uint8Array
  readonly info: Uint8Array
  readonly kem?: Kem | undefined
  /** The X25519 public key that must have sent (auth mode). Left out for base mode; undefined is refused. */
  readonly senderPublicKey?: Uint8Array
  readonly aead?: HpkeAead | undefined
  readonly backend?: Backend | undefined
}

/**
 * Sets up the recipient's side of a conversation: SetupBaseR, or SetupAuthR when the sender's public key is given
 * (RFC 9180 section 5.1).
 *
 * @param options - see {@link HpkeReceiverOptions}
 * @returns the context that opens messages
 * @throws CryptoError `KEY_INVALID`; `HPKE_OPEN_REFUSED` for an encapsulated key that no honest sender makes
 */
export async function hpkeReceiver(options: HpkeReceiverOptions): Promise<HpkeReceiverContext> {
  requireKnownNames(options, [...receiverNames, 'enc', 'aead'], ['senderPublicKey'])
  const { privateKey, kem = x25519Kem } = options
  requireKem(kem)
  requireAead(options.aead)
  const own = ownBytes(options, ['info'])
  return hpkeReceiverContext(await setUpReceiver({ ...own, kem, key: prepared(kem, privateKey) }))
}

function prepared(kem: Kem, privateKey: Uint8Array | KemPrivateKey): KemPrivateKey {
  const ready = typeof privateKey === 'object' && privateKey !== null && 'decapsulate' in privateKey
  return ready ? privateKey : kem.prepare(privateKey)
}

async function setUpReceiver(
  options: Omit<HpkeReceiverOptions, 'privateKey' | 'kem'> & {
    readonly kem: Kem
    readonly key: KemPrivateKey
  },
): Promise<HpkeSetup> {
  const { kem, key, enc, info, senderPublicKey, aead = 'aes-256-gcm', backend = 'auto' } = options
  if (senderPublicKey !== undefined) kem.requirePublicKey(senderPublicKey, 'senderPublicKey')
  let sharedSecret: Uint8Array
  try {
    sharedSecret = await key.decapsulate({ enc, backend, senderPublicKey })
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'KEY_INVALID') throw openRefused()
    throw error
  }
  const mode = senderPublicKey === undefined ? 'base' : 'auth'
  return { kemId: kem.id, mode, sharedSecret, info, aead, backend }
}

/** What {@link hpkeSeal} takes. */
export interface HpkeSealOptions extends Omit<HpkeSenderOptions, 'aead'> {
  /** Associated data, authenticated and not sent. */
  readonly aad: Uint8Array
  readonly plaintext: Uint8Array
}

/**
 * Seals one message to a public key (single shot, RFC 9180 section 6.1, AES-256-GCM). Without `senderPrivateKey`
 * anyone can seal, and the sender is not authenticated.
 *
 * @param options - see {@link HpkeSealOptions}
 * @returns encapsulated key (32 bytes for X25519, 1,120 for X-Wing), then ciphertext (plaintext + 16 bytes)
 * @throws CryptoError `KEY_INVALID`, `RANDOM_INVALID`, `OPTION_INVALID` (a text for bytes above all), `NATIVE_CRYPTO_MISSING`
 */
export async function hpkeSeal(options: HpkeSealOptions): Promise<Uint8Array> {
  requireKnownNames(options, [...senderNames, 'aad', 'plaintext'], ['senderPrivateKey'])
  return hpkeSealWith(ownBytes(options, ['info', 'aad', 'plaintext']))
}

/**
 * {@link hpkeSeal} of bytes that nobody changes until it settles.
 *
 * @param options - as in {@link hpkeSeal}
 * @returns as {@link hpkeSeal}
 * @throws CryptoError as {@link hpkeSeal}
 */
export async function hpkeSealWith(options: HpkeSealOptions): Promise<Uint8Array> {
  const { enc, setup } = await setUpSender(options)
  const { aead, baseNonce } = await oneMessage(setup)
  const sealed = await aead.seal(baseNonce, options.plaintext, options.aad).finally(() => aead.forget())
  return concatBytes(enc, sealed)
}

/** The cipher of a conversation of one message. Nothing else is made of its secrets, which are overwritten. */
async function oneMessage(
  setup: HpkeSetup,
): Promise<{ readonly aead: AeadKey; readonly baseNonce: Uint8Array }> {
  const { key, baseNonce, forget } = hpkeSchedule(setup)
  return { aead: await importAeadKey(setup.aead, key, setup.backend).finally(forget), baseNonce }
}

/** What {@link hpkeOpen} takes. */
export interface HpkeOpenOptions extends Omit<HpkeReceiverOptions, 'enc' | 'aead'> {
  readonly aad: Uint8Array
  /** What {@link hpkeSeal} gave. */
  readonly message: Uint8Array
}

/**
 * Opens what {@link hpkeSeal} sealed.
 *
 * @param options - see {@link HpkeOpenOptions}
 * @returns the plaintext
 * @throws CryptoError `HPKE_OPEN_REFUSED` when key, sender, info, associated data or message do not belong together;
 *   `KEY_INVALID` for a private key of the wrong length
 */
export async function hpkeOpen(options: HpkeOpenOptions): Promise<Uint8Array> {
  requireKnownNames(options, [...receiverNames, 'aad', 'message'], ['senderPublicKey'])
  const { privateKey, kem = x25519Kem } = options
  requireKem(kem)
  const own = ownBytes(options, ['info', 'aad'])
  return hpkeOpenWith({ ...own, kem, key: prepared(kem, privateKey) })
}

/**
 * {@link hpkeOpen} with a private key that was prepared once for many messages.
 *
 * @param options - as in {@link hpkeOpen}, with the prepared key
 * @returns the plaintext
 * @throws CryptoError `HPKE_OPEN_REFUSED`
 */
export async function hpkeOpenWith(
  options: Omit<HpkeOpenOptions, 'privateKey' | 'kem'> & { readonly kem: Kem; readonly key: KemPrivateKey },
): Promise<Uint8Array> {
  const { kem, message, aad } = options
  if (!isBytes(message) || message.length < kem.encLength + aeadTagLength) throw openRefused()
  const own = new Uint8Array(message)
  const [enc, ciphertext] = [own.slice(0, kem.encLength), own.slice(kem.encLength)]
  const setup = await setUpReceiver({ ...options, enc })
  const { aead, baseNonce } = await oneMessage(setup)
  const plaintext = await aead.open(baseNonce, ciphertext, aad).finally(() => aead.forget())
  if (plaintext === undefined) throw openRefused()
  return plaintext
}
