import { ed25519 } from '@noble/curves/ed25519.js'
import { sha384 } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { digestOf, encodeHex } from '@sealpool/crypto'
import { dstackCheckTitles, verifyDstackEventLog } from '../dstack/event-log.js'
import { formatPemCertificates, parsePemCertificates } from '../encoding/pem.js'
import { firmwareCheckTitles, verifyFirmwareEventLog } from '../event-log/ccel.js'
import { replayRegister } from '../event-log/replay.js'
import {
  type Collateral,
  collateralCheckTitles,
  evidenceCheckTitles,
  quoteCheckTitles,
  receiptCheckTitles,
  snpCheckTitles,
  type VerifyReceiptOptions,
} from '../index.js'
import { parseQuote } from '../intel/quote.js'
import { formatCheckpoint, formatNote, leafHash, noteKey, signNote, treeRoot } from '../log/index.js'
import { logCheckTitles, verifyLogged } from '../log/verify.js'
import { createAmdSimulator } from '../simulator/index.js'
import { asked, checkTable, own, type Verifier } from '../testing/check-table.js'
import { eventType, firmwareEvent, firmwareLog, separatorData } from '../testing/firmware-log.js'
import {
  at,
  bundle,
  evidence,
  mrTd,
  seededRandom,
  signReceipt,
  simulator,
  trust,
} from '../testing/fixture.js'
import {
  verifyCollateral,
  verifyNodeEvidence,
  verifyQuote,
  verifyReceipt,
  verifySnpReport,
} from '../with-platform.js'

// --- TDX quotes ---

type QuoteDefect = Parameters<typeof simulator.quote>[0]['defect']
type CollateralDefect = NonNullable<Parameters<typeof simulator.collateral>[1]>['defect']
const roots = { trustedRoots: [simulator.rootDigest] }
const tdx = (
  given: {
    quote?: QuoteDefect
    collateral?: CollateralDefect
    at?: Date
    change?: (collateral: Collateral) => Partial<Collateral>
    bytes?: (quote: Uint8Array) => Uint8Array
    options?: object
  } = {},
) => {
  const { quote, collateral: defect, change, bytes = (same) => same } = given
  const collateral = simulator.collateral(at, defect === undefined ? {} : { defect })
  const content = { reportData: new Uint8Array(64), mrTd, ...(quote === undefined ? {} : { defect: quote }) }
  return verifyQuote(bytes(simulator.quote(content)), {
    collateral: { ...collateral, ...change?.(collateral) },
    at: given.at ?? at,
    ...roots,
    ...given.options,
  }).checks
}
const unreadable = () => tdx({ change: () => ({ rootCaCrl: '0x00' }) })
const undocumented = () => tdx({ change: () => ({ tcbInfo: '{}' }) })
/** Turns the carried chain into a reference by PPID (certification data type 3). */
const byPpid = (quote: Uint8Array) => {
  const copy = quote.slice()
  copy[632 + 4 + 128 + 6 + 384 + 64 + 2 + 32] = 3
  return copy
}
const leaf = () => {
  const { certificationData } = parseQuote(simulator.quote({ reportData: new Uint8Array(64) }))
  return parsePemCertificates(new TextDecoder().decode(certificationData))
}
const forgedLeaf = () => {
  const chain = leaf()
  const [pck] = chain
  if (pck !== undefined) pck[pck.length - 1] = (pck[pck.length - 1] ?? 0) ^ 1
  return formatPemCertificates(chain)
}
const years = (count: number) => new Date(at.getTime() + count * 365 * 86_400_000)

