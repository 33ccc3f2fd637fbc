// One positive and at least three negative fixtures for every source of authenticity, made by OpenSSL (through Node) and jose.
import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import * as jose from 'jose'
import { keccak256 } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

export const canary = 'canary-4711-private'
const owner = '0x00112233445566778899aabbccddeeff00112233'
const bytes = (text) => new TextEncoder().encode(text)
const json = (value) => bytes(JSON.stringify(value))
const ed = generateKeyPairSync('ed25519')
const stranger = generateKeyPairSync('ed25519')
const jwk = (key) => key.export({ format: 'jwk' })
const sha256 = (text) => createHash('sha256').update(text).digest()
/** RFC 8785 for the plain values of these fixtures. */
const canonical = (value) =>
  Array.isArray(value)
    ? `[${value.map(canonical).join(',')}]`
    : typeof value === 'object' && value !== null
      ? `{${Object.keys(value)
          .sort()
          .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
          .join(',')}}`
      : JSON.stringify(value)

function mail({
  from = 'a@shop.example',
  body = `Dear ${canary},\r\n`,
  key = ed.privateKey,
  tags = '',
} = {}) {
  const fields = `From: ${from}\r\nSubject: order\r\n`
  const head = `DKIM-Signature: v=1; a=ed25519-sha256; d=shop.example; s=s; h=from:subject; ${tags}bh=${sha256(body).toString('base64')}; b=`
  const mark = sign(null, sha256(`${fields}${head}`), key).toString('base64')
  return `${head}${mark}\r\n${fields}\r\n${body}`
}
const spki = createPublicKey(ed.privateKey).export({ type: 'spki', format: 'der' })
const record = `v=DKIM1; k=ed25519; p=${spki.subarray(-32).toString('base64')}`
const dkim = { kind: 'dkim', keys: [{ domain: 'shop.example', selector: 's', record }] }

const trusted = { name: 'Platform', algorithm: 'EdDSA', jwk: jwk(ed.publicKey) }
const token = (claims, key = ed.privateKey) =>
  new jose.SignJWT(claims).setProtectedHeader({ alg: 'EdDSA' }).sign(key)
const claims = { iss: 'https://platform.example', sub: canary, exp: 2_000_000_000 }

const issuer = 'did:web:issuer.example'
const credential = {
  '@context': ['https://www.w3.org/ns/credentials/v2'],
  type: ['VerifiableCredential'],
  issuer,
  credentialSubject: { name: canary },
}
const credentialKey = { ...trusted, issuer, verificationMethod: `${issuer}#k` }
function base58(buffer) {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  let value = BigInt(`0x${buffer.toString('hex')}`)
  let text = ''
  for (; value > 0n; value /= 58n) text = alphabet[Number(value % 58n)] + text
  return buffer
    .subarray(
      0,
      buffer.findIndex((byte) => byte !== 0),
    )
    .reduce((sum) => `1${sum}`, text)
}
function proven(document, key = ed.privateKey) {
  const config = {
    type: 'DataIntegrityProof',
    cryptosuite: 'eddsa-jcs-2022',
    verificationMethod: `${issuer}#k`,
    proofPurpose: 'assertionMethod',
    '@context': document['@context'],
  }
  const mark = sign(null, Buffer.concat([sha256(canonical(config)), sha256(canonical(document))]), key)
  return { ...document, proof: { ...config, proofValue: `z${base58(mark)}` } }
}

const payload = { person: canary, wage: 12.5 }
const platformFile = (key = ed.privateKey, own = payload) => ({
  payload: own,
  issuer: 'Platform',
  signature: sign(null, Buffer.from(canonical(payload)), key).toString('base64url'),
})

const device = privateKeyToAccount(`0x${'11'.repeat(32)}`)
const other = privateKeyToAccount(`0x${'22'.repeat(32)}`)
const typed = (message) => ({
  domain: { name: 'Meter', version: '1', chainId: 1 },
  types: {
    Sample: [
      { name: 'counter', type: 'uint64' },
      { name: 'note', type: 'string' },
    ],
  },
  primaryType: 'Sample',
  message,
})
const sample = async (counter, by = device) => {
  const message = { counter, note: canary }
  return { message, signature: await by.signTypedData(typed(message)) }
}
const { message: _, ...type } = typed({})
const deviceSource = {
  kind: 'device-record',
  ...type,
  devices: [{ name: 'Meter', address: device.address }],
  uniqueBy: 'counter',
}

async function claim(own = {}, by = device) {
  const data = {
    provider: 'http',
    parameters: '{"url":"https://x"}',
    context: `{"name":"${canary}"}`,
    owner,
    timestampS: 1000,
    epoch: 1,
    ...own,
  }
  const identifier = keccak256(bytes(`${data.provider}\n${data.parameters}\n${data.context}`))
  const message = `${identifier}\n${data.owner}\n${data.timestampS}\n${data.epoch}`
  return { claimData: { identifier, ...data }, signatures: [await by.signMessage({ message })] }
}
const reclaim = {
  kind: 'reclaim',
  witnesses: [device.address],
  provider: 'http',
  parameters: ['{"url":"https://x"}'],
}

