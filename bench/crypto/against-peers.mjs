// Large files and key wraps against WebCrypto and against other packages, for any platform: Node and a page of Chromium run
// this same file. Before anything is timed, HPKE messages are opened crosswise.
import * as panvaNoble from '@panva/hpke-noble'
import { concatBytes, deriveKeyPair, hpkeOpen, hpkeSeal, platformRandom, x25519Kem } from '@sealpool/crypto'
import { deriveXwingKeyPair, xwingKem } from '@sealpool/crypto/post-quantum'
import * as ecies from 'eciesjs'
import * as HPKE from 'hpke'
import { compare } from '../measure/compare.mjs'
import { largeFile, requireSame } from './large-file.mjs'

const none = new Uint8Array()

/**
 * @param input.size bytes of the large file
 * @param input.turns measured turns
 * @returns median seconds by name, for `file` and `wrap`
 */
export async function measure({ size, turns }) {
  return { file: await largeFile({ size, turns }), wrap: await wraps(turns) }
}

/** What a page runs. */
export const inPage = measure

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