const quotes: Verifier = {
  titles: quoteCheckTitles,
  good: () => tdx(),
  rows: {
    'quote-header': { fail: () => tdx({ quote: 'foreign-vendor' }), notChecked: own },
    'trailing-bytes': { fail: () => tdx({ quote: 'trailing-bytes' }), notChecked: own },
    certificates: { fail: unreadable, notChecked: () => tdx({ bytes: byPpid }) },
    collateral: { fail: () => tdx({ collateral: 'sgx-tcb-info' }), notChecked: asked },
    'root-trusted': { fail: () => tdx({ options: { trustedRoots: [] } }), notChecked: unreadable },
    'pck-chain': {
      fail: () => tdx({ bytes: byPpid, options: { pckCertificateChain: forgedLeaf() } }),
      notChecked: unreadable,
    },
    'collateral-chains': {
      fail: () => tdx({ change: (one) => ({ qeIdentityIssuerChain: one.pckCrlIssuerChain }) }),
      notChecked: unreadable,
    },
    'certificate-dates': { fail: () => tdx({ at: years(40) }), notChecked: unreadable },
    'root-crl': { fail: () => tdx({ change: (one) => ({ rootCaCrl: one.pckCrl }) }), notChecked: unreadable },
    'pck-crl': { fail: () => tdx({ change: (one) => ({ pckCrl: one.rootCaCrl }) }), notChecked: unreadable },
    'crl-dates': { fail: () => tdx({ collateral: 'stale-crl' }), notChecked: unreadable },
    'not-revoked': { fail: () => tdx({ collateral: 'revoked-pck' }), notChecked: unreadable },
    'tcb-info-signature': { fail: () => tdx({ collateral: 'tampered-tcb-info' }), notChecked: undocumented },
    'qe-identity-signature': {
      fail: () => tdx({ collateral: 'tampered-qe-identity' }),
      notChecked: undocumented,
    },
    'collateral-dates': { fail: () => tdx({ collateral: 'stale' }), notChecked: undocumented },
    'platform-match': { fail: () => tdx({ collateral: 'wrong-pce-id' }), notChecked: undocumented },
    'qe-report-signature': { fail: () => tdx({ quote: 'tampered-qe-report' }), notChecked: unreadable },
    'attestation-key': { fail: () => tdx({ quote: 'foreign-attestation-key' }), notChecked: own },
    'qe-identity': { fail: () => tdx({ quote: 'foreign-qe' }), notChecked: undocumented },
    'quote-signature': { fail: () => tdx({ quote: 'tampered-body' }), notChecked: own },
    'tdx-module': { fail: () => tdx({ quote: 'unknown-module' }), notChecked: undocumented },
    'tcb-level': {
      fail: () => tdx({ quote: 'unsupported-tcb' }),
      notChecked: () => tdx({ collateral: 'stale' }),
    },
  },
}

// --- SEV-SNP reports ---

const amd = createAmdSimulator({ random: seededRandom('every check'), at, product: 'Turin' })
type SnpContent = Parameters<typeof amd.report>[0]
type SnpOptions = Parameters<typeof verifySnpReport>[1]
const snp = (content: Partial<SnpContent> = {}, options: Partial<SnpOptions> = {}) =>
  verifySnpReport(amd.report({ reportData: new Uint8Array(64), ...content }), {
    certificates: amd.certificates(),
    crl: amd.crl(at),
    at,
    trustedRoots: [amd.rootDigest],
    ...options,
  }).checks
