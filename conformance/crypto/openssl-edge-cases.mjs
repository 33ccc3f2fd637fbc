// Edge cases against OpenSSL: coordinates of X25519 that are low, high, of small order or not reduced, lengths and tags of
// AES-256-GCM around block and counter borders, signatures of secp256k1 that are malleated or out of range. They are ours, not
// Wycheproof's (no npm package carries those), and OpenSSL says what is right. Backend `pure` is noble, so that two
// implementations meet; backend `native` is OpenSSL itself in Node, so that it shows our own checks around it.
import { spawnSync } from 'node:child_process'
import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as library from '@sealpool/crypto'
import { deterministicRandom } from '../reader/deterministic-random.mjs'
import { forgeHpke, sealHpke, x25519PublicKey } from '../reader/hpke.mjs'
import { codeOf } from './portable-cases.mjs'

const sameBytes = (one, two) => Buffer.compare(one, two) === 0
const backends = ['native', 'pure']

/**
 * @param count takes kind, whether the case agrees, and what it was
 * @param print takes one line
 */
export async function opensslEdgeCases(count, print) {
  const random = deterministicRandom('edge cases')
  for (const backend of backends) {
    await coordinates(
      (agrees, what) => count(`X25519 against OpenSSL (${backend})`, agrees, what),
      random,
      backend,
    )
    await scalars(
      (agrees, what) => count(`X25519 against OpenSSL (${backend})`, agrees, what),
      random,
      backend,
    )
    await lengthsAndTags(
      (agrees, what) => count(`AES-256-GCM against OpenSSL (${backend})`, agrees, what),
      random,
      backend,
    )
  }
  if (spawnSync('openssl', ['version']).status === 0)
    signatures((agrees, what) => count('secp256k1 against OpenSSL', agrees, what), random)
  else print('no openssl on the path: signatures of secp256k1 were not held against it')
}

const prime = 2n ** 255n - 19n
const littleEndian = (value) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse()
const numberOf = (bytes) => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)

/** Coordinates of an encapsulated key: borders, small orders (RFC 7748 and the twist), powers of two, not reduced ones. */
function* edgeCoordinates(random) {
  const small = [
    325606250916557431795983626356110631294008115727848805560023387167927233504n,
    39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  ]
  const near = Array.from({ length: 21 }, (_, index) => BigInt(index))
  const powers = Array.from({ length: 255 }, (_, index) => 2n ** BigInt(index))
  const reduced = [
    ...near,
    ...near.map((value) => prime - 1n - value),
    ...small,
    ...powers,
    ...powers.map((value) => prime - value),
  ]
  for (const value of reduced) yield value
  for (let turn = 0; turn < 20; turn++) yield numberOf(random(32)) % prime
  // Not reduced: up to the topmost value, and with the bit that RFC 7748 has readers ignore.
  for (let value = prime; value < 2n ** 255n; value++) yield value
  for (const value of [...near, ...small]) yield value + 2n ** 255n
}

async function coordinates(count, random, backend) {
  const privateKey = random(32)
  const recipientKey = x25519PublicKey(privateKey)
  const [info, aad, plaintext] = [random(3), random(5), random(33)]
  for (const value of edgeCoordinates(random)) {
    const enc = littleEndian(value)
    const agreed = agreementOf(privateKey, enc)
    // OpenSSL refuses an agreement of zero; a forger would go on with it.
    const message = forgeHpke({ enc, agreed: agreed ?? Buffer.alloc(32), recipientKey, info, aad, plaintext })
    const open = () => library.hpkeOpen({ privateKey, info, aad, message: new Uint8Array(message), backend })
    if (agreed === undefined || value >= prime) {
      const code = await codeOf(open)
      count(code === 'HPKE_OPEN_REFUSED', `coordinate ${value}: ${code}`)
    } else {
      count(
        sameBytes(await open().catch(() => Buffer.alloc(0)), plaintext),
        `coordinate ${value} is not opened`,
      )
    }
  }
}

function agreementOf(privateKey, publicKey) {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), privateKey])
  const spki = Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), publicKey])
  try {
    return diffieHellman({
      privateKey: createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }),
      publicKey: createPublicKey({ key: spki, format: 'der', type: 'spki' }),
    })
  } catch {
    return undefined
  }
}

/** Private keys whose bits the curve clears and sets, as recipients. */
async function scalars(count, random, backend) {
  const keys = [
    Buffer.alloc(32),
    Buffer.alloc(32, 255),
    ...Array.from({ length: 32 }, (_, index) => littleEndian(2n ** BigInt(8 * index))),
    ...[1n, 7n, 8n, 2n ** 254n, 2n ** 255n, 2n ** 256n - 1n].map(littleEndian),
  ]
  const [info, aad, plaintext] = [random(1), random(1), random(20)]
  for (const key of keys) {
    const privateKey = new Uint8Array(key)
    const message = new Uint8Array(
      sealHpke({ publicKey: x25519PublicKey(key), ephemeral: random(32), info, aad, plaintext }),
    )
    const opened = await library
      .hpkeOpen({ privateKey, info, aad, message, backend })
      .catch(() => Buffer.alloc(0))
    count(sameBytes(opened, plaintext), `private key ${key.toString('hex')}`)
  }
}

