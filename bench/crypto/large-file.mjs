// A large file in memory, sealed and opened: as one array and as a stream, by us, by WebCrypto alone and by other packages.
// Runs in Node and in a page. Each side opens what it sealed before anything is timed.
import {
  derivePoolKey,
  hpkeIdentity,
  hpkeRecipient,
  openBytes,
  openStream,
  platformRandom,
  seal,
  sealBytes,
} from '@sealpool/crypto'
import * as age from 'age-encryption'
import * as ecies from 'eciesjs'
import * as openpgp from 'openpgp'
import { compare } from '../measure/compare.mjs'

const { subtle } = globalThis.crypto
/** Plaintext bytes per chunk, ours and raw WebCrypto's: the default of `sealBytes`. */
const chunkSize = 262_144
/** Bytes per piece of the streams, whoever reads them. */
const pieceSize = 262_144
const scope = {
  chainId: 31_337,
  pool: `0x${'ab'.repeat(20)}`,
  policyDigest: `sha256:${'cd'.repeat(32)}`,
  epoch: 1,
}
const context = { ...scope, mediaType: 'application/octet-stream' }
const commitment = `sha256:${'ef'.repeat(32)}`

/** Fails unless two byte strings are equal. */
export function requireSame(one, two, what) {
  if (one.length !== two.length || !one.every((byte, index) => byte === two[index])) {
    throw new Error(`${what}: what came out is not what went in`)
  }
}

/**
 * @param options.size bytes of the file, a multiple of 256 KiB
 * @param options.turns measured turns
 * @returns median seconds by name; `...Stream` and raw's `...Dropped` are streams, all else gives whole arrays
 */
export async function largeFile({ size, turns }) {
  const bytes = new Uint8Array(size).map((_, index) => (index * 2_654_435_761) >>> 24)
  const sides = [await sealpool(bytes), await rawAes(bytes), await ageEncryption(bytes), await openPgp(bytes)]
  return compare(Object.assign(machine(bytes), ...sides, eciesJs(bytes)), { turns, before: collectGarbage })
}

/** Nobody pays for the garbage of the one before: Node gives `gc` to whoever asks, Chromium under `--js-flags=--expose-gc`. */
async function collectGarbage() {
  if (globalThis.gc === undefined && globalThis.process?.versions?.node !== undefined) {
    const { setFlagsFromString } = process.getBuiltinModule('node:v8')
    setFlagsFromString('--expose_gc')
    globalThis.gc = process.getBuiltinModule('node:vm').runInNewContext('gc')
  }
  globalThis.gc()
  // Memory of buffers that died is given back in a turn of its own.
  await new Promise((resolve) => setTimeout(resolve, 5))
}

function source(bytes) {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.subarray(at, at + pieceSize))
      at += pieceSize
    },
  })
}

/** Reads a stream to its end and drops what comes. */
async function drain(stream) {
  const reader = stream.getReader()
  for (let length = 0; ; ) {
    const { done, value } = await reader.read()
    if (done) return length
    length += value.length
  }
}

