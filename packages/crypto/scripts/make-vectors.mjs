// Writes docs/formats/vectors/sealed-file.json with the built package: `node packages/crypto/scripts/make-vectors.mjs`.
// All randomness comes from SHA-256 in counter mode, so that the same sources give the same file. Files that only
// someone with the keys could make are made with OpenSSL, not with this package.
import { createCipheriv, createHash, createHmac, hkdfSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import * as library from '@sealpool/crypto'
import { xwingIdentity, xwingKem, xwingRecipient } from '@sealpool/crypto/post-quantum'
import { forgeHpke, openHpke } from '../../../conformance/reader/hpke.mjs'

const { canonicalize, encodeHex } = library

function randomFrom(seed) {
  let counter = 0
  return (length) => {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 32) {
      const block = createHash('sha256').update(`${seed} ${counter++}`).digest()
      bytes.set(block.subarray(0, length - at), at)
    }
    return bytes
  }
}
const hex = (bytes) => encodeHex(bytes).slice(2)
const base64 = (bytes) => Buffer.from(bytes).toString('base64')
const join = (...parts) => new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))))
const plaintextOf = (length) => new Uint8Array(length).map((_, index) => (index * 7) & 255)

const scope = {
  chainId: 31_337,
  pool: '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512',
  policyDigest: `sha256:${'ab'.repeat(32)}`,
  epoch: 1,
}
const context = { ...scope, mediaType: 'text/csv' }
const root = new Uint8Array(32).fill(1)
const poolKey = library.derivePoolKey({ root, ...scope })
const nextKey = library.derivePoolKey({ root, ...scope, epoch: 2 })
const xwingKey = library.derivePoolKey({ root, ...scope, kem: xwingKem })
const walletSignature = `0x${'11'.repeat(32)}${'22'.repeat(32)}1b`
const walletAddress = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8'
const wallet = library.walletIdentity({ signature: walletSignature, address: walletAddress })
const walletMaterial = new Uint8Array(
  hkdfSync(
    'sha256',
    Buffer.from(walletSignature.slice(2, 130), 'hex'),
    'sealpool/wallet-key/1',
    Buffer.from(walletAddress.slice(2), 'hex'),
    32,
  ),
)
const walletPrivateKey = library.deriveKeyPair(walletMaterial).privateKey
const xwingWallet = library.walletIdentity({
  signature: walletSignature,
  address: walletAddress,
  kem: xwingKem,
})

const identities = {
  pool: { type: 'hpke', kem: 'x25519', keyId: poolKey.keyId, privateKey: hex(poolKey.privateKey) },
  nextPool: { type: 'hpke', kem: 'x25519', keyId: nextKey.keyId, privateKey: hex(nextKey.privateKey) },
  wallet: {
    type: 'wallet',
    kem: 'x25519',
    keyId: wallet.keyId,
    address: walletAddress,
    privateKey: hex(walletPrivateKey),
  },
  xwing: { type: 'hpke', kem: 'xwing', keyId: xwingKey.keyId, privateKey: hex(xwingKey.privateKey) },
  xwingWallet: {
    type: 'wallet',
    kem: 'xwing',
    keyId: xwingWallet.keyId,
    address: walletAddress,
    privateKey: hex(xwingKem.deriveKeyPair(walletMaterial).privateKey),
  },
}
const recipients = {
  pool: library.hpkeRecipient(poolKey),
  nextPool: library.hpkeRecipient(nextKey),
  wallet: library.walletRecipient(wallet),
  xwing: xwingRecipient(xwingKey),
  xwingWallet: library.walletRecipient({ ...xwingWallet, kem: xwingKem }),
  committee: library.thresholdRecipient({
    scheme: 'example/1',
    keyId: 'a-committee',
    envelopeLength: 100,
    wrap: ({ random }) => random(100),
  }),
}
const openers = {
  pool: library.hpkeIdentity(poolKey),
  nextPool: library.hpkeIdentity(nextKey),
  wallet,
  xwing: xwingIdentity(xwingKey),
  xwingWallet,
}

const seal = (length, options = {}) => {
  const { to = ['pool'], seed = `file ${length}`, ...rest } = options
  return library.sealBytes(plaintextOf(length), {
    recipients: to.map((name) => recipients[name]),
    context,
    chunkSize: 64,
    random: randomFrom(seed),
    ...rest,
  })
}

// --- positive