const rootless = () => snp({}, { certificates: amd.certificates({ defect: 'root-missing' }) })
const reports: Verifier = {
  titles: snpCheckTitles,
  good: () => snp(),
  rows: {
    'report-form': { fail: () => snp({ defect: 'reserved-byte' }), notChecked: own },
    'trailing-bytes': { fail: () => snp({ defect: 'trailing-bytes' }), notChecked: own },
    certificates: {
      fail: () => snp({}, { certificates: amd.certificates({ defect: 'tcb-missing' }) }),
      notChecked: rootless,
    },
    'root-trusted': { fail: () => snp({}, { trustedRoots: [] }), notChecked: rootless },
    'vek-chain': {
      fail: () => snp({}, { certificates: amd.certificates({ defect: 'forged' }) }),
      notChecked: rootless,
    },
    'certificate-dates': {
      fail: () => snp({}, { certificates: amd.certificates({ defect: 'expired' }) }),
      notChecked: rootless,
    },
    crl: {
      fail: () => snp({}, { crl: amd.crl(at, { defect: 'tampered' }) }),
      notChecked: () => {
        const { crl: _, ...rest } = { crl: 0, certificates: amd.certificates(), at }
        return verifySnpReport(amd.report({ reportData: new Uint8Array(64) }), rest).checks
      },
    },
    'crl-dates': { fail: () => snp({}, { crl: amd.crl(at, { defect: 'stale' }) }), notChecked: rootless },
    'not-revoked': {
      fail: () => snp({}, { crl: amd.crl(at, { defect: 'revoked-authority' }) }),
      notChecked: rootless,
    },
    product: { fail: () => snp({ defect: 'unknown-product' }), notChecked: rootless },
    'signing-key': { fail: () => snp({ defect: 'wrong-key-kind' }), notChecked: rootless },
    'report-signature': { fail: () => snp({ defect: 'tampered-body' }), notChecked: rootless },
    'chip-id': {
      fail: () => snp({ defect: 'other-chip' }),
      notChecked: () => snp({ defect: 'masked-chip-id' }),
    },
    'tcb-match': { fail: () => snp({ defect: 'other-tcb' }), notChecked: rootless },
    'tcb-order': { fail: () => snp({ defect: 'tcb-order' }), notChecked: rootless },
  },
}

// --- collateral by itself ---

const alone = (
  defect?: CollateralDefect,
  change: (one: Collateral) => Partial<Collateral> = () => ({}),
  options: object = roots,
) => {
  const one = simulator.collateral(at, defect === undefined ? {} : { defect })
  return verifyCollateral({ ...one, ...change(one) }, { at, ...options }).checks
}
/** The last byte of a signer's certificate belongs to its signature. */
const forgedSigner = (one: Collateral): Partial<Collateral> => {
  const [signer, root] = parsePemCertificates(one.tcbInfoIssuerChain)
  if (signer === undefined || root === undefined) throw new Error('a chain of two is expected')
  signer[signer.length - 1] = (signer[signer.length - 1] ?? 0) ^ 1
  return { tcbInfoIssuerChain: formatPemCertificates([signer, root]) }
}
const collaterals: Verifier = {
  titles: collateralCheckTitles,
  good: () => alone(),
  rows: {
    'root-trusted': { fail: () => alone(undefined, undefined, {}), notChecked: own },
    chains: { fail: () => alone(undefined, forgedSigner), notChecked: own },
    lists: { fail: () => alone('revoked-tcb-signing'), notChecked: () => alone(undefined, forgedSigner) },
    signatures: { fail: () => alone('tampered-tcb-info'), notChecked: () => alone(undefined, forgedSigner) },
    names: {
      fail: () => alone(undefined, (one) => ({ tcbInfoIssuerChain: one.pckCrlIssuerChain })),
      notChecked: own,
    },
    pair: {
      fail: () =>
        alone(undefined, ({ qeIdentity }) => ({ qeIdentity: qeIdentity.replace('"TD_QE"', '"QE"') })),
      notChecked: own,
    },
    current: { fail: () => alone('stale'), notChecked: own },
  },
}

// --- node evidence ---

const nonce = `0x${'5a'.repeat(32)}` as const
const node = (change: object = {}, options: object = {}) =>
  verifyNodeEvidence({ evidence: { ...evidence, ...change }, policy: trust, at, ...options }).checks