/** The maker of signed pictures of the package's own tests, which writes certificates, JUMBF and COSE byte by byte. */
async function pictures() {
  const entry = fileURLToPath(new URL('../../packages/poc/src/testing/c2pa-fixture.ts', import.meta.url))
  const [made] = buildSync({
    entryPoints: [entry],
    format: 'esm',
    platform: 'node',
    bundle: true,
    write: false,
  }).outputFiles
  const { issue, otherActions, signedPng } = await import(
    `data:text/javascript;base64,${Buffer.from(made.contents).toString('base64')}`
  )
  const usage = '1.3.6.1.5.5.7.3.36'
  const until = '401231235959Z'
  const root = issue({ subject: 'Root', authority: true, until })
  const middle = issue({ subject: 'Middle', by: root, authority: true, until })
  const leaf = issue({ subject: 'Camera', by: root, usage, until })
  const deep = issue({ subject: 'Camera', by: middle, usage, until })
  const forged = issue({ subject: 'Root', authority: true, until })
  const changed = signedPng(leaf)
  changed[changed.length - 20] ^= 1
  return {
    source: { kind: 'c2pa', roots: [root.certificate.toString('base64')] },
    positive: [
      signedPng(leaf),
      signedPng(deep, { chain: [deep, middle] }),
      signedPng(deep, { chain: [deep, middle, root] }),
    ],
    negative: {
      'changed content': changed,
      'a changed assertion': signedPng(leaf, { assertion: otherActions }),
      'no binding to the content': signedPng(leaf, { binding: 'none' }),
      "another's signature": signedPng(leaf, { signer: deep.key }),
      'a chain with a gap': signedPng(deep, { chain: [deep] }),
      'a root of the same name': signedPng(issue({ subject: 'Camera', by: forged, usage, until })),
      'a certificate for something else': signedPng(
        issue({ subject: 'Camera', by: root, usage: '1.3.6.1.5.5.7.3.1', until }),
      ),
      'an expired certificate': signedPng(
        issue({ subject: 'Camera', by: root, usage, until: '260201000000Z' }),
      ),
      'no manifest': bytes(canary),
      'a PNG without one': Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
      'an empty store': Uint8Array.from([0, 0, 0, 8, 0x6a, 0x75, 0x6d, 0x62]),
    },
  }
}

/** `{ source, positive: bytes[], negative: { name: bytes } }` by kind. */
export async function fixtures() {
  const good = await claim()
  const first = await sample(1)
  return {
    dkim: {
      source: dkim,
      positive: [bytes(mail())],
      negative: {
        'another body': bytes(mail().replace('Dear', 'dear')),
        'another key': bytes(mail({ key: stranger.privateKey })),
        'a length tag': bytes(mail({ tags: 'l=1; ' })),
        'another sender': bytes(mail({ from: 'a@evil.example' })),
        'no signature': bytes(`From: a@shop.example\r\n\r\n${canary}`),
      },
    },
    jws: {
      source: { kind: 'jws', keys: [trusted], expect: { issuer: claims.iss } },
      positive: [bytes(await token(claims))],
      negative: {
        'another key': bytes(await token(claims, stranger.privateKey)),
        'another issuer': bytes(await token({ ...claims, iss: 'x' })),
        expired: bytes(await token({ ...claims, exp: 1 })),
        'alg none': bytes(
          `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`,
        ),
      },
    },
    'vc-jwt': {
      source: { kind: 'vc-jwt', keys: [credentialKey] },
      positive: [bytes(await token(credential))],
      negative: {
        'another issuer': bytes(await token({ ...credential, issuer: 'did:web:x' })),
        'no credential': bytes(await token(claims)),
        'a status': bytes(await token({ ...credential, credentialStatus: { id: 'x' } })),
        'another key': bytes(await token(credential, stranger.privateKey)),
      },
    },
    'data-integrity': {
      source: { kind: 'data-integrity', keys: [credentialKey] },
      positive: [json(proven(credential))],
      negative: {
        'a changed subject': json({ ...proven(credential), credentialSubject: { name: `${canary}x` } }),
        'another key': json(proven(credential, stranger.privateKey)),
        'no proof': json(credential),
      },
    },
    'platform-signature': {
      source: { kind: 'platform-signature', keys: [trusted] },
      positive: [json(platformFile())],
      negative: {
        'a changed payload': json(platformFile(ed.privateKey, { ...payload, wage: 99 })),
        'another key': json(platformFile(stranger.privateKey)),
        'one member more': json({ ...platformFile(), note: canary }),
      },
    },
    'device-record': {
      source: deviceSource,
      positive: [json({ records: [first, await sample(2)] })],
      negative: {
        'another device': json({ records: [await sample(1, other)] }),
        'a record twice': json({ records: [first, first] }),
        'two devices': json({ records: [first, await sample(2, other)] }),
        'a changed record': json({ records: [{ ...first, message: { ...first.message, counter: 5 } }] }),
      },
    },
    reclaim: {
      source: reclaim,
      positive: [json(good)],
      negative: {
        'another witness': json(await claim({}, other)),
        'other parameters': json(await claim({ parameters: '{}' })),
        'another owner': json(await claim({ owner: `0x${'99'.repeat(20)}` })),
        'a changed context': json({ ...good, claimData: { ...good.claimData, context: canary } }),
      },
    },
    tlsnotary: {
      source: { kind: 'tlsnotary' },
      positive: [],
      negative: {
        'a presentation': json({ version: '0.1.0-alpha.12', data: 'ff00', meta: { note: canary } }),
        'no presentation': json({ note: canary }),
        'no JSON': bytes(canary),
      },
    },
    c2pa: await pictures(),
  }
}
export { owner }