const positive = []
async function addPositive(name, length, options = {}) {
  const { to = ['pool'] } = options
  await addSealed(name, to, await seal(length, options))
}
async function addSealed(name, to, sealed) {
  const opened = await library.openBytes(sealed, { identities: [openers[to[0]]] })
  positive.push({
    name,
    opens: to,
    sealed: base64(sealed),
    plaintext: base64(opened.plaintext),
    context: opened.context,
    commitmentSalt: hex(opened.commitmentSalt),
  })
}
for (const suite of ['aes-256-gcm', 'xchacha20-poly1305']) {
  for (const length of [0, 1, 63, 64, 65, 128, 200]) {
    await addPositive(`${length} bytes in chunks of 64, ${suite}`, length, { suite })
  }
}
await addPositive('two recipients', 100, { to: ['pool', 'wallet'] })
await addPositive('three recipients, one of them X-Wing', 100, { to: ['pool', 'wallet', 'xwing'] })
await addPositive('a wallet over X-Wing', 90, { to: ['xwingWallet'] })
await addSealed(
  'a threshold stanza of a scheme that is unknown',
  ['pool'],
  await seal(80, { to: ['committee', 'pool'] }),
)
{
  const two = await seal(150, { to: ['pool', 'wallet'] })
  const identities = [openers.pool]
  const random = randomFrom('a recipient added')
  const recipient = recipients.nextPool
  const three = await library.addRecipient(two, { identities, recipient, random })
  await addSealed('a recipient more', ['pool', 'wallet', 'nextPool'], three)
  const { keyId } = recipients.wallet
  await addSealed(
    'a recipient less',
    ['pool', 'nextPool'],
    await library.removeRecipient(three, { identities, keyId }),
  )
}
await addPositive('X-Wing alone', 70, { to: ['xwing'] })
await addPositive('chunks of 65,536 bytes', 70_000, { chunkSize: 65_536 })
await addPositive('the largest values of a context', 10, {
  context: {
    chainId: 2 ** 53 - 1,
    pool: `0x${'f'.repeat(40)}`,
    policyDigest: `sha256:${'0'.repeat(64)}`,
    epoch: 2 ** 32 - 1,
    mediaType: 'application/x.a-b+c;charset="utf-8"',
  },
})

const parts = (sealed) => {
  const { payloadOffset, chunkSize, encoded, mac } = library.parseHeader(sealed)
  const step = chunkSize + 16
  return {
    head: sealed.slice(0, payloadOffset),
    json: JSON.parse(Buffer.from(encoded.slice(13)).toString()),
    mac,
    payload: sealed.slice(payloadOffset),
    chunk: (from, to) => sealed.slice(payloadOffset + from * step, payloadOffset + to * step),
  }
}
const framed = (json, mac, payload) => {
  const text = typeof json === 'string' || json instanceof Uint8Array ? json : canonicalize(json)
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  const prefix = Buffer.alloc(13)
  prefix.write('SEALPOOL\u0001', 'latin1')
  prefix.writeUInt32BE(bytes.length, 9)
  return join(prefix, bytes, mac, payload)
}

/** What someone who has the file key can make: any header and any payload, each rightly authenticated. */
function insider(sealed) {
  const { json } = parts(sealed)
  const { recipients: stanzas, ...core } = json
  const binding = createHash('sha256').update(canonicalize(core)).digest()
  const labelled = (use) => Buffer.concat([Buffer.from(`sealpool/sealed-file/1/${use}\0`), binding])
  const { enc, wrapped, ...label } = stanzas[0]
  const fileKey = openHpke({
    privateKey: Buffer.from(poolKey.privateKey),
    info: labelled('wrap'),
    aad: Buffer.from(canonicalize(label)),
    message: Buffer.concat([Buffer.from(enc, 'base64url'), Buffer.from(wrapped, 'base64url')]),
  })
  const derive = (use) =>
    Buffer.from(hkdfSync('sha256', fileKey, Buffer.from(core.salt, 'base64url'), labelled(use), 32))
  return {
    header(change) {
      const changed = framed(change(json), new Uint8Array(), new Uint8Array())
      return join(changed, createHmac('sha256', derive('header')).update(changed).digest())
    },
    chunk(index, last, plaintext) {
      const nonce = Buffer.alloc(12)
      nonce.writeUInt32BE(index, 7)
      nonce[11] = last ? 1 : 0
      const cipher = createCipheriv('aes-256-gcm', derive('payload'), nonce)
      return Buffer.concat([cipher.update(Uint8Array.from(plaintext)), cipher.final(), cipher.getAuthTag()])
    },
  }
}

