// Vectors of threshold keys, encrypted aggregates, row commitments, wallet-key backups and other networks' files, for any
// platform: Node and a page of Chromium run this same file.
import * as library from '@sealpool/crypto'
import * as aggregate from '@sealpool/crypto/aggregate'
import * as interop from '@sealpool/crypto/interop'
import * as recovery from '@sealpool/crypto/recovery'
import * as threshold from '@sealpool/crypto/threshold'
import { failedStep, isProvenBit, weightsOf } from '../reader/aggregate.mjs'
import { decryptAnswer, isHonestPart, openEnvelope, publicKeyOf } from '../reader/threshold.mjs'
import { conclude, openShare } from '../reader/threshold-session.mjs'
import { codeOf } from './portable-cases.mjs'

const { canonicalize, decodeHex, encodeHex } = library
const alike = (one, two) => canonicalize(one) === canonicalize(two)
const text = (bytes) => (bytes === undefined ? undefined : encodeHex(bytes))

/** The value with one place changed or, without `value`, taken out. */
function changed(honest, { at: [name, ...rest], value }) {
  if (Array.isArray(honest)) {
    return honest.map((each, place) =>
      place === name ? (rest.length > 0 ? changed(each, { at: rest, value }) : value) : each,
    )
  }
  return { ...honest, [name]: rest.length > 0 ? changed(honest[name], { at: rest, value }) : value }
}

/**
 * @param options.count takes kind, whether the case agrees, and what it was
 * @param options.vectors the parsed files `threshold`, `rows`, `backup`, `interop`
 * @param options.platform named in kinds
 */
export async function protocolCases({ count, vectors, platform }) {
  const counted = (kind) => (agrees, what) => count(`${kind} (${platform})`, agrees, what)
  sessions(counted('threshold sessions'), vectors.threshold)
  await envelopes(counted('threshold envelopes'), vectors.threshold)
  aggregates(counted('encrypted aggregates'), vectors.threshold)
  rows(counted('row commitments'), vectors.rows)
  for (const backend of ['native', 'pure']) {
    await backups(counted(`wallet-key backups, ${backend}`), vectors.backup, backend)
  }
  await interops(counted('files of other networks'), vectors.interop)
}

function sessions(count, { session, secrets, sessions: cases, shares, resharing }) {
  const judge = (name, where, { transcript, outcome }) => {
    const { key, faults, qualified } = threshold.concludeSession(where, transcript)
    count(alike({ key, faults, qualified }, outcome), name)
    // By bare arithmetic. The specification gives faults no order.
    const judged = conclude(where, transcript)
    count(alike(judged.key, outcome.key), `${name}: key, by bare arithmetic`)
    count(alike(judged.qualified, outcome.qualified), `${name}: dealers, by bare arithmetic`)
    const listed = (list) => list.map(canonicalize).sort()
    count(alike(listed(judged.faults), listed(outcome.faults)), `${name}: faults, by bare arithmetic`)
    const backwards = Object.fromEntries(
      Object.entries(transcript).map(([round, messages]) => [round, [...messages].reverse()]),
    )
    const again = threshold.concludeSession(where, backwards)
    count(
      alike({ key: again.key, faults: again.faults, qualified: again.qualified }, outcome),
      `${name}, backwards`,
    )
  }
  for (const each of cases) judge(each.name, session, each)
  judge('a resharing', resharing.session, resharing)
  const [{ transcript, outcome }] = cases
  const open = (where, made, member, share, name) => {
    const encryptionKey = decodeHex(member.encryptionKey)
    const opened = threshold.openShare({ session: where, transcript: made, encryptionKey })
    count(text(opened.secret) === share, `${name}: share ${opened.index}`)
    const again = openShare(where, made, { member: opened.index, encryptionKey: member.encryptionKey })
    count(again === BigInt(share), `${name}: share ${opened.index}, by bare arithmetic`)
    const { address, encryptionKey: listed } = where.members[opened.index - 1]
    count(library.addressOf(decodeHex(member.signingKey)) === address, `${name}: address ${opened.index}`)
    count(threshold.memberPublicKey(encryptionKey) === listed, `${name}: encryption key ${opened.index}`)
  }
  secrets.forEach((member, at) => {
    open(session, transcript, member, shares[at], 'new key')
  })
  resharing.secrets.forEach((member, at) => {
    open(resharing.session, resharing.transcript, member, resharing.shares[at], 'resharing')
  })
  // By bare arithmetic: any t shares make the same key, before and after.
  const numbered = shares.map((share, at) => [at + 1, share])
  const moved = resharing.shares.map((share, at) => [at + 1, share])
  const { publicKey } = outcome.key
  for (const some of [numbered.slice(0, 2), numbered.slice(1), moved.slice(0, 3), moved.slice(1)]) {
    count(publicKeyOf(some) === publicKey, `shares ${some.map(([index]) => index)} make the key`)
  }
  for (const few of [numbered.slice(0, 1), moved.slice(0, 2), [numbered[0], moved[1]]]) {
    count(publicKeyOf(few) !== publicKey, `${few.length} shares do not`)
  }
}

