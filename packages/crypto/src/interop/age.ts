import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { base64nopad, bech32 } from '@scure/base'
import { secretHmac } from '../digest/secret-hmac.js'
import {
  bigEndian,
  concatBytes,
  drawRandom,
  equalBytes,
  isBytes,
  type Random,
  requireByteString,
  requireBytes,
} from '../encoding/bytes.js'
import { requireList, requireOptions } from '../encoding/options.js'
import { utf8 } from '../encoding/utf8.js'
import { CryptoError } from '../errors.js'
import { keyAgreement, publicKeyOf, requirePublicKey } from '../recipient/x25519.js'
import { readArmor } from '../sealed-file/armor.js'
import { type AgeStanza, encodeAgeHeader, parseAgeHeader } from './age-header.js'

const none = /* @__PURE__ */ new Uint8Array()
const chunkSize = 65_536
const tagLength = 16
const fileKeyLength = 16
const nonceLength = 16
const stanzaLabel = 'age-encryption.org/v1/X25519'

/**
 * An X25519 public key as an age recipient.
 *
 * @param publicKey - 32 bytes
 * @returns `age1...`
 * @throws CryptoError `KEY_INVALID`
 */
export function encodeAgeRecipient(publicKey: Uint8Array): string {
  return bech32.encodeFromBytes('age', requirePublicKey(publicKey))
}

/**
 * The X25519 public key of an age recipient.
 *
 * @param recipient - `age1...`
 * @returns 32 bytes
 * @throws CryptoError `KEY_INVALID` for anything else, plug-in recipients included
 */
export function decodeAgeRecipient(recipient: string): Uint8Array {
  return requirePublicKey(decodeBech32(recipient, 'age', 'recipient'), 'recipient')
}

/**
 * An X25519 private key as an age identity. It is a secret.
 *
 * @param privateKey - 32 bytes
 * @returns `AGE-SECRET-KEY-1...`
 * @throws CryptoError `KEY_INVALID`
 */
export function encodeAgeIdentity(privateKey: Uint8Array): string {
  return bech32.encodeFromBytes('age-secret-key-', requireBytes(privateKey, 32, 'privateKey')).toUpperCase()
}

/**
 * The X25519 private key of an age identity.
 *
 * @param identity - `AGE-SECRET-KEY-1...`, in upper case
 * @returns 32 secret bytes
 * @throws CryptoError `KEY_INVALID` for anything else
 */
export function decodeAgeIdentity(identity: string): Uint8Array {
  const upper = typeof identity === 'string' && identity === identity.toUpperCase()
  return decodeBech32(upper ? identity.toLowerCase() : '', 'age-secret-key-', 'identity')
}

function decodeBech32(text: string, prefix: string, place: string): Uint8Array {
  try {
    const decoded = bech32.decodeToBytes(text)
    if (decoded.prefix === prefix && text === text.toLowerCase() && decoded.bytes.length === 32) {
      return decoded.bytes
    }
  } catch {
    // The library's own message may quote the text, which may be an identity.
  }
  throw new CryptoError('KEY_INVALID', place, 'not an X25519 key in age’s text form')
}

/**
 * Seals bytes as an age file (age-encryption.org/v1) for X25519 recipients. It has no context: what binds a sealed file
 * to pool, policy and epoch is lost.
 *
 * @param plaintext - any bytes, copied at the call
 * @param options - `recipients`: 1 to 100, `age1...`; `random`
 * @returns a binary age file, 200 bytes for the first recipient
 * @throws CryptoError `RECIPIENT_INVALID` for none or too many, `KEY_INVALID`, `RANDOM_INVALID`
 */
export async function sealAge(
  plaintext: Uint8Array,
  options: { readonly recipients: readonly string[]; readonly random: Random },
): Promise<Uint8Array> {
  requireOptions(options)
  const { random } = options
  const recipients = requireList(options.recipients, 'recipients')
  requireByteString(plaintext, 'plaintext')
  const own = new Uint8Array(plaintext)
  if (recipients.length === 0 || recipients.length > 100) {
    throw new CryptoError('RECIPIENT_INVALID', 'recipients', 'an age file has 1 to 100 recipients here')
  }
  const fileKey = drawRandom(random, fileKeyLength)
  const stanzas: AgeStanza[] = []
  for (const recipient of recipients) {
    const publicKey = decodeAgeRecipient(recipient)
    const ephemeral = keyAgreement(drawRandom(random, 32))
    const [shared, share] = [await ephemeral.agree(publicKey), await ephemeral.publicKey()]
    const key = wrapKey(shared, share, publicKey)
    const body = chacha20poly1305(key, new Uint8Array(12)).encrypt(fileKey)
    stanzas.push({ type: 'X25519', args: [base64nopad.encode(share)], body })
  }
  const unsigned = encodeAgeHeader(stanzas)
  const mac = base64nopad.encode(headerMac(fileKey, unsigned))
  const nonce = drawRandom(random, nonceLength)
  const key = hkdf(sha256, fileKey, nonce, utf8('payload'), 32)
  const chunks: Uint8Array[] = []
  const count = Math.max(1, Math.ceil(own.length / chunkSize))
  for (let index = 0; index < count; index++) {
    const chunk = own.subarray(index * chunkSize, (index + 1) * chunkSize)
    chunks.push(chacha20poly1305(key, chunkNonce(index, index === count - 1)).encrypt(chunk))
  }
  return concatBytes(unsigned, utf8(` ${mac}\n`), nonce, ...chunks)
}

