// Writes docs/formats/vectors/{threshold,row-commitment,wallet-key-backup}.json with the built package:
// `node packages/crypto/scripts/make-protocol-vectors.mjs`. All randomness comes from SHA-256 in counter mode, so that the same
// sources give the same files. conformance/reader/{threshold,threshold-session,aggregate}.mjs check the first one from the specification alone.
import { writeFileSync } from 'node:fs'
import * as library from '@sealpool/crypto'
import * as aggregate from '@sealpool/crypto/aggregate'
import * as recovery from '@sealpool/crypto/recovery'
import * as threshold from '@sealpool/crypto/threshold'
import { deterministicRandom } from '../../../conformance/reader/deterministic-random.mjs'

const { encodeHex } = library
const write = (name, vectors) => {
  const target = new URL(`../../../docs/formats/vectors/${name}.json`, import.meta.url)
  writeFileSync(
    target,
    `${JSON.stringify({ format: `sealpool/${name}-vectors`, version: 1, ...vectors }, null, 1)}\n`,
  )
}
/** A change to one place of an honest value: `value` is put at `at`; without it, the place is taken out. */
const change = (name, at, value, expected) => ({
  name,
  at,
  ...(value === undefined ? {} : { value }),
  ...expected,
})

// --- threshold

const random = deterministicRandom('threshold vectors')
const place = { chainId: 31_337, registry: `0x${'11'.repeat(20)}`, pool: `0x${'22'.repeat(20)}` }
const people = (count) =>
  Array.from({ length: count }, () => ({ signingKey: random(32), encryptionKey: random(32) }))
const sessionOf = (members, more) => ({
  type: 'sealpool/threshold-session',
  version: 1,
  ...place,
  members: members.map(({ signingKey, encryptionKey }) => ({
    address: library.addressOf(signingKey),
    encryptionKey: threshold.memberPublicKey(encryptionKey),
  })),
  ...more,
})
const secretsOf = (members) =>
  members.map(({ signingKey, encryptionKey }) => ({
    signingKey: encodeHex(signingKey),
    encryptionKey: encodeHex(encryptionKey),
  }))
function hold(session, members, dealers, shares = []) {
  const dealt = dealers.map(({ signingKey }, at) =>
    threshold.dealShares({ session, signingKey, random, share: shares[at] }),
  )
  const commitments = dealt.map(({ commitment }) => commitment)
  const deals = dealt.map(({ deal }) => deal)
  const complaints = members.flatMap((member) =>
    threshold.complain({ session, commitments, deals, ...member, random }),
  )
  const transcript = { commitments, deals, complaints }
  const { key, faults, qualified } = threshold.concludeSession(session, transcript)
  return {
    transcript,
    outcome: { key, faults, qualified },
    shares: members.map(({ encryptionKey }) => threshold.openShare({ session, transcript, encryptionKey })),
  }
}
const members = people(3)
const session = sessionOf(members, {
  purpose: library.sha256Digest(random(32)),
  threshold: 2,
  previous: null,
})
const made = hold(session, members, members)
const { key } = made.outcome
const successors = people(4)
const resharing = sessionOf(successors, {
  purpose: library.sha256Digest(random(32)),
  threshold: 3,
  previous: key,
})
const moved = hold(resharing, successors, members, made.shares)

// A dealer that deals one member a share which does not fit, and commits to that.
const [liar] = members
const [honest] = members.map(({ signingKey }) => threshold.dealShares({ session, signingKey, random }))
const flip = (hex) => `${hex.slice(0, -1)}${hex.endsWith('0') ? '1' : '0'}`
const body = { ...honest.deal.statement.body }
body.shares = body.shares.map((share, at) => (at === 1 ? flip(share) : share))
const resign = (message, changed, privateKey = liar.signingKey) =>
  library.signStatement({ ...message, statement: { ...message.statement, body: changed }, privateKey })
