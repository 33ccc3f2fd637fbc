import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as aggregate from './aggregate/index.js'
import { CryptoError } from './errors.js'
import * as main from './index.js'
import * as interop from './interop/index.js'
import * as postQuantum from './post-quantum/index.js'
import * as recovery from './recovery/index.js'
import { runSession, seededRandom, testMembers, testSession } from './testing/committee.js'
import { bytesOf, context, pool, poolKey, scope, sealedOf } from './testing/sealed-fixture.js'
import * as threshold from './threshold/index.js'

/** Whatever stands where something from outside is read: a typed error or an answer comes out, never another error. */
interface Fed {
  /** Something honest, to be spoiled in one place. */
  readonly valid: unknown
  readonly call: (value: never) => unknown
  /** How many spoiled values are tried; what computes long gets fewer. */
  readonly runs?: number
}

const random = seededRandom('hostile')
const members = testMembers('hostile', 3)
const session = testSession(members, 2, { chainId: scope.chainId, pool: scope.pool })
const { key, shares, transcript } = runSession(members, session)
const [share] = shares as [threshold.ThresholdShare]
const [{ signingKey, encryptionKey }] = members as [(typeof members)[0]]
const label = new Uint8Array(9)
const envelope = threshold.sealEnvelope({ publicKey: key.publicKey, label, plaintext: bytesOf(32), random })
const partials = shares.map((each) => threshold.decryptPartially({ share: each, envelope, label, random }))
const definition: aggregate.AggregateDefinition = {
  type: 'sealpool/aggregate',
  version: 1,
  chainId: session.chainId,
  registry: session.registry,
  pool: session.pool,
  publicKey: key.publicKey,
  session: key.session,
  question: main.sha256Digest(bytesOf(1)),
  measure: { kind: 'sum', minimum: 0, maximum: 1 },
  contributors: null,
  minimumCohort: 2,
  maximumCohort: 9,
}
const inputs = members.map((each) =>
  aggregate.encryptInput({ key, definition, value: 1, signingKey: each.signingKey, random }),
)
const claims = await Promise.all(
  members.map((each) =>
    aggregate.claimInputs({ key, definition, inputs, signingKey: each.signingKey, claim: () => true }),
  ),
)
const parts = await Promise.all(
  shares.map((each) => aggregate.decryptTotalsPartially({ share: each, definition, inputs, claims, random })),
)
const { result } = aggregate.combineAggregateParts({ key, definition, inputs, parts })
const register = main.publishKeyEpochs({ ...scope, ...poolKey, kem: main.x25519Kem })
const statement = main.signStatement({
  statement: { type: 'example/claim', version: 1, body: { rows: [1, { name: 'x' }] } },
  context: {
    chainId: session.chainId,
    registry: session.registry,
    pool: session.pool,
    subject: `0x${'00'.repeat(32)}`,
    nonce: '1',
    facts: [{ type: 'bool', value: true }],
  },
  privateKey: signingKey,
})
const sealed = await sealedOf(70)
const ready = { identities: [pool] }
const leaves = [bytesOf(1), bytesOf(2), bytesOf(3)]
const salt = new Uint8Array(32)
const address = main.addressOf(signingKey)
const rows = [{ a: 1, b: ['x', null] }, { a: 2 }]
const opening = main.openRows(rows, { salt, disclose: [{ row: 0, fields: ['a'] }] })
const keyPair = main.deriveKeyPair(bytesOf(32))
const message = await main.hpkeSeal({
  publicKey: keyPair.publicKey,
  info: label,
  aad: label,
  plaintext: label,
})
const identity = interop.encodeAgeIdentity(keyPair.privateKey)
const age = await interop.sealAge(bytesOf(9), { recipients: [interop.encodeAgeRecipient(keyPair.publicKey)] })
const secret = bytesOf(32)
const wallet = main.walletIdentityFromSecret({ secret, address })
const code = recovery.drawRecoveryCode(random)
const factor = { kind: 'recovery-code', code } as const
const backup = await recovery.createWalletKeyBackup({
  chainId: 1,
  address,
  keyId: wallet.keyId as main.Digest,
  secret,
  factors: [factor],
})
const xwing = postQuantum.deriveXwingKeyPair(bytesOf(32))
const typedData = main.walletKeyTypedData({ chainId: 1, purpose: 'test' })
const source = (bytes: Uint8Array) => ({
  size: (bytes as Uint8Array | null)?.length as number,
  read: (at: number, length: number) => bytes.slice(at, at + length),
})

