import { createCipheriv, createHash, createHmac } from 'node:crypto'
import {
  type CryptoError,
  canonicalBytes,
  decodeArmor,
  hpkeIdentity,
  hpkeRecipient,
  type JsonObject,
  openBytes,
  publicKeyOf,
  sealBytes,
  thresholdRecipient,
  walletIdentity,
  walletRecipient,
} from '@sealpool/crypto'
import { deriveXwingKeyPair, xwingIdentity, xwingRecipient } from '@sealpool/crypto/post-quantum'
import { beforeAll, describe, expect, test } from 'vitest'
import { base64, requirePython, runVectors, scratch, skipped } from './reference-process.js'

/*
 * Files at the edges of the rules, each with the code that the specification gives it: the package and the reader in
 * Python must both come to it. Most of these tell apart readers that the published vectors do not.
 */
const folder = scratch('reference-edges')
const privateKey = new Uint8Array(32).fill(3)
const publicKey = Buffer.from(publicKeyOf(privateKey))
const xwing = deriveXwingKeyPair(new Uint8Array(32).fill(4))
const address = `0x${'ef'.repeat(20)}` as const
const signature = `${'12'.repeat(64)}1b`
const wallet = walletIdentity({ signature: `0x${signature}`, address })
const identities = {
  pool: hpkeIdentity({ privateKey }),
  xwing: xwingIdentity({ privateKey: xwing.privateKey }),
  wallet,
}
type Name = keyof typeof identities
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const people = {
  pool: { type: 'hpke', kem: 'x25519', keyId: identities.pool.keyId, privateKey: hex(privateKey) },
  xwing: { type: 'hpke', kem: 'xwing', keyId: identities.xwing.keyId, privateKey: hex(xwing.privateKey) },
  wallet: { type: 'wallet', kem: 'x25519', keyId: wallet.keyId, address, signature },
}

const scheme = { scheme: 'example/none', keyId: 'committee', envelopeLength: 1 }
const file = Buffer.from(
  await sealBytes(new Uint8Array(200).fill(5), {
    chunkSize: 64,
    recipients: [
      hpkeRecipient({ publicKey }),
      xwingRecipient({ publicKey: xwing.publicKey }),
      thresholdRecipient({ ...scheme, wrap: () => Uint8Array.of(6) }),
      walletRecipient({ publicKey: wallet.publicKey, address }),
    ],
    context: {
      chainId: 31337,
      pool: `0x${'ab'.repeat(20)}`,
      policyDigest: `sha256:${'cd'.repeat(32)}`,
      epoch: 1,
      mediaType: 'text/csv',
    },
  }),
)
const end = 13 + file.readUInt32BE(9)
const text = file.subarray(13, end).toString()
const header = JSON.parse(text) as JsonObject & { context: JsonObject; recipients: JsonObject[] }
const [own = {}, quantum = {}, committee = {}, ofWallet = {}] = header.recipients

function withHeader(encoded: Uint8Array | string): Uint8Array {
  const bytes = Buffer.from(encoded as string)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([file.subarray(0, 9), length, bytes, file.subarray(end)])
}
const changed = (members: JsonObject): Uint8Array => withHeader(canonicalBytes({ ...header, ...members }))
const inContext = (members: JsonObject): Uint8Array => changed({ context: { ...header.context, ...members } })
const recipients = (...stanzas: JsonObject[]): Uint8Array => changed({ recipients: stanzas })
/** An unknown stanza with members as they are written here, before all others. */
const stanza = (members: string): Uint8Array =>
  withHeader(text.replace('"recipients":[', `"recipients":[{${members}},`))
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
const bytesOf = (member: unknown): Buffer => Buffer.from(String(member), 'base64url')

/**
 * Our own stanza as anyone can make it for an encapsulated key whose secret everybody knows: with a point of small order it
 * is zero, with the base point it is the recipient's public key. Its wrap opens for a reader that takes the key.
 */
