// HPKE base mode (RFC 9180) with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM, on OpenSSL through node:crypto
// only. It shares no code with @sealpool/crypto.
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
} from 'node:crypto'

const ascii = (text) => Buffer.from(text, 'latin1')
const i2osp = (value, length) => Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex')
const kemSuite = Buffer.concat([ascii('KEM'), i2osp(0x0020, 2)])
const hpkeSuite = Buffer.concat([ascii('HPKE'), i2osp(0x0020, 2), i2osp(0x0001, 2), i2osp(0x0002, 2)])
const none = Buffer.alloc(0)

const hmac = (key, data) => createHmac('sha256', key).update(data).digest()

/** LabeledExtract, section 4. */
function extract(suite, salt, label, ikm) {
  return hmac(
    salt.length === 0 ? Buffer.alloc(32) : salt,
    Buffer.concat([ascii('HPKE-v1'), suite, ascii(label), ikm]),
  )
}

/** LabeledExpand, section 4, of at most 32 bytes (one round of HKDF-Expand). */
function expand(suite, prk, label, info, length) {
  const labeled = Buffer.concat([i2osp(length, 2), ascii('HPKE-v1'), suite, ascii(label), info])
  return hmac(prk, Buffer.concat([labeled, i2osp(1, 1)])).subarray(0, length)
}

// RFC 8410 section 7: what comes before the 32 bytes of an X25519 key in PKCS #8 and in SubjectPublicKeyInfo.
const privateKeyOf = (raw) =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), raw]),
    format: 'der',
    type: 'pkcs8',
  })
const publicKeyOf = (raw) =>
  createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), raw]),
    format: 'der',
    type: 'spki',
  })

/** The public key of 32 bytes for a private key of 32 bytes. */
export function x25519PublicKey(privateKey) {
  return createPublicKey(privateKeyOf(privateKey)).export({ format: 'der', type: 'spki' }).subarray(-32)
}

/** Key and nonce of the first message (sections 4.1 and 5.1). */
function schedule(privateKey, otherKey, enc, recipientKey, info) {
  const agreed = diffieHellman({ privateKey: privateKeyOf(privateKey), publicKey: publicKeyOf(otherKey) })
  return keysOf(sharedSecretOf(agreed, enc, recipientKey), info, hpkeSuite)
}

function sharedSecretOf(agreed, enc, recipientKey) {
  const prk = extract(kemSuite, none, 'eae_prk', agreed)
  return expand(kemSuite, prk, 'shared_secret', Buffer.concat([enc, recipientKey]), 32)
}

function keysOf(secret, info, suite) {
  const context = Buffer.concat([
    i2osp(0, 1),
    extract(suite, none, 'psk_id_hash', none),
    extract(suite, none, 'info_hash', info),
  ])
  const key = extract(suite, secret, 'secret', none)
  return { key: expand(suite, key, 'key', context, 32), nonce: expand(suite, key, 'base_nonce', context, 12) }
}

/**
 * Seals one message under an encapsulated key whose secret the sender knows without any private key: `agreed` is the outcome
 * of X25519; or `sharedSecret` that of a KEM with the id `kemId`. For vectors that a lax reader would open.
 */
export function forgeHpke({ enc, agreed, sharedSecret, kemId = 0x0020, recipientKey, info, aad, plaintext }) {
  const suite = Buffer.concat([ascii('HPKE'), i2osp(kemId, 2), i2osp(0x0001, 2), i2osp(0x0002, 2)])
  const secret = sharedSecret ?? sharedSecretOf(agreed, enc, recipientKey)
  const { key, nonce } = keysOf(secret, info, suite)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad)
  return Buffer.concat([enc, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** Seals one message with a given ephemeral private key; `enc || ciphertext || tag`. */
export function sealHpke({ publicKey, ephemeral, info, aad, plaintext }) {
  const enc = x25519PublicKey(ephemeral)
  const { key, nonce } = schedule(ephemeral, publicKey, enc, publicKey, info)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad)
  return Buffer.concat([enc, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** Opens one message. @throws when it is not authentic */
export function openHpke({ privateKey, info, aad, message }) {
  const enc = message.subarray(0, 32)
  const { key, nonce } = schedule(privateKey, enc, enc, x25519PublicKey(privateKey), info)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
  decipher.setAAD(aad).setAuthTag(message.subarray(-16))
  return Buffer.concat([decipher.update(message.subarray(32, -16)), decipher.final()])
}