const fed: Readonly<Record<string, Fed>> = {
  // Sealed files.
  openBytes: { valid: sealed, call: (value) => main.openBytes(value, ready) },
  openRange: {
    valid: sealed,
    call: (value) => main.openRange({ ...ready, source: source(value), start: 0, end: 9 }),
  },
  sealedReader: { valid: sealed, call: (value) => main.sealedReader({ ...ready, source: source(value) }) },
  parseHeader: { valid: sealed, call: main.parseHeader },
  listRecipients: { valid: sealed, call: main.listRecipients },
  removeRecipient: {
    valid: sealed,
    call: (value) => main.removeRecipient(value, { ...ready, keyId: poolKey.keyId }),
  },
  addRecipient: {
    valid: sealed,
    call: (value) => main.addRecipient(value, { ...ready, recipient: main.hpkeRecipient(keyPair) }),
  },
  rewriteHeader: { valid: sealed, call: (value) => main.rewriteHeader({ ...ready, source: source(value) }) },
  rewrapHeader: {
    valid: sealed,
    call: (value) =>
      main.rewrapHeader(value, {
        ...ready,
        from: poolKey.keyId,
        to: main.hpkeRecipient(keyPair),
        expect: scope,
      }),
  },
  rewrapHeaders: {
    valid: sealed,
    call: (value) => {
      const store = { list: () => ['x'], read: async () => value, replace: async () => undefined }
      return main.rewrapHeaders({
        ...ready,
        store,
        from: poolKey.keyId,
        to: main.hpkeRecipient(keyPair),
        expect: scope,
      })
    },
  },
  openStream: {
    valid: sealed,
    call: async (value: Uint8Array) => {
      const { writable, readable } = main.openStream(ready)
      const writer = writable.getWriter()
      const written = writer.write(value).then(() => writer.close())
      written.catch(() => undefined)
      for await (const part of readable as unknown as AsyncIterable<Uint8Array>) expect(part).toBeDefined()
      await written
    },
  },
  decodeArmor: { valid: main.encodeArmor(sealed), call: main.decodeArmor },
  committeeLabel: {
    valid: sealed,
    call: (header) => threshold.committeeLabel({ header, key }),
  },
  // Encodings and canonical JSON.
  decodeHex: { valid: '0xab', call: main.decodeHex },
  decodeBase64Url: { valid: 'abcd', call: main.decodeBase64Url },
  parseDigest: { valid: key.session, call: main.parseDigest },
  digestToBytes: { valid: key.session, call: main.digestToBytes },
  digestToHex: { valid: key.session, call: main.digestToHex },
  hexToDigest: { valid: `0x${'ab'.repeat(32)}`, call: main.hexToDigest },
  parseAddress: { valid: address, call: (value) => main.parseAddress(value) },
  canonicalize: { valid: statement, call: main.canonicalize },
  canonicalBytes: { valid: statement, call: main.canonicalBytes },
  digestOf: { valid: statement, call: main.digestOf },
  parseCanonical: { valid: '{"a":[1,"x"]}', call: (value) => main.parseCanonical(value) },
  // Statements.
  parseSignedStatement: { valid: statement, call: main.parseSignedStatement },
  verifyStatement: { valid: statement, call: (value) => main.verifyStatement(value) },
  recoverStatementSigner: {
    valid: statement,
    call: (value) => main.recoverStatementSigner(main.parseSignedStatement(value)),
  },
  statementDigest: {
    valid: statement,
    call: (value) => main.statementDigest(main.parseSignedStatement(value).statement),
  },
  statementKind: {
    valid: statement,
    call: (value) => main.statementKind(main.parseSignedStatement(value).statement),
  },
  statementTypedDataHash: {
    valid: statement,
    call: (value) => {
      const parsed = main.parseSignedStatement(value)
      return main.statementTypedDataHash(parsed.statement, parsed.context)
    },
  },
  // Commitments.
  verifyCommitment: {
    valid: { root: key.session, bytes: bytesOf(9), salt, chunkSize: 4 },
    call: main.verifyCommitment,
  },
  verifyCommitmentOpening: {
    valid: main.openCommitment(bytesOf(9), { salt, index: 1, chunkSize: 4 }),
    call: (value) =>
      main.verifyCommitmentOpening(main.commitPlaintext(bytesOf(9), { salt, chunkSize: 4 }).root, value),
  },
  verifyMerkleProof: {
    valid: {
      leaf: leaves[1],
      index: 1,
      count: 3,
      proof: main.merkleProof(leaves, 1),
      root: main.merkleRoot(leaves),
    },
    call: main.verifyMerkleProof,
  },
  verifyMerkleMultiProof: {
    valid: {
      leaves: [{ index: 1, leaf: leaves[1] }],
      count: 3,
      proof: main.merkleMultiProof(leaves, [1]),
      root: main.merkleRoot(leaves),
    },
    call: main.verifyMerkleMultiProof,
  },
  verifyRowsOpening: {
    valid: opening,
    call: (value) => main.verifyRowsOpening(main.commitRows(rows, { salt }).root, value),
  },
  commitRows: { valid: rows, call: (value) => main.commitRows(value, { salt }) },
  // Keys and epochs.
  parseKeyEpochs: { valid: register, call: main.parseKeyEpochs },
  readKeyEpochs: {
    valid: main.signKeyEpochs({ register, registry: session.registry, privateKey: signingKey }),
    call: (value) =>
      main.readKeyEpochs(value, {
        chainId: scope.chainId,
        pool: scope.pool,
        registry: session.registry,
        signer: address,
      }),
  },
  requireKeyEpochsOnChain: {
    valid: [{ epoch: 1, policyDigest: scope.policyDigest, keyDigest: poolKey.keyId }],
    call: (value) => main.requireKeyEpochsOnChain(register, value),
  },
  parseKeySet: { valid: {}, call: main.parseKeySet },
  keySetDigest: { valid: {}, call: (value) => main.keySetDigest(main.parseKeySet(value)) },
  keyIdOf: { valid: keyPair.publicKey, call: main.keyIdOf },
  hpkeRecipient: { valid: keyPair.publicKey, call: (publicKey) => main.hpkeRecipient({ publicKey }) },
  walletRecipient: {
    valid: { ...wallet },
    call: (value: { publicKey: never; address: never } | null) =>
      main.walletRecipient({ publicKey: value?.publicKey as never, address: value?.address as never }),
  },
  walletIdentity: {
    valid: `0x${'11'.repeat(64)}1b`,
    call: (signature) => main.walletIdentity({ signature, address, typedData }),
  },
  establishWalletKey: {
    valid: `0x${'11'.repeat(64)}1b`,
    call: (value) => main.establishWalletKey({ address, typedData, sign: async () => value }),
  },
  hpkeOpen: {
    valid: message,
    call: (value) =>
      main.hpkeOpen({ privateKey: keyPair.privateKey, info: label, aad: label, message: value }),
  },
  hpkeReceiver: {
    valid: message.slice(0, 32),
    call: (enc) => main.hpkeReceiver({ privateKey: keyPair.privateKey, enc, info: label }),
  },
  hpkeSender: { valid: keyPair.publicKey, call: (publicKey) => main.hpkeSender({ publicKey, info: label }) },
  hpkeSeal: {
    valid: keyPair.publicKey,
    call: (publicKey) => main.hpkeSeal({ publicKey, info: label, aad: label, plaintext: label }),
  },
  xwingRecipient: {
    valid: xwing.publicKey,
    call: (publicKey) => postQuantum.xwingRecipient({ publicKey }),
    runs: 20,
  },
  // Backups.
  parseWalletKeyBackup: { valid: backup, call: recovery.parseWalletKeyBackup },
  openWalletKeyBackup: { valid: backup, call: (value) => recovery.openWalletKeyBackup(value, { factor }) },
  readRecoveryCode: { valid: code, call: recovery.readRecoveryCode },
  // Other networks' files.
  openAge: { valid: age, call: (value) => interop.openAge(value, { identities: [identity] }) },
  decodeAgeRecipient: {
    valid: interop.encodeAgeRecipient(keyPair.publicKey),
    call: interop.decodeAgeRecipient,
  },
  decodeAgeIdentity: { valid: identity, call: interop.decodeAgeIdentity },
  openEcies: {
    valid: new Uint8Array(150).fill(4),
    call: (value) => interop.openEcies({ privateKey: signingKey, message: value }),
  },
  openPasswordFile: {
    valid: new Uint8Array(60).fill(0xc3),
    call: (file) => interop.openPasswordFile({ openpgp: {} as never, file, password: 'x' }),
  },
  scopePassword: {
    valid: `0x${'11'.repeat(65)}`,
    call: (signature) => interop.scopePassword({ signature, scope: 'x' }),
  },
  // Threshold keys.
  parseThresholdSession: { valid: session, call: threshold.parseThresholdSession },
  thresholdSessionDigest: { valid: session, call: threshold.thresholdSessionDigest },
  parseThresholdKey: { valid: key, call: threshold.parseThresholdKey },
  concludeSession: {
    valid: transcript,
    call: (value) => threshold.concludeSession(session, value),
    runs: 25,
  },
  openShare: {
    valid: transcript,
    call: (value) => threshold.openShare({ session, transcript: value, encryptionKey }),
    runs: 25,
  },
  complain: {
    valid: transcript,
    call: (value: threshold.SessionTranscript) =>
      threshold.complain({
        session,
        commitments: value?.commitments,
        deals: value?.deals,
        encryptionKey,
        signingKey,
        random,
      }),
    runs: 25,
  },
  dealShares: {
    valid: session,
    call: (value) => threshold.dealShares({ session: value, signingKey, random }),
    runs: 25,
  },
  checkEnvelope: {
    valid: envelope,
    call: (value) => threshold.checkEnvelope({ ...key, label, envelope: value }),
    runs: 40,
  },
  sealEnvelope: {
    valid: key.publicKey,
    call: (publicKey) => threshold.sealEnvelope({ publicKey, label, plaintext: label, random }),
    runs: 40,
  },
  decryptPartially: {
    valid: envelope,
    call: (value) => threshold.decryptPartially({ share, envelope: value, label, random }),
    runs: 25,
  },
  verifyPartialDecryption: {
    valid: partials[0],
    call: (partial) => threshold.verifyPartialDecryption({ key, envelope, label, partial }),
    runs: 25,
  },
  combinePartialDecryptions: {
    valid: partials,
    call: (value) => threshold.combinePartialDecryptions({ key, envelope, label, partials: value }),
    runs: 25,
  },
  partialDecryptionOnChain: {
    valid: partials[0],
    call: (partial) => threshold.partialDecryptionOnChain({ key, envelope, label, partial }),
    runs: 15,
  },
  committeeIdentity: {
    valid: partials,
    call: async (value) => {
      const recipient = threshold.committeeRecipient({ key })
      const file = await main.sealBytes(bytesOf(3), { recipients: [recipient], context })
      return main.openBytes(file, {
        identities: [threshold.committeeIdentity({ key, collect: () => value })],
      })
    },
    runs: 15,
  },
  // Encrypted aggregates.
  parseAggregateDefinition: { valid: definition, call: aggregate.parseAggregateDefinition },
  aggregateDigest: { valid: definition, call: aggregate.aggregateDigest },
  encryptInput: {
    valid: definition,
    call: (value) => aggregate.encryptInput({ key, definition: value, value: 1, signingKey, random }),
    runs: 25,
  },
  combineInputs: { valid: inputs, call: (value) => aggregate.combineInputs(definition, value), runs: 25 },
  claimInputs: {
    valid: inputs,
    call: (value) => aggregate.claimInputs({ key, definition, inputs: value, signingKey, claim: () => true }),
    runs: 25,
  },
  decryptTotalsPartially: {
    valid: { inputs, claims },
    call: (value: { inputs: never; claims: never }) =>
      aggregate.decryptTotalsPartially({
        share,
        definition,
        inputs: value?.inputs,
        claims: value?.claims,
        random,
      }),
    runs: 25,
  },
  combineAggregateParts: {
    valid: parts,
    call: (value) => aggregate.combineAggregateParts({ key, definition, inputs, parts: value }),
    runs: 25,
  },
  verifyTranscript: {
    valid: { sessions: [{ session, transcript }], definition, inputs, claims, parts, result },
    call: (value) =>
      aggregate.verifyTranscript(value, { expect: { definition: aggregate.aggregateDigest(definition) } }),
    runs: 40,
  },
}

