// Sealing, signing and canonical JSON against the primitives underneath and against other packages.

import { fileURLToPath } from 'node:url'
import {
  canonicalize,
  derivePoolKey,
  encodeHex,
  hpkeIdentity,
  hpkeRecipient,
  openBytes,
  platformRandom,
  sealBytes,
  signStatement,
  statementDigest,
  verifyStatement,
} from '@sealpool/crypto'
import { verifyTypedData, zeroHash } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { hasChromium, runInChromium } from '../conformance/browser/run-in-chromium.mjs'
import { measure } from './crypto/against-peers.mjs'
import { constantTime } from './crypto/constant-time.mjs'
import { largeStream } from './crypto/large-stream.mjs'
import { rewrap } from './crypto/rewrap.mjs'
import { compare } from './measure/compare.mjs'
import { printMachine } from './measure/machine.mjs'
import { figure, printTable, ratio } from './measure/table.mjs'

const { subtle } = globalThis.crypto
const mebibyte = 2 ** 20
const scope = {
  chainId: 31_337,
  pool: `0x${'ab'.repeat(20)}`,
  policyDigest: `sha256:${'cd'.repeat(32)}`,
  epoch: 1,
}
const context = { ...scope, mediaType: 'application/octet-stream' }
const commitment = `sha256:${'ef'.repeat(32)}`

export async function run({ print }) {
  printMachine(print)
  const input = { size: 64 * mebibyte, turns: 5 }
  printAgainstPeers(print, 'Node', await measure(input), input.size)
  if (hasChromium()) {
    const entry = fileURLToPath(new URL('crypto/against-peers.mjs', import.meta.url))
    printAgainstPeers(
      print,
      'Chromium',
      await runInChromium({ entry, input, print, switches: ['--js-flags=--expose-gc'] }),
      input.size,
    )
  } else {
    print('Chromium is not there: its half of the comparison was not measured.')
  }
  largeStream(print)
  await rewrap(print)
  constantTime(print)
  await smallFiles(print)
  await statements(print)
  await canonicalJson(print)
}

/** The tables of one platform, of what against-peers.mjs measured there. */
function printAgainstPeers(print, platform, { file, wrap }, size) {
  printLargeFile(print, platform, file, size)
  const rate = (label, name, peer) => [label, figure(1 / wrap[name]), ratio(wrap[peer], wrap[name])]
  printTable(print, {
    title: `${platform}: keys of 32 bytes wrapped and unwrapped, X25519-HKDF-SHA256 and AES-256-GCM, one after the other`,
    columns: ['', 'per second', 'speed / hpke'],
    rows: [
      rate('hpkeSeal', 'wrap', 'hpkeWrap'),
      rate('hpkeSeal, backend pure', 'pureWrap', 'hpkeWrap'),
      rate('hpke (WebCrypto)', 'hpkeWrap', 'hpkeWrap'),
      rate('hpke with noble', 'hpkeNobleWrap', 'hpkeWrap'),
      rate('eciesjs (x25519, AES-256-GCM; another format)', 'eciesWrap', 'hpkeWrap'),
      rate('hpkeOpen', 'unwrap', 'hpkeUnwrap'),
      rate('hpke (WebCrypto)', 'hpkeUnwrap', 'hpkeUnwrap'),
      rate('hpke with noble', 'hpkeNobleUnwrap', 'hpkeUnwrap'),
      rate('eciesjs', 'eciesUnwrap', 'hpkeUnwrap'),
      rate('X-Wing: hpkeSeal', 'xwingWrap', 'xwingHpkeWrap'),
      rate('X-Wing: hpke with noble', 'xwingHpkeWrap', 'xwingHpkeWrap'),
      rate('X-Wing: hpkeOpen', 'xwingUnwrap', 'xwingHpkeUnwrap'),
      rate('X-Wing: hpke with noble', 'xwingHpkeUnwrap', 'xwingHpkeUnwrap'),
    ],
    notes: ['Messages of hpke were opened by us and the other way round before the clock started.'],
  })
}

