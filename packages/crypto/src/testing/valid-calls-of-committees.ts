import * as aggregate from '../aggregate/index.js'
import * as main from '../index.js'
import * as threshold from '../threshold/index.js'
import { address, bytes, context, digest, privateKey, random, type ValidCalls } from './call-values.js'

const mem = [1, 2, 3].map((n) => ({ signingKey: bytes(32).fill(n), encryptionKey: bytes(32).fill(n + 10) }))
const session: threshold.ThresholdSession = {
  type: 'sealpool/threshold-session',
  version: 1,
  chainId: 31337,
  registry: address,
  pool: address,
  purpose: digest,
  threshold: 2,
  members: mem.map((x) => ({
    address: main.addressOf(x.signingKey),
    encryptionKey: threshold.memberPublicKey(x.encryptionKey),
  })),
  previous: null,
}
const dealt = mem.map((x) => threshold.dealShares({ session, signingKey: x.signingKey, random }))
const tr = { commitments: dealt.map((x) => x.commitment), deals: dealt.map((x) => x.deal), complaints: [] }
const { key: tk } = threshold.concludeSession(session, tr)
if (tk === null) throw new Error('the session makes a key')
const shares = mem.map((x) =>
  threshold.openShare({ session, transcript: tr, encryptionKey: x.encryptionKey }),
)
const [share] = shares
const [member] = mem
if (share === undefined || member === undefined) throw new Error('there are members')
const env = threshold.sealEnvelope({ publicKey: tk.publicKey, label: bytes(3), plaintext: bytes(32), random })
const parts = shares.map((share) =>
  threshold.decryptPartially({ share, envelope: env, label: bytes(3), random }),
)
const csealed = await main.sealBytes(bytes(10), {
  recipients: [threshold.committeeRecipient({ key: tk })],
  context,
})
const def: aggregate.AggregateDefinition = {
  type: 'sealpool/aggregate',
  version: 1,
  chainId: 31337,
  registry: address,
  pool: address,
  publicKey: tk.publicKey,
  session: tk.session,
  question: digest,
  measure: { kind: 'sum', minimum: 0, maximum: 1 },
  contributors: null,
  minimumCohort: 2,
  maximumCohort: 5,
}
const inputs = mem
  .slice(0, 2)
  .map((x) =>
    aggregate.encryptInput({ key: tk, definition: def, value: 1, signingKey: x.signingKey, random }),
  )
const claims = await Promise.all(
  mem.map((x) =>
    aggregate.claimInputs({ key: tk, definition: def, inputs, signingKey: x.signingKey, claim: () => true }),
  ),
)
const aparts = await Promise.all(
  shares.map((share) => aggregate.decryptTotalsPartially({ share, definition: def, inputs, claims, random })),
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

/** Of the entries for threshold keys and encrypted aggregates. */
export const callsOfCommittees: ValidCalls = {
  dealShares: [
    (o: never) => threshold.dealShares(o),
    { session, signingKey: member.signingKey, random, share: undefined },
  ],
  complain: [
    (o: never) => threshold.complain(o),
    {
      session,
      commitments: tr.commitments,
      deals: tr.deals,
      encryptionKey: member.encryptionKey,
      signingKey: member.signingKey,
      random,
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
    { publicKey: tk.publicKey, label: bytes(3), plaintext: bytes(3), random },
  ],
  decryptPartially: [
    (o: never) => threshold.decryptPartially(o),
    { share, envelope: env, label: bytes(3), random },
  ],
  verifyPartial: [
    (o: never) => threshold.verifyPartialDecryption(o),
    { key: tk, envelope: env, label: bytes(3), partial: parts[0] },
  ],
  combineP: [
    (o: never) => threshold.combinePartialDecryptions(o),
    { key: tk, envelope: env, label: bytes(3), partials: parts },
  ],
  onChainP: [
    (o: never) => threshold.partialDecryptionOnChain(o),
    { key: tk, envelope: env, label: bytes(3), partial: parts[0] },
  ],
  committeeRecipient: [(o: never) => threshold.committeeRecipient(o), { key: tk }],
  committeeIdentity: [
    (o: never) => main.openBytes(csealed, { identities: [threshold.committeeIdentity(o)] }),
    {
      key: tk,
      collect: ({ envelope, label }: { envelope: Uint8Array; label: Uint8Array }) =>
        shares.map((share) => threshold.decryptPartially({ share, envelope, label, random })),
    },
  ],
  committeeLabel: [(o: never) => threshold.committeeLabel(o), { header: csealed, key: tk }],
  encryptInput: [
    (o: never) => aggregate.encryptInput(o),
    { key: tk, definition: def, value: 1, signingKey: privateKey, random },
  ],
  claimInputs: [
    (o: never) => aggregate.claimInputs(o),
    { key: tk, definition: def, inputs, signingKey: member.signingKey, claim: () => true },
  ],
  dtp: [
    (o: never) => aggregate.decryptTotalsPartially(o),
    { share, definition: def, inputs, claims, random },
  ],
  cap: [
    (o: never) => aggregate.combineAggregateParts(o),
    { key: tk, definition: def, inputs, parts: aparts },
  ],
  verifyTranscript: [
    (o: never) =>
      aggregate.verifyTranscript(o, { expect: { definition: aggregate.aggregateDigest(def) } }).ok,
    ft,
  ],
  verifyTranscriptO: [
    (o: never) => aggregate.verifyTranscript(ft, o),
    { expect: { definition: aggregate.aggregateDigest(def) } },
  ],
  claimQuorum: [(o: never) => aggregate.claimQuorum(o), tk],
  combineInputs: [(o: never) => aggregate.combineInputs(o, inputs), def],
  parseAggregateDefinition: [(o: never) => aggregate.parseAggregateDefinition(o), def],
  parseThresholdKey: [(o: never) => threshold.parseThresholdKey(o), tk],
  parseThresholdSession: [(o: never) => threshold.parseThresholdSession(o), session],
  thresholdSessionDigest: [(o: never) => threshold.thresholdSessionDigest(o), session],
  checkEnvelope: [
    (o: never) => threshold.checkEnvelope(o),
    { publicKey: tk.publicKey, label: bytes(3), envelope: env },
  ],
}