const lie = {
  commitment: resign(honest.commitment, { dealer: 1, deal: library.digestOf(body) }),
  deal: resign(honest.deal, body),
}
const lied = {
  commitments: [lie.commitment, ...made.transcript.commitments.slice(1)],
  deals: [lie.deal, ...made.transcript.deals.slice(1)],
}
const complaints = members.flatMap((member) => threshold.complain({ session, ...lied, ...member, random }))
const [complaint] = complaints
const unfounded = resign(
  complaint,
  { ...complaint.statement.body, agreement: threshold.memberPublicKey(random(32)) },
  members[1].signingKey,
)
const outcomeOf = (transcript) => {
  const { key, faults, qualified } = threshold.concludeSession(session, transcript)
  return { key, faults, qualified }
}
const judged = (name, transcript) => ({ name, transcript, outcome: outcomeOf(transcript) })
const { transcript } = made
const capitals = (hex) => `0x${hex.slice(2).toUpperCase()}`
const [firstDeal, ...otherDeals] = transcript.deals
const withDeal = (deal) => ({ ...transcript, deals: [deal, ...otherDeals] })
const withSecond = (deal) => ({ ...transcript, deals: [...transcript.deals, deal] })
function dealtAs(changes) {
  const own = { ...firstDeal.statement.body }
  for (const [name, altered] of Object.entries(changes)) own[name] = altered(own[name])
  const commitment = resign(transcript.commitments[0], { dealer: 1, deal: library.digestOf(own) })
  return {
    commitments: [commitment, ...transcript.commitments.slice(1)],
    deals: [resign(firstDeal, own), ...otherDeals],
    complaints: [],
  }
}
const sessions = [
  judged('honest members', transcript),
  judged('a wrong share and the complaint about it', { ...lied, complaints }),
  judged('a complaint whose proof does not hold', { ...lied, complaints: [unfounded] }),
  judged('a complaint without ground', { ...transcript, complaints: [complaint] }),
  judged('a dealer that does not deal', { ...transcript, deals: transcript.deals.slice(1) }),
  judged('a dealer without commitment', { ...transcript, commitments: transcript.commitments.slice(1) }),
  judged('a dealer that commits twice', {
    ...transcript,
    commitments: [...transcript.commitments, lie.commitment],
  }),
  judged('a deal other than the one committed to', {
    ...transcript,
    deals: [lie.deal, ...transcript.deals.slice(1)],
  }),
  // Each in a form that is not the one form: left out, and nobody is blamed for more than having said nothing.
  ...['signer', 'signature'].map((name) =>
    judged(
      `a deal with its ${name} in capital digits`,
      withDeal({ ...firstDeal, [name]: capitals(firstDeal[name]) }),
    ),
  ),
  judged(
    'a deal with its subject in capital digits',
    withDeal({
      ...firstDeal,
      context: { ...firstDeal.context, subject: capitals(firstDeal.context.subject) },
    }),
  ),
  // The dealer signed a second deal, which is no equivocation, since nobody reads it.
  judged(
    'a second deal that is too long to be read',
    withSecond(resign(firstDeal, { more: 'x'.repeat(65_536) })),
  ),
  ...Object.entries({
    'of 63 bytes': (proof) => proof.slice(0, -2),
    'that is null': () => null,
    'in capital digits': capitals,
    'that does not hold': flip,
  }).flatMap(([name, altered]) =>
    ['proof', 'ephemeralProof'].map((field) =>
      judged(`a deal with ${field} ${name}`, dealtAs({ [field]: altered })),
    ),
  ),
  judged('nothing', { commitments: [], deals: [], complaints: [] }),
]

const label = new TextEncoder().encode('job 7 of this pool, policy 3')
const plaintext = new TextEncoder().encode('a file key of thirty-two bytes..')
const envelope = threshold.sealEnvelope({ publicKey: key.publicKey, label, plaintext, random })
const partials = made.shares.map((share) => threshold.decryptPartially({ share, envelope, label, random }))
const spoiled = (at) => encodeHex(envelope.map((byte, index) => (index === at ? byte ^ 1 : byte)))
const envelopes = [
  ...[0, 1, 33, 34, 66, 98, 130, 150, envelope.length - 1].map((at) => ({
    name: `byte ${at} changed`,
    envelope: spoiled(at),
  })),
  { name: 'cut', envelope: encodeHex(envelope.slice(0, 145)) },
  { name: 'under another label', label: encodeHex(new TextEncoder().encode('job 8')) },
  { name: 'for another key', publicKey: key.members[0].verificationKey },
].map((each) => ({ error: 'ENVELOPE_REFUSED', ...each }))
const [first] = partials
const wrongPartials = [
  { name: 'of another member', partial: { ...first, member: 2 } },
  { name: 'of no member', partial: { ...first, member: 4 } },
  { name: 'with another point', partial: { ...first, point: partials[1].point } },
  { name: 'with another proof', partial: { ...first, proof: partials[1].proof } },
  { name: 'with a proof of zeros', partial: { ...first, proof: `0x${'00'.repeat(64)}` } },
  {
    name: 'with a response above the order',
    partial: { ...first, proof: `${first.proof.slice(0, 66)}${'ff'.repeat(32)}` },
  },
  { name: 'with a member too many', partial: { ...first, more: 1 } },
]