/** Exported functions that read nothing from outside: what they take is the caller's own. */
const own = [
  // Makes, seals or signs what the caller has.
  'asJson',
  'bytesToDigest',
  'commitPlaintext',
  'concatBytes',
  'createWalletKeyBackup',
  'drawRecoveryCode',
  'encodeAgeIdentity',
  'encodeAgeRecipient',
  'encodeArmor',
  'encodeBase64Url',
  'encodeHex',
  'equalBytes',
  'merkleMultiProof',
  'merkleProof',
  'merkleRoot',
  'openCommitment',
  'openRows',
  'platformRandom',
  'seal',
  'sealAge',
  'sealBytes',
  'sealEcies',
  'sealPasswordFile',
  'sealedSize',
  'sha256Digest',
  'signKeyEpochs',
  'signStatement',
  'walletKeyTypedData',
  // Makes something of the caller's secrets or options.
  'addressOf',
  'deriveKeyPair',
  'deriveNodeKeys',
  'derivePoolKey',
  'deriveSecret',
  'deriveXwingKeyPair',
  'hpkeIdentity',
  'memberPublicKey',
  'publicKeyOf',
  'thresholdIdentity',
  'thresholdRecipient',
  'walletIdentityFromSecret',
  'xwingIdentity',
  'committeeRecipient',
  // Takes what one of the functions above has parsed.
  'claimQuorum',
  'currentKeyEpoch',
  'currentRecipient',
  'keyEpochsRevision',
  'poolIdentities',
  'publishKeyEpochs',
  'recipientOfEpoch',
  'retireKeyEpoch',
  'rotateKeyEpoch',
]