async function lengthsAndTags(count, random, backend) {
  const privateKey = random(32)
  const publicKey = x25519PublicKey(privateKey)
  const seal = (aad, plaintext) =>
    new Uint8Array(sealHpke({ publicKey, ephemeral: random(32), info: new Uint8Array(), aad, plaintext }))
  const open = (message, aad) =>
    library.hpkeOpen({ privateKey, info: new Uint8Array(), aad, message, backend })
  const lengths = [
    ...Array.from({ length: 67 }, (_, length) => length),
    127,
    128,
    129,
    255,
    256,
    257,
    4095,
    4096,
    4097,
    65_537,
  ]
  for (const length of lengths) {
    for (const associated of [0, 1, 15, 16, 17, 64]) {
      const [aad, plaintext] = [random(associated), random(length)]
      const opened = await open(seal(aad, plaintext), aad).catch(() => undefined)
      count(opened !== undefined && sameBytes(opened, plaintext), `${length} bytes, ${associated} associated`)
    }
  }
  // Every bit of the tag, the ciphertext and the associated data counts, and so does every byte at the end.
  const [aad, plaintext] = [random(17), random(17)]
  const message = seal(aad, plaintext)
  const refused = async (changed, associated, what) => {
    const code = await codeOf(() => open(changed, associated))
    count(code === 'HPKE_OPEN_REFUSED', `${what}: ${code}`)
  }
  const flipped = (bytes, bit) => bytes.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
  for (let bit = 32 * 8; bit < message.length * 8; bit++)
    await refused(flipped(message, bit), aad, `bit ${bit} of the message`)
  for (let bit = 0; bit < aad.length * 8; bit++)
    await refused(message, flipped(aad, bit), `bit ${bit} of the associated data`)
  for (let cut = 1; cut <= 33; cut++) await refused(message.slice(0, -cut), aad, `${cut} bytes fewer`)
  await refused(new Uint8Array([...message, 0]), aad, 'a byte more')
}

const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const bigEndian = (value) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex')

/** A signature verifies here exactly when OpenSSL verifies its `r` and `s`, `s` is the lower one, and `v` is the signer's. */
function signatures(count, random) {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-edge-'))
  try {
    for (let turn = 0; turn < 3; turn++) signaturesOf(random(32), { count, folder, nonce: String(turn) })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function signaturesOf(privateKey, { count, folder, nonce }) {
  const context = {
    chainId: 1,
    registry: `0x${'01'.repeat(20)}`,
    pool: `0x${'02'.repeat(20)}`,
    subject: `0x${'00'.repeat(32)}`,
    nonce,
    facts: [],
  }
  const signed = library.signStatement({
    statement: { type: 'edge/case', version: 1, body: {} },
    context,
    privateKey,
  })
  const bytes = Buffer.from(signed.signature.slice(2), 'hex')
  const [r, s, v] = [
    BigInt(`0x${bytes.toString('hex', 0, 32)}`),
    BigInt(`0x${bytes.toString('hex', 32, 64)}`),
    bytes[64],
  ]
  const digest = library.statementTypedDataHash(signed.statement, signed.context)
  const openssl = opensslVerifier({ privateKey, digest: Buffer.from(digest.slice(2), 'hex'), folder })
  count(openssl(r, s), 'OpenSSL verifies the signature')
  count(openssl(r, order - s), 'OpenSSL verifies its other form')
  const edges = [0n, 1n, order - 1n, order, order + 1n, 2n ** 256n - 1n, order >> 1n, (order >> 1n) + 1n]
  const cases = [
    [r, s],
    [r, order - s],
    [order - r, s],
    [s, r],
    ...edges.flatMap((edge) => [
      [edge, s],
      [r, edge],
      [edge, edge],
    ]),
  ]
  for (const [one, two] of cases) {
    const valid = openssl(one, two) && two <= order >> 1n
    for (const each of [0, 1, 2, 26, 27, 28, 29, 30, 255]) {
      const signature = `0x${Buffer.concat([bigEndian(one), bigEndian(two), Buffer.from([each])]).toString('hex')}`
      const wanted = valid && each === v
      let found
      try {
        found = library.verifyStatement({ ...signed, signature })
      } catch (error) {
        found = error instanceof library.CryptoError ? false : error
      }
      count(found === wanted, `r ${one}, s ${two}, v ${each}: ${found} for ${wanted}`)
    }
  }
}

function opensslVerifier({ privateKey, digest, folder }) {
  const sec1 = Buffer.concat([
    Buffer.from('302e0201010420', 'hex'),
    privateKey,
    Buffer.from('a00706052b8104000a', 'hex'),
  ])
  const key = createPublicKey(createPrivateKey({ key: sec1, format: 'der', type: 'sec1' }))
  const [keyFile, digestFile, signatureFile] = ['key.pem', 'digest', 'signature'].map((name) =>
    join(folder, name),
  )
  writeFileSync(keyFile, key.export({ format: 'pem', type: 'spki' }))
  writeFileSync(digestFile, digest)
  const integer = (value) => {
    const hex = value.toString(16)
    const body = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
    const whole = body[0] >= 128 ? Buffer.concat([Buffer.alloc(1), body]) : body
    return Buffer.concat([Buffer.from([2, whole.length]), whole])
  }
  return (r, s) => {
    const body = Buffer.concat([integer(r), integer(s)])
    writeFileSync(signatureFile, Buffer.concat([Buffer.from([0x30, body.length]), body]))
    const options = [
      'pkeyutl',
      '-verify',
      '-pubin',
      '-inkey',
      keyFile,
      '-in',
      digestFile,
      '-sigfile',
      signatureFile,
    ]
    return spawnSync('openssl', options).status === 0
  }
}