function forged(u: bigint, shared: Buffer): Uint8Array {
  const enc = Buffer.from(u.toString(16).padStart(64, '0'), 'hex').reverse()
  const hmac = (key: Uint8Array, ...data: (Uint8Array | string)[]): Buffer => {
    const mac = createHmac('sha256', key)
    for (const part of data) mac.update(part)
    return mac.digest()
  }
  const none = Buffer.alloc(0)
  // RFC 9180 section 4; every output here is of one block.
  const labeled = (suite: Buffer) => ({
    extract: (salt: Buffer, label: string, ikm: Buffer) => hmac(salt, 'HPKE-v1', suite, label, ikm),
    expand: (prk: Buffer, label: string, info: Buffer, size: number) =>
      hmac(prk, Buffer.of(0, size), 'HPKE-v1', suite, label, info, Buffer.of(1)).subarray(0, size),
  })
  const kem = labeled(Buffer.from('KEM\x00\x20'))
  const secret = kem.expand(
    kem.extract(none, 'eae_prk', shared),
    'shared_secret',
    Buffer.concat([enc, publicKey]),
    32,
  )
  const { recipients: _, ...core } = header
  const binding = createHash('sha256').update(canonicalBytes(core)).digest()
  const info = Buffer.concat([Buffer.from('sealpool/sealed-file/1/wrap\0'), binding])
  const hpke = labeled(Buffer.from('HPKE\x00\x20\x00\x01\x00\x02'))
  const hashes = [hpke.extract(none, 'psk_id_hash', none), hpke.extract(none, 'info_hash', info)]
  const schedule = Buffer.concat([Buffer.of(0), ...hashes])
  const prk = hpke.extract(secret, 'secret', none)
  const cipher = createCipheriv(
    'aes-256-gcm',
    hpke.expand(prk, 'key', schedule, 32),
    hpke.expand(prk, 'base_nonce', schedule, 12),
  )
  const { enc: _enc, wrapped: _wrapped, ...label } = own
  cipher.setAAD(canonicalBytes(label))
  const wrapped = Buffer.concat([cipher.update(Buffer.alloc(32)), cipher.final(), cipher.getAuthTag()])
  return recipients(
    { ...own, enc: enc.toString('base64url'), wrapped: wrapped.toString('base64url') },
    quantum,
  )
}

function xwingEnc(change: (enc: Buffer) => void): Uint8Array {
  const enc = bytesOf(quantum['enc'])
  change(enc)
  return recipients(own, { ...quantum, enc: enc.toString('base64url') })
}

const prime = 2n ** 255n - 19n
const zero = Buffer.alloc(32)
const orderEight = 39382357235489614581723060781553021112529911719440698176882885853963445705823n
const envelope = (size: number): JsonObject => ({
  ...committee,
  envelope: Buffer.alloc(size).toString('base64url'),
})
const x = { type: 'x' }
const critical = { ...x, critical: true }