const definitionOf = (measure) => ({
  type: 'sealpool/aggregate',
  version: 1,
  ...place,
  publicKey: key.publicKey,
  session: key.session,
  question: library.sha256Digest(new TextEncoder().encode('How many?')),
  measure,
  contributors: null,
  minimumCohort: 3,
  maximumCohort: 100,
})
const contributors = people(4)
async function ask(measure, values) {
  const definition = definitionOf(measure)
  const inputs = values.map((value, at) =>
    aggregate.encryptInput({ key, definition, value, signingKey: contributors[at].signingKey, random }),
  )
  const claims = await Promise.all(
    members.map(({ signingKey }) =>
      aggregate.claimInputs({ key, definition, inputs, signingKey, claim: () => true }),
    ),
  )
  const parts = await Promise.all(
    made.shares
      .slice(0, 2)
      .map((share) => aggregate.decryptTotalsPartially({ share, definition, inputs, claims, random })),
  )
  const { result } = aggregate.combineAggregateParts({ key, definition, inputs, parts })
  const sessions = [{ session, transcript }]
  return {
    values,
    digest: aggregate.aggregateDigest(definition),
    transcript: { sessions, definition, inputs, claims, parts, result },
  }
}
const sum = await ask({ kind: 'sum', minimum: -3, maximum: 6 }, [-3, 6, 0, 4])
const histogram = await ask({ kind: 'histogram', bins: 3 }, [0, 2, 2, 1])
const bit = sum.transcript.inputs[0].statement.body.bits[0]
const inputWith = (bits) =>
  resign(
    sum.transcript.inputs[0],
    { ...sum.transcript.inputs[0].statement.body, bits },
    contributors[0].signingKey,
  )
const bitsWith = (changed) => [changed, ...sum.transcript.inputs[0].statement.body.bits.slice(1)]
const [part, nextPart] = sum.transcript.parts
const junk = new Array(4).fill({ ...part, points: nextPart.points })
const unformed = new Array(5).fill({ ...part, points: [] })
const [onePart, otherPart] = histogram.transcript.parts
const split = [
  { ...onePart, points: onePart.points.map((point, at) => (at === 0 ? point : otherPart.points[at])) },
  { ...onePart, points: onePart.points.map((point, at) => (at === 0 ? otherPart.points[at] : point)) },
  otherPart,
]
// Bytes 2, 35, 68, ..: one in each point and scalar of the proof. A refused input changes the root, so the claims do not fit.
const transcripts = [
  ...[2, 35, 68, 101, 134, 167, 199, 231, 263].map((at) =>
    change(
      `byte ${at} of a bit changed`,
      ['inputs', 0],
      inputWith(
        bitsWith(
          `${bit.slice(0, 2 + 2 * at)}${bit.slice(2 + 2 * at, 4 + 2 * at) === '00' ? '01' : '00'}${bit.slice(4 + 2 * at)}`,
        ),
      ),
      { failed: 'claims' },
    ),
  ),
  // A contributor who signed two inputs counts with neither, even where one of them is not proven.
  change(
    'a second input of a contributor, wrongly proven',
    ['inputs'],
    [...sum.transcript.inputs, inputWith(bitsWith(sum.transcript.inputs[1].statement.body.bits[0]))],
    { failed: 'claims' },
  ),
  change(
    'a second input of a contributor, of another form',
    ['inputs'],
    [...sum.transcript.inputs, inputWith([bit])],
    { failed: null },
  ),
  ...['signer', 'signature'].flatMap((name) =>
    ['inputs', 'claims'].map((list) =>
      change(`${list}: ${name} in capital digits`, [list, 0, name], capitals(sum.transcript[list][0][name]), {
        failed: 'claims',
      }),
    ),
  ),
  change('parts of anybody before the fourth', ['parts'], [...junk.slice(1), ...sum.transcript.parts], {
    failed: null,
  }),
  change('parts of anybody before the fifth', ['parts'], [...junk, ...sum.transcript.parts], {
    failed: 'parts',
  }),
  change('parts of another form before it', ['parts'], [...unformed, ...sum.transcript.parts], {
    failed: null,
  }),
  {
    of: 'histogram',
    ...change('parts that are right for one total each', ['parts'], split, { failed: null }),
  },
  ...['definition', 'inputs', 'claims', 'parts', 'result'].map((name) =>
    change(`${name} that are null`, [name], null, { failed: name }),
  ),
  ...['commitments', 'deals', 'complaints'].map((name) =>
    change(`${name} that are null`, ['sessions', 0, 'transcript', name], null, { failed: 'key' }),
  ),
  change('values that are null', ['result', 'values'], null, { failed: 'result' }),
  change('no session', ['sessions'], [], { failed: 'key' }),
  change('a commitment missing of every dealer', ['sessions', 0, 'transcript', 'commitments'], [], {
    failed: 'key',
  }),
  change('another pool', ['definition', 'pool'], `0x${'33'.repeat(20)}`, { failed: 'definition' }),
  change('another cohort', ['definition', 'minimumCohort'], 2, { failed: 'definition' }),
  change('two inputs', ['inputs'], sum.transcript.inputs.slice(2), { failed: 'inputs' }),
  change('an input less', ['inputs'], sum.transcript.inputs.slice(1), { failed: 'claims' }),
  change('a claim less', ['claims'], sum.transcript.claims.slice(1), { failed: 'claims' }),
  change('a claim signed by another', ['claims', 0, 'signature'], sum.transcript.claims[1].signature, {
    failed: 'claims',
  }),
  change('a part less', ['parts'], sum.transcript.parts.slice(1), { failed: 'parts' }),
  change('a part of another member', ['parts', 0, 'member'], 3, { failed: 'parts' }),
  change('another sum', ['result', 'values', 0], 8, { failed: 'result' }),
  change('another number of contributors', ['result', 'contributors'], 5, { failed: 'result' }),
  change('a sum as a text', ['result', 'values', 0], '7', { failed: 'result' }),
  change('a sum in a list', ['result', 'values', 0], [7], { failed: 'result' }),
]
write('threshold', {
  specification: 'docs/formats/threshold.md',
  session,
  secrets: secretsOf(members),
  sessions,
  shares: made.shares.map(({ secret }) => encodeHex(secret)),
  resharing: {
    session: resharing,
    secrets: secretsOf(successors),
    transcript: moved.transcript,
    outcome: moved.outcome,
    shares: moved.shares.map(({ secret }) => encodeHex(secret)),
  },
  envelope: {
    label: encodeHex(label),
    plaintext: encodeHex(plaintext),
    envelope: encodeHex(envelope),
    partials,
    negative: envelopes,
    wrongPartials,
  },
  aggregates: { sum, histogram, negative: transcripts },
})