const kept = { type: 'example/later', number: 7, text: 'é€😀', deep: [[null, true]] }
{
  const sealed = await seal(100)
  const forged = join(
    insider(sealed).header((json) => ({
      ...json,
      recipients: [kept, ...json.recipients, { ...kept, critical: false }],
    })),
    parts(sealed).payload,
  )
  const opened = await library.openBytes(forged, { identities: [openers.pool] })
  positive.push({
    name: 'stanzas of a type that is unknown and not critical',
    opens: ['pool'],
    sealed: base64(forged),
    plaintext: base64(opened.plaintext),
    context: opened.context,
    commitmentSalt: hex(opened.commitmentSalt),
  })
}

// --- negative

const negative = []
const base = await seal(200, { to: ['pool', 'wallet'] })
const own = parts(base)
const other = parts(await seal(200, { to: ['pool', 'wallet'], seed: 'another file' }))
const add = (name, error, sealed, options = {}) =>
  negative.push({ name, identity: 'pool', error, ...options, sealed: base64(sealed) })
const headerText = (text) => framed(text, own.mac, own.payload)
const header = (change) => framed(change(own.json), own.mac, own.payload)
const set = (name, value) => header((json) => ({ ...json, [name]: value }))
const setContext = (name, value) =>
  header((json) => ({ ...json, context: { ...json.context, [name]: value } }))
const setStanza = (change, at = 0) =>
  header((json) => ({
    ...json,
    recipients: json.recipients.map((stanza, index) => (index === at ? { ...stanza, ...change } : stanza)),
  }))
// The library refuses to write these.
const deepText = (levels) =>
  canonicalText.replace(
    '"recipients":[',
    `"recipients":[${'{"a":'.repeat(levels)}1${'}'.repeat(levels - 1)},"type":"x"},`,
  )
const flipped = (bytes, at, mask = 1) => bytes.map((byte, index) => (index === at ? byte ^ mask : byte))
const canonicalText = canonicalize(own.json)

// Frame.
add('an empty file', 'TRUNCATED', new Uint8Array())
add('the first four bytes', 'TRUNCATED', base.slice(0, 4))
add('twelve bytes', 'TRUNCATED', base.slice(0, 12))
add('another magic', 'NOT_SEALED_FILE', flipped(base, 3))
add('a short file with another magic', 'NOT_SEALED_FILE', new Uint8Array([0x50, 0x4b, 3, 4]))
add('zeros', 'NOT_SEALED_FILE', new Uint8Array(200))
add('version 0', 'VERSION_UNSUPPORTED', flipped(base, 8))
add('version 2', 'VERSION_UNSUPPORTED', flipped(base, 8, 3))
add(
  'a header of 4,194,305 bytes declared',
  'HEADER_TOO_LARGE',
  join(base.slice(0, 9), Buffer.from('00400001', 'hex'), base.slice(13)),
)
add(
  'a header of 4 GiB declared',
  'HEADER_TOO_LARGE',
  join(base.slice(0, 9), Buffer.from('ffffffff', 'hex'), base.slice(13)),
)
add(
  'a header of 4 MiB declared and not there',
  'TRUNCATED',
  join(base.slice(0, 9), Buffer.from('00400000', 'hex'), base.slice(13)),
)
add('cut inside the header', 'TRUNCATED', base.slice(0, 200))
add('cut inside the MAC', 'TRUNCATED', own.head.slice(0, -1))
add('no payload', 'TRUNCATED', own.head)
add('fifteen bytes of payload', 'TRUNCATED', join(own.head, own.payload.slice(0, 15)))
const length = new DataView(base.buffer).getUint32(9)
const declared = (value) => {
  const changed = base.slice()
  new DataView(changed.buffer).setUint32(9, value)
  return changed
}
add('a header declared one byte shorter', 'HEADER_INVALID', declared(length - 1))
add('a header declared one byte longer', 'HEADER_INVALID', declared(length + 1))
add('a header declared empty', 'HEADER_INVALID', declared(0))

