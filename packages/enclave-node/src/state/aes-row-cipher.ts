/**
 * Encrypts and authenticates what the node remembers, one row at a time: AES-256-GCM (NIST SP 800-38D) under a key of the
 * row's own, so that few nonces are ever drawn under one key, and HMAC-SHA-256 (RFC 2104) for names and totals.
 * @module
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import type { RowCipher, SealedPlace } from './row-cipher.js'

const nonceBytes = 12
const tagBytes = 16
/** Rows are filled up to a multiple of this, so that one line of text more or less does not show. */
const paddingBytes = 256

/**
 * Makes the cipher of one store.
 * @param options `key`: 32 secret bytes; `store`: the store's own random bytes, so that rows of another store with the same
 * key do not fit; `random`: where nonces come from
 */
export function aesRowCipher(options: {
  readonly key: Uint8Array
  readonly store: Uint8Array
  readonly random: (length: number) => Uint8Array
}): RowCipher {
  const { random } = options
  const branch = (purpose: string) =>
    mac(options.key, [text(`sealpool/node-state/1 ${purpose}`), options.store])
  const [naming, sealing, weighing] = [branch('name'), branch('seal'), branch('weight')]
  const keyOf = ({ name }: SealedPlace) => mac(sealing, [name])
  return {
    keyId: mac(options.key, [text('sealpool/node-state/1 key id')]).subarray(0, 16),
    store: options.store,
    // JSON keeps the two parts apart whatever is in them.
    name: (table, key) => mac(naming, [text(JSON.stringify([table, key]))]),
    seal(value, place) {
      const nonce = random(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', keyOf(place), nonce)
      cipher.setAAD(associated(place))
      const body = cipher.update(padded(text(value)))
      return Buffer.concat([nonce, body, cipher.final(), cipher.getAuthTag()])
    },
    open(sealed, place) {
      if (sealed.length < nonceBytes + paddingBytes + tagBytes) return undefined
      const decipher = createDecipheriv('aes-256-gcm', keyOf(place), sealed.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      })
      decipher.setAAD(associated(place))
      decipher.setAuthTag(sealed.subarray(-tagBytes))
      const body = decipher.update(sealed.subarray(nonceBytes, -tagBytes))
      try {
        decipher.final()
      } catch {
        return undefined
      }
      return body.toString('utf8', 4, 4 + body.readUInt32BE(0))
    },
    decode: (base64) => Buffer.from(base64, 'base64'),
    weight: (sealed, place) => BigInt(`0x${mac(weighing, [associated(place), sealed]).toString('hex')}`),
  }
}

function text(value: string): Buffer {
  return Buffer.from(value, 'utf8')
}

function mac(key: Uint8Array, parts: readonly Uint8Array[]): Buffer {
  const hmac = createHmac('sha256', key)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}

/** Fixed lengths in front: no two places give the same bytes. */
function associated({ name, version }: SealedPlace): Buffer {
  const bytes = Buffer.alloc(8 + name.length)
  bytes.writeBigUInt64BE(BigInt(version))
  bytes.set(name, 8)
  return bytes
}

function padded(body: Uint8Array): Buffer {
  const whole = Buffer.alloc(Math.ceil((body.length + 4) / paddingBytes) * paddingBytes)
  whole.writeUInt32BE(body.length)
  whole.set(body, 4)
  return whole
}
