// Threshold keys, envelopes and encrypted sums, against noble's FROST key generation and bare curve arithmetic.
import { secp256k1, secp256k1_FROST } from '@noble/curves/secp256k1.js'
import { addressOf, platformRandom as random, sha256Digest } from '@sealpool/crypto'
import * as aggregate from '@sealpool/crypto/aggregate'
import * as threshold from '@sealpool/crypto/threshold'
import { compare } from './measure/compare.mjs'
import { printMachine } from './measure/machine.mjs'
import { figure, printTable, ratio } from './measure/table.mjs'

const milliseconds = (seconds) => figure(seconds * 1000)

function committee(count, needed) {
  const members = Array.from({ length: count }, () => ({ signingKey: random(32), encryptionKey: random(32) }))
  const session = {
    type: 'sealpool/threshold-session',
    version: 1,
    chainId: 31337,
    registry: `0x${'11'.repeat(20)}`,
    pool: `0x${'22'.repeat(20)}`,
    purpose: sha256Digest(random(32)),
    threshold: needed,
    members: members.map(({ signingKey, encryptionKey }) => ({
      address: addressOf(signingKey),
      encryptionKey: threshold.memberPublicKey(encryptionKey),
    })),
    previous: null,
  }
  return { members, session }
}

/** Everything one member computes: deal, look at all deals, conclude, open the own share. */
function oneMember({ members, session }, transcript) {
  const [member] = members
  threshold.dealShares({ session, signingKey: member.signingKey, random })
  threshold.complain({ session, ...transcript, ...member, random })
  return threshold.openShare({ session, transcript, encryptionKey: member.encryptionKey })
}

function transcriptOf({ members, session }) {
  const dealt = members.map(({ signingKey }) => threshold.dealShares({ session, signingKey, random }))
  return {
    commitments: dealt.map(({ commitment }) => commitment),
    deals: dealt.map(({ deal }) => deal),
    complaints: [],
  }
}

/** All parties of noble's FROST key generation, which has neither signatures nor complaints. */
function frost(count, needed) {
  const signers = { min: needed, max: count }
  const ids = Array.from({ length: count }, (_, index) => secp256k1_FROST.Identifier.fromNumber(index + 1))
  const first = ids.map((id) => secp256k1_FROST.DKG.round1(id, signers))
  const others = (place) => first.filter((_, other) => other !== place).map((each) => each.public)
  const second = first.map(({ secret }, place) => secp256k1_FROST.DKG.round2(secret, others(place)))
  return first.map(({ secret }, place) => {
    const received = second.flatMap((sent, other) => (other === place ? [] : [sent[ids[place]]]))
    return secp256k1_FROST.DKG.round3(secret, others(place), received)
  })
}

async function keyGeneration(print) {
  const rows = []
  for (const [needed, count] of [
    [2, 3],
    [3, 5],
    [7, 10],
  ]) {
    const made = committee(count, needed)
    const transcript = transcriptOf(made)
    const took = await compare(
      { ours: () => oneMember(made, transcript), frost: () => frost(count, needed) },
      { turns: 3 },
    )
    const each = took.frost / count
    rows.push([`${needed} of ${count}`, milliseconds(took.ours), milliseconds(each), ratio(took.ours, each)])
  }
  printTable(print, {
    title: 'Key generation: what one member computes',
    columns: ['', 'ms', 'ms, FROST (noble)', 'time / FROST'],
    rows,
    notes: [
      'Ours signs, encrypts in public, judges every deal twice (to complain, to conclude); FROST does none of it.',
    ],
  })
}