// --- rows

const rows = [
  { age: 41, name: 'Zoë', wage: 9.5 },
  { age: 33, tags: ['a', null, true, { b: -0.5 }], wage: 1e21 },
  { one: 1 },
  { '\u{10000}': 1, '\uffff': 2, '': 3 },
]
const salt = deterministicRandom('rows')(32)
const { root } = library.commitRows(rows, { salt })
const disclosures = [
  [{ row: 1, fields: ['wage'] }],
  [{ row: 2, fields: ['one'] }],
  [
    { row: 0, fields: ['age', 'wage'] },
    { row: 3, fields: ['\uffff'] },
  ],
]
const inHex = (value) => {
  if (value instanceof Uint8Array) return encodeHex(value)
  if (Array.isArray(value)) return value.map(inHex)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, name === 'value' ? each : inHex(each)]),
  )
}
const openings = disclosures.map((disclose) => ({
  disclose,
  opening: inHex(library.openRows(rows, { salt, disclose })),
}))
// A committer that puts one name into a row twice, by the format's own formulas.
const treeOf = (...leaves) => library.merkleRoot(leaves)
const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]))
const wide = (value, length) => Uint8Array.from({ length }, (_, at) => (at === length - 1 ? value : 0))
const inBytes = (value) =>
  new TextEncoder().encode(typeof value === 'string' ? value : library.canonicalize(value))
