// Published vectors and our own, for any platform: Node and a page of Chromium run this same file.
import * as library from '@sealpool/crypto'
import * as postQuantum from '@sealpool/crypto/post-quantum'

const { CryptoError, decodeHex, encodeHex } = library
const hex = (digits) => decodeHex(`0x${digits}`)
const unhex = (bytes) => encodeHex(bytes).slice(2)
const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
const sameBytes = (one, two) => one.length === two.length && one.every((byte, index) => byte === two[index])

/** The code with which some work is refused, `accepted`, or what untyped thing it threw. */
export async function codeOf(work) {
  try {
    await work()
    return 'accepted'
  } catch (error) {
    return error instanceof CryptoError ? error.code : `untyped ${error?.name}`
  }
}

/**
 * @param options.count takes kind, whether the case agrees, and what it was
 * @param options.vectors the parsed files `rfc9180`, `xwing`, `rfc8785`, `sealedFile`
 * @param options.platform named in kinds
 */
export async function portableCases({ count, vectors, platform }) {
  for (const backend of ['native', 'pure']) {
    const where = `${platform}, ${backend}`
    const counted = (kind) => (agrees, what) => count(`${kind} (${where})`, agrees, what)
    await rfc9180(counted('rfc9180'), vectors.rfc9180, backend)
    await xwing(counted('xwing'), vectors.xwing, backend)
    await sealedFile(counted('sealed-file vectors'), vectors.sealedFile, backend)
  }
  derivedKeys((agrees, what) => count(`derived keys (${platform})`, agrees, what), vectors.sealedFile.derived)
  rfc8785((agrees, what) => count(`rfc8785 suite (${platform})`, agrees, what), vectors.rfc8785)
  await armor((agrees, what) => count(`armour vectors (${platform})`, agrees, what), vectors.sealedFile.armor)
}

async function rfc9180(count, { info, plaintext, cases }, backend) {
  const text = hex(plaintext)
  for (const each of cases) {
    const random = () => hex(each.ikmE)
    const side = { info: hex(info), aead: each.aead, backend }
    for (const [ikm, sk, pk] of [
      [each.ikmE, each.skE, each.enc],
      [each.ikmR, each.skR, each.pkR],
      ...(each.ikmS ? [[each.ikmS, each.skS, each.pkS]] : []),
    ]) {
      const pair = library.deriveKeyPair(hex(ikm))
      const right = unhex(pair.privateKey) === sk && unhex(pair.publicKey) === pk
      count(right, `${each.name}: key pair of ${ikm.slice(0, 8)}`)
    }
    const sent = await library.x25519Kem.encapsulate({
      publicKey: hex(each.pkR),
      random,
      backend,
      senderPrivateKey: each.skS && hex(each.skS),
    })
    count(unhex(sent.enc) === each.enc, `${each.name}: enc`)
    count(unhex(sent.sharedSecret) === each.sharedSecret, `${each.name}: shared secret`)
    const { context: sending } = await library.hpkeSender({
      ...side,
      publicKey: hex(each.pkR),
      random,
      ...(each.skS && { senderPrivateKey: hex(each.skS) }),
    })
    const receive = () =>
      library.hpkeReceiver({
        ...side,
        privateKey: hex(each.skR),
        enc: hex(each.enc),
        ...(each.pkS && { senderPublicKey: hex(each.pkS) }),
      })
    const receiving = await receive()
    const wanted = new Map(each.messages.map(([sequence, aad, message]) => [sequence, { aad, message }]))
    for (let sequence = 0; sequence <= Math.max(...wanted.keys()); sequence++) {
      const { aad = '', message } = wanted.get(sequence) ?? {}
      const sealed = await sending.seal(text, hex(aad))
      const opened = await receiving.open(sealed, hex(aad))
      if (message === undefined) continue
      count(unhex(sealed) === message, `${each.name}: message ${sequence}`)
      count(sameBytes(opened, text), `${each.name}: message ${sequence} opened`)
    }
    for (const [context, secret] of each.exports) {
      for (const side of [sending, receiving]) {
        count(unhex(side.exportSecret(hex(context), 32)) === secret, `${each.name}: export ${context}`)
      }
    }
    const [, aad, message] = each.messages[0]
    const wrong = {
      'another message': [hex(message).map((byte, index) => (index === 0 ? byte ^ 1 : byte)), hex(aad)],
      'other associated data': [hex(message), hex(`${aad}00`)],
      'a cut message': [hex(message).slice(1), hex(aad)],
    }
    for (const [name, [sealed, associated]] of Object.entries(wrong)) {
      const code = await codeOf(async () => (await receive()).open(sealed, associated))
      count(code === 'HPKE_OPEN_REFUSED', `${each.name}: ${name}: ${code}`)
    }
  }
}

