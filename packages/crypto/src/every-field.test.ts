import { secp256k1 } from '@noble/curves/secp256k1.js'
import * as openpgp from 'openpgp'
import { expect, test } from 'vitest'
import * as aggregate from './aggregate/index.js'
import { CryptoError } from './errors.js'
import * as main from './index.js'
import * as interop from './interop/index.js'
import * as postQuantum from './post-quantum/index.js'
import { walletKeyHash } from './recipient/wallet.js'
import * as recovery from './recovery/index.js'
import { signDigest } from './statement/signature.js'
import * as threshold from './threshold/index.js'

const rnd = main.platformRandom
const B = (n: number) => new Uint8Array(n).fill(5)
const addr = `0x${'ab'.repeat(20)}` as const
const dg = `sha256:${'cd'.repeat(32)}` as const
const scope = { chainId: 31337, pool: addr, policyDigest: dg, epoch: 1 }
const key = main.derivePoolKey({ root: B(32), ...scope })
const rec = main.hpkeRecipient(key)
const id = main.hpkeIdentity(key)
const context = { ...scope, mediaType: 'a/b' }
const sealed = await main.sealBytes(B(200), { recipients: [rec], context, chunkSize: 64 })
const shared = await main.addRecipient(sealed, {
  identities: [id],
  recipient: main.hpkeRecipient({ publicKey: main.deriveKeyPair(B(34)).publicKey }),
})
const full = { ...context, commitment: dg }
const source = { size: sealed.length, read: (o: number, l: number) => sealed.slice(o, o + l) }
const collect = async (stream: ReadableStream<Uint8Array>) => {
  for await (const _ of stream as unknown as AsyncIterable<Uint8Array>);
}
const rsOf = (b: Uint8Array) =>
  new ReadableStream<Uint8Array>({
    start(c) {
      c.enqueue(b)
      c.close()
    },
  })
const kp = main.deriveKeyPair(B(32))
const kp2 = main.deriveKeyPair(B(33))
const msg = await main.hpkeSeal({
  publicKey: kp.publicKey,
  info: B(1),
  aad: B(1),
  plaintext: B(9),
  random: rnd,
})
const pk = B(32)
const sctx = {
  chainId: 1,
  registry: addr,
  pool: addr,
  subject: `0x${'00'.repeat(32)}` as const,
  nonce: '1',
  facts: [{ type: 'uint256' as const, value: '7' }],
}
const st = { type: 'a/b', version: 1, body: { x: 1 } }
const signed = main.signStatement({ statement: st, context: sctx, privateKey: pk })
const reg = main.publishKeyEpochs({
  chainId: 31337,
  pool: addr,
  policyDigest: dg,
  epoch: 1,
  kem: main.x25519Kem,
  publicKey: key.publicKey,
})
const key2 = main.derivePoolKey({ root: B(32), ...scope, epoch: 2 })
const reg2 = main.rotateKeyEpoch(reg, {
  epoch: 2,
  policyDigest: dg,
  kem: main.x25519Kem,
  publicKey: key2.publicKey,
})
const sreg = main.signKeyEpochs({ register: reg, registry: addr, privateKey: pk })
const td = main.walletKeyTypedData({ chainId: 1, purpose: 'x' })
const wsec = B(32)
const w = main.walletIdentityFromSecret({ secret: wsec, address: addr })
const code = recovery.drawRecoveryCode(rnd)
const bk = await recovery.createWalletKeyBackup({
  chainId: 1,
  address: addr,
  keyId: w.keyId as main.Digest,
  secret: wsec,
  factors: [{ kind: 'recovery-code', code }],
  random: rnd,
})
const rows: main.JsonObject[] = [{ a: 1, b: 2 }, { a: 3 }]
const opening = main.openRows(rows, { salt: B(32), disclose: [{ row: 0, fields: ['a'] }] })
const rroot = main.commitRows(rows, { salt: B(32) }).root
const com = main.commitPlaintext(B(100), { salt: B(32), chunkSize: 64 })
const cop = main.openCommitment(B(100), { salt: B(32), chunkSize: 64, index: 1 })
const ageId = interop.encodeAgeIdentity(kp.privateKey)
const ageRec = interop.encodeAgeRecipient(kp.publicKey)
const age = await interop.sealAge(B(10), { recipients: [ageRec], random: rnd })
const store = { list: () => ['f'], read: async () => sealed, replace: async () => {} }
// threshold
const mem = [1, 2, 3].map((n) => ({ signingKey: B(32).fill(n), encryptionKey: B(32).fill(n + 10) }))
const session: threshold.ThresholdSession = {
  type: 'sealpool/threshold-session',
  version: 1,
  chainId: 31337,
  registry: addr,
  pool: addr,
  purpose: dg,
  threshold: 2,
  members: mem.map((x) => ({
    address: main.addressOf(x.signingKey),
    encryptionKey: threshold.memberPublicKey(x.encryptionKey),
  })),
  previous: null,
}
const dealt = mem.map((x) => threshold.dealShares({ session, signingKey: x.signingKey, random: rnd }))
const tr = { commitments: dealt.map((x) => x.commitment), deals: dealt.map((x) => x.deal), complaints: [] }
const { key: tk } = threshold.concludeSession(session, tr)
if (tk === null) throw new Error('the session makes a key')
const shares = mem.map((x) =>
  threshold.openShare({ session, transcript: tr, encryptionKey: x.encryptionKey }),
)
const [share] = shares
const [member] = mem
if (share === undefined || member === undefined) throw new Error('there are members')
const env = threshold.sealEnvelope({ publicKey: tk.publicKey, label: B(3), plaintext: B(32), random: rnd })
const parts = shares.map((share) =>
  threshold.decryptPartially({ share, envelope: env, label: B(3), random: rnd }),
)
const csealed = await main.sealBytes(B(10), {
  recipients: [threshold.committeeRecipient({ key: tk })],
  context,
})
const def: aggregate.AggregateDefinition = {
  type: 'sealpool/aggregate',
  version: 1,
  chainId: 31337,
  registry: addr,
  pool: addr,
  publicKey: tk.publicKey,
  session: tk.session,
  question: dg,
  measure: { kind: 'sum', minimum: 0, maximum: 1 },
  contributors: null,
  minimumCohort: 2,
  maximumCohort: 5,
}
const inputs = mem
  .slice(0, 2)
  .map((x) =>
    aggregate.encryptInput({ key: tk, definition: def, value: 1, signingKey: x.signingKey, random: rnd }),
  )