const junk: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  -1,
  1.5,
  Number.NaN,
  2 ** 53,
  1n,
  '',
  '0x',
  'x'.repeat(200_000),
  '\ud800',
  Symbol('x'),
  () => undefined,
  {},
  [],
  [null],
  [[[]]],
  new Array(5),
  { length: 2 },
  { length: -1, signer: {}, member: '1' },
  Object.create(null),
  JSON.parse('{"__proto__":{"x":1},"constructor":null,"toString":7,"valueOf":7}'),
  new Uint8Array(),
  new Uint8Array(70),
  new Uint8Array(300).fill(255),
  new Date(0),
  new Map([[1, 2]]),
  JSON.parse(`${'['.repeat(300)}${']'.repeat(300)}`),
  Array.from({ length: 20_000 }, () => 0),
]

/** Every place in a value where something stands, the value itself first. */
function placesOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  const inner =
    typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
      ? Object.entries(value).flatMap(([name, each]) => placesOf(each, [...path, name]))
      : []
  return [path, ...inner]
}

function spoiled(value: unknown, path: readonly string[], bad: unknown): unknown {
  const [name, ...rest] = path
  if (name === undefined) return bad
  const changed = spoiled((value as Record<string, unknown>)[name], rest, bad)
  if (Array.isArray(value))
    return value.map((each: unknown, place) => (String(place) === name ? changed : each))
  return { ...(value as object), [name]: changed }
}