const crlf = {
  ...evidence.collateral,
  tcbInfoIssuerChain: evidence.collateral.tcbInfoIssuerChain.replaceAll('\n', '\r\n'),
}
const nodes: Verifier = {
  titles: { ...evidenceCheckTitles, nonce: 'The evidence was made for the nonce that was asked' },
  good: () => node({}, { nonce: evidence.nonce }),
  rows: {
    'collateral-form': { fail: () => node({ collateral: crlf }), notChecked: own },
    'key-set': { fail: () => node({ nonce }), notChecked: own },
    'simulated-flag': { fail: () => node({ simulated: false }), notChecked: own },
    'attestation-policy': {
      fail: () => node({}, { policy: { ...trust, measurements: [] } }),
      notChecked: own,
    },
    nonce: { fail: () => node({}, { nonce }), notChecked: () => node({ nonce }, { nonce }) },
  },
}

// --- receipts ---

const whole = bundle()
const receipt = (change: Partial<VerifyReceiptOptions> = {}) => verifyReceipt({ ...whole, ...change }).checks
const without = (...names: (keyof VerifyReceiptOptions)[]) => {
  const rest = Object.fromEntries(
    Object.entries(whole).filter(([name]) => !names.some((one) => one === name)),
  )
  return verifyReceipt(rest as unknown as VerifyReceiptOptions).checks
}
type Body = Parameters<NonNullable<Parameters<typeof bundle>[0]>>[0]
const body = (change: (body: Body) => void, kind?: 'query' | 'compute') => {
  const changed = bundle((one) => {
    const copy = structuredClone(one)
    change(copy)
    return copy
  }, kind)
  return verifyReceipt(changed).checks
}
const formless = () => receipt({ receipt: {} })
const other = digestOf('another')
const firstPool = (one: Body) => {
  const [pool] = one.pools
  if (pool === undefined || pool.budget === null) throw new Error('the fixture has a pool with a budget')
  return { pool, budget: pool.budget }
}
const receipts: Verifier = {
  titles: receiptCheckTitles,
  good: () => receipt(),
  rows: {
    'receipt-form': { fail: formless, notChecked: asked },
    outcome: {
      fail: () =>
        body((one) => {
          one.result = null
        }),
      notChecked: formless,
    },
    evidence: { fail: () => receipt({ evidence: {} }), notChecked: () => without('evidence') },
    trust: {
      fail: () => receipt({ trust: { ...trust, measurements: [] } }),
      notChecked: () => without('evidence'),
    },
    'key-set': {
      fail: () => receipt({ evidence: { ...evidence, nonce } }),
      notChecked: () => without('evidence'),
    },
    'receipt-key-set': {
      fail: () =>
        body((one) => {
          one.keySet = other
        }),
      notChecked: formless,
    },
    'receipt-quote': {
      fail: () =>
        body((one) => {
          one.quote = other
        }),
      notChecked: formless,
    },
    signature: {
      fail: () => {
        const stranger = new Uint8Array(32).fill(3)
        const { body: signed } = (whole.receipt as unknown as { statement: { body: Body } }).statement
        return receipt({ receipt: signReceipt(signed, stranger) })
      },
      notChecked: formless,
    },
    context: {
      fail: () => receipt({ deployment: { ...whole.deployment, chainId: 5 } }),
      notChecked: () => without('deployment'),
    },
    issued: { fail: () => receipt({ at: new Date('2026-11-20T10:00:00Z') }), notChecked: formless },
    simulated: {
      fail: () =>
        body((one) => {
          one.simulated = false
        }),
      notChecked: formless,
    },
    policies: {
      fail: () =>
        body((one) => {
          firstPool(one).pool.policy = other
        }),
      notChecked: () => receipt({ policies: [] }),
    },
    'pool-trust': {
      fail: 'Its own test in receipt/verify.test.ts changes a pool’s policy.',
      notChecked: () => receipt({ policies: [] }),
    },
    access: {
      fail: () =>
        body((one) => {
          firstPool(one).pool.access = {
            block: '1',
            hash: `0x${'00'.repeat(32)}`,
            conditions: [{ rules: other, verdict: 'no' }],
          }
        }),
      notChecked: () => receipt({ policies: [] }),
    },
    manifest: {
      fail: () =>
        body((one) => {
          one.job.manifest = other
        }),
      notChecked: () => without('manifest'),
    },
    views: {
      fail: () =>
        body((one) => {
          if (one.result !== null)
            one.result.views = [{ recipient: one.job.consumer, view: { kind: 'whole' }, sealed: other }]
        }),
      notChecked: () => without('manifest'),
    },
    plan: {
      fail: () =>
        body((one) => {
          one.plan = other
        }),
      notChecked: () => without('plan'),
    },
    code: {
      fail: () =>
        body((one) => {
          one.code = other
        }),
      notChecked: formless,
    },
    verdicts: {
      fail: () =>
        body((one) => {
          firstPool(one).pool.verdicts = other
        }),
      notChecked: () => without('verdicts'),
    },
    budget: {
      fail: () =>
        body((one) => {
          firstPool(one).budget.after.epsilonSpent = '2.26'
        }),
      notChecked: () => receipt({ policies: [] }),
    },
    charge: {
      fail: () =>
        body((one) => {
          firstPool(one).budget.charged.epsilon = '0.5'
        }),
      notChecked: () => without('plan'),
    },
    result: {
      fail: () => receipt({ result: new Uint8Array([1]) }),
      notChecked: () => without('result'),
    },
    keys: {
      fail: () =>
        body((one) => {
          one.destroyedKeys = []
        }),
      notChecked: formless,
    },
    'sealed-result': {
      fail: () => receipt({ sealedResult: new Uint8Array([1]) }),
      notChecked: () => without('sealedResult'),
    },
  },
}

