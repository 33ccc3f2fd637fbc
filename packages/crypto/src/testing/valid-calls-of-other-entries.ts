import { secp256k1 } from '@noble/curves/secp256k1.js'
import * as openpgp from 'openpgp'
import * as main from '../index.js'
import * as interop from '../interop/index.js'
import * as postQuantum from '../post-quantum/index.js'
import * as recovery from '../recovery/index.js'
import { address, bytes, keyPair, privateKey, random, type ValidCalls, walletSecret } from './call-values.js'

const w = main.walletIdentityFromSecret({ secret: walletSecret, address })
const code = recovery.drawRecoveryCode(random)
const bk = await recovery.createWalletKeyBackup({
  chainId: 1,
  address,
  keyId: w.keyId as main.Digest,
  secret: walletSecret,
  factors: [{ kind: 'recovery-code', code }],
  random,
})
const ageId = interop.encodeAgeIdentity(keyPair.privateKey)
const ageRec = interop.encodeAgeRecipient(keyPair.publicKey)
const age = await interop.sealAge(bytes(10), { recipients: [ageRec], random })
const xk = postQuantum.deriveXwingKeyPair(bytes(32))
const ecies = await interop.sealEcies({ publicKey: secp256k1.getPublicKey(privateKey), plaintext: bytes(3) })
const passwordFile = await interop.sealPasswordFile({
  openpgp: openpgp as never,
  plaintext: bytes(3),
  password: 'p',
})

/** Of the entries for X-Wing, recovery and other formats. */
export const callsOfOtherEntries: ValidCalls = {
  hpkeSealX: [
    (o: never) => main.hpkeSeal(o),
    {
      publicKey: xk.publicKey,
      info: bytes(1),
      aad: bytes(1),
      plaintext: bytes(9),
      random,
      kem: postQuantum.xwingKem,
      backend: 'auto',
    },
  ],
  sealAge: [(o: never) => interop.sealAge(bytes(3), o), { recipients: [ageRec], random }],
  openAge: [(o: never) => interop.openAge(age, o), { identities: [ageId] }],
  sealEcies: [
    (o: never) => interop.sealEcies(o),
    { publicKey: secp256k1.getPublicKey(privateKey), plaintext: bytes(3), random, backend: 'auto' },
  ],
  createBackup: [
    (o: never) => recovery.createWalletKeyBackup(o),
    {
      chainId: 1,
      address,
      keyId: w.keyId,
      secret: walletSecret,
      factors: [{ kind: 'recovery-code', code }],
      random,
      kem: main.x25519Kem,
      backend: 'auto',
    },
  ],
  openBackup: [
    (o: never) => recovery.openWalletKeyBackup(bk, o),
    { factor: { kind: 'recovery-code', code }, expect: { chainId: 1 }, backend: 'auto' },
  ],
  openBackup2: [
    (o: never) => recovery.openWalletKeyBackup(o, { factor: { kind: 'recovery-code', code } }),
    bk,
  ],
  openEcies: [(o: never) => interop.openEcies(o), { privateKey, message: ecies, backend: 'auto' }],
  openPasswordFile: [
    (o: never) => interop.openPasswordFile(o),
    { openpgp, file: passwordFile, password: 'p', maximumLength: 100 },
  ],
  sealPasswordFile: [
    (o: never) => interop.sealPasswordFile(o),
    { openpgp, plaintext: bytes(3), password: 'p' },
  ],
  scopePassword: [
    (o: never) => interop.scopePassword(o),
    { signature: `0x${'11'.repeat(65)}`, scope: 'a.b' },
  ],
  xwingIdentity: [(o: never) => postQuantum.xwingIdentity(o), { privateKey: bytes(32), keyId: 'k' }],
  xwingRecipient: [(o: never) => postQuantum.xwingRecipient(o), { publicKey: xk.publicKey, keyId: 'k' }],
  parseWalletKeyBackup: [(o: never) => recovery.parseWalletKeyBackup(o), bk],
}