async function gathered(stream) {
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

/** What the machine allows, whatever the cipher. */
function machine(bytes) {
  const warm = bytes.slice()
  return {
    touch() {
      const fresh = new Uint8Array(bytes.length)
      for (let at = 0; at < fresh.length; at += 4096) fresh[at] = 1
      return fresh
    },
    copy: () => warm.set(bytes),
    rawDigest: () => subtle.digest('SHA-256', bytes),
  }
}

async function sealpool(bytes) {
  const key = derivePoolKey({ root: platformRandom(32), ...scope })
  const options = { recipients: [hpkeRecipient(key)], context: { ...context, commitment } }
  const opening = { identities: [hpkeIdentity(key)], expect: scope }
  const sealed = await sealBytes(bytes, options)
  requireSame((await openBytes(sealed, opening)).plaintext, bytes, 'sealpool')
  requireSame(
    await gathered(source(sealed).pipeThrough(openStream(opening))),
    bytes,
    'sealpool, opened stream',
  )
  const streamed = await gathered(source(bytes).pipeThrough(seal({ ...options, random: platformRandom })))
  requireSame((await openBytes(streamed, opening)).plaintext, bytes, 'sealpool, sealed stream')
  return {
    seal: () => sealBytes(bytes, options),
    open: () => openBytes(sealed, opening),
    sealAndCommit: () => sealBytes(bytes, { ...options, context }),
    sealStream: () => drain(source(bytes).pipeThrough(seal({ ...options, random: platformRandom }))),
    openStream: () => drain(source(sealed).pipeThrough(openStream(opening))),
  }
}

/** AES-256-GCM on the same chunks, and nothing else: no key schedule, header, framing or commitment. */
async function rawAes(bytes) {
  const key = await subtle.importKey('raw', platformRandom(32), 'AES-GCM', false, ['encrypt', 'decrypt'])
  const parameters = (index) => {
    const iv = new Uint8Array(12)
    new DataView(iv.buffer).setUint32(8, index)
    return { name: 'AES-GCM', iv }
  }
  const plain = []
  for (let at = 0; at < bytes.length; at += chunkSize) plain.push(bytes.subarray(at, at + chunkSize))
  const encrypt = (index) => subtle.encrypt(parameters(index), key, plain[index])
  const decrypt = (index) => subtle.decrypt(parameters(index), key, sealed[index])
  /** Begins up to `limit` chunks before it takes the first, and takes them in order. */
  const each = async (step, limit, take) => {
    const underWay = []
    for (let index = 0, begun = 0; index < plain.length; index++) {
      for (; begun < Math.min(plain.length, index + limit); begun++) underWay[begun % limit] = step(begun)
      take(await underWay[index % limit], index)
    }
  }
  const kept = async (step, limit) => {
    const chunks = []
    await each(step, limit, (chunk) => chunks.push(chunk))
    return chunks
  }
  const joined = async (step, chunkLength) => {
    const whole = new Uint8Array(plain.length * chunkLength)
    await each(step, 16, (chunk, index) => whole.set(new Uint8Array(chunk), index * chunkLength))
    return whole
  }
  const dropped = (step, limit) => each(step, limit, () => undefined)
  const sealed = await kept(encrypt, 16)
  return {
    rawSeal: () => kept(encrypt, 1),
    rawOpen: () => kept(decrypt, 1),
    rawSealAtOnce: () => kept(encrypt, 16),
    rawOpenAtOnce: () => kept(decrypt, 16),
    rawSealJoined: () => joined(encrypt, chunkSize + 16),
    rawOpenJoined: () => joined(decrypt, chunkSize),
    rawSealDropped: () => dropped(encrypt, 1),
    rawOpenDropped: () => dropped(decrypt, 1),
    rawSealAtOnceDropped: () => dropped(encrypt, 16),
    rawOpenAtOnceDropped: () => dropped(decrypt, 16),
  }
}

async function ageEncryption(bytes) {
  const identity = await age.generateX25519Identity()
  const encrypter = new age.Encrypter()
  encrypter.addRecipient(await age.identityToRecipient(identity))
  const decrypter = new age.Decrypter()
  decrypter.addIdentity(identity)
  const file = await encrypter.encrypt(bytes)
  requireSame(await decrypter.decrypt(file), bytes, 'age-encryption')
  requireSame(await gathered(await decrypter.decrypt(source(file))), bytes, 'age-encryption, stream')
  return {
    ageSeal: () => encrypter.encrypt(bytes),
    ageOpen: () => decrypter.decrypt(file),
    ageSealStream: async () => drain(await encrypter.encrypt(source(bytes))),
    ageOpenStream: async () => drain(await decrypter.decrypt(source(file))),
  }
}

async function openPgp(bytes) {
  const { privateKey, publicKey } = await openpgp.generateKey({
    type: 'curve25519',
    userIDs: [{ name: 'bench' }],
    format: 'object',
  })
  const sealing = async (binary) =>
    openpgp.encrypt({
      message: await openpgp.createMessage({ binary }),
      encryptionKeys: publicKey,
      format: 'binary',
    })
  const opening = async (binaryMessage) => {
    const message = await openpgp.readMessage({ binaryMessage })
    // Without this a stream is not given out before all of it was checked.
    const config = { allowUnauthenticatedStream: true }
    const { data } = await openpgp.decrypt({ message, decryptionKeys: privateKey, format: 'binary', config })
    return data
  }
  const file = await sealing(bytes)
  requireSame(await opening(file), bytes, 'OpenPGP.js')
  requireSame(await gathered(await opening(source(file))), bytes, 'OpenPGP.js, stream')
  return {
    pgpSeal: () => sealing(bytes),
    pgpOpen: () => opening(file),
    pgpSealStream: async () => drain(await sealing(source(bytes))),
    pgpOpenStream: async () => drain(await opening(source(file))),
  }
}

/** It has no streams. */
function eciesJs(bytes) {
  ecies.ECIES_CONFIG.ellipticCurve = 'x25519'
  const key = new ecies.PrivateKey()
  const publicKey = key.publicKey.toBytes()
  const file = ecies.encrypt(publicKey, bytes)
  requireSame(ecies.decrypt(key.secret, file), bytes, 'eciesjs')
  return {
    eciesSeal: async () => ecies.encrypt(publicKey, bytes),
    eciesOpen: async () => ecies.decrypt(key.secret, file),
  }
}