const claims = await Promise.all(
  mem.map((x) =>
    aggregate.claimInputs({ key: tk, definition: def, inputs, signingKey: x.signingKey, claim: () => true }),
  ),
)
const aparts = await Promise.all(
  shares.map((share) =>
    aggregate.decryptTotalsPartially({ share, definition: def, inputs, claims, random: rnd }),
  ),
)
const ares = aggregate.combineAggregateParts({ key: tk, definition: def, inputs, parts: aparts }).result
const ft = {
  sessions: [{ session, transcript: tr }],
  definition: def,
  inputs,
  claims,
  parts: aparts,
  result: ares,
}
const xk = postQuantum.deriveXwingKeyPair(B(32))
const ecies = await interop.sealEcies({ publicKey: secp256k1.getPublicKey(pk), plaintext: B(3) })
const passwordFile = await interop.sealPasswordFile({
  openpgp: openpgp as never,
  plaintext: B(3),
  password: 'p',
})
const keySet = {
  format: 'sealpool/key-set',
  version: 1,
  hpke: { kem: 'x25519', publicKey: main.encodeBase64Url(kp.publicKey) },
  statement: { scheme: 'eip712-secp256k1', address: addr },
  config: dg,
}
const calls: Readonly<Record<string, readonly [(o: never) => unknown, object]>> = {
  sealBytes: [
    (o: never) => main.sealBytes(B(10), o),
    { recipients: [rec], context, random: rnd, suite: 'aes-256-gcm', chunkSize: 64, backend: 'auto' },
  ],
  seal: [
    (o: never) => collect(rsOf(B(10)).pipeThrough(main.seal(o))),
    { recipients: [rec], context: full, random: rnd, suite: 'aes-256-gcm', chunkSize: 64, backend: 'auto' },
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
      add: [main.hpkeRecipient(kp)],
      remove: [{ keyId: rec.keyId, type: 'hpke' }],
      random: rnd,
      expect: scope,
      backend: 'auto',
    },
  ],
  addRecipient: [
    (o: never) => main.addRecipient(sealed, o),
    { identities: [id], recipient: main.hpkeRecipient(kp), random: rnd, expect: scope, backend: 'auto' },
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
      to: main.hpkeRecipient(kp),
      expect: { chainId: 31337, pool: addr, policyDigest: dg },
      random: rnd,
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
      to: main.hpkeRecipient(kp),
      expect: { chainId: 31337, pool: addr, policyDigest: dg },
      random: rnd,
      backend: 'auto',
      atOnce: 3,
      onHeader: () => {},
    },
  ],
  hpkeSeal: [
    (o: never) => main.hpkeSeal(o),
    {
      publicKey: kp.publicKey,
      info: B(1),
      aad: B(1),
      plaintext: B(9),
      random: rnd,
      kem: main.x25519Kem,
      senderPrivateKey: kp2.privateKey,
      backend: 'auto',
    },
  ],
  hpkeSealX: [
    (o: never) => main.hpkeSeal(o),
    {
      publicKey: xk.publicKey,
      info: B(1),
      aad: B(1),
      plaintext: B(9),
      random: rnd,
      kem: postQuantum.xwingKem,
      backend: 'auto',
    },
  ],
  hpkeOpen: [
    (o: never) => main.hpkeOpen(o),
    {
      privateKey: kp.privateKey,
      info: B(1),
      aad: B(1),
      message: msg,
      kem: main.x25519Kem,
      backend: 'auto',
    },
  ],
  hpkeSender: [
    async (o: never) => {
      const { context: c } = await main.hpkeSender(o)
      return c.seal(B(1))
    },
    {
      publicKey: kp.publicKey,
      info: B(1),
      random: rnd,
      kem: main.x25519Kem,
      aead: 'aes-256-gcm',
      backend: 'auto',
    },
  ],
  hpkeReceiver: [
    async (o: never) => main.hpkeReceiver(o),
    {
      privateKey: kp.privateKey,
      enc: msg.slice(0, 32),
      info: B(1),
      kem: main.x25519Kem,
      aead: 'aes-256-gcm',
      backend: 'auto',
    },
  ],
  hpkeRecipient: [
    (o: never) => main.hpkeRecipient(o),
    { publicKey: kp.publicKey, keyId: 'k', kem: main.x25519Kem },
  ],
  hpkeIdentity: [
    (o: never) => main.hpkeIdentity(o),
    { privateKey: kp.privateKey, keyId: 'k', kem: main.x25519Kem },
  ],
  walletIdentity: [
    (o: never) => main.walletIdentity(o),
    { signature: '0x' + '11'.repeat(64) + '1b', address: addr, typedData: undefined, kem: main.x25519Kem },
  ],
  walletIdentityTd: [
    (o: never) => main.walletIdentity(o),
    {
      signature: signDigest(walletKeyHash(td), pk),
      address: main.addressOf(pk),
      typedData: td,
      kem: main.x25519Kem,
    },
  ],
  walletRecipient: [
    (o: never) => main.walletRecipient(o),
    { publicKey: kp.publicKey, address: main.addressOf(pk), kem: main.x25519Kem },
  ],
  walletIdentityFromSecret: [
    (o: never) => main.walletIdentityFromSecret(o),
    { secret: wsec, address: addr, kem: main.x25519Kem },
  ],
  establish: [
    (o: never) => main.establishWalletKey(o),
    {
      address: addr,
      typedData: td,
      sign: async () => '0x' + '11'.repeat(64) + '1b',
      isContract: async () => false,
      isValidSignature: async () => true,
      random: rnd,
      kem: main.x25519Kem,
    },
  ],
  typed: [(o: never) => main.walletKeyTypedData(o), { chainId: 1, purpose: 'x' }],
  thresholdRecipient: [
    (o: never) => main.sealBytes(B(1), { recipients: [main.thresholdRecipient(o)], context }),
    { scheme: 'a', keyId: 'k', envelopeLength: 3, wrap: () => B(3) },
  ],
  derivePoolKey: [(o: never) => main.derivePoolKey(o), { root: B(32), kem: main.x25519Kem, ...scope }],
  deriveSecret: [(o: never) => main.deriveSecret(o), { root: B(32), purpose: 'a', ...scope }],
  publish: [
    (o: never) => main.publishKeyEpochs(o),
    { chainId: 1, pool: addr, policyDigest: dg, epoch: 1, kem: main.x25519Kem, publicKey: key.publicKey },
  ],
  rotate: [
    (o: never) => main.rotateKeyEpoch(reg, o),
    { epoch: 2, policyDigest: dg, kem: main.x25519Kem, publicKey: key2.publicKey },
  ],
  parseReg: [(o: never) => main.parseKeyEpochs(o), reg2],
  poolIdentities: [(o: never) => main.poolIdentities(o), { root: B(32), register: reg2, kems: [] }],
  signKE: [(o: never) => main.signKeyEpochs(o), { register: reg, registry: addr, privateKey: pk }],
  readKE: [
    (o: never) => main.readKeyEpochs(sreg, o),
    { chainId: 31337, registry: addr, pool: addr, signer: main.addressOf(pk), notBefore: 1 },
  ],
  readKE2: [
    (o: never) =>
      main.readKeyEpochs(o, { chainId: 31337, registry: addr, pool: addr, signer: main.addressOf(pk) }),
    sreg,
  ],
  onchain: [
    (o: never) => main.requireKeyEpochsOnChain(reg, [o], { complete: true }),
    { epoch: 1, policyDigest: dg, keyDigest: key.keyId },
  ],
  onchain2: [
    (o: never) =>
      main.requireKeyEpochsOnChain(reg, [{ epoch: 1, policyDigest: dg, keyDigest: key.keyId }], o),
    { complete: true },
  ],
  signStatement: [(o: never) => main.signStatement(o), { statement: st, context: sctx, privateKey: pk }],
  verifyStatement: [(o: never) => main.verifyStatement(o), signed],
  verifyStatementO: [(o: never) => main.verifyStatement(signed, o), { signer: main.addressOf(pk) }],
  parseSigned: [(o: never) => main.parseSignedStatement(o), signed],
  commit: [(o: never) => main.commitPlaintext(B(10), o), { salt: B(32), chunkSize: 64 }],
  openCommit: [(o: never) => main.openCommitment(B(100), o), { salt: B(32), chunkSize: 64, index: 0 }],
  verifyCommitment: [
    (o: never) => main.verifyCommitment(o),
    { root: com.root, bytes: B(100), salt: B(32), chunkSize: 64 },
  ],
  vco: [(o: never) => main.verifyCommitmentOpening(com.root, o), cop],
  commitRows: [(o: never) => main.commitRows(rows, o), { salt: B(32) }],
  openRows: [(o: never) => main.openRows(rows, o), { salt: B(32), disclose: [{ row: 0, fields: ['a'] }] }],
  vro: [(o: never) => main.verifyRowsOpening(rroot, o), opening],
  vmp: [
    (o: never) => main.verifyMerkleProof(o),
    { leaf: B(1), index: 0, count: 2, proof: [B(32)], root: B(32) },
  ],
  vmm: [
    (o: never) => main.verifyMerkleMultiProof(o),
    { leaves: [{ index: 0, leaf: B(1) }], count: 2, proof: [B(32)], root: B(32) },
  ],
  dealShares: [
    (o: never) => threshold.dealShares(o),
    { session, signingKey: member.signingKey, random: rnd, share: undefined },
  ],
  complain: [
    (o: never) => threshold.complain(o),
    {
      session,
      commitments: tr.commitments,
      deals: tr.deals,
      encryptionKey: member.encryptionKey,
      signingKey: member.signingKey,
      random: rnd,
    },
  ],
  conclude: [(o: never) => threshold.concludeSession(session, o), tr],
  conclude2: [(o: never) => threshold.concludeSession(o, tr), session],
  openShare: [
    (o: never) => threshold.openShare(o),
    { session, transcript: tr, encryptionKey: member.encryptionKey },
  ],
  sealEnvelope: [
    (o: never) => threshold.sealEnvelope(o),
    { publicKey: tk.publicKey, label: B(3), plaintext: B(3), random: rnd },
  ],
  decryptPartially: [
    (o: never) => threshold.decryptPartially(o),
    { share, envelope: env, label: B(3), random: rnd },
  ],
  verifyPartial: [
    (o: never) => threshold.verifyPartialDecryption(o),
    { key: tk, envelope: env, label: B(3), partial: parts[0] },
  ],
  combineP: [
    (o: never) => threshold.combinePartialDecryptions(o),
    { key: tk, envelope: env, label: B(3), partials: parts },
  ],
  onChainP: [
    (o: never) => threshold.partialDecryptionOnChain(o),
    { key: tk, envelope: env, label: B(3), partial: parts[0] },
  ],
  committeeRecipient: [(o: never) => threshold.committeeRecipient(o), { key: tk }],
  committeeIdentity: [
    (o: never) => main.openBytes(csealed, { identities: [threshold.committeeIdentity(o)] }),
    {
      key: tk,
      collect: ({ envelope, label }: { envelope: Uint8Array; label: Uint8Array }) =>
        shares.map((share) => threshold.decryptPartially({ share, envelope, label, random: rnd })),
    },
  ],
  committeeLabel: [(o: never) => threshold.committeeLabel(o), { header: csealed, key: tk }],
  encryptInput: [
    (o: never) => aggregate.encryptInput(o),
    { key: tk, definition: def, value: 1, signingKey: pk, random: rnd },
  ],
  claimInputs: [
    (o: never) => aggregate.claimInputs(o),
    { key: tk, definition: def, inputs, signingKey: member.signingKey, claim: () => true },
  ],
  dtp: [
    (o: never) => aggregate.decryptTotalsPartially(o),
    { share, definition: def, inputs, claims, random: rnd },
  ],
  cap: [
    (o: never) => aggregate.combineAggregateParts(o),
    { key: tk, definition: def, inputs, parts: aparts },
  ],
  verifyTranscript: [
    (o: never) => {
      const v = aggregate.verifyTranscript(o, { expect: { definition: aggregate.aggregateDigest(def) } })
      return v.ok ? 'OK' : v.failed
    },
    ft,
  ],
  sealAge: [(o: never) => interop.sealAge(B(3), o), { recipients: [ageRec], random: rnd }],
  openAge: [(o: never) => interop.openAge(age, o), { identities: [ageId] }],
  sealEcies: [
    (o: never) => interop.sealEcies(o),
    { publicKey: secp256k1.getPublicKey(pk), plaintext: B(3), random: rnd, backend: 'auto' },
  ],
  createBackup: [
    (o: never) => recovery.createWalletKeyBackup(o),
    {
      chainId: 1,
      address: addr,
      keyId: w.keyId,
      secret: wsec,
      factors: [{ kind: 'recovery-code', code }],
      random: rnd,
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
  currentRecipient: [(o: never) => main.currentRecipient(o), reg2],
  recipientOfEpoch: [(o: never) => main.recipientOfEpoch(o, 1), reg2],
  currentKeyEpoch: [(o: never) => main.currentKeyEpoch(o), reg2],
  keyEpochsRevision: [(o: never) => main.keyEpochsRevision(o), reg2],
  retireKeyEpoch: [(o: never) => main.retireKeyEpoch(o, 1), reg2],
  thresholdIdentity: [
    (o: never) => main.thresholdIdentity(o),
    { scheme: 'a', keyId: 'k', unwrap: () => B(32) },
  ],
  recoverStatementSigner: [(o: never) => main.recoverStatementSigner(o), signed],
  statementDigest: [(o: never) => main.statementDigest(o), st],
  statementKind: [(o: never) => main.statementKind(o), st],
  statementTypedDataHash: [(o: never) => main.statementTypedDataHash(st, o), sctx],
  claimQuorum: [(o: never) => aggregate.claimQuorum(o), tk],
  combineInputs: [(o: never) => aggregate.combineInputs(o, inputs), def],
  parseAggregateDefinition: [(o: never) => aggregate.parseAggregateDefinition(o), def],
  openEcies: [(o: never) => interop.openEcies(o), { privateKey: pk, message: ecies, backend: 'auto' }],
  openPasswordFile: [
    (o: object) => interop.openPasswordFile({ openpgp, ...o } as never),
    { file: passwordFile, password: 'p', maximumLength: 100 },
  ],
  sealPasswordFile: [
    (o: object) => interop.sealPasswordFile({ openpgp, ...o } as never),
    { plaintext: B(3), password: 'p' },
  ],
  scopePassword: [
    (o: never) => interop.scopePassword(o),
    { signature: `0x${'11'.repeat(65)}`, scope: 'a.b' },
  ],
  xwingIdentity: [(o: never) => postQuantum.xwingIdentity(o), { privateKey: B(32), keyId: 'k' }],
  xwingRecipient: [(o: never) => postQuantum.xwingRecipient(o), { publicKey: xk.publicKey, keyId: 'k' }],
  parseWalletKeyBackup: [(o: never) => recovery.parseWalletKeyBackup(o), bk],
  parseThresholdKey: [(o: never) => threshold.parseThresholdKey(o), tk],
  parseThresholdSession: [(o: never) => threshold.parseThresholdSession(o), session],
  thresholdSessionDigest: [(o: never) => threshold.thresholdSessionDigest(o), session],
  checkEnvelope: [
    (o: never) => threshold.checkEnvelope(o),
    { publicKey: tk.publicKey, label: B(3), envelope: env },
  ],
  keySetDigest: [(o: never) => main.keySetDigest(o), keySet],
  parseKeySet: [(o: never) => main.parseKeySet(o), keySet],
}

const trap = () => {
  throw new Error('a getter of the caller')
}
/** What may stand in the place of one field. Each is data: what throws by being looked at is in every-export.test.ts. */
const spoiled: readonly unknown[] = [
  undefined,
  null,
  0,
  -1,
  1.5,
  Number.NaN,
  2n ** 300n,
  '',
  'x',
  '__proto__',
  Symbol('given'),
  true,
  () => undefined,
  {},
  Object.create(null),
  [],
  // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
  [,],
  [null],
  new Map(),
  new Uint8Array(),
  new Uint8Array(33),
  new Uint16Array(32),
  { toString: null, valueOf: null },
  { toString: trap },
]

/** The paths of a value's fields; of a list the first two items. Taken-apart objects of this package (a KEM) are not data. */
function pathsOf(value: unknown, depth = 0): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || depth > 3) return []
  const names = Array.isArray(value) ? Object.keys(value).slice(0, 2) : Object.keys(value)
  return names.flatMap((name) => {
    const inner = (value as Readonly<Record<string, unknown>>)[name]
    const deeper = name === 'kem' || name === 'kems' ? [] : pathsOf(inner, depth + 1)
    return [[name], ...deeper.map((rest) => [name, ...rest])]
  })
}