async function envelopes(count, { sessions: [{ outcome }], shares, envelope: vectors, resharing }) {
  const { key } = outcome
  const { label, plaintext, envelope, partials, negative, wrongPartials } = vectors
  const sealed = { label: decodeHex(label), envelope: decodeHex(envelope) }
  const numbered = shares.map((share, at) => [at + 1, share])
  const moved = resharing.shares.map((share, at) => [at + 1, share])
  for (const some of [numbered.slice(0, 2), moved.slice(1)]) {
    const opened = openEnvelope({ publicKey: key.publicKey, label, envelope, shares: some })
    count(text(opened) === plaintext, `opened by bare arithmetic from ${some.length} shares`)
  }
  for (const some of [partials, partials.slice(1), [...partials].reverse()]) {
    const opened = threshold.combinePartialDecryptions({ key, ...sealed, partials: some })
    count(text(opened.plaintext) === plaintext && opened.wrong.length === 0, `${some.length} parts open it`)
  }
  const few = { key, ...sealed, partials: partials.slice(2) }
  count(
    (await codeOf(() => threshold.combinePartialDecryptions(few))) === 'SHARES_MISSING',
    'one part does not',
  )
  for (const partial of partials) {
    count(threshold.verifyPartialDecryption({ key, ...sealed, partial }), `part ${partial.member}`)
    count(isHonestPart({ key, label, envelope, partial }), `part ${partial.member}, by bare arithmetic`)
  }
  for (const { name, partial } of wrongPartials) {
    count(!threshold.verifyPartialDecryption({ key, ...sealed, partial }), `a part ${name}`)
    count(!isHonestPart({ key, label, envelope, partial }), `a part ${name}, by bare arithmetic`)
  }
  for (const { name, error, ...change } of negative) {
    const given = { publicKey: key.publicKey, label, envelope, ...change }
    const code = await codeOf(() =>
      threshold.checkEnvelope({
        publicKey: given.publicKey,
        label: decodeHex(given.label),
        envelope: decodeHex(given.envelope),
      }),
    )
    count(code === error, `${name}: ${code}`)
    const opened = openEnvelope({ ...given, shares: numbered.slice(0, 2) })
    count(opened === undefined, `${name}, by bare arithmetic`)
  }
}

function aggregates(count, { sessions: [{ outcome }], shares, aggregates: { sum, histogram, negative } }) {
  const numbered = shares.slice(0, 2).map((share, at) => [at + 1, share])
  for (const [kind, { values, digest, transcript }] of Object.entries({ sum, histogram })) {
    const expect = { definition: digest }
    const { definition, inputs, parts, result } = transcript
    count(aggregate.aggregateDigest(definition) === digest, `${kind}: digest`)
    count(aggregate.verifyTranscript(transcript, { expect }).ok, `${kind}: transcript`)
    const step = failedStep(transcript, digest)
    count(step === null, `${kind}: transcript, by bare arithmetic: ${step}`)
    const { key } = outcome
    const combined = aggregate.combineAggregateParts({ key, definition, inputs, parts })
    count(alike(combined.result, result), `${kind}: result`)
    inputs.forEach(({ statement: { body } }, at) => {
      const { contributor, bits } = body
      bits.forEach((bit, place) => {
        const proven = isProvenBit({ publicKey: key.publicKey, definition: digest, contributor, place, bit })
        count(proven, `${kind}: bit ${place} of answer ${at}, by bare arithmetic`)
        const elsewhere = { publicKey: key.publicKey, definition: digest, contributor, place: place + 1, bit }
        count(!isProvenBit(elsewhere), `${kind}: bit ${place} of answer ${at} at another place`)
      })
      const weights = kind === 'sum' ? weightsOf(definition.measure) : bits.map((_, place) => place)
      const answer = decryptAnswer({ bits, weights, shares: numbered })
      const shift = kind === 'sum' ? definition.measure.minimum : 0
      count(answer + shift === values[at], `${kind}: answer ${at}, decrypted by itself`)
    })
  }
  for (const { name, of, failed, ...change } of negative) {
    const { transcript, digest } = of === 'histogram' ? histogram : sum
    const made = changed(transcript, change)
    const verdict = aggregate.verifyTranscript(made, { expect: { definition: digest } })
    const right = verdict.ok === (failed === null) && verdict.failed === failed
    count(right, `${name}: ${verdict.failed} for ${failed}`)
    const step = failedStep(made, digest)
    count(step === failed, `${name}, by bare arithmetic: ${step} for ${failed}`)
  }
  const other = { expect: { definition: histogram.digest } }
  count(aggregate.verifyTranscript(sum.transcript, other).failed === 'definition', 'another question')
  count(failedStep(sum.transcript, histogram.digest) === 'definition', 'another question, by bare arithmetic')
}