async function xwing(count, { cases }, backend) {
  const { xwingKem } = postQuantum
  for (const { seed, eseed, sharedSecret } of cases) {
    const key = xwingKem.prepare(hex(seed))
    const sent = await xwingKem.encapsulate({ publicKey: key.publicKey, random: () => hex(eseed), backend })
    count(unhex(sent.sharedSecret) === sharedSecret, `${seed.slice(0, 8)}: encapsulated`)
    count(
      unhex(await key.decapsulate({ enc: sent.enc, backend })) === sharedSecret,
      `${seed.slice(0, 8)}: decapsulated`,
    )
    for (const at of [0, 1000, 1100]) {
      const changed = sent.enc.map((byte, index) => (index === at ? byte ^ 1 : byte))
      // ML-KEM answers a changed ciphertext with another secret (implicit rejection).
      const secret = unhex(await key.decapsulate({ enc: changed, backend }))
      count(secret !== sharedSecret, `${seed.slice(0, 8)}: byte ${at} changed`)
    }
  }
}

async function sealedFile(count, vectors, backend) {
  const identities = Object.fromEntries(
    Object.entries(vectors.identities).map(([name, { type, kem, privateKey, keyId, address }]) => {
      const own = { privateKey: hex(privateKey), ...(kem === 'xwing' ? { kem: postQuantum.xwingKem } : {}) }
      return [name, type === 'wallet' ? walletOf(own, keyId, address) : library.hpkeIdentity(own)]
    }),
  )
  for (const { name, opens, sealed, plaintext, context, commitmentSalt } of vectors.positive) {
    const bytes = fromBase64(sealed)
    for (const who of opens) {
      const options = { identities: [identities[who]], backend, expect: context }
      let opened
      const code = await codeOf(async () => {
        opened = await library.openBytes(bytes, options)
      })
      count(
        opened !== undefined && sameBytes(opened.plaintext, fromBase64(plaintext)),
        `${name}, ${who}: ${code}`,
      )
      if (opened === undefined) continue
      count(unhex(opened.commitmentSalt) === commitmentSalt, `${name}, ${who}: commitment's salt`)
      const claim = { root: context.commitment, bytes: opened.plaintext, salt: opened.commitmentSalt }
      count(library.verifyCommitment(claim), `${name}, ${who}: commitment`)
      const streamed = await collect(bytes, options)
      count(sameBytes(streamed, fromBase64(plaintext)), `${name}, ${who}: streamed`)
    }
  }
  for (const { name, identity, expect, error, sealed, repeated } of vectors.negative) {
    const bytes = withRepeated(fromBase64(sealed), repeated)
    const options = { identities: [identities[identity]], backend, ...(expect && { expect }) }
    const whole = await codeOf(() => library.openBytes(bytes, options))
    count(whole === error, `${name}: ${whole} for ${error}`)
    const streamed = await codeOf(() => collect(bytes, options))
    const allowed = error === 'TRUNCATED' ? ['TRUNCATED', 'CHUNK_REFUSED'] : [error]
    count(allowed.includes(streamed), `${name}, streamed: ${streamed} for ${error}`)
  }
}

