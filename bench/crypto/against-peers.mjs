// Large files and key wraps against WebCrypto and against other packages, for any platform: Node and a page of Chromium run
// this same file. Before anything is timed, each side opens what it sealed, and HPKE messages are opened crosswise.
import * as panvaNoble from '@panva/hpke-noble'
import {
  concatBytes,
  deriveKeyPair,
  derivePoolKey,
  hpkeIdentity,
  hpkeOpen,
  hpkeRecipient,
  hpkeSeal,
  openBytes,
  platformRandom,
  sealBytes,
  x25519Kem,
} from '@sealpool/crypto'
import { deriveXwingKeyPair, xwingKem } from '@sealpool/crypto/post-quantum'
import * as age from 'age-encryption'
import * as ecies from 'eciesjs'
import * as HPKE from 'hpke'
import * as openpgp from 'openpgp'
import { compare } from '../measure/compare.mjs'

const { subtle } = globalThis.crypto
const chunkSize = 65_536
const scope = {
  chainId: 31_337,
  pool: `0x${'ab'.repeat(20)}`,
  policyDigest: `sha256:${'cd'.repeat(32)}`,
  epoch: 1,
}
const context = { ...scope, mediaType: 'application/octet-stream' }
const commitment = `sha256:${'ef'.repeat(32)}`
const none = new Uint8Array()

/**
 * @param input.size bytes of the large file
 * @param input.turns measured turns
 * @returns median seconds by name, for `file` and `wrap`
 */
export async function measure({ size, turns }) {
  return { file: await largeFile(size, turns), wrap: await wraps(turns) }
}

/** What a page runs. */
export const inPage = measure

