// Full verification against the signature checks that nobody can leave out, and against other verifiers.
import { execFileSync } from 'node:child_process'
import { createPublicKey, verify } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  nativeSignatures,
  prepareCollateral,
  verifyAmdSignature,
  verifyP256,
  verifyQuote,
  verifySnpReport,
} from '@sealpool/attest'
import { createAmdSimulator, createSimulator } from '@sealpool/attest/simulator'
import { platformRandom } from '@sealpool/crypto'
import { realSnpQuestion, realTdxQuestion } from './attest/real-question.mjs'
import { verifiers } from './attest/verifiers.mjs'
import { compare, median } from './measure/compare.mjs'
import { printMachine } from './measure/machine.mjs'
import { figure, printTable, ratio } from './measure/table.mjs'

const base64url = (bytes) => Buffer.from(bytes).toString('base64url')

/** One check by OpenSSL with the key import, as the first quote of a platform needs it. */
function nativeCheck({ publicKey, message, signature }) {
  const key = createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: base64url(publicKey.subarray(1, 33)),
      y: base64url(publicKey.subarray(33, 65)),
    },
  })
  return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature)
}

/** The signatures that a verification asks for. */
function signaturesOf(verifyWith) {
  const calls = []
  const native = nativeSignatures()
  const verdict = verifyWith((publicKey, message, signature) => {
    calls.push({ publicKey, message, signature })
    return native(publicKey, message, signature)
  })
  if (!verdict.ok) throw new Error('the evidence was refused: nothing to measure')
  return calls
}

function simulatedQuestion() {
  const at = new Date()
  const simulator = createSimulator({ random: platformRandom, at })
  return {
    name: 'simulated',
    quote: simulator.quote({ reportData: platformRandom(64) }),
    collateral: simulator.collateral(at),
    at,
    trustedRoots: [simulator.rootDigest],
  }
}

function simulatedSnp() {
  const at = new Date()
  const simulator = createAmdSimulator({ random: platformRandom, at })
  return {
    name: 'simulated',
    report: simulator.report({ reportData: platformRandom(64) }),
    certificates: simulator.certificates(),
    crl: simulator.crl(at),
    at,
    trustedRoots: [simulator.rootDigest],
  }
}

async function tdxWarm(print, question, withPeers) {
  const { quote, collateral, at, trustedRoots = [] } = question
  const options = { at, trustedRoots, trailingBytes: 'any' }
  const prepared = prepareCollateral(collateral)
  const all = signaturesOf((verifySignature) =>
    verifyQuote(quote, { ...options, collateral, verifySignature }),
  )
  const three = signaturesOf((verifySignature) =>
    verifyQuote(quote, { ...options, collateral: prepared, verifySignature }),
  )
  const ours = (extra) => () => {
    if (!verifyQuote(quote, { ...options, ...extra }).ok) throw new Error('not verified')
  }
  const work = {
    full: ours({ collateral }),
    // A copy is another object, so that nothing of it was read or checked before.
    fresh: () => {
      if (!verifyQuote(quote, { ...options, collateral: { ...collateral } }).ok)
        throw new Error('not verified')
    },
    prepared: ours({ collateral: prepared }),
    portable: () => {
      const given = { ...options, collateral: { ...collateral }, verifySignature: verifyP256 }
      if (!verifyQuote(quote, given).ok) throw new Error('not verified')
    },
    portablePrepared: ours({ collateral: prepared, verifySignature: verifyP256 }),
    limit: () => three.every(nativeCheck) || fail(),
    limitAll: () => all.every(nativeCheck) || fail(),
  }
  const peers = withPeers ? ['@phala/dcap-qvl', '@phala/dcap-qvl-web'] : []
  for (const name of peers) {
    const ask = await verifiers(question)[name]()
    if (ask() !== 'UpToDate') throw new Error(`${name} judges otherwise`)
    work[name] = ask
  }
  const took = await compare(work, { turns: 9 })
  const fastest = Math.min(...peers.map((name) => took[name]))
  const row = (label, name) => [
    label,
    figure(took[name] * 1000),
    ratio(took[name], took.limit),
    peers.length === 0 ? null : ratio(fastest, took[name]),
  ]
  printTable(print, {
    title: `TDX, warm, one quote of ${quote.length} bytes (${question.name})`,
    columns: ['', 'ms', 'time / limit', 'faster than the fastest peer'],
    rows: [
      row('verifyQuote, collateral never seen before', 'fresh'),
      row('verifyQuote, the same collateral again', 'full'),
      row('verifyQuote, prepared collateral', 'prepared'),
      row('verifyQuote, collateral never seen before, portable code only', 'portable'),
      row('verifyQuote, portable, prepared collateral', 'portablePrepared'),
      ...peers.map((name) => row(name, name)),
      row(`limit: ${three.length} P-256 checks by node:crypto with key import`, 'limit'),
      row(`all ${all.length} P-256 checks by node:crypto with key import`, 'limitAll'),
    ],
    notes: [
      ...(withPeers
        ? []
        : ['The peers know no other root than Intel’s: without real data they are left out.']),
      'verifyQuote keeps up to 64 imported public keys, as authorities sign every quote; the limit imports each time.',
    ],
  })
}