async function envelopes(print) {
  const made = committee(5, 3)
  const transcript = transcriptOf(made)
  const { key } = threshold.concludeSession(made.session, transcript)
  const shares = made.members.map(({ encryptionKey }) =>
    threshold.openShare({ session: made.session, transcript, encryptionKey }),
  )
  const label = random(200)
  const envelope = threshold.sealEnvelope({ publicKey: key.publicKey, label, plaintext: random(32), random })
  const partials = shares
    .slice(0, 3)
    .map((share) => threshold.decryptPartially({ share, envelope, label, random }))
  const point = secp256k1.Point.fromHex(key.publicKey.slice(2))
  const scalar = BigInt(`0x${'7'.repeat(63)}`)
  const took = await compare({
    seal: () => threshold.sealEnvelope({ publicKey: key.publicKey, label, plaintext: random(32), random }),
    part: () => threshold.decryptPartially({ share: shares[0], envelope, label, random }),
    verify: () => threshold.verifyPartialDecryption({ key, envelope, label, partial: partials[0] }),
    combine: () => threshold.combinePartialDecryptions({ key, envelope, label, partials }),
    limit: () => point.multiply(scalar),
  })
  const row = (name, label) => [
    label,
    figure(1 / took[name]),
    milliseconds(took[name]),
    ratio(took[name], took.limit),
  ]
  printTable(print, {
    title: 'An envelope with a file key, 3 of 5',
    columns: ['', 'per second', 'ms', 'time / multiplication'],
    rows: [
      row('seal', 'seal'),
      row('part', 'check it and decrypt in part'),
      row('verify', 'check it and one part'),
      row('combine', 'check it and 3 parts, open'),
      row('limit', 'one multiplication (noble)'),
    ],
  })
  return { key, shares, members: made.members }
}

async function sums(print, { key, shares, members }) {
  const definition = {
    type: 'sealpool/aggregate',
    version: 1,
    chainId: 31337,
    registry: `0x${'11'.repeat(20)}`,
    pool: `0x${'22'.repeat(20)}`,
    publicKey: key.publicKey,
    session: key.session,
    question: sha256Digest(random(32)),
    measure: { kind: 'sum', minimum: 0, maximum: 255 },
    contributors: null,
    minimumCohort: 2,
    maximumCohort: 1_000_000,
  }
  const encrypt = () =>
    aggregate.encryptInput({ key, definition, value: 200, signingKey: random(32), random })
  const inputs = Array.from({ length: 20 }, encrypt)
  const claims = await Promise.all(
    members.map(({ signingKey }) =>
      aggregate.claimInputs({ key, definition, inputs, signingKey, claim: () => true }),
    ),
  )
  const parts = await Promise.all(
    shares
      .slice(0, 3)
      .map((share) => aggregate.decryptTotalsPartially({ share, definition, inputs, claims, random })),
  )
  const { result } = aggregate.combineAggregateParts({ key, definition, inputs, parts })
  if (result.values[0] !== 4000) throw new Error('the sum is wrong')
  const point = secp256k1.Point.fromHex(key.publicKey.slice(2))
  const scalar = BigInt(`0x${'7'.repeat(63)}`)
  const took = await compare(
    {
      encrypt,
      combine: () => aggregate.combineInputs(definition, inputs),
      finish: () => aggregate.combineAggregateParts({ key, definition, inputs, parts }),
      limit: () => point.multiply(scalar),
    },
    { turns: 3 },
  )
  printTable(print, {
    title: 'An encrypted sum of answers from 0 to 255 (8 bits each)',
    columns: ['', 'ms', 'time / multiplication'],
    rows: [
      ['encrypt and prove one answer', milliseconds(took.encrypt), ratio(took.encrypt, took.limit)],
      ['check one answer (of 20)', milliseconds(took.combine / 20), ratio(took.combine / 20, took.limit)],
      [
        'check parts and find the sum of 20',
        milliseconds(took.finish - took.combine),
        ratio(took.finish - took.combine, took.limit),
      ],
    ],
    notes: [`One answer travels in ${JSON.stringify(inputs[0]).length} characters of JSON.`],
  })
}

export async function run({ print }) {
  printMachine(print)
  await keyGeneration(print)
  await sums(print, await envelopes(print))
}