// JSON.
add('a blank in the header', 'HEADER_NOT_CANONICAL', headerText(canonicalText.replace(':', ': ')))
add('a line break behind the header', 'HEADER_NOT_CANONICAL', headerText(`${canonicalText}\n`))
add(
  'members in another order',
  'HEADER_NOT_CANONICAL',
  headerText(JSON.stringify(Object.fromEntries(Object.entries(own.json).sort().reverse()))),
)
add(
  'a member twice',
  'HEADER_NOT_CANONICAL',
  headerText(canonicalText.replace('{"chunkSize":64,', '{"chunkSize":64,"chunkSize":64,')),
)
add(
  'an escaped letter',
  'HEADER_NOT_CANONICAL',
  headerText(canonicalText.replace('text/csv', '\\u0074ext/csv')),
)
add(
  'a number with a fraction of zero',
  'HEADER_NOT_CANONICAL',
  headerText(canonicalText.replace('"chunkSize":64', '"chunkSize":64.0')),
)
add('a byte order mark', 'HEADER_INVALID', headerText(`\ufeff${canonicalText}`))
add('bytes that are no UTF-8', 'HEADER_INVALID', headerText(join(Buffer.from(canonicalText), [0xff])))
add('no JSON', 'HEADER_INVALID', headerText('sealed'))
add('an array', 'HEADER_INVALID', headerText('[]'))
add('null', 'HEADER_INVALID', headerText('null'))
add('arrays nested 200 deep', 'HEADER_INVALID', headerText(`${'['.repeat(200)}${']'.repeat(200)}`))
add('a lone surrogate', 'HEADER_INVALID', headerText(canonicalText.replace('text/csv', '\\ud800')))
add(
  'a number with a fraction in an unknown stanza',
  'HEADER_INVALID',
  header((json) => ({ ...json, recipients: [...json.recipients, { type: 'x', number: 0.5 }] })),
)
add(
  'a number of 2^53 in an unknown stanza',
  'HEADER_INVALID',
  header((json) => ({ ...json, recipients: [...json.recipients, { type: 'x', number: 2 ** 53 }] })),
)

// Members.
add('a member too many', 'HEADER_INVALID', set('more', 1))
add(
  'a member too few',
  'HEADER_INVALID',
  header(({ suite, ...rest }) => rest),
)
add('an unknown suite', 'HEADER_INVALID', set('suite', 'aes-128-gcm'))
add('chunks of 63 bytes', 'HEADER_INVALID', set('chunkSize', 63))
add('chunks of 4,194,305 bytes', 'HEADER_INVALID', set('chunkSize', 4_194_305))
add('a chunk size as text', 'HEADER_INVALID', set('chunkSize', '64'))
add('a salt of 31 bytes', 'HEADER_INVALID', set('salt', Buffer.alloc(31).toString('base64url')))
add('a padded salt', 'HEADER_INVALID', set('salt', `${own.json.salt}=`))
add('a salt with unused bits set', 'HEADER_INVALID', set('salt', `${'A'.repeat(42)}B`))
add('a salt in standard base64', 'HEADER_INVALID', set('salt', `${'/'.repeat(42)}8`))
add('a context with a field too many', 'HEADER_INVALID', setContext('more', 1))
add(
  'a context with a field too few',
  'HEADER_INVALID',
  header(({ context: { epoch, ...rest }, ...json }) => ({ ...json, context: rest })),
)
add('chain 0', 'HEADER_INVALID', setContext('chainId', 0))
add('a pool in capitals', 'HEADER_INVALID', setContext('pool', '0xE7F1725E7734CE288F8367E1BB143E90BB3F0512'))
add('a policy digest in capitals', 'HEADER_INVALID', setContext('policyDigest', `sha256:${'AB'.repeat(32)}`))
add('a bare commitment', 'HEADER_INVALID', setContext('commitment', 'ab'.repeat(32)))
add('epoch 2^32', 'HEADER_INVALID', setContext('epoch', 2 ** 32))
add('epoch -1', 'HEADER_INVALID', setContext('epoch', -1))
add('a media type without a subtype', 'HEADER_INVALID', setContext('mediaType', 'text'))
add('no recipients', 'HEADER_INVALID', set('recipients', []))
add('recipients as an object', 'HEADER_INVALID', set('recipients', {}))
add(
  'a recipient twice',
  'HEADER_INVALID',
  header((json) => ({ ...json, recipients: [...json.recipients, json.recipients[0]] })),
)
add('a stanza that is text', 'HEADER_INVALID', set('recipients', ['hpke']))
add('a type in capitals', 'HEADER_INVALID', setStanza({ type: 'HPKE' }))
add('a stanza with a member too many', 'HEADER_INVALID', setStanza({ critical: false }))
add(
  'a stanza with a member too few',
  'HEADER_INVALID',
  set('recipients', [{ type: 'hpke', kem: 'x25519', keyId: 'a' }]),
)
add(
  'an encapsulated key of 31 bytes',
  'HEADER_INVALID',
  setStanza({ enc: Buffer.alloc(31).toString('base64url') }),
)
add(
  'a wrapped key of 47 bytes',
  'HEADER_INVALID',
  setStanza({ wrapped: Buffer.alloc(47).toString('base64url') }),
)
add('a key id with a blank', 'HEADER_INVALID', setStanza({ keyId: 'a b' }))
add(
  'a wallet address in capitals',
  'HEADER_INVALID',
  setStanza({ address: walletAddress.toUpperCase().replace('X', 'x') }, 1),
)
add('an X25519 key in an X-Wing stanza', 'HEADER_INVALID', setStanza({ kem: 'xwing' }))
add(
  'a critical stanza of an unknown type',
  'RECIPIENT_UNSUPPORTED',
  header((json) => ({ ...json, recipients: [...json.recipients, { ...kept, critical: true }] })),
)
add(
  'a critical stanza of an unknown KEM',
  'RECIPIENT_UNSUPPORTED',
  header((json) => ({
    ...json,
    recipients: [...json.recipients, { type: 'hpke', kem: 'x448', critical: true }],
  })),
)
add(
  'a stanza whose critical is a number',
  'HEADER_INVALID',
  header((json) => ({ ...json, recipients: [...json.recipients, { ...kept, critical: 1 }] })),
)

