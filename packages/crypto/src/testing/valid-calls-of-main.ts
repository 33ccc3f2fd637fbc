import * as main from '../index.js'
import { walletKeyHash } from '../recipient/wallet.js'
import { signDigest } from '../statement/signature.js'
import {
  address,
  bytes,
  context,
  digest,
  key,
  keyPair,
  privateKey,
  random,
  scope,
  type ValidCalls,
  walletSecret,
} from './call-values.js'

const rec = main.hpkeRecipient(key)
const id = main.hpkeIdentity(key)
const sealed = await main.sealBytes(bytes(200), { recipients: [rec], context, chunkSize: 64 })
const shared = await main.addRecipient(sealed, {
  identities: [id],
  recipient: main.hpkeRecipient({ publicKey: main.deriveKeyPair(bytes(34)).publicKey }),
})
const full = { ...context, commitment: digest }
const source = { size: sealed.length, read: (o: number, l: number) => sealed.slice(o, o + l) }
const collect = async (stream: ReadableStream<Uint8Array>) => {
  await stream.pipeTo(new WritableStream())
}
const rsOf = (b: Uint8Array) =>
  new ReadableStream<Uint8Array>({
    start(c) {
      c.enqueue(b)
      c.close()
    },
  })
const kp2 = main.deriveKeyPair(bytes(33))
const msg = await main.hpkeSeal({
  publicKey: keyPair.publicKey,
  info: bytes(1),
  aad: bytes(1),
  plaintext: bytes(9),
  random,
})
const sctx = {
  chainId: 1,
  registry: address,
  pool: address,
  subject: `0x${'00'.repeat(32)}` as const,
  nonce: '1',
  facts: [{ type: 'uint256' as const, value: '7' }],
}
const st = { type: 'a/b', version: 1, body: { x: 1 } }
const signed = main.signStatement({ statement: st, context: sctx, privateKey })
const reg = main.publishKeyEpochs({
  chainId: 31337,
  pool: address,
  policyDigest: digest,
  epoch: 1,
  kem: main.x25519Kem,
  publicKey: key.publicKey,
})
const key2 = main.derivePoolKey({ root: bytes(32), ...scope, epoch: 2 })
const reg2 = main.rotateKeyEpoch(reg, {
  epoch: 2,
  policyDigest: digest,
  kem: main.x25519Kem,
  publicKey: key2.publicKey,
})
const sreg = main.signKeyEpochs({ register: reg, registry: address, privateKey })
const td = main.walletKeyTypedData({ chainId: 1, purpose: 'x' })
const rows: main.JsonObject[] = [{ a: 1, b: 2 }, { a: 3 }]
const opening = main.openRows(rows, { salt: bytes(32), disclose: [{ row: 0, fields: ['a'] }] })
const rroot = main.commitRows(rows, { salt: bytes(32) }).root
const com = main.commitPlaintext(bytes(100), { salt: bytes(32), chunkSize: 64 })
const cop = main.openCommitment(bytes(100), { salt: bytes(32), chunkSize: 64, index: 1 })
const store = { list: () => ['f'], read: async () => sealed, replace: async () => {} }
const keySet = {
  format: 'sealpool/key-set',
  version: 1,
  hpke: { kem: 'x25519', publicKey: main.encodeBase64Url(keyPair.publicKey) },
  statement: { scheme: 'eip712-secp256k1', address },
  config: digest,
}