function at(value: unknown, name: string): unknown {
  return (value as Record<string, unknown>)[name]
}

async function judge(call: Fed['call'], value: unknown): Promise<void> {
  try {
    await call(value as never)
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
  }
}

const functions = [main, aggregate, interop, postQuantum, recovery, threshold].flatMap((entry) =>
  Object.entries(entry).flatMap(([name, value]) =>
    typeof value === 'function' && name !== 'CryptoError' ? [name] : [],
  ),
)

describe('a value from outside', () => {
  it('is read by functions that are all named here', () => {
    expect([...Object.keys(fed), ...own].sort()).toEqual([...functions].sort())
  })

  it.each(Object.entries(fed).map(([name, each]) => [name, each] as const))(
    'is no other than an answer or a typed error to %s',
    async (_, { valid, call, runs = 80 }) => {
      for (const bad of junk) await judge(call, bad)
      const places = placesOf(valid)
      // Array methods pass over holes, so that what checks each item checks none of these.
      const lists = places.filter((path) => Array.isArray(path.reduce(at, valid)))
      for (const path of lists) await judge(call, spoiled(valid, path, new Array(2)))
      await fc.assert(
        fc.asyncProperty(fc.nat(), fc.nat(), async (where, what) => {
          await judge(call, spoiled(valid, places[where % places.length] ?? [], junk[what % junk.length]))
        }),
        { numRuns: runs },
      )
    },
  )

  it('would be noticed when it broke something: the table’s honest values are answered', async () => {
    const answer = (name: string) => fed[name]?.call(fed[name].valid as never)
    expect(await answer('verifyTranscript')).toMatchObject({ ok: true })
    expect(await answer('openBytes')).toMatchObject({ plaintext: bytesOf(70) })
    expect(await answer('openAge')).toEqual(bytesOf(9))
    expect(await answer('openWalletKeyBackup')).toEqual(secret)
    expect(await answer('verifyRowsOpening')).toBe(true)
    expect(await answer('readKeyEpochs')).toEqual(register)
    await expect(judge(() => (undefined as never as { x: 1 }).x, null)).rejects.toThrow(TypeError)
  })
})