// What comes with HEADER_REFUSED has kept every rule of the header, and fails only because nobody made its MAC anew.
const cases: [name: string, sealed: Uint8Array, code: string, who?: Name, expected?: JsonObject][] = [
  ['a base point that everybody knows the secret of', forged(9n, publicKey), 'HEADER_REFUSED'],
  ['the same with its topmost bit', forged(9n + 2n ** 255n, publicKey), 'WRAP_REFUSED'],
  ['the same, not reduced', forged(9n + prime, publicKey), 'WRAP_REFUSED'],
  ['a point of order 4', forged(0n, zero), 'WRAP_REFUSED'],
  ['the identity, not reduced', forged(prime, zero), 'WRAP_REFUSED'],
  ['a point of order 1 on the curve', forged(1n, zero), 'WRAP_REFUSED'],
  ['a point of order 8', forged(orderEight, zero), 'WRAP_REFUSED'],
  ['the largest reduced coordinate', forged(prime - 1n, zero), 'WRAP_REFUSED'],
  [
    'X-Wing: a bit of the ML-KEM part',
    xwingEnc((enc) => enc.writeUInt8((enc[5] ?? 0) ^ 1, 5)),
    'WRAP_REFUSED',
    'xwing',
  ],
  ['X-Wing: the X25519 part zero', xwingEnc((enc) => enc.fill(0, 1088)), 'WRAP_REFUSED', 'xwing'],
  ['X-Wing: another recipient’s part zero', xwingEnc((enc) => enc.fill(0, 1088)), 'HEADER_REFUSED'],

  ['names in the order of UTF-16', stanza('"type":"x","\u{10000}":1,"\uffff":1'), 'HEADER_REFUSED'],
  [
    'names in the order of code points',
    stanza('"type":"x","\uffff":1,"\u{10000}":1'),
    'HEADER_NOT_CANONICAL',
  ],
  [
    'characters that stand for themselves',
    stanza('"a":"\u007f\u2028\ufeff\uffff","type":"x"'),
    'HEADER_REFUSED',
  ],
  ['an escape in lower case', stanza('"a":"\\u001f","type":"x"'), 'HEADER_REFUSED'],
  ['an escape in capitals', stanza('"a":"\\u001F","type":"x"'), 'HEADER_NOT_CANONICAL'],
  ['an escaped slash', stanza('"a":"\\/","type":"x"'), 'HEADER_NOT_CANONICAL'],
  ['an escaped pair of surrogates', stanza('"a":"\\ud83d\\ude00","type":"x"'), 'HEADER_NOT_CANONICAL'],
  ['a lone surrogate as a name', stanza('"\\ud800":1,"type":"x"'), 'HEADER_INVALID'],
  ['an empty name', stanza('"":1,"type":"x"'), 'HEADER_REFUSED'],
  ['a member __proto__', stanza('"__proto__":{"a":1},"type":"x"'), 'HEADER_REFUSED'],
  ['a fraction below __proto__', stanza('"__proto__":{"a":1.5},"type":"x"'), 'HEADER_INVALID'],
  ['128 levels', stanza(`"a":${nested(125)},"type":"x"`), 'HEADER_REFUSED'],
  ['129 levels', stanza(`"a":${nested(126)},"type":"x"`), 'HEADER_INVALID'],
  ['129 levels and a blank', stanza(`"a": ${nested(126)},"type":"x"`), 'HEADER_INVALID'],
  ['100,000 levels', stanza(`"a":${nested(100_000)},"type":"x"`), 'HEADER_INVALID'],
  ['-0', stanza('"n":-0,"type":"x"'), 'HEADER_NOT_CANONICAL'],
  ['1E2', stanza('"n":1E2,"type":"x"'), 'HEADER_NOT_CANONICAL'],
  ['2^53 - 1', stanza('"n":9007199254740991,"type":"x"'), 'HEADER_REFUSED'],
  ['2^53 + 1, which is no double', stanza('"n":9007199254740993,"type":"x"'), 'HEADER_NOT_CANONICAL'],
  ['-2^53', stanza('"n":-9007199254740992,"type":"x"'), 'HEADER_INVALID'],
  ['1e+21 as RFC 8785 writes it', stanza('"n":1e+21,"type":"x"'), 'HEADER_INVALID'],
  ['a number beyond all doubles', stanza('"n":1e999,"type":"x"'), 'HEADER_INVALID'],
  ['UTF-8 of a surrogate', withHeader(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])), 'HEADER_INVALID'],
  ['overlong UTF-8', withHeader(Buffer.from([0x22, 0xc0, 0xaf, 0x22])), 'HEADER_INVALID'],
  ['a blank that JSON does not know', withHeader(`\u00a0${text}`), 'HEADER_INVALID'],

  ['a chunk size of true', changed({ chunkSize: true }), 'HEADER_INVALID'],
  ['an epoch of true', inContext({ epoch: true }), 'HEADER_INVALID'],
  ['a pool with a line feed', inContext({ pool: `0x${'ab'.repeat(20)}\n` }), 'HEADER_INVALID'],
  ['a media type with a line feed', inContext({ mediaType: 'text/csv\n' }), 'HEADER_INVALID'],
  ['a media type with a letter outside ASCII', inContext({ mediaType: 'text/é' }), 'HEADER_INVALID'],
  ['a media type with an empty parameter', inContext({ mediaType: 'a/b;' }), 'HEADER_INVALID'],
  ['10,000 recipients', recipients(own, ...Array(9999).fill(x)), 'HEADER_REFUSED'],
  ['10,001 recipients', recipients(own, ...Array(10_000).fill(x)), 'HEADER_INVALID'],
  ['a type of 64 characters', recipients(own, { type: 'a'.repeat(64) }), 'HEADER_REFUSED'],
  ['a type of 65 characters', recipients(own, { type: 'a'.repeat(65) }), 'HEADER_INVALID'],
  ['a type of JavaScript’s own', recipients({ type: 'constructor' }, own), 'HEADER_REFUSED'],
  ['a KEM of JavaScript’s own', recipients({ ...own, kem: 'toString' }), 'NO_MATCHING_IDENTITY'],
  ['a key id of 129 characters', recipients({ ...own, keyId: 'a'.repeat(129) }), 'HEADER_INVALID'],
  ['a key id with a line feed', recipients({ ...own, keyId: 'a\n' }), 'HEADER_INVALID'],
  ['our key id with an unknown KEM first', recipients({ ...own, kem: 'later' }, own), 'HEADER_REFUSED'],
  ['our wallet key with our address', recipients(ofWallet), 'HEADER_REFUSED', 'wallet'],
  [
    'our wallet key with another address',
    recipients({ ...ofWallet, address: `0x${'00'.repeat(20)}` }),
    'NO_MATCHING_IDENTITY',
    'wallet',
  ],
  [
    'an unknown KEM and no valid key id',
    recipients(own, { type: 'hpke', kem: 'y', keyId: ' ' }),
    'HEADER_REFUSED',
  ],
  ['our key id with two KEMs', recipients(own, { ...quantum, keyId: own['keyId'] ?? '' }), 'HEADER_INVALID'],
  ['an envelope of 65,536 bytes', recipients(own, envelope(65_536)), 'HEADER_REFUSED'],
  ['an envelope of 65,537 bytes', recipients(own, envelope(65_537)), 'HEADER_INVALID'],
  ['an envelope of nothing', recipients(own, envelope(0)), 'HEADER_INVALID'],
  ['a critical stanza of a known type', recipients(own, { ...committee, critical: true }), 'HEADER_INVALID'],
  ['a critical that is null', recipients(own, { ...x, critical: null }), 'HEADER_INVALID'],
  ['a critical stanza, then an invalid one', recipients(critical, { type: 'X' }), 'RECIPIENT_UNSUPPORTED'],
  ['an invalid stanza, then a critical one', recipients({ type: 'X' }, critical), 'HEADER_INVALID'],
  ['a critical stanza, then one twice', recipients(critical, own, own), 'RECIPIENT_UNSUPPORTED'],
  ['one twice, then a critical stanza', recipients(own, own, critical), 'HEADER_INVALID'],
  [
    'a critical stanza in an unknown suite',
    changed({ suite: 'z', recipients: [critical, own] }),
    'HEADER_INVALID',
  ],

  ['no payload, in another epoch', file.subarray(0, end + 32), 'TRUNCATED', 'pool', { epoch: 2 }],
  ['fifteen bytes, in another epoch', file.subarray(0, end + 47), 'TRUNCATED', 'pool', { epoch: 2 }],
  ['sixteen bytes, in another epoch', file.subarray(0, end + 48), 'CONTEXT_MISMATCH', 'pool', { epoch: 2 }],
  ['an empty last chunk, in another epoch', file.subarray(0, end + 128), 'TRUNCATED', 'pool', { epoch: 2 }],
  ['no stanza, in another epoch', recipients(x), 'CONTEXT_MISMATCH', 'pool', { epoch: 2 }],
]