// Context.
const expectations = {
  chainId: 1,
  pool: `0x${'01'.repeat(20)}`,
  policyDigest: `sha256:${'00'.repeat(32)}`,
  epoch: 2,
  commitment: `sha256:${'00'.repeat(32)}`,
  mediaType: 'text/plain',
}
for (const [name, value] of Object.entries(expectations)) {
  add(`another ${name} is expected`, 'CONTEXT_MISMATCH', base, { expect: { [name]: value } })
}
for (const [name, value] of Object.entries(expectations)) {
  add(`another ${name} was put in`, 'WRAP_REFUSED', setContext(name, value))
}
add('another suite was put in', 'WRAP_REFUSED', set('suite', 'xchacha20-poly1305'))
add('another chunk size was put in', 'WRAP_REFUSED', set('chunkSize', 66))
add('another salt was put in', 'WRAP_REFUSED', set('salt', other.json.salt))

// Recipients.
add('no stanza for this identity', 'NO_MATCHING_IDENTITY', base, { identity: 'nextPool' })
add(
  'a stanza of another type for the same key',
  'NO_MATCHING_IDENTITY',
  framed({ ...own.json, recipients: [own.json.recipients[1]] }, own.mac, own.payload),
)
add(
  'a stanza that claims this key',
  'WRAP_REFUSED',
  header(({ recipients: [, { address, ...stanza }], ...json }) => ({
    ...json,
    recipients: [{ ...stanza, type: 'hpke', keyId: poolKey.keyId }],
  })),
)
add('the stanza of another file', 'WRAP_REFUSED', set('recipients', other.json.recipients))
const [first, second] = own.json.recipients
add(
  'two stanzas with their keys swapped',
  'WRAP_REFUSED',
  set('recipients', [
    { ...first, enc: second.enc, wrapped: second.wrapped },
    { ...second, enc: first.enc, wrapped: first.wrapped },
  ]),
)
const encBytes = Buffer.from(first.enc, 'base64url')
const u = (text) => Buffer.from(text, 'hex').toString('base64url')
add('an encapsulated key of zero', 'WRAP_REFUSED', setStanza({ enc: Buffer.alloc(32).toString('base64url') }))
add(
  'an encapsulated key of order 8',
  'WRAP_REFUSED',
  setStanza({ enc: u('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800') }),
)
add(
  'an encapsulated key with its topmost bit set',
  'WRAP_REFUSED',
  setStanza({ enc: Buffer.from(flipped(encBytes, 31, 128)).toString('base64url') }),
)
add(
  'an encapsulated key that is not reduced',
  'WRAP_REFUSED',
  setStanza({ enc: u(`f0${'ff'.repeat(30)}7f`) }),
)
add(
  'another encapsulated key',
  'WRAP_REFUSED',
  setStanza({ enc: Buffer.from(flipped(encBytes, 5)).toString('base64url') }),
)
add(
  'another wrapped key',
  'WRAP_REFUSED',
  setStanza({
    wrapped: Buffer.from(flipped(Buffer.from(first.wrapped, 'base64url'), 40)).toString('base64url'),
  }),
)