function printLargeFile(print, platform, file, size) {
  const speed = (label, name, raw) => [
    label,
    figure(size / mebibyte / file[name]),
    ratio(file[raw], file[name]),
  ]
  const pair = (label, name, raw, end = '') => [
    speed(`${label}: seal`, `${name}Seal${end}`, `rawSeal${raw}`),
    speed(`${label}: open`, `${name}Open${end}`, `rawOpen${raw}`),
  ]
  /** Ours against a peer in one shape, seal and open. */
  const times = (peer, end) =>
    `${ratio(file[`${peer}Seal${end}`], file[`seal${end}`])} and ${ratio(file[`${peer}Open${end}`], file[`open${end}`])}`
  const fastest = (name) => Math.min(file[name], file[`${name}Stream`] ?? Number.POSITIVE_INFINITY)
  const bestTimes = (peer) =>
    `${ratio(fastest(`${peer}Seal`), fastest('seal'))} and ${ratio(fastest(`${peer}Open`), fastest('open'))}`
  printTable(print, {
    title: `${platform}: ${figure(size / mebibyte)} MiB, one array in and one array out, chunks of 256 KiB`,
    columns: ['', 'MiB/s', 'speed / raw one by one, chunks kept apart'],
    rows: [
      speed('sealBytes, commitment given', 'seal', 'rawSeal'),
      speed('openBytes', 'open', 'rawOpen'),
      speed('sealBytes, commitment made (SHA-256 of it all)', 'sealAndCommit', 'rawSeal'),
      ...pair('raw WebCrypto AES-256-GCM one by one, chunks kept apart', 'raw', ''),
      ...pair('raw, 16 at once, chunks kept apart', 'raw', '', 'AtOnce'),
      ...pair('raw, 16 at once, put into one array', 'raw', '', 'Joined'),
      speed('raw WebCrypto SHA-256', 'rawDigest', 'rawSeal'),
      ...pair('age-encryption (X25519)', 'age', ''),
      ...pair('OpenPGP.js (curve25519)', 'pgp', ''),
      ...pair('eciesjs (x25519, AES-256-GCM)', 'ecies', ''),
    ],
    notes: [
      `The machine in this run: ${figure(size / mebibyte / file.touch)} MiB/s touching a fresh array for the first time, ${figure(size / mebibyte / file.copy)} MiB/s copying into a warm one.`,
      `Ours against raw put into one array: seal ${ratio(file.rawSealJoined, file.seal)}, open ${ratio(file.rawOpenJoined, file.open)}.`,
    ],
  })
  printTable(print, {
    title: `${platform}: ${figure(size / mebibyte)} MiB as a stream of pieces of 256 KiB, read and dropped, chunks of 256 KiB`,
    columns: ['', 'MiB/s', 'speed / raw one by one, dropped'],
    rows: [
      speed('seal', 'sealStream', 'rawSealDropped'),
      speed('openStream', 'openStream', 'rawOpenDropped'),
      ...pair('raw WebCrypto AES-256-GCM one by one, no stream', 'raw', 'Dropped', 'Dropped'),
      ...pair('raw, 16 at once, no stream', 'raw', 'Dropped', 'AtOnceDropped'),
      ...pair('age-encryption (X25519)', 'age', 'Dropped', 'Stream'),
      ...pair('OpenPGP.js (curve25519, before its check)', 'pgp', 'Dropped', 'Stream'),
    ],
    notes: [
      `Times as fast, one array against one array, seal and open: age-encryption ${times('age', '')}; OpenPGP.js ${times('pgp', '')}; eciesjs ${times('ecies', '')}.`,
      `Stream against stream: age-encryption ${times('age', 'Stream')}; OpenPGP.js ${times('pgp', 'Stream')}; eciesjs has none.`,
      `Our faster shape against the faster of theirs: age-encryption ${bestTimes('age')}; OpenPGP.js ${bestTimes('pgp')}; eciesjs ${bestTimes('ecies')}.`,
      `Raw, one by one and kept apart, against their arrays: age-encryption ${ratio(file.ageSeal, file.rawSeal)} and ${ratio(file.ageOpen, file.rawOpen)}; OpenPGP.js ${ratio(file.pgpSeal, file.rawSeal)} and ${ratio(file.pgpOpen, file.rawOpen)}; eciesjs ${ratio(file.eciesSeal, file.rawSeal)} and ${ratio(file.eciesOpen, file.rawOpen)}.`,
      'Garbage is collected before each turn, so that nobody pays for another.',
    ],
  })
}