/** Of the main entry. */
export const callsOfMain: ValidCalls = {
  sealBytes: [
    (o: never) => main.sealBytes(bytes(10), o),
    { recipients: [rec], context, random, suite: 'aes-256-gcm', chunkSize: 64, backend: 'auto' },
  ],
  seal: [
    (o: never) => collect(rsOf(bytes(10)).pipeThrough(main.seal(o))),
    { recipients: [rec], context: full, random, suite: 'aes-256-gcm', chunkSize: 64, backend: 'auto' },
  ],
  sealedSize: [
    (o: never) => main.sealedSize(10, o),
    { recipients: [rec], context, suite: 'aes-256-gcm', chunkSize: 64 },
  ],
  openBytes: [(o: never) => main.openBytes(sealed, o), { identities: [id], expect: scope, backend: 'auto' }],
  openStream: [
    (o: never) => collect(rsOf(sealed).pipeThrough(main.openStream(o))),
    { identities: [id], expect: scope, backend: 'auto' },
  ],
  openRange: [
    (o: never) => main.openRange(o),
    { source, identities: [id], start: 0, end: 10, expect: scope, backend: 'auto' },
  ],
  sealedReader: [
    async (o: never) => (await main.sealedReader(o)).read(0, 3),
    { source, identities: [id], expect: scope, backend: 'auto' },
  ],
  rewriteHeader: [
    (o: never) => main.rewriteHeader(o),
    {
      source,
      identities: [id],
      add: [main.hpkeRecipient(keyPair)],
      remove: [{ keyId: rec.keyId, type: 'hpke' }],
      random,
      expect: scope,
      backend: 'auto',
    },
  ],
  addRecipient: [
    (o: never) => main.addRecipient(sealed, o),
    { identities: [id], recipient: main.hpkeRecipient(keyPair), random, expect: scope, backend: 'auto' },
  ],
  removeRecipient: [
    (o: never) => main.removeRecipient(shared, o),
    { identities: [id], keyId: rec.keyId, type: 'hpke', expect: scope, backend: 'auto' },
  ],
  rewrapHeader: [
    (o: never) => main.rewrapHeader(sealed, o),
    {
      identities: [id],
      from: rec.keyId,
      fromType: 'hpke',
      to: main.hpkeRecipient(keyPair),
      expect: { chainId: 31337, pool: address, policyDigest: digest },
      random,
      backend: 'auto',
    },
  ],
  rewrapHeaders: [
    (o: never) => main.rewrapHeaders(o),
    {
      store,
      identities: [id],
      from: rec.keyId,
      fromType: 'hpke',
      to: main.hpkeRecipient(keyPair),
      expect: { chainId: 31337, pool: address, policyDigest: digest },
      random,
      backend: 'auto',
      atOnce: 3,
      onHeader: () => {},
    },
  ],
  hpkeSeal: [
    (o: never) => main.hpkeSeal(o),
    {
      publicKey: keyPair.publicKey,
      info: bytes(1),
      aad: bytes(1),
      plaintext: bytes(9),
      random,
      kem: main.x25519Kem,
      senderPrivateKey: kp2.privateKey,
      backend: 'auto',
    },
  ],
  hpkeOpen: [
    (o: never) => main.hpkeOpen(o),
    {
      privateKey: keyPair.privateKey,
      info: bytes(1),
      aad: bytes(1),
      message: msg,
      kem: main.x25519Kem,
      backend: 'auto',
    },
  ],
  hpkeSender: [
    async (o: never) => {
      const { context: c } = await main.hpkeSender(o)
      return c.seal(bytes(1))
    },
    {
      publicKey: keyPair.publicKey,
      info: bytes(1),
      random,
      kem: main.x25519Kem,
      aead: 'aes-256-gcm',
      backend: 'auto',
    },
  ],
  hpkeReceiver: [
    async (o: never) => main.hpkeReceiver(o),
    {
      privateKey: keyPair.privateKey,
      enc: msg.slice(0, 32),
      info: bytes(1),
      kem: main.x25519Kem,
      aead: 'aes-256-gcm',
      backend: 'auto',
    },
  ],
  hpkeRecipient: [
    (o: never) => main.hpkeRecipient(o),
    { publicKey: keyPair.publicKey, keyId: 'k', kem: main.x25519Kem },
  ],
  hpkeIdentity: [
    (o: never) => main.hpkeIdentity(o),
    { privateKey: keyPair.privateKey, keyId: 'k', kem: main.x25519Kem },
  ],
  walletIdentity: [
    (o: never) => main.walletIdentity(o),
    { signature: '0x' + '11'.repeat(64) + '1b', address, typedData: undefined, kem: main.x25519Kem },
  ],
  walletIdentityTd: [
    (o: never) => main.walletIdentity(o),
    {
      signature: signDigest(walletKeyHash(td), privateKey),
      address: main.addressOf(privateKey),
      typedData: td,
      kem: main.x25519Kem,
    },
  ],
  walletRecipient: [
    (o: never) => main.walletRecipient(o),
    { publicKey: keyPair.publicKey, address: main.addressOf(privateKey), kem: main.x25519Kem },
  ],
  walletIdentityFromSecret: [
    (o: never) => main.walletIdentityFromSecret(o),
    { secret: walletSecret, address, kem: main.x25519Kem },
  ],
  establish: [
    (o: never) => main.establishWalletKey(o),
    {
      address,
      typedData: td,
      sign: async () => '0x' + '11'.repeat(64) + '1b',
      isContract: async () => false,
      isValidSignature: async () => true,
      random,
      kem: main.x25519Kem,
    },
  ],
  typed: [(o: never) => main.walletKeyTypedData(o), { chainId: 1, purpose: 'x' }],
  thresholdRecipient: [
    (o: never) => main.sealBytes(bytes(1), { recipients: [main.thresholdRecipient(o)], context }),
    { scheme: 'a', keyId: 'k', envelopeLength: 3, wrap: () => bytes(3) },
  ],
  derivePoolKey: [(o: never) => main.derivePoolKey(o), { root: bytes(32), kem: main.x25519Kem, ...scope }],
  deriveSecret: [(o: never) => main.deriveSecret(o), { root: bytes(32), purpose: 'a', ...scope }],
  publish: [
    (o: never) => main.publishKeyEpochs(o),
    {
      chainId: 1,
      pool: address,
      policyDigest: digest,
      epoch: 1,
      kem: main.x25519Kem,
      publicKey: key.publicKey,
    },
  ],
  rotate: [
    (o: never) => main.rotateKeyEpoch(reg, o),
    { epoch: 2, policyDigest: digest, kem: main.x25519Kem, publicKey: key2.publicKey },
  ],
  parseReg: [(o: never) => main.parseKeyEpochs(o), reg2],
  poolIdentities: [(o: never) => main.poolIdentities(o), { root: bytes(32), register: reg2, kems: [] }],
  signKE: [(o: never) => main.signKeyEpochs(o), { register: reg, registry: address, privateKey }],
  readKE: [
    (o: never) => main.readKeyEpochs(sreg, o),
    { chainId: 31337, registry: address, pool: address, signer: main.addressOf(privateKey), notBefore: 1 },
  ],
  readKE2: [
    (o: never) =>
      main.readKeyEpochs(o, {
        chainId: 31337,
        registry: address,
        pool: address,
        signer: main.addressOf(privateKey),
      }),
    sreg,
  ],
  onchain: [
    (o: never) => main.requireKeyEpochsOnChain(reg, [o], { complete: true }),
    { epoch: 1, policyDigest: digest, keyDigest: key.keyId },
  ],
  onchain2: [
    (o: never) =>
      main.requireKeyEpochsOnChain(reg, [{ epoch: 1, policyDigest: digest, keyDigest: key.keyId }], o),
    { complete: true },
  ],
  signStatement: [(o: never) => main.signStatement(o), { statement: st, context: sctx, privateKey }],
  verifyStatement: [(o: never) => main.verifyStatement(o), signed],
  verifyStatementO: [(o: never) => main.verifyStatement(signed, o), { signer: main.addressOf(privateKey) }],
  parseSigned: [(o: never) => main.parseSignedStatement(o), signed],
  commit: [(o: never) => main.commitPlaintext(bytes(10), o), { salt: bytes(32), chunkSize: 64 }],
  openCommit: [
    (o: never) => main.openCommitment(bytes(100), o),
    { salt: bytes(32), chunkSize: 64, index: 0 },
  ],
  verifyCommitment: [
    (o: never) => main.verifyCommitment(o),
    { root: com.root, bytes: bytes(100), salt: bytes(32), chunkSize: 64 },
  ],
  vco: [(o: never) => main.verifyCommitmentOpening(com.root, o), cop],
  commitRows: [(o: never) => main.commitRows(rows, o), { salt: bytes(32) }],
  openRows: [
    (o: never) => main.openRows(rows, o),
    { salt: bytes(32), disclose: [{ row: 0, fields: ['a'] }] },
  ],
  vro: [(o: never) => main.verifyRowsOpening(rroot, o), opening],
  vmp: [
    (o: never) => main.verifyMerkleProof(o),
    { leaf: bytes(1), index: 0, count: 2, proof: [bytes(32)], root: bytes(32) },
  ],
  vmm: [
    (o: never) => main.verifyMerkleMultiProof(o),
    { leaves: [{ index: 0, leaf: bytes(1) }], count: 2, proof: [bytes(32)], root: bytes(32) },
  ],
  currentRecipient: [(o: never) => main.currentRecipient(o), reg2],
  recipientOfEpoch: [(o: never) => main.recipientOfEpoch(o, 1), reg2],
  currentKeyEpoch: [(o: never) => main.currentKeyEpoch(o), reg2],
  keyEpochsRevision: [(o: never) => main.keyEpochsRevision(o), reg2],
  retireKeyEpoch: [(o: never) => main.retireKeyEpoch(o, 1), reg2],
  thresholdIdentity: [
    (o: never) => main.thresholdIdentity(o),
    { scheme: 'a', keyId: 'k', unwrap: () => bytes(32) },
  ],
  recoverStatementSigner: [(o: never) => main.recoverStatementSigner(o), signed],
  statementDigest: [(o: never) => main.statementDigest(o), st],
  statementKind: [(o: never) => main.statementKind(o), st],
  statementTypedDataHash: [(o: never) => main.statementTypedDataHash(st, o), sctx],
  keySetDigest: [(o: never) => main.keySetDigest(o), keySet],
  parseKeySet: [(o: never) => main.parseKeySet(o), keySet],
}