// What a reader that is lax in one thing would take; anyone can make these, without any key.
const labelled = (core, use) =>
  Buffer.concat([
    Buffer.from(`sealpool/sealed-file/1/${use}\0`),
    createHash('sha256').update(canonicalize(core)).digest(),
  ])
const coreOf = ({ recipients: _, ...core }) => core
const little = (u) => Buffer.from(u.toString(16).padStart(64, '0'), 'hex').reverse()
const forgedStanza = (json, stanza, forging) => {
  const { enc: _, wrapped: __, ...label } = stanza
  const message = forgeHpke({
    info: labelled(coreOf(json), 'wrap'),
    aad: Buffer.from(canonicalize(label)),
    plaintext: Buffer.alloc(32),
    ...forging,
  })
  return {
    ...stanza,
    enc: message.subarray(0, -48).toString('base64url'),
    wrapped: message.subarray(-48).toString('base64url'),
  }
}
const prime = 2n ** 255n - 19n
// The base point's secret with a key is the public key itself; that of a point of small order is zero.
const basePoints = [
  ['not reduced', 9n + prime],
  ['with its topmost bit set', 9n + 2n ** 255n],
]
for (const [what, u] of basePoints) {
  const recipientKey = Buffer.from(poolKey.publicKey)
  const stanza = forgedStanza(own.json, first, { enc: little(u), agreed: recipientKey, recipientKey })
  add(`the base point as encapsulated key, ${what}`, 'WRAP_REFUSED', set('recipients', [stanza, second]))
}
const xwingParts = parts(await seal(60, { to: ['xwing'] }))
const [quantum] = xwingParts.json.recipients
const xwingFile = (stanza) =>
  framed({ ...xwingParts.json, recipients: [stanza] }, xwingParts.mac, xwingParts.payload)