function withField(value: unknown, [name, ...rest]: readonly string[], spoil: unknown): unknown {
  if (name === undefined) return spoil
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>
  copy[name] = withField(copy[name], rest, spoil)
  return copy
}

/** Their calls take half a second each: of their fields every fifth value is tried. */
const slow =
  /^(verifyTranscript|openPasswordFile|sealPasswordFile|dtp|cap|claimInputs|conclude|encryptInput|complain|openShare|createBackup)/

test.each(Object.entries(calls))(
  '%s answers or gives a typed error, whichever field is spoiled',
  async (name, [call, valid]) => {
    await (async () => call(valid as never))()
    const wrong: string[] = []
    let turn = 0
    for (const path of pathsOf(valid)) {
      for (const [index, spoil] of spoiled.entries()) {
        if (slow.test(name) && (turn++ + path.length) % 7 !== 0) continue
        try {
          await call(withField(valid, path, spoil) as never)
        } catch (error) {
          if (!(error instanceof CryptoError)) wrong.push(`${path.join('.')} #${index}: ${String(error)}`)
        }
      }
    }
    expect(wrong).toEqual([])
  },
  60_000,
)

/** Functions that take bytes, texts, numbers and lists and read no field of them: every-export.test.ts spoils those whole. */
const withoutFields = new Set(
  'canonicalBytes digestOf parseCanonical canonicalize merkleProof merkleRoot merkleMultiProof bytesToDigest digestToBytes digestToHex hexToDigest parseDigest sha256Digest parseAddress decodeBase64Url encodeBase64Url concatBytes equalBytes decodeHex encodeHex deriveKeyPair platformRandom deriveNodeKeys keyIdOf publicKeyOf decodeArmor encodeArmor parseHeader listRecipients decodeAgeIdentity decodeAgeRecipient encodeAgeIdentity encodeAgeRecipient deriveXwingKeyPair readRecoveryCode drawRecoveryCode memberPublicKey'.split(
    ' ',
  ),
)

test('every function of every entry is called in the table, or reads no fields', () => {
  const table = Object.values(calls).map(([call]) => String(call))
  const missing = [main, aggregate, interop, postQuantum, recovery, threshold].flatMap((entry) =>
    Object.entries(entry).flatMap(([name, value]) => {
      if (typeof value !== 'function' || value === CryptoError || withoutFields.has(name)) return []
      return table.some((text) => text.includes(`.${name}(`)) ? [] : [name]
    }),
  )
  expect(missing).toEqual([])
})