/**
 * Opens an age file (age-encryption.org/v1) with X25519 identities. Stanzas of other types are passed over. Nothing is
 * returned unless all of the file is authentic.
 *
 * @param armoredOrBinary - an age file, binary or armoured (text, or its bytes)
 * @param options - `identities`: `AGE-SECRET-KEY-1...`
 * @returns the plaintext
 * @throws CryptoError `AGE_INVALID` (no age file of version 1), `NO_MATCHING_IDENTITY`, `AGE_REFUSED` (altered or cut),
 *   `KEY_INVALID`
 */
export async function openAge(
  armoredOrBinary: Uint8Array | string,
  options: { readonly identities: readonly string[] },
): Promise<Uint8Array> {
  requireOptions(options)
  const file = withoutArmor(isBytes(armoredOrBinary) ? new Uint8Array(armoredOrBinary) : armoredOrBinary)
  const { stanzas, unsigned, mac, payloadOffset } = parseAgeHeader(file)
  const fileKey = await unwrapFileKey(stanzas, options.identities)
  if (!equalBytes(headerMac(fileKey, unsigned), mac)) throw refused('header')
  const payload = file.subarray(payloadOffset)
  if (payload.length < nonceLength + tagLength) throw refused('payload')
  const nonce = payload.slice(0, nonceLength)
  const key = hkdf(sha256, fileKey, nonce, utf8('payload'), 32)
  return openChunks(key, payload.subarray(nonceLength))
}

const marks = {
  begin: '-----BEGIN AGE ENCRYPTED FILE-----',
  end: '-----END AGE ENCRYPTED FILE-----',
} as const

/** The armour is strict base64 between its marks, as everywhere here; white space around it is taken. */
function withoutArmor(file: Uint8Array | string): Uint8Array {
  let text = file
  if (isBytes(text)) {
    const start = text.findIndex((byte) => byte > 0x20)
    const begun = utf8(marks.begin)
    if (start < 0 || !equalBytes(text.subarray(start, start + begun.length), begun)) return text
    text = new TextDecoder().decode(text)
  }
  try {
    return readArmor(text, marks)
  } catch (cause) {
    throw new CryptoError('AGE_INVALID', 'file', 'not armoured as age does it: altered, or cut', { cause })
  }
}

function openChunks(key: Uint8Array, sealed: Uint8Array): Uint8Array {
  const step = chunkSize + tagLength
  const count = Math.ceil(sealed.length / step)
  const plaintext = new Uint8Array(Math.max(0, sealed.length - count * tagLength))
  for (let index = 0; index < count; index++) {
    const last = index === count - 1
    const chunk = sealed.subarray(index * step, (index + 1) * step)
    if (chunk.length < tagLength || (chunk.length === tagLength && index > 0)) throw refused(`chunk ${index}`)
    try {
      plaintext.set(chacha20poly1305(key, chunkNonce(index, last)).decrypt(chunk), index * chunkSize)
    } catch {
      throw refused(`chunk ${index}`)
    }
  }
  return plaintext
}

async function unwrapFileKey(
  stanzas: readonly AgeStanza[],
  identities: readonly string[],
): Promise<Uint8Array> {
  for (const identity of requireList(identities, 'identities')) {
    const privateKey = decodeAgeIdentity(identity)
    const publicKey = publicKeyOf(privateKey)
    const agreement = keyAgreement(privateKey)
    for (const { type, args, body } of stanzas) {
      if (type !== 'X25519') continue
      const share = shareOf(args, body)
      let shared: Uint8Array
      try {
        shared = await agreement.agree(share)
      } catch {
        throw new CryptoError('AGE_INVALID', 'header', 'an X25519 stanza has an unsafe share')
      }
      try {
        return chacha20poly1305(wrapKey(shared, share, publicKey), new Uint8Array(12)).decrypt(body)
      } catch {
        // Stanzas bear no names: another recipient's does not open.
      }
    }
  }
  throw new CryptoError(
    'NO_MATCHING_IDENTITY',
    'header',
    'the file is sealed to none of the identities given',
  )
}

function shareOf(args: readonly string[], body: Uint8Array): Uint8Array {
  try {
    const share = base64nopad.decode(args[0] ?? '')
    if (args.length === 1 && share.length === 32 && body.length === fileKeyLength + tagLength) return share
  } catch {
    // Refused below.
  }
  throw new CryptoError('AGE_INVALID', 'header', 'an X25519 stanza has a share and a body of 32 bytes each')
}

function wrapKey(shared: Uint8Array, share: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return hkdf(sha256, shared, concatBytes(share, publicKey), utf8(stanzaLabel), 32)
}

function headerMac(fileKey: Uint8Array, unsigned: Uint8Array): Uint8Array {
  return secretHmac(hkdf(sha256, fileKey, none, utf8('header'), 32), unsigned)
}

function chunkNonce(index: number, last: boolean): Uint8Array {
  return concatBytes(bigEndian(index, 11), new Uint8Array([last ? 1 : 0]))
}

function refused(place: string): CryptoError {
  return new CryptoError('AGE_REFUSED', place, 'the age file was altered, or cut, or is another one')
}