const latticeKey = xwingKey.publicKey.slice(0, 1184)
const curveKey = xwingKey.publicKey.slice(1184)
const lattice = ml_kem768.encapsulate(latticeKey, randomFrom('lattice')(32))
for (const [what, u, agreed] of [
  ...basePoints.map(([what, u]) => [what, u, curveKey]),
  [
    'of order 8, on the twist or the curve',
    39382357235489614581723060781553021112529911719440698176882885853963445705823n,
    Buffer.alloc(32),
  ],
]) {
  const point = little(u)
  const sharedSecret = createHash('sha3-256')
    .update(
      Buffer.concat([lattice.sharedSecret, agreed, point, curveKey, Buffer.from('5c2e2f2f5e5c', 'hex')]),
    )
    .digest()
  const enc = Buffer.concat([lattice.cipherText, point])
  const stanza = forgedStanza(xwingParts.json, quantum, { enc, sharedSecret, kemId: 0x647a })
  add(`X-Wing: an X25519 part ${what}`, 'WRAP_REFUSED', xwingFile(stanza), { identity: 'xwing' })
}
add(
  'X-Wing: a bit of the ML-KEM part changed',
  'WRAP_REFUSED',
  xwingFile({
    ...quantum,
    enc: Buffer.from(flipped(Buffer.from(quantum.enc, 'base64url'), 5)).toString('base64url'),
  }),
  { identity: 'xwing' },
)
add(
  'an X-Wing stanza under this X25519 key’s id',
  'NO_MATCHING_IDENTITY',
  set('recipients', [{ ...quantum, keyId: poolKey.keyId }]),
)
add(
  'a wallet stanza under this key’s id for another address',
  'NO_MATCHING_IDENTITY',
  set('recipients', [first, { ...second, address: `0x${'01'.repeat(20)}` }]),
  { identity: 'wallet' },
)
add('an epoch of true', 'HEADER_INVALID', setContext('epoch', true))
add('a chain of true', 'HEADER_INVALID', setContext('chainId', true))
add('a chunk size of true', 'HEADER_INVALID', set('chunkSize', true))
const nested = (levels) => {
  const stanza = JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`)
  return set('recipients', [first, { ...stanza, type: 'x' }])
}
// The header and its recipients are two levels themselves.
add('a stanza nested 126 deep, 128 in all', 'HEADER_REFUSED', nested(126))
add('a stanza nested 127 deep, 129 in all', 'HEADER_INVALID', headerText(deepText(127)))
// At the limit of marks and one past it: too long to be written out, so `repeated` says what to put in.
const marks =
  131_072 - [...canonicalText.replace(/"[^"]*"/g, '')].filter((mark) => '[{,'.includes(mark)).length
for (const [more, error] of [
  [0, 'HEADER_REFUSED'],
  [1, 'HEADER_INVALID'],
]) {
  // The stanza brings `{`, `[` and two `,` beside the repeated ones.
  const times = marks - 4 + more
  const before = canonicalText.indexOf('"recipients":[') + '"recipients":['.length
  const stanza = (list) => `{"a":[0${list}],"type":"x"},`
  const text = (list) => canonicalText.slice(0, before) + stanza(list) + canonicalText.slice(before)
  const whole = headerText(text(',0'.repeat(times)))
  const at = whole.length - headerText(text('')).length
  const offset = 13 + Buffer.from(canonicalText.slice(0, before)).length + '{"a":[0'.length
  add(
    `${131_072 + more} of the characters [ { , outside of strings`,
    error,
    join(whole.slice(0, offset), whole.slice(offset + at)),
    {
      repeated: { offset, bytes: base64(Buffer.from(',0')), times },
    },
  )
}
const named = (members) => canonicalText.replace('"recipients":[', `"recipients":[{${members}},`)
add(
  'names in the order of UTF-16',
  'HEADER_REFUSED',
  headerText(named('"type":"x","\u{10000}":1,"\uffff":1')),
)
add(
  'names in the order of code points',
  'HEADER_NOT_CANONICAL',
  headerText(named('"type":"x","\uffff":1,"\u{10000}":1')),
)

// MAC.
add('another MAC', 'HEADER_REFUSED', join(own.head.slice(0, -1), [own.head.at(-1) ^ 1], own.payload))
add('the MAC of another file', 'HEADER_REFUSED', framed(own.json, other.mac, own.payload))
add('recipients in another order', 'HEADER_REFUSED', set('recipients', [second, first]))
add('a recipient taken out', 'HEADER_REFUSED', set('recipients', [first]))
add('an unknown stanza put in', 'HEADER_REFUSED', set('recipients', [first, second, kept]))
add(
  'the other recipient’s wrapped key changed',
  'HEADER_REFUSED',
  setStanza({ wrapped: other.json.recipients[1].wrapped }, 1),
)

// Payload.
add('chunks reordered', 'CHUNK_REFUSED', join(own.head, own.chunk(1, 2), own.chunk(0, 1), own.chunk(2, 4)))
add('a chunk twice', 'CHUNK_REFUSED', join(own.head, own.chunk(0, 1), own.chunk(0, 1), own.chunk(1, 4)))
add('the first chunk dropped', 'CHUNK_REFUSED', join(own.head, own.chunk(1, 4)))
add('a middle chunk dropped', 'CHUNK_REFUSED', join(own.head, own.chunk(0, 1), own.chunk(2, 4)))
add('the last chunk dropped', 'CHUNK_REFUSED', join(own.head, own.chunk(0, 3)))
add('the last chunk one byte shorter', 'CHUNK_REFUSED', base.slice(0, -1))
add(
  'the last chunk cut into its tag',
  'TRUNCATED',
  join(own.head, own.chunk(0, 3), own.chunk(3, 4).slice(0, 15)),
)
add(
  'the last chunk without plaintext',
  'TRUNCATED',
  join(own.head, own.chunk(0, 3), own.chunk(3, 4).slice(0, 16)),
)
add('a byte more', 'CHUNK_REFUSED', join(base, [0]))
add('the last chunk twice', 'CHUNK_REFUSED', join(base, own.chunk(3, 4)))
add('the payload of another file', 'CHUNK_REFUSED', join(own.head, other.payload))
add('the first chunk of another file', 'CHUNK_REFUSED', join(own.head, other.chunk(0, 1), own.chunk(1, 4)))
add('the last chunk of another file', 'CHUNK_REFUSED', join(own.head, own.chunk(0, 3), other.chunk(3, 4)))
add('a bit changed in the first chunk', 'CHUNK_REFUSED', flipped(base, own.head.length))
add('a bit changed in a tag', 'CHUNK_REFUSED', flipped(base, own.head.length + 70, 16))
add('a bit changed in the last byte', 'CHUNK_REFUSED', flipped(base, base.length - 1, 128))
const full = await seal(128)
const forger = insider(full)
const fullPlain = plaintextOf(128)
const chunks = (...list) => join(parts(full).head, ...list)
add(
  'an empty last chunk behind full ones, rightly sealed',
  'TRUNCATED',
  chunks(
    forger.chunk(0, false, fullPlain.slice(0, 64)),
    forger.chunk(1, false, fullPlain.slice(64)),
    forger.chunk(2, true, new Uint8Array()),
  ),
  { madeWith: 'file key' },
)
add(
  'a last chunk that is not sealed as the last',
  'CHUNK_REFUSED',
  chunks(forger.chunk(0, false, fullPlain.slice(0, 64)), forger.chunk(1, false, fullPlain.slice(64))),
  { madeWith: 'file key' },
)
add(
  'a first chunk that is sealed as the last',
  'CHUNK_REFUSED',
  chunks(forger.chunk(0, true, fullPlain.slice(0, 64)), forger.chunk(1, true, fullPlain.slice(64))),
  { madeWith: 'file key' },
)
add(
  'a chunk index that starts at 1',
  'CHUNK_REFUSED',
  chunks(forger.chunk(1, false, fullPlain.slice(0, 64)), forger.chunk(2, true, fullPlain.slice(64))),
  { madeWith: 'file key' },
)
add(
  'an invalid header, rightly authenticated',
  'HEADER_INVALID',
  join(
    insider(base).header((json) => ({ ...json, recipients: [...json.recipients, { type: '' }] })),
    own.payload,
  ),
  { madeWith: 'file key' },
)

const armoured = library.encodeArmor(await seal(10))
const lines = armoured.trim().split('\n')
const armor = {
  positive: [
    { name: 'as written', text: armoured, sealed: base64(library.decodeArmor(armoured)) },
    {
      name: 'with CRLF and white space around',
      text: `\r\n ${armoured.replaceAll('\n', '\r\n')}\r\n`,
      sealed: base64(library.decodeArmor(armoured)),
    },
  ],
  negative: [
    { name: 'no end', text: lines.slice(0, -1).join('\n') },
    { name: 'text before it', text: `x\n${armoured}` },
    { name: 'text after it', text: `${armoured}x` },
    { name: 'an empty line', text: [lines[0], '', ...lines.slice(1)].join('\n') },
    { name: 'a line of 60 characters', text: [lines[0], lines[1].slice(4), ...lines.slice(2)].join('\n') },
    { name: 'url-safe letters', text: `${lines[0]}\n--__\n${lines.at(-1)}\n` },
    { name: 'missing padding', text: `${lines[0]}\nAA\n${lines.at(-1)}\n` },
    { name: 'unused bits set', text: `${lines[0]}\nAB==\n${lines.at(-1)}\n` },
  ].map((each) => ({ ...each, error: 'ARMOR_INVALID' })),
}

// --- keys

const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const otherForm = (signature) => {
  const s = (order - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, '0')
  return `${signature.slice(0, 66)}${s}${signature.endsWith('1b') ? '1c' : '1b'}`
}
const kems = { x25519: library.x25519Kem, xwing: xwingKem }
const derived = {
  pool: Object.entries(kems).flatMap(([name, kem]) =>
    [scope, { ...scope, epoch: 2 ** 32 - 1 }, { ...scope, chainId: 1 }].map((place) => ({
      kem: name,
      root: hex(root),
      ...place,
      keyId: library.derivePoolKey({ root, ...place, kem }).keyId,
    })),
  ),
  wallet: Object.entries(kems).flatMap(([name, kem]) =>
    [walletSignature, otherForm(walletSignature), `${walletSignature.slice(0, -2)}00`].map((signature) => ({
      kem: name,
      signature: signature.slice(2),
      address: walletAddress,
      keyId: library.walletIdentity({ signature, address: walletAddress, kem }).keyId,
    })),
  ),
}

const vectors = {
  format: 'sealpool/sealed-file-vectors',
  version: 1,
  specification: 'docs/formats/sealed-file.md',
  identities,
  positive,
  negative,
  armor,
  derived,
}
const target = new URL('../../../docs/formats/vectors/sealed-file.json', import.meta.url)
writeFileSync(target, `${JSON.stringify(vectors, null, 2)}\n`)
console.log(
  `${positive.length} positive, ${negative.length} negative, armour ${armor.positive.length} and ${armor.negative.length}`,
)
