// A reader of sealed files, version 1, written from docs/formats/sealed-file.md with OpenSSL only. It trusts its input: what it
// is for is to agree with @sealpool/crypto on good files.
import { createDecipheriv, createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { openHpke } from './hpke.mjs'

const decode = (text) => Buffer.from(text, 'base64url')
/** JSON of objects whose members are already in canonical order and whose values need no escapes. */
const json = (value) => Buffer.from(JSON.stringify(value))

/**
 * @param sealed the file, suite aes-256-gcm
 * @param recipient.type `hpke` or `wallet`
 * @param recipient.privateKey 32 bytes
 * @returns the plaintext
 */
export function readSealedFile(sealed, { type, privateKey }) {
  const file = Buffer.from(sealed)
  if (file.toString('latin1', 0, 8) !== 'SEALPOOL' || file[8] !== 1) throw new Error('no sealed file')
  const end = 13 + file.readUInt32BE(9)
  const header = JSON.parse(file.toString('utf8', 13, end))
  const { recipients, ...core } = header
  const binding = createHash('sha256').update(json(core)).digest()
  const labelled = (name) => Buffer.concat([Buffer.from(`sealpool/sealed-file/1/${name}\0`), binding])

  const { enc, wrapped, ...aad } = recipients.find((stanza) => stanza.type === type)
  const message = Buffer.concat([decode(enc), decode(wrapped)])
  const fileKey = openHpke({ privateKey, info: labelled('wrap'), aad: json(aad), message })
  const derive = (name) => Buffer.from(hkdfSync('sha256', fileKey, decode(header.salt), labelled(name), 32))

  const mac = createHmac('sha256', derive('header')).update(file.subarray(0, end)).digest()
  if (!timingSafeEqual(mac, file.subarray(end, end + 32))) throw new Error('the header is not authentic')
  const payload = file.subarray(end + 32)
  const payloadKey = derive('payload')
  const step = header.chunkSize + 16
  const count = Math.ceil(payload.length / step)
  const parts = []
  for (let index = 0; index < count; index++) {
    const chunk = payload.subarray(index * step, (index + 1) * step)
    const nonce = Buffer.alloc(12)
    nonce.writeUInt32BE(index, 7)
    nonce[11] = index === count - 1 ? 1 : 0
    const decipher = createDecipheriv('aes-256-gcm', payloadKey, nonce).setAuthTag(chunk.subarray(-16))
    parts.push(decipher.update(chunk.subarray(0, -16)), decipher.final())
  }
  return Buffer.concat(parts)
}