const begin = '-----BEGIN SEALPOOL FILE-----'
const close = '-----END SEALPOOL FILE-----'
const line = 'A'.repeat(64)
const armor: [name: string, text: string, bytes?: number][] = [
  ['a last line of 64', `${begin}\n${line}\n${line}\n${close}`, 96],
  ['line ends of both kinds', `${begin}\r\n${line}\nAA==\r\n${close}`, 49],
  ['blanks around', `\t \n${begin}\n${line}\n${close} \t\r\n`, 48],
  ['a line of 68', `${begin}\n${line}AAAA\n${close}`],
  ['a line of 60 before the last', `${begin}\n${line.slice(4)}\nAAAA\n${close}`],
  ['a last line of 2', `${begin}\n${line}\nAA\n${close}`],
  ['padding in the middle', `${begin}\n${line.slice(1)}=\nAAAA\n${close}`],
  ['padding twice', `${begin}\nAA==AA==\n${close}`],
  ['padding alone', `${begin}\n====\n${close}`],
  ['line ends of CR alone', [begin, line, close].join('\r')],
  ['CR CR LF', [begin, line, close].join('\r\r\n')],
  ['a blank behind a line', `${begin}\n${line} \n${close}`],
  ['a blank before the end', `${begin}\n${line}\n ${close}`],
  ['two texts', `${begin}\n${line}\n${close}\n${begin}\n${line}\n${close}`],
]

const codeOf = (error: unknown): string => (error as CryptoError).code

describe.skipIf(skipped)('at the edges of the sealed-file format', () => {
  beforeAll(requirePython)

  test.each(cases)('the package: %s', async (_, sealed, code, who = 'pool', expected = {}) => {
    const opening = openBytes(sealed, { identities: [identities[who]], expect: expected })
    expect(await opening.then(() => 'opened', codeOf)).toBe(code)
  })

  test.each(armor)('the package: text with %s', (_, armored, bytes) => {
    if (bytes === undefined)
      expect(() => decodeArmor(armored)).toThrow(expect.objectContaining({ code: 'ARMOR_INVALID' }))
    else expect(decodeArmor(armored)).toHaveLength(bytes)
  })

  test('the reader in Python, all of them', () => {
    const negative = cases.map(([name, sealed, error, identity = 'pool', expected = {}]) => ({
      name,
      error,
      identity,
      sealed: base64(sealed),
      expect: expected,
    }))
    const texts = armor.map(([name, armored, bytes]) =>
      bytes === undefined
        ? { name, text: armored, error: 'ARMOR_INVALID' }
        : { name, text: armored, sealed: base64(new Uint8Array(bytes)) },
    )
    const { differences, agreed, stderr } = runVectors(folder, people, {
      negative,
      armor: {
        positive: texts.filter((entry) => 'sealed' in entry),
        negative: texts.filter((entry) => 'error' in entry),
      },
    })
    expect(stderr).toBe('')
    expect(differences).toEqual([])
    expect(agreed('negative')).toBe(cases.length)
    expect(agreed('text') + agreed('text, refused')).toBe(armor.length)
  })
})