async function smallFiles(print) {
  const count = 200
  const bytes = platformRandom(2_000)
  const keys = [1, 2].map((epoch) => derivePoolKey({ root: platformRandom(32), ...scope, epoch }))
  const options = { recipients: keys.map((key) => hpkeRecipient(key)), context }
  const identities = [hpkeIdentity(keys[1])]
  const sealed = await sealBytes(bytes, options)
  const recipients = await Promise.all(
    keys.map(() => subtle.generateKey({ name: 'X25519' }, false, ['deriveBits'])),
  )
  const aes = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  const iv = new Uint8Array(12)
  const cipher = await subtle.encrypt({ name: 'AES-GCM', iv }, aes, bytes)
  const agree = (own, other) =>
    subtle.deriveBits({ name: 'X25519', public: other.publicKey }, own.privateKey, 256)
  const times = (work) => async () => {
    for (let index = 0; index < count; index++) await work()
  }
  const took = await compare({
    seal: times(() => sealBytes(bytes, options)),
    open: times(() => openBytes(sealed, { identities })),
    rawSeal: times(async () => {
      for (const recipient of recipients) {
        await agree(await subtle.generateKey({ name: 'X25519' }, false, ['deriveBits']), recipient)
      }
      await subtle.encrypt({ name: 'AES-GCM', iv }, aes, bytes)
    }),
    rawOpen: times(async () => {
      await agree(recipients[0], recipients[1])
      await subtle.decrypt({ name: 'AES-GCM', iv }, aes, cipher)
    }),
  })
  const row = (label, name, raw) => [label, figure(count / took[name]), ratio(took[name], took[raw])]
  printTable(print, {
    title: 'Files of 2 kB, two recipients, one after the other',
    columns: ['', 'files/s', 'time / raw'],
    rows: [
      row('sealBytes', 'seal', 'rawSeal'),
      row('raw WebCrypto: two X25519 keys and agreements, one AES', 'rawSeal', 'rawSeal'),
      row('openBytes', 'open', 'rawOpen'),
      row('raw WebCrypto: one X25519 agreement, one AES', 'rawOpen', 'rawOpen'),
    ],
    notes: ['Raw has no key schedule (HKDF), wrapped keys, header, MAC or commitment.'],
  })
}

async function statements(print) {
  const count = 50
  const privateKey = platformRandom(32)
  const account = privateKeyToAccount(encodeHex(privateKey))
  const statement = {
    type: 'sealpool/receipt',
    version: 1,
    body: { job: '7', inputs: Array.from({ length: 20 }, (_, index) => ({ index, digest: commitment })) },
  }
  const where = {
    chainId: 31_337,
    registry: `0x${'01'.repeat(20)}`,
    pool: scope.pool,
    subject: zeroHash,
    nonce: '1',
    facts: [],
  }
  const signed = signStatement({ statement, context: where, privateKey })
  const typedData = {
    domain: { name: 'Sealpool', version: '1', chainId: where.chainId, verifyingContract: where.registry },
    primaryType: 'Statement',
    types: {
      Statement: [
        { name: 'kind', type: 'string' },
        { name: 'pool', type: 'address' },
        { name: 'subject', type: 'bytes32' },
        { name: 'facts', type: 'bytes32' },
        { name: 'digest', type: 'bytes32' },
        { name: 'nonce', type: 'uint256' },
      ],
    },
    message: {
      kind: 'sealpool/receipt/1',
      pool: where.pool,
      subject: zeroHash,
      facts: zeroHash,
      digest: `0x${statementDigest(statement).slice(7)}`,
      nonce: 1n,
    },
  }
  const signature = await account.signTypedData(typedData)
  if (signature !== signed.signature)
    throw new Error('viem signs another digest: the comparison would be void')
  const times = (work) => async () => {
    for (let index = 0; index < count; index++) if ((await work()) === false) throw new Error('not verified')
  }
  const took = await compare({
    sign: times(() => signStatement({ statement, context: where, privateKey })),
    viemSign: times(() => account.signTypedData(typedData)),
    verify: times(() => verifyStatement(signed)),
    viemVerify: times(() => verifyTypedData({ ...typedData, address: account.address, signature })),
  })
  const row = (label, name, peer) => [label, figure(count / took[name]), ratio(took[name], took[peer])]
  printTable(print, {
    title: 'Signed statements (EIP-712, secp256k1), body of 20 digests; both give the same signature',
    columns: ['', 'per second', 'time / viem'],
    rows: [
      row('signStatement', 'sign', 'viemSign'),
      row('viem signTypedData', 'viemSign', 'viemSign'),
      row('verifyStatement', 'verify', 'viemVerify'),
      row('viem verifyTypedData', 'viemVerify', 'viemVerify'),
    ],
    notes: ['Ours includes canonical JSON and SHA-256 of the body; viem is given the digest.'],
  })
}

async function canonicalJson(print) {
  const value = Array.from({ length: 2_000 }, (_, index) => ({
    pool: scope.pool,
    name: `row ${index} é`,
    wage: index / 7,
    flags: [true, false, null],
    nested: { b: index, a: 'text with "quotes"' },
  }))
  const length = canonicalize(value).length
  const took = await compare(
    { ours: () => canonicalize(value), native: () => JSON.stringify(value) },
    { turns: 15 },
  )
  const row = (label, name) => [label, figure(length / mebibyte / took[name]), ratio(took[name], took.native)]
  printTable(print, {
    title: `Canonical JSON of 2,000 records (${figure(length / 1000)} kB)`,
    columns: ['', 'MiB/s', 'time / native'],
    rows: [row('canonicalize (sorted, checked)', 'ours'), row('JSON.stringify (neither)', 'native')],
  })
}