// --- the log ---

const logSecret = new Uint8Array(32).fill(1)
const logKey = noteKey('log.example', ed25519.getPublicKey(logSecret))
const entry = Uint8Array.of(1, 2, 3)
const checkpoint = (secret = logSecret) => {
  const text = formatCheckpoint({
    origin: 'log.example',
    size: 1,
    root: treeRoot([leafHash(entry)]),
    extensions: [],
  })
  return formatNote({ text, signatures: [signNote(text, 'log.example', secret)] })
}
const logged = (change: object = {}) =>
  verifyLogged({
    entry,
    index: 0,
    proof: [],
    checkpoint: checkpoint(),
    trust: { log: logKey, witnesses: [], quorum: 0 },
    at,
    ...change,
  }).checks
const unsigned = () => logged({ checkpoint: checkpoint(new Uint8Array(32).fill(2)) })
const logs: Verifier = {
  titles: logCheckTitles,
  good: () => logged(),
  rows: {
    checkpoint: { fail: unsigned, notChecked: own },
    witnesses: {
      fail: () => logged({ trust: { log: logKey, witnesses: [], quorum: 1 } }),
      notChecked: unsigned,
    },
    inclusion: { fail: () => logged({ entry: Uint8Array.of(9) }), notChecked: unsigned },
  },
}

// --- event logs ---

const runtimeType = 0x08000001
const utf8 = (text: string) => new TextEncoder().encode(text)
const runtime = (name: string, payload = '') => {
  const prefix = Uint8Array.of(1, 0, 0, 8)
  const text = utf8(`:${name}:`)
  const bytes = new Uint8Array([...prefix, ...text, ...hexToBytes(payload)])
  return {
    imr: 3,
    event_type: runtimeType,
    digest: bytesToHex(sha384(bytes)),
    event: name,
    event_payload: payload,
  }
}
const compose = '{"name":"app"}'
const composeDigest = digestOf({ name: 'app' }).slice(7)
const boot = [
  runtime('app-id', '00'.repeat(20)),
  runtime('compose-hash', composeDigest),
  runtime('system-ready'),
]
const early = [0, 1, 2].map((imr) => ({
  imr,
  event_type: 4,
  digest: bytesToHex(sha384(Uint8Array.of(imr))),
  event: '',
  event_payload: '',
}))
const registersOf = (log: readonly { imr: number; digest: string }[]) =>
  [0, 1, 2, 3].map((imr) =>
    encodeHex(replayRegister(log.filter((one) => one.imr === imr).map(({ digest }) => hexToBytes(digest)))),
  ) as [`0x${string}`, `0x${string}`, `0x${string}`, `0x${string}`]
