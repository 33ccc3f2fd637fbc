// Published vectors, independent readers and hostile files against the built @sealpool/crypto, in Node and in Chromium:
// `npm run conformance -- crypto`. Needs no data folder. Wycheproof is not among them, since no npm package carries it: edge
// cases of our own are held against OpenSSL instead.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as library from '@sealpool/crypto'
import {
  encodeAbiParameters,
  hashTypedData,
  keccak256,
  parseAbiParameters,
  recoverTypedDataAddress,
  zeroHash,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { hasChromium, runInChromium } from './browser/run-in-chromium.mjs'
import { opensslEdgeCases } from './crypto/openssl-edge-cases.mjs'
import { codeOf, portableCases } from './crypto/portable-cases.mjs'
import { protocolCases } from './crypto/protocol-cases.mjs'
import { deterministicRandom } from './reader/deterministic-random.mjs'
import { sealHpke, x25519PublicKey } from './reader/hpke.mjs'
import { treeHash } from './reader/merkle.mjs'
import { readSealedFile } from './reader/sealed-file.mjs'
import { createTally } from './reader/tally.mjs'
import {
  canonicalNames,
  canonicalNumbers,
  canonicalSample,
  hpkeKeyPairs,
  treeLeaves,
  treePaths,
  treeRoots,
} from './vectors/crypto.mjs'

const { decodeHex, encodeHex } = library
const hex = (digits) => decodeHex(`0x${digits}`)
const sameBytes = (a, b) => Buffer.compare(a, b) === 0
const bytesOf = (length) => new Uint8Array(length).map((_, index) => (index * 7) & 255)

const refused = (code) => code !== 'accepted' && !code.startsWith('untyped')

/**
 * @param {object} options
 * @param {(line: string) => void} options.print
 * @returns {Promise<{ agree: number, differ: number }>}
 */
export async function run({ print }) {
  const { count, finish } = createTally(print)
  await canonicalJson(count)
  merkle(count)
  await hpke(count)
  await positiveFiles(count)
  await negativeFiles(count)
  await statements(count)
  await opensslEdgeCases(count, print)
  const vectors = readVectors()
  await portableCases({ count, vectors, platform: 'Node' })
  await protocolCases({ count, vectors, platform: 'Node' })
  const inNode = finish()
  if (!hasChromium()) throw new Error('there is no Chromium: apt-get install chromium, or set CHROMIUM_PATH')
  const entry = fileURLToPath(new URL('crypto/page.mjs', import.meta.url))
  const inPage = await runInChromium({ entry, input: vectors, print })
  return { agree: inNode.agree + inPage.agree, differ: inNode.differ + inPage.differ }
}

function readVectors() {
  const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
  return {
    rfc9180: read('vectors/rfc9180.json'),
    xwing: read('vectors/xwing.json'),
    rfc8785: read('vectors/rfc8785.json'),
    sealedFile: read('../docs/formats/vectors/sealed-file.json'),
    threshold: read('../docs/formats/vectors/threshold.json'),
    rows: read('../docs/formats/vectors/row-commitment.json'),
    backup: read('../docs/formats/vectors/wallet-key-backup.json'),
    interop: read('vectors/interop.json'),
  }
}

async function canonicalJson(count) {
  const ofBits = (bits) => new DataView(hex(bits).buffer).getFloat64(0)
  for (const [bits, text] of canonicalNumbers) {
    count('rfc8785', library.canonicalize(ofBits(bits)) === text, `number ${bits}`)
  }
  for (const bits of ['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000']) {
    count(
      'rfc8785',
      (await codeOf(() => library.canonicalize(ofBits(bits)))) === 'JSON_INVALID',
      `number ${bits}`,
    )
  }
  for (const [name, { input, output }] of Object.entries({
    sample: canonicalSample,
    names: canonicalNames,
  })) {
    const value = JSON.parse(input)
    count('rfc8785', library.canonicalize(value) === output, name)
    count('rfc8785', library.canonicalize(library.parseCanonical(output)) === output, `${name}, read back`)
    count(
      'rfc8785',
      (await codeOf(() => library.parseCanonical(input))) === 'JSON_NOT_CANONICAL',
      `${name}, as given`,
    )
  }
}

function merkle(count) {
  const leaves = treeLeaves.map(hex)
  for (const [size, root] of treeRoots.entries()) {
    count('merkle', sameBytes(library.merkleRoot(leaves.slice(0, size)), hex(root)), `root of ${size}`)
  }
  for (const [index, size, path] of treePaths) {
    const proof = path.map(hex)
    const claim = { leaf: leaves[index], index, count: size, proof, root: hex(treeRoots[size]) }
    const own = library.merkleProof(leaves.slice(0, size), index)
    count(
      'merkle',
      own.length === proof.length && own.every((part, at) => sameBytes(part, proof[at])),
      `path ${index} of ${size}`,
    )
    count('merkle', library.verifyMerkleProof(claim), `proof ${index} of ${size}`)
    const wrong = {
      'another leaf': { leaf: new Uint8Array([1]) },
      'another place': { index: (index + 1) % size },
      'a longer path': { proof: [...proof, new Uint8Array(32)] },
      'a shorter path': { proof: proof.slice(1) },
      'another root': { root: new Uint8Array(32) },
    }
    for (const [name, change] of Object.entries(wrong)) {
      count(
        'merkle',
        !library.verifyMerkleProof({ ...claim, ...change }),
        `proof ${index} of ${size} with ${name}`,
      )
    }
  }
  const list = Array.from({ length: 67 }, (_, index) => bytesOf(index))
  for (let size = 0; size <= list.length; size++) {
    const part = list.slice(0, size)
    count('merkle', sameBytes(library.merkleRoot(part), treeHash(part)), `root of ${size} by definition`)
  }
}

async function hpke(count) {
  for (const { ikm, privateKey, publicKey } of hpkeKeyPairs) {
    const pair = library.deriveKeyPair(hex(ikm))
    count('rfc9180 key pair', sameBytes(pair.privateKey, hex(privateKey)), `private key of ${ikm}`)
    count('rfc9180 key pair', sameBytes(pair.publicKey, hex(publicKey)), `public key of ${ikm}`)
  }
  const random = deterministicRandom('hpke')
  for (const length of [0, 1, 29, 64, 1_000]) {
    const privateKey = random(32)
    const [info, aad, plaintext] = [random(length % 40), random(length % 17), random(length)]
    const publicKey = x25519PublicKey(privateKey)
    const message = new Uint8Array(sealHpke({ publicKey, ephemeral: random(32), info, aad, plaintext }))
    for (const backend of ['native', 'pure']) {
      const what = `${length} bytes, ${backend}`
      const open = (change) => library.hpkeOpen({ privateKey, info, aad, message, backend, ...change })
      count('hpke, message by OpenSSL', sameBytes(await open({}), plaintext), what)
      const flipped = message.slice()
      flipped[flipped.length - 1] ^= 1
      for (const change of [{ info: new Uint8Array(3) }, { aad: new Uint8Array(18) }, { message: flipped }]) {
        const code = await codeOf(() => open(change))
        count(
          'hpke, message by OpenSSL',
          code === 'HPKE_OPEN_REFUSED',
          `${what}: ${Object.keys(change)} ${code}`,
        )
      }
    }
  }
}

const scope = {
  chainId: 31_337,
  pool: '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512',
  policyDigest: `sha256:${'ab'.repeat(32)}`,
  epoch: 1,
}
const context = { ...scope, mediaType: 'text/csv' }
const poolKey = library.derivePoolKey({ root: new Uint8Array(32).fill(1), ...scope })
const walletSignature = `0x${'11'.repeat(32)}${'22'.repeat(32)}1b`
const wallet = library.walletIdentity({
  signature: walletSignature,
  address: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
})
const identities = { hpke: library.hpkeIdentity(poolKey), wallet }
const recipients = [library.hpkeRecipient(poolKey), library.walletRecipient(wallet)]
const seal = (length, options = {}) =>
  library.sealBytes(bytesOf(length), {
    recipients,
    context,
    chunkSize: 64,
    random: deterministicRandom(`file ${length}`),
    ...options,
  })

async function throughStream(sealed, identity, step) {
  const pieces = []
  for (let at = 0; at < sealed.length; at += step) pieces.push(sealed.slice(at, at + step))
  const parts = []
  const source = new ReadableStream({
    pull(controller) {
      const next = pieces.shift()
      if (next === undefined) controller.close()
      else controller.enqueue(next)
    },
  })
  for await (const part of source.pipeThrough(library.openStream({ identities: [identity] })))
    parts.push(part)
  return Buffer.concat(parts)
}

async function positiveFiles(count) {
  const kind = 'sealed-file positive'
  for (const length of [0, 1, 63, 64, 65, 128, 1_000]) {
    const plaintext = bytesOf(length)
    for (const suite of ['aes-256-gcm', 'xchacha20-poly1305']) {
      const what = `${length} bytes, ${suite}`
      const sealed = await seal(length, { suite })
      for (const backend of suite === 'aes-256-gcm' ? ['native', 'pure'] : ['pure']) {
        count(
          kind,
          sameBytes(await seal(length, { suite, backend }), sealed),
          `${what}: the same file by ${backend}`,
        )
      }
      const size = library.sealedSize(length, { recipients, context, suite, chunkSize: 64 })
      count(kind, size === sealed.length, `${what}: size`)
      for (const [type, identity] of Object.entries(identities)) {
        const opened = await library.openBytes(sealed, { identities: [identity], expect: scope })
        count(kind, sameBytes(opened.plaintext, plaintext), `${what}: opened by ${type}`)
        const { commitmentSalt: salt } = opened
        const claim = { root: opened.context.commitment, bytes: plaintext, salt }
        count(kind, library.verifyCommitment(claim), `${what}: commitment, ${type}`)
        for (const step of [1, 79, 4_096]) {
          const streamed = await throughStream(sealed, identity, step)
          count(kind, sameBytes(streamed, plaintext), `${what}: streamed by ${step}, ${type}`)
        }
        const source = {
          size: sealed.length,
          read: (offset, wanted) => sealed.slice(offset, offset + wanted),
        }
        const [start, end] = [Math.floor(length / 3), Math.ceil((2 * length) / 3)]
        const range = await library.openRange({ source, identities: [identity], start, end })
        count(kind, sameBytes(range.plaintext, plaintext.slice(start, end)), `${what}: range, ${type}`)
      }
      if (suite !== 'aes-256-gcm') continue
      const read = readSealedFile(sealed, { type: 'hpke', privateKey: poolKey.privateKey })
      count(kind, sameBytes(read, plaintext), `${what}: read by OpenSSL`)
    }
  }
}

async function negativeFiles(count) {
  const kind = 'sealed-file negative'
  const sealed = await seal(200)
  const { payloadOffset } = library.parseHeader(sealed)
  const head = sealed.slice(0, payloadOffset)
  const step = 64 + 16
  const part = (from, to) => sealed.slice(payloadOffset + from * step, payloadOffset + to * step)
  const join = (...parts) => new Uint8Array(Buffer.concat(parts))
  const open = (bytes, options = {}) =>
    library.openBytes(bytes, { identities: [identities.hpke], ...options })
  const judge = async (what, bytes) => {
    const whole = await codeOf(() => open(bytes))
    count(kind, refused(whole), `${what}, whole: ${whole}`)
    const streamed = await codeOf(() => throughStream(bytes, identities.hpke, 997))
    count(kind, refused(streamed), `${what}, streamed: ${streamed}`)
  }

  for (let length = 0; length < sealed.length; length++)
    await judge(`cut to ${length}`, sealed.slice(0, length))
  for (let index = 0; index < sealed.length; index++) {
    const changed = sealed.slice()
    changed[index] ^= 1 << (index % 8)
    await judge(`bit flipped in byte ${index}`, changed)
  }
  const other = await seal(200, { random: deterministicRandom('another file') })
  const otherOffset = library.parseHeader(other).payloadOffset
  const otherPool = await seal(200, { context: { ...context, pool: `0x${'01'.repeat(20)}` } })
  const changes = {
    'chunks reordered': join(head, part(1, 2), part(0, 1), part(2, 4)),
    'a chunk twice': join(head, part(0, 1), part(0, 1), part(1, 4)),
    'the first chunk dropped': join(head, part(1, 4)),
    'a middle chunk dropped': join(head, part(0, 1), part(2, 4)),
    'the last chunk dropped': join(head, part(0, 3)),
    'no payload': head,
    'a byte more': join(sealed, new Uint8Array(1)),
    'a chunk more': join(sealed, part(0, 1)),
    'an empty chunk more': join(sealed, new Uint8Array(16)),
    'the payload of another file': join(head, other.slice(otherOffset)),
    'a chunk of another file': join(head, part(0, 1), other.slice(otherOffset + step)),
    'the header of another pool': join(
      otherPool.slice(0, library.parseHeader(otherPool).payloadOffset),
      sealed.slice(payloadOffset),
    ),
    'nothing at all': new Uint8Array(),
    zeros: new Uint8Array(1_000),
  }
  for (const [what, bytes] of Object.entries(changes)) await judge(what, bytes)

  const stranger = library.hpkeIdentity({ privateKey: new Uint8Array(32).fill(9) })
  const expectations = {
    'a stranger': [{ identities: [stranger] }, 'NO_MATCHING_IDENTITY'],
    'another chain': [{ expect: { chainId: 1 } }, 'CONTEXT_MISMATCH'],
    'another pool': [{ expect: { pool: `0x${'01'.repeat(20)}` } }, 'CONTEXT_MISMATCH'],
    'another policy': [{ expect: { policyDigest: `sha256:${'00'.repeat(32)}` } }, 'CONTEXT_MISMATCH'],
    'another epoch': [{ expect: { epoch: 2 } }, 'CONTEXT_MISMATCH'],
  }
  for (const [what, [options, expected]] of Object.entries(expectations)) {
    const code = await codeOf(() => open(sealed, options))
    count(kind, code === expected, `${what}: ${code}`)
  }
}

async function statements(count) {
  const kind = 'statement'
  const random = deterministicRandom('statements')
  const factValues = [
    '123456789012345678901234567890',
    '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
    `0x${'ab'.repeat(32)}`,
    true,
  ]
  const factTypes = ['uint256', 'address', 'bytes32', 'bool']
  const factsHash = keccak256(
    encodeAbiParameters(parseAbiParameters(factTypes.join(', ')), [
      BigInt(factValues[0]),
      ...factValues.slice(1),
    ]),
  )
  const facts = factTypes.map((type, index) => ({ type, value: factValues[index] }))
  for (let index = 0; index < 20; index++) {
    const privateKey = random(32)
    const account = privateKeyToAccount(encodeHex(privateKey))
    const statement = {
      type: `example/kind-${index}`,
      version: index + 1,
      body: { rows: index, name: 'é€😀', part: [1.5, null] },
    }
    const where = {
      chainId: index + 1,
      registry: encodeHex(random(20)),
      pool: encodeHex(random(20)),
      subject: encodeHex(random(32)),
      nonce: BigInt(encodeHex(random(32))).toString(),
      facts: index % 2 === 0 ? facts : [],
    }
    const signed = library.signStatement({ statement, context: where, privateKey })
    const canonical = `{"body":{"name":"é€😀","part":[1.5,null],"rows":${index}},"type":"${statement.type}","version":${statement.version}}`
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
        kind: `${statement.type}/${statement.version}`,
        pool: where.pool,
        subject: where.subject,
        facts: where.facts.length === 0 ? zeroHash : factsHash,
        digest: `0x${createHash('sha256').update(canonical).digest('hex')}`,
        nonce: BigInt(where.nonce),
      },
    }
    const what = `statement ${index}`
    count(
      kind,
      library.statementTypedDataHash(statement, where) === hashTypedData(typedData),
      `${what}: hash of viem`,
    )
    count(kind, (await account.signTypedData(typedData)) === signed.signature, `${what}: signature of viem`)
    const recovered = await recoverTypedDataAddress({ ...typedData, signature: signed.signature })
    count(kind, recovered.toLowerCase() === signed.signer, `${what}: signer by viem`)
    count(kind, library.verifyStatement(signed, { signer: signed.signer }), `${what}: verified`)
    for (const [name, wrong] of Object.entries(wrongStatements(signed))) {
      count(kind, !library.verifyStatement(wrong), `${what}: ${name} is accepted`)
    }
  }
}

