// Sealing, signing and canonical JSON against the primitives underneath and against viem.
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
import { compare } from './measure/compare.mjs'
import { printMachine } from './measure/machine.mjs'
import { figure, printTable, ratio } from './measure/table.mjs'

const { subtle } = globalThis.crypto
const mebibyte = 2 ** 20
const chunkSize = 65_536
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
  await largeFile(print)
  await smallFiles(print)
  await statements(print)
  await canonicalJson(print)
}

/** AES-256-GCM chunk by chunk as the format has it, without header, keys, framing and commitment. */
async function rawAes(bytes, atOnce) {
  const key = await subtle.importKey('raw', platformRandom(32), 'AES-GCM', false, ['encrypt', 'decrypt'])
  const iv = (index) => {
    const nonce = new Uint8Array(12)
    new DataView(nonce.buffer).setUint32(8, index)
    return { name: 'AES-GCM', iv: nonce }
  }
  const plain = []
  for (let at = 0; at < bytes.length; at += chunkSize) plain.push(bytes.subarray(at, at + chunkSize))
  const walk = async (chunks, step) => {
    if (atOnce) return Promise.all(chunks.map(step))
    const done = []
    for (const [index, chunk] of chunks.entries()) done.push(await step(chunk, index))
    return done
  }
  const encrypt = () => walk(plain, (chunk, index) => subtle.encrypt(iv(index), key, chunk))
  const sealed = await encrypt()
  return { encrypt, decrypt: () => walk(sealed, (chunk, index) => subtle.decrypt(iv(index), key, chunk)) }
}

async function largeFile(print) {
  const size = 16 * mebibyte
  const bytes = new Uint8Array(size).map((_, index) => (index * 2_654_435_761) >>> 24)
  const key = derivePoolKey({ root: platformRandom(32), ...scope })
  const options = { recipients: [hpkeRecipient(key)], context: { ...context, commitment }, chunkSize }
  const opening = { identities: [hpkeIdentity(key)], expect: scope }
  const sealed = await sealBytes(bytes, options)
  const oneByOne = await rawAes(bytes, false)
  const atOnce = await rawAes(bytes, true)
  const took = await compare({
    seal: () => sealBytes(bytes, options),
    sealAndCommit: () => sealBytes(bytes, { ...options, context }),
    rawSeal: oneByOne.encrypt,
    rawSealAtOnce: atOnce.encrypt,
    open: () => openBytes(sealed, opening),
    rawOpen: oneByOne.decrypt,
    rawOpenAtOnce: atOnce.decrypt,
  })
  const row = (label, name, raw) => [
    label,
    figure(size / mebibyte / took[name]),
    ratio(took[name], took[raw]),
  ]
  printTable(print, {
    title: '16 MiB in chunks of 64 KiB, AES-256-GCM',
    columns: ['', 'MiB/s', 'time / raw'],
    rows: [
      row('sealBytes, commitment given', 'seal', 'rawSeal'),
      row('sealBytes, commitment made (SHA-256 of it all)', 'sealAndCommit', 'rawSeal'),
      row('raw WebCrypto encrypt, one chunk after the other', 'rawSeal', 'rawSeal'),
      row('raw WebCrypto encrypt, all chunks at once', 'rawSealAtOnce', 'rawSeal'),
      row('openBytes', 'open', 'rawOpen'),
      row('raw WebCrypto decrypt, one chunk after the other', 'rawOpen', 'rawOpen'),
      row('raw WebCrypto decrypt, all chunks at once', 'rawOpenAtOnce', 'rawOpen'),
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