/** A file with what its vector leaves out: the same bytes over and over. */
function withRepeated(file, repeated) {
  if (repeated === undefined) return file
  const { offset, times } = repeated
  const bytes = fromBase64(repeated.bytes)
  const part = new Uint8Array(times * bytes.length).map((_, at) => bytes[at % bytes.length])
  return library.concatBytes(file.subarray(0, offset), part, file.subarray(offset))
}

/** The vectors give a wallet's private key; the library makes it of a signature, so this goes by its X25519 identity. */
function walletOf({ privateKey, kem }, keyId, address) {
  return {
    type: 'wallet',
    keyId,
    async unwrap({ stanzas, binding, backend }) {
      const stanza = stanzas.find(
        (each) =>
          each.type === 'wallet' &&
          each.keyId === keyId &&
          each.address === address &&
          each.kem === (kem?.name ?? 'x25519'),
      )
      if (stanza === undefined) return undefined
      const { enc, wrapped, ...label } = stanza
      const encoder = new TextEncoder()
      const info = library.concatBytes(encoder.encode('sealpool/sealed-file/1/wrap\0'), binding)
      return library.hpkeOpen({
        privateKey,
        kem,
        info,
        aad: library.canonicalBytes(label),
        message: library.concatBytes(library.decodeBase64Url(enc), library.decodeBase64Url(wrapped)),
        backend,
      })
    },
  }
}

function derivedKeys(count, { pool, wallet }) {
  const kems = { x25519: library.x25519Kem, xwing: postQuantum.xwingKem }
  for (const { kem, root, keyId, ...scope } of pool) {
    const key = library.derivePoolKey({ ...scope, root: hex(root), kem: kems[kem] })
    count(key.keyId === keyId, `pool, ${kem}, epoch ${scope.epoch}`)
  }
  for (const { kem, signature, address, keyId } of wallet) {
    const identity = library.walletIdentity({ signature: `0x${signature}`, address, kem: kems[kem] })
    count(identity.keyId === keyId, `wallet, ${kem}, ${signature.slice(-4)}`)
  }
}

async function collect(bytes, options) {
  const parts = []
  const source = new Blob([bytes]).stream()
  const reader = source.pipeThrough(library.openStream(options)).getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) parts.push(next.value)
  return library.concatBytes(...parts)
}

async function armor(count, { positive, negative }) {
  for (const { name, text, sealed } of positive) {
    count(sameBytes(library.decodeArmor(text), fromBase64(sealed)), name)
  }
  for (const { name, text, error } of negative) {
    const code = await codeOf(() => library.decodeArmor(text))
    count(code === error, `${name}: ${code}`)
  }
}

function rfc8785(count, { cases, numbers }) {
  for (const { name, input, output } of cases) {
    count(library.canonicalize(JSON.parse(input)) === output, name)
    count(library.canonicalize(library.parseCanonical(output)) === output, `${name}, read back`)
  }
  const lines = []
  const view = new DataView(new ArrayBuffer(8))
  const encoder = new TextEncoder()
  for (const number of publishedNumbers(numbers.bits)) {
    view.setFloat64(0, number)
    lines.push(`${view.getBigUint64(0).toString(16)},${library.canonicalize(number)}\n`)
    const expected = numbers.checksums[lines.length]
    if (expected === undefined) continue
    const found = library.sha256Digest(encoder.encode(lines.join(''))).slice(7)
    count(found === expected, `the first ${lines.length} numbers have the published SHA-256`)
    if (lines.length >= 100_000) return
  }
}

function* publishedNumbers(list) {
  const view = new DataView(new ArrayBuffer(8))
  const ofBits = (bits) => {
    view.setBigUint64(0, bits)
    return view.getFloat64(0)
  }
  for (const bits of list) yield ofBits(BigInt(`0x${bits}`))
  for (let index = 0n; index < 2000n; index++) yield ofBits(0x0010000000000000n + index)
  for (let block = new Uint8Array(32); ; ) {
    block = library.digestToBytes(library.sha256Digest(block))
    const doubles = new DataView(block.buffer)
    for (let at = 0; at < 32; at += 8) {
      const number = doubles.getFloat64(at, true)
      if (number !== 0 && Number.isFinite(number)) yield number
    }
  }
}