const zero = `0x${'00'.repeat(48)}` as const
const dstack = (log: readonly object[] = [...early, ...boot], change: object = {}) =>
  verifyDstackEventLog({
    eventLog: log,
    claims: { rtmrs: registersOf(log as Parameters<typeof registersOf>[0]) },
    compose,
    ...change,
  }).checks
const otherRegister = (index: number) => () => {
  const rtmrs = registersOf([...early, ...boot])
  rtmrs[index] = zero
  return dstack(undefined, { claims: { rtmrs } })
}
const dstackLogs: Verifier = {
  titles: dstackCheckTitles,
  good: () => dstack(),
  rows: {
    rtmr0: { fail: otherRegister(0), notChecked: own },
    rtmr1: { fail: otherRegister(1), notChecked: own },
    rtmr2: { fail: otherRegister(2), notChecked: own },
    rtmr3: { fail: otherRegister(3), notChecked: own },
    'event-digests': {
      fail: () =>
        dstack([...early, ...boot.map((one) => ({ ...one, event_payload: `${one.event_payload}00` }))]),
      notChecked: own,
    },
    'boot-order': { fail: () => dstack([...early, ...[...boot].reverse()]), notChecked: own },
    'compose-hash': {
      fail: () => dstack(undefined, { compose: '{}' }),
      notChecked: () => {
        const log = [...early, ...boot]
        return verifyDstackEventLog({ eventLog: log, claims: { rtmrs: registersOf(log) } }).checks
      },
    },
  },
}

const one = encodeHex(replayRegister([sha384(separatorData)]))
const firmware = (log = firmwareLog(), rtmrs: readonly `0x${string}`[] = [one, one, one, zero]) => {
  const [a = zero, b = zero, c = zero, d = zero] = rtmrs
  return verifyFirmwareEventLog(log, { rtmrs: [a, b, c, d] }).checks
}
const firmwareLogs: Verifier = {
  titles: firmwareCheckTitles,
  good: () => firmware(),
  rows: {
    rtmr0: { fail: () => firmware(undefined, [zero, one, one, zero]), notChecked: own },
    rtmr1: { fail: () => firmware(undefined, [one, zero, one, zero]), notChecked: own },
    rtmr2: { fail: () => firmware(undefined, [one, one, zero, zero]), notChecked: own },
    rtmr3: {
      fail: () => firmware(firmwareLog(firmwareEvent(4, eventType.action, separatorData))),
      notChecked: () => firmware(undefined, [one, one, one, one]),
    },
    registers: {
      fail: () => firmware(firmwareLog(firmwareEvent(0, eventType.action, separatorData))),
      notChecked: own,
    },
    separators: {
      fail: () => firmware(firmwareLog(firmwareEvent(1, eventType.separator, separatorData))),
      notChecked: own,
    },
  },
}

const synthetic: Readonly<Record<string, Verifier>> = {
  verifyQuote: quotes,
  verifySnpReport: reports,
  verifyCollateral: collaterals,
  verifyNodeEvidence: nodes,
  verifyReceipt: receipts,
  verifyLogged: logs,
  verifyDstackEventLog: dstackLogs,
  verifyFirmwareEventLog: firmwareLogs,
}

for (const [name, verifier] of Object.entries(synthetic)) checkTable(name, verifier)

// Tables of the other verifiers: dstack/measurement-document.test.ts, nitro/verify.test.ts, nvidia/verify.test.ts, and
// every-platform-check.test.ts (Azure, certificates and containers of dstack, tokens of NVIDIA).