const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

function wrongStatements(signed) {
  const { statement, context: where, signature } = signed
  const inContext = (change) => ({ ...signed, context: { ...where, ...change } })
  const [r, s, v] = [signature.slice(2, 66), BigInt(`0x${signature.slice(66, 130)}`), signature.slice(130)]
  const highS = (order - s).toString(16).padStart(64, '0')
  return {
    'another body': { ...signed, statement: { ...statement, body: { rows: -1 } } },
    'another type': { ...signed, statement: { ...statement, type: 'example/other' } },
    'another version': { ...signed, statement: { ...statement, version: 99 } },
    'another chain': inContext({ chainId: 999 }),
    'another registry': inContext({ registry: `0x${'01'.repeat(20)}` }),
    'another pool': inContext({ pool: `0x${'01'.repeat(20)}` }),
    'another subject': inContext({ subject: zeroHash }),
    'another nonce': inContext({ nonce: '7' }),
    'another fact': inContext({ facts: [{ type: 'uint256', value: '1' }] }),
    'another signer': { ...signed, signer: `0x${'01'.repeat(20)}` },
    'the same signature with high s': { ...signed, signature: `0x${r}${highS}${v === '1b' ? '1c' : '1b'}` },
    'v of 0 or 1': { ...signed, signature: `0x${r}${signature.slice(66, 130)}${v === '1b' ? '00' : '01'}` },
    'a short signature': { ...signed, signature: signature.slice(0, -2) },
  }
}