const wages = [9, 12].map((value, index) => ({
  ...{ index, name: 'wage', value },
  salt: deterministicRandom(`twice ${index}`)(32),
}))
const leaves = wages.map(({ name, value, salt: own }) => joined(own, inBytes([name, value])))
const bothWages = joined(wide(2, 4), treeOf(...leaves))
const twice = {
  root: library.sha256Digest(joined(inBytes('sealpool/rows/1'), wide(1, 8), treeOf(bothWages))),
  openings: wages.map((field, at) =>
    inHex({
      count: 1,
      rows: [{ row: 0, fieldCount: 2, fields: [field], proof: [treeOf(leaves[1 - at])] }],
      proof: [],
    }),
  ),
  asked: [
    { names: ['wage'], right: [false, false] },
    { names: ['age', 'wage'], right: [false, true] },
    { names: ['zip', 'wage'], right: [true, false] },
    { names: ['wage', 'wage'], right: [false, false] },
  ],
}
const [one, , two] = openings.map(({ opening }) => opening)
write('row-commitment', {
  specification: 'docs/formats/row-commitment.md',
  rows,
  salt: encodeHex(salt),
  root,
  roots: [0, 1, 2, 3, 4].map((count) => library.commitRows(rows.slice(0, count), { salt }).root),
  openings,
  twice,
  negative: [
    change('a member more', ['rows', 0, 'fields', 0, 'note'], 1),
    change('another value', ['rows', 0, 'fields', 0, 'value'], 1),
    change('another name', ['rows', 0, 'fields', 0, 'name'], 'Wage'),
    change('another field’s place', ['rows', 0, 'fields', 0, 'index'], 1),
    change('another salt', ['rows', 0, 'fields', 0, 'salt'], two.rows[0].fields[0].salt),
    change('another row', ['rows', 0, 'row'], 0),
    change('another number of fields', ['rows', 0, 'fieldCount'], 4),
    change('another number of rows', ['count'], 5),
    change('a hash of the row less', ['rows', 0, 'proof'], one.rows[0].proof.slice(1)),
    change('a hash of the rows more', ['proof'], [...one.proof, one.proof[0]]),
    change('a hash of the rows changed', ['proof', 0], two.rows[0].fields[0].salt),
    change('no field', ['rows', 0, 'fields'], []),
    change('no row', ['rows'], []),
  ],
})

// --- backups

const backupRandom = deterministicRandom('backup')
const secret = backupRandom(32)
const address = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8'
const { keyId } = library.walletIdentityFromSecret({ secret, address })
const factors = [
  { kind: 'recovery-code', code: recovery.drawRecoveryCode(backupRandom) },
  { kind: 'secret', name: 'passkey-1', secret: encodeHex(backupRandom(32)) },
  { kind: 'passphrase', passphrase: 'correct horse battery' },
]
const withBytes = (factor) =>
  factor.kind === 'secret' ? { ...factor, secret: library.decodeHex(factor.secret) } : factor
const backup = await recovery.createWalletKeyBackup({
  chainId: 1,
  address,
  keyId,
  secret,
  factors: factors.map(withBytes),
  random: backupRandom,
})
write('wallet-key-backup', {
  specification: 'docs/formats/wallet-key-backup.md',
  secret: encodeHex(secret),
  factors,
  backup,
  // Opened with the first factor.
  negative: [
    change('another format', ['format'], 'sealpool/other', { error: 'BACKUP_INVALID' }),
    change('another version', ['version'], 2, { error: 'BACKUP_INVALID' }),
    change('another chain', ['chainId'], 2, { error: 'BACKUP_REFUSED' }),
    change('another address', ['address'], `0x${'01'.repeat(20)}`, { error: 'BACKUP_REFUSED' }),
    change('an address in capitals', ['address'], address.toUpperCase().replace('X', 'x'), {
      error: 'BACKUP_INVALID',
    }),
    change('another key', ['keyId'], `sha256:${'00'.repeat(32)}`, { error: 'BACKUP_REFUSED' }),
    change('another salt', ['factors', 0, 'salt'], backup.factors[1].salt, { error: 'BACKUP_REFUSED' }),
    change('another wrap', ['factors', 0, 'wrapped'], backup.factors[1].wrapped, { error: 'BACKUP_REFUSED' }),
    change('a salt of 31 bytes', ['factors', 0, 'salt'], 'A'.repeat(42), { error: 'BACKUP_INVALID' }),
    change('a kind that is unknown', ['factors', 0, 'kind'], 'iris', { error: 'BACKUP_INVALID' }),
    change('a member too many', ['factors', 0, 'more'], 1, { error: 'BACKUP_INVALID' }),
    change('work of 14', ['factors', 2, 'work'], 14, { error: 'BACKUP_INVALID' }),
    change('work of 19', ['factors', 2, 'work'], 19, { error: 'BACKUP_INVALID' }),
    change('no factors', ['factors'], [], { error: 'BACKUP_INVALID' }),
    change('the factor missing', ['factors'], backup.factors.slice(1), { error: 'BACKUP_REFUSED' }),
  ],
})