function fail() {
  throw new Error('a signature does not verify')
}

/** Fresh processes, import included; the peers’ browser path has a process of its own, since it is chosen at import. */
function tdxCold(print, question) {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-bench-'))
  const file = join(folder, 'question.json')
  const { quote, collateral, at } = question
  writeFileSync(file, JSON.stringify({ quote: Buffer.from(quote).toString('base64'), collateral, at }))
  const script = fileURLToPath(new URL('attest/once.mjs', import.meta.url))
  const names = [
    'sealpool',
    'sealpool, again',
    'sealpool, portable',
    '@phala/dcap-qvl',
    '@phala/dcap-qvl, browser path',
    '@phala/dcap-qvl-web',
  ]
  const cold = Object.fromEntries(names.map((name) => [name, []]))
  const warm = {}
  try {
    for (let turn = 0; turn < 5; turn++) {
      for (const name of names) {
        const text = execFileSync(process.execPath, [script, name, file, ...(turn === 4 ? ['warm'] : [])], {
          encoding: 'utf8',
        })
        const result = JSON.parse(text.trim().split('\n').at(-1))
        if (turn === 4) warm[name] = result.warm
        else cold[name].push(result.cold)
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  printTable(print, {
    title: 'TDX, fresh processes: import and first verdict; then warm in the same process',
    columns: ['', 'cold ms', 'warm ms'],
    rows: names.map((name) => [name, figure(median(cold[name])), figure(warm[name])]),
  })
}

async function snp(print, question) {
  const { report, certificates, crl, at, trustedRoots = [] } = question
  const options = { certificates, crl, at, trustedRoots, trailingBytes: 'any' }
  const calls = signaturesOf((verifySignature) => verifySnpReport(report, { ...options, verifySignature }))
  const native = nativeSignatures()
  const took = await compare(
    {
      full: () => verifySnpReport(report, options).ok || fail(),
      portable: () =>
        verifySnpReport(report, { ...options, verifySignature: verifyAmdSignature }).ok || fail(),
      limit: () =>
        calls.every(({ publicKey, message, signature }) => native(publicKey, message, signature)) || fail(),
    },
    { turns: 7 },
  )
  const row = (label, name) => [label, figure(took[name] * 1000), ratio(took[name], took.limit)]
  printTable(print, {
    title: `SEV-SNP, warm, one report with its three certificates and list (${question.name})`,
    columns: ['', 'ms', 'time / limit'],
    rows: [
      row('verifySnpReport', 'full'),
      row('verifySnpReport, portable code only', 'portable'),
      row(`limit: its ${calls.length} signatures by node:crypto, keys ready`, 'limit'),
    ],
  })
}

export async function run({ print }) {
  printMachine(print)
  const real = realTdxQuestion()
  await tdxWarm(print, real ?? simulatedQuestion(), real !== undefined)
  if (real === undefined) print('No real data (SEALPOOL_DATA): the peers and the cold starts are left out.')
  else tdxCold(print, real)
  await snp(print, realSnpQuestion() ?? simulatedSnp())
}