/** Salts and hashes are hexadecimal in the vectors; values are as they are. */
function withBytes(value, name = '') {
  if (name === 'value') return value
  if (Array.isArray(value)) return value.map((each) => withBytes(each))
  if (typeof value === 'string' && (name === 'salt' || name === '')) return decodeHex(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([member, each]) => [member, withBytes(each, member)]))
}

function rows(count, { rows: list, salt, root, roots, openings, twice, negative }) {
  const secret = decodeHex(salt)
  roots.forEach((expected, length) => {
    count(library.commitRows(list.slice(0, length), { salt: secret }).root === expected, `${length} rows`)
  })
  const toHex = (value) =>
    JSON.stringify(value, (_, each) => (each instanceof Uint8Array ? encodeHex(each) : each))
  for (const { disclose, opening } of openings) {
    const what = canonicalize(disclose)
    count(library.verifyRowsOpening(root, withBytes(opening)), `${what}: verified`)
    const made = JSON.parse(toHex(library.openRows(list, { salt: secret, disclose })))
    count(alike(made, opening), `${what}: made alike`)
    count(!library.verifyRowsOpening(roots[3], withBytes(opening)), `${what}: under another root`)
  }
  twice.openings.forEach((opening, at) => {
    count(library.verifyRowsOpening(twice.root, withBytes(opening)), `a name twice, ${at}`)
    for (const { names, right } of twice.asked) {
      const verified = library.verifyRowsOpening(twice.root, withBytes(opening), { names })
      count(verified === right[at], `a name twice, ${at}, where ${names} are asked for: ${verified}`)
    }
  })
  const [{ opening, disclose }] = openings
  const columns = { names: Object.keys(list[disclose[0].row]) }
  count(library.verifyRowsOpening(root, withBytes(opening), columns), 'with its columns')
  for (const { name, ...change } of negative) {
    count(!library.verifyRowsOpening(root, withBytes(changed(opening, change))), name)
  }
}

async function backups(count, { secret, factors, backup, negative }, backend) {
  const given = factors.map((factor) =>
    factor.kind === 'secret' ? { ...factor, secret: decodeHex(factor.secret) } : factor,
  )
  for (const factor of given) {
    const opened = await recovery.openWalletKeyBackup(backup, { factor, backend })
    count(text(opened) === secret, `opened with its ${factor.kind}`)
  }
  const { address, keyId } = backup
  const identity = library.walletIdentityFromSecret({ secret: decodeHex(secret), address })
  count(identity.keyId === keyId, 'the secret makes the key')
  for (const { name, error, ...change } of negative) {
    const [factor] = given
    const code = await codeOf(() =>
      recovery.openWalletKeyBackup(changed(backup, change), { factor, backend }),
    )
    count(code === error, `${name}: ${code}`)
  }
}

async function interops(count, { age, ecies }) {
  const bytesOf = (length) => new Uint8Array(length).map((_, index) => (index * 7) & 255)
  const fromBase64 = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  const identities = [age.identity]
  for (const { name, file, length } of age.positive) {
    const given = name.includes('armoured') ? file : fromBase64(file)
    count(text(await interop.openAge(given, { identities })) === encodeHex(bytesOf(length)), name)
    const stranger = await codeOf(() => interop.openAge(given, { identities: [age.stranger] }))
    count(stranger === 'NO_MATCHING_IDENTITY', `${name}, for a stranger: ${stranger}`)
    if (name.includes('armoured')) continue
    for (const at of [0, 30, 100, 180, given.length - 1]) {
      const code = await codeOf(() =>
        interop.openAge(
          given.map((byte, index) => (index === at ? byte ^ 1 : byte)),
          { identities },
        ),
      )
      count(
        /^(AGE_(INVALID|REFUSED)|NO_MATCHING_IDENTITY)$/.test(code),
        `${name}, byte ${at} changed: ${code}`,
      )
    }
  }
  for (const { message, length } of ecies.messages) {
    const privateKey = decodeHex(ecies.privateKey)
    const bytes = decodeHex(message)
    for (const backend of ['native', 'pure']) {
      const opened = await interop.openEcies({ privateKey, message: bytes, backend })
      count(text(opened) === encodeHex(bytesOf(length)), `ECIES of ${length} bytes by OpenSSL, ${backend}`)
      for (const at of [0, 17, 81, bytes.length - 1]) {
        const wrong = bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
        const code = await codeOf(() => interop.openEcies({ privateKey, message: wrong, backend }))
        count(code === 'ECIES_REFUSED', `ECIES of ${length} bytes, byte ${at} changed, ${backend}: ${code}`)
      }
    }
  }
}
