import { Buffer } from 'node:buffer'
import {
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
} from 'node:crypto'
import { expect, test } from 'vitest'
import { bytesOf, context, poolKey, sealedOf } from '../testing/sealed-fixture.js'

// A reader written from docs/formats/sealed-file.md with Node's OpenSSL only: it shares no code with this package,
// so the two can agree only if the page says what the code does.
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest()
const hkdf = (key: Buffer, salt: Buffer, info: Buffer) => Buffer.from(hkdfSync('sha256', key, salt, info, 32))

function extract(salt: Buffer, suite: Buffer, label: string, input: Buffer): Buffer {
  const labeled = Buffer.concat([Buffer.from('HPKE-v1'), suite, Buffer.from(label), input])
  return createHmac('sha256', salt.length > 0 ? salt : Buffer.alloc(32))
    .update(labeled)
    .digest()
}

function expand(key: Buffer, suite: Buffer, label: string, info: Buffer, length: number): Buffer {
  const size = Buffer.from([length >> 8, length & 255])
  const labeled = Buffer.concat([
    size,
    Buffer.from('HPKE-v1'),
    suite,
    Buffer.from(label),
    info,
    Buffer.from([1]),
  ])
  return createHmac('sha256', key).update(labeled).digest().subarray(0, length)
}

function decrypt(key: Buffer, nonce: Buffer, sealed: Buffer, aad: Buffer): Buffer {
  const cipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(aad)
  cipher.setAuthTag(sealed.subarray(-16))
  return Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()])
}

function openHpke(privateKey: Buffer, enc: Buffer, wrapped: Buffer, info: Buffer, aad: Buffer): Buffer {
  const secret = createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), privateKey]),
    format: 'der',
    type: 'pkcs8',
  })
  const jwk = (x: Buffer) => ({ kty: 'OKP', crv: 'X25519', x: x.toString('base64url') })
  const peer = createPublicKey({ key: jwk(enc), format: 'jwk' })
  const publicKey = Buffer.from(createPublicKey(secret).export({ format: 'jwk' }).x ?? '', 'base64url')
  const none = Buffer.alloc(0)
  const kem = Buffer.from('4b454d0020', 'hex')
  const prk = extract(none, kem, 'eae_prk', diffieHellman({ privateKey: secret, publicKey: peer }))
  const shared = expand(prk, kem, 'shared_secret', Buffer.concat([enc, publicKey]), 32)
  const suite = Buffer.from('48504b45002000010002', 'hex')
  const schedule = Buffer.concat([
    Buffer.from([0]),
    extract(none, suite, 'psk_id_hash', none),
    extract(none, suite, 'info_hash', info),
  ])
  const key = extract(shared, suite, 'secret', none)
  const nonce = expand(key, suite, 'base_nonce', schedule, 12)
  return decrypt(expand(key, suite, 'key', schedule, 32), nonce, wrapped, aad)
}

interface Header {
  readonly suite: string
  readonly chunkSize: number
  readonly salt: string
  readonly context: object
  readonly recipients: readonly Record<string, string>[]
}

function read(file: Buffer, privateKey: Buffer, keyId: string) {
  expect(file.subarray(0, 9).toString('latin1')).toBe('SEALPOOL\x01')
  const end = 13 + file.readUInt32BE(9)
  const json = file.subarray(13, end).toString()
  const header = JSON.parse(json) as Header
  // Canonical JSON sorts the members; without the recipients the same text stays.
  const core = Buffer.from(json.replace(/"recipients":\[.*\],"salt"/, '"salt"'))
  const binding = sha256(core)
  const stanza = header.recipients.find((each) => each['keyId'] === keyId) ?? {}
  const aad = Buffer.from(`{"kem":"x25519","keyId":"${keyId}","type":"hpke"}`)
  const info = (label: string) => Buffer.concat([Buffer.from(`sealpool/sealed-file/1/${label}\0`), binding])
  const bytes = (name: string) => Buffer.from(stanza[name] ?? '', 'base64url')
  const fileKey = openHpke(privateKey, bytes('enc'), bytes('wrapped'), info('wrap'), aad)
  const salt = Buffer.from(header.salt, 'base64url')
  const mac = createHmac('sha256', hkdf(fileKey, salt, info('header')))
    .update(file.subarray(0, end))
    .digest()
  expect(file.subarray(end, end + 32)).toEqual(mac)
  const key = hkdf(fileKey, salt, info('payload'))
  const parts: Buffer[] = []
  const step = header.chunkSize + 16
  for (let at = end + 32, index = 0; at < file.length; at += step, index++) {
    const nonce = Buffer.alloc(12)
    nonce.writeUInt32BE(index, 7)
    nonce[11] = at + step >= file.length ? 1 : 0
    parts.push(decrypt(key, nonce, file.subarray(at, at + step), Buffer.alloc(0)))
  }
  return { plaintext: new Uint8Array(Buffer.concat(parts)), context: header.context }
}

test.each([0, 63, 64, 65, 200])('a reader made from the format page alone opens %i bytes', async (length) => {
  const file = Buffer.from(await sealedOf(length))
  const opened = read(file, Buffer.from(poolKey.privateKey), poolKey.keyId)
  expect(opened).toEqual({ plaintext: bytesOf(length), context })
})