function requireSame(one, two, what) {
  if (one.length !== two.length || !one.every((byte, index) => byte === two[index])) {
    throw new Error(`${what}: what came out is not what went in`)
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
  const oneByOne = async (chunks, step) => {
    const done = []
    for (const [index, chunk] of chunks.entries()) done.push(await step(index, chunk))
    return done
  }
  const atOnce = (chunks, step) => Promise.all(chunks.map((chunk, index) => step(index, chunk)))
  const encrypt = (index, chunk) => subtle.encrypt(parameters(index), key, chunk)
  const decrypt = (index, chunk) => subtle.decrypt(parameters(index), key, chunk)
  const sealed = await atOnce(plain, encrypt)
  /** What any function that gives one array has to do beside: put each chunk where it belongs. */
  const joined = async (chunks, step, size) => {
    const whole = new Uint8Array(chunks.length * size)
    const underWay = []
    for (let index = 0, begun = 0; index < chunks.length; index++) {
      for (; begun < Math.min(chunks.length, index + 16); begun++)
        underWay[begun % 16] = step(begun, chunks[begun])
      whole.set(new Uint8Array(await underWay[index % 16]), index * size)
    }
    return whole
  }
  return {
    rawSealJoined: () => joined(plain, encrypt, chunkSize + 16),
    rawOpenJoined: () => joined(sealed, decrypt, chunkSize),
    rawSeal: () => oneByOne(plain, encrypt),
    rawOpen: () => oneByOne(sealed, decrypt),
    rawSealAtOnce: () => atOnce(plain, encrypt),
    rawOpenAtOnce: () => atOnce(sealed, decrypt),
  }
}

async function largeFile(size, turns) {
  const bytes = new Uint8Array(size).map((_, index) => (index * 2_654_435_761) >>> 24)
  const key = derivePoolKey({ root: platformRandom(32), ...scope })
  const options = { recipients: [hpkeRecipient(key)], context: { ...context, commitment }, chunkSize }
  const opening = { identities: [hpkeIdentity(key)], expect: scope }
  const sealed = await sealBytes(bytes, options)
  requireSame((await openBytes(sealed, opening)).plaintext, bytes, 'sealpool')

  const identity = await age.generateX25519Identity()
  const encrypter = new age.Encrypter()
  encrypter.addRecipient(await age.identityToRecipient(identity))
  const decrypter = new age.Decrypter()
  decrypter.addIdentity(identity)
  const ageFile = await encrypter.encrypt(bytes)
  requireSame(await decrypter.decrypt(ageFile), bytes, 'age-encryption')

  const { privateKey, publicKey } = await openpgp.generateKey({
    type: 'curve25519',
    userIDs: [{ name: 'bench' }],
    format: 'object',
  })
  const pgpSeal = async () =>
    openpgp.encrypt({
      message: await openpgp.createMessage({ binary: bytes }),
      encryptionKeys: publicKey,
      format: 'binary',
    })
  const pgpFile = await pgpSeal()
  const pgpOpen = async () =>
    openpgp.decrypt({
      message: await openpgp.readMessage({ binaryMessage: pgpFile }),
      decryptionKeys: privateKey,
      format: 'binary',
    })
  requireSame((await pgpOpen()).data, bytes, 'openpgp')

  ecies.ECIES_CONFIG.ellipticCurve = 'x25519'
  const eciesKey = new ecies.PrivateKey()
  const eciesPublic = eciesKey.publicKey.toBytes()
  const eciesFile = ecies.encrypt(eciesPublic, bytes)
  requireSame(ecies.decrypt(eciesKey.secret, eciesFile), bytes, 'eciesjs')

  const work = {
    seal: () => sealBytes(bytes, options),
    open: () => openBytes(sealed, opening),
    ...(await rawAes(bytes)),
    sealAndCommit: () => sealBytes(bytes, { ...options, context }),
    rawDigest: () => subtle.digest('SHA-256', bytes),
    ageSeal: () => encrypter.encrypt(bytes),
    ageOpen: () => decrypter.decrypt(ageFile),
    pgpSeal,
    pgpOpen,
    eciesSeal: async () => ecies.encrypt(eciesPublic, bytes),
    eciesOpen: async () => ecies.decrypt(eciesKey.secret, eciesFile),
  }
  return compare(work, { turns })
}

async function wraps(turns) {
  const fileKey = platformRandom(32)
  const key = deriveKeyPair(platformRandom(32))
  const suite = new HPKE.CipherSuite(
    HPKE.KEM_DHKEM_X25519_HKDF_SHA256,
    HPKE.KDF_HKDF_SHA256,
    HPKE.AEAD_AES_256_GCM,
  )
  const nobleSuite = new HPKE.CipherSuite(
    panvaNoble.KEM_DHKEM_X25519_HKDF_SHA256,
    panvaNoble.KDF_HKDF_SHA256,
    panvaNoble.AEAD_AES_256_GCM,
  )
  const xwingSuite = new HPKE.CipherSuite(
    panvaNoble.KEM_MLKEM768_X25519,
    HPKE.KDF_HKDF_SHA256,
    HPKE.AEAD_AES_256_GCM,
  )
  const xwingKey = deriveXwingKeyPair(platformRandom(32))
  const sides = {
    hpke: await peer(suite, key, undefined),
    hpkeNoble: await peer(nobleSuite, key, undefined),
    xwingHpke: await peer(xwingSuite, xwingKey, xwingKem),
  }
  const eciesKey = new ecies.PrivateKey()
  const eciesPublic = eciesKey.publicKey.toBytes()
  const eciesWrapped = ecies.encrypt(eciesPublic, fileKey)
  const own = (pair, kem, backend) => {
    // The peer's key is ready for use; so is ours.
    const privateKey = (kem ?? x25519Kem).prepare(pair.privateKey)
    const options = { kem, backend, info: none, aad: none }
    return {
      wrap: () => hpkeSeal({ ...options, publicKey: pair.publicKey, plaintext: fileKey }),
      unwrap: (message) => hpkeOpen({ ...options, privateKey, message }),
    }
  }
  const [ours, pure, xwing] = [own(key), own(key, undefined, 'pure'), own(xwingKey, xwingKem)]
  const [wrapped, xwingWrapped] = [await ours.wrap(), await xwing.wrap()]
  requireSame(await ours.unwrap(wrapped), fileKey, 'wrap')
  const times = (count, one) => async () => {
    for (let index = 0; index < count; index++) await one()
  }
  const count = 20
  const seconds = await compare(
    {
      wrap: times(count, ours.wrap),
      hpkeWrap: times(count, sides.hpke.wrap),
      hpkeNobleWrap: times(count, sides.hpkeNoble.wrap),
      eciesWrap: times(count, async () => ecies.encrypt(eciesPublic, fileKey)),
      pureWrap: times(count, pure.wrap),
      unwrap: times(count, () => ours.unwrap(wrapped)),
      hpkeUnwrap: times(count, sides.hpke.unwrap),
      hpkeNobleUnwrap: times(count, sides.hpkeNoble.unwrap),
      eciesUnwrap: times(count, async () => ecies.decrypt(eciesKey.secret, eciesWrapped)),
      xwingWrap: times(count, xwing.wrap),
      xwingHpkeWrap: times(count, sides.xwingHpke.wrap),
      xwingUnwrap: times(count, () => xwing.unwrap(xwingWrapped)),
      xwingHpkeUnwrap: times(count, sides.xwingHpke.unwrap),
    },
    { turns: 2 * turns + 1 },
  )
  return Object.fromEntries(Object.entries(seconds).map(([name, value]) => [name, value / count]))

  async function peer(cipherSuite, pair, kem) {
    const publicKey = await cipherSuite.DeserializePublicKey(pair.publicKey)
    const privateKey = await cipherSuite.DeserializePrivateKey(pair.privateKey, true)
    const wrap = () => cipherSuite.Seal(publicKey, fileKey)
    const { encapsulatedSecret, ciphertext } = await wrap()
    const unwrap = () => cipherSuite.Open(privateKey, encapsulatedSecret, ciphertext)
    requireSame(await unwrap(), fileKey, 'hpke')
    // Both ways, so that the same suite is timed on both sides.
    const message = concatBytes(encapsulatedSecret, ciphertext)
    const opened = await hpkeOpen({ privateKey: pair.privateKey, kem, info: none, aad: none, message })
    requireSame(opened, fileKey, 'a message of hpke')
    const mine = await hpkeSeal({ publicKey: pair.publicKey, kem, info: none, aad: none, plaintext: fileKey })
    const at = mine.length - 48
    requireSame(
      await cipherSuite.Open(privateKey, mine.slice(0, at), mine.slice(at)),
      fileKey,
      'a message of ours',
    )
    return { wrap, unwrap }
  }
}
