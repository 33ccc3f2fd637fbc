import { digestOf, encodeBase64Url, encodeHex, type JsonObject, sha256Digest } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { formatPemCertificates } from '../encoding/pem.js'
import type { SnpNodeEvidence } from '../evidence/node-evidence.js'
import { nodeReportData, zeroNonce } from '../evidence/report-data.js'
import { appraise } from '../policy/appraise.js'
import type { AttestationPolicy } from '../policy/policy.js'
import { type AmdSimulator, createAmdSimulator } from '../simulator/index.js'
import {
  at,
  bundle,
  jobParts,
  keySet,
  poolPolicy,
  seededRandom,
  signReceipt,
  trust,
} from '../testing/fixture.js'
import { verifyNodeEvidence, verifyReceipt } from '../with-platform.js'
import type { ReceiptBody } from './receipt.js'
import { receiptCheckTitles, type VerifyReceiptOptions } from './verify.js'

// The whole chain of a node in an SEV-SNP guest: report -> key set -> signed receipt -> policies, plan, verdicts -> result.

const measurement = new Uint8Array(48).fill(7)

/** A job's leftovers, done by a node on a simulated platform, with changes where they are wanted. */
function chain(
  amd: AmdSimulator,
  change: {
    readonly report?: object
    readonly policy?: Partial<AttestationPolicy>
    readonly poolPolicy?: Partial<AttestationPolicy>
    readonly crl?: Parameters<AmdSimulator['crl']>[1]
    readonly body?: Partial<ReceiptBody>
    readonly signedBy?: Uint8Array
  } = {},
): VerifyReceiptOptions {
  const report = amd.report({ reportData: nodeReportData(keySet), measurement, ...change.report })
  const evidence: SnpNodeEvidence = {
    format: 'sealpool/node-evidence',
    version: 1,
    tee: 'sev-snp',
    quote: encodeBase64Url(report),
    collateral: {
      certificates: formatPemCertificates(amd.certificates()),
      crl: encodeHex(amd.crl(at, change.crl)),
    },
    keySet,
    nonce: zeroNonce,
    simulated: true,
  }
  const withoutFmc = { bootloader: 0, tee: 0, snp: 0, microcode: 0 }
  const tcb = { fmc: 0, ...withoutFmc }
  const allowing: AttestationPolicy = {
    ...trust,
    roots: [amd.rootDigest],
    measurements: [{ name: 'image', measurement: encodeHex(measurement) }],
    snp: {
      products: ['Milan', 'Genoa', 'Turin'],
      minimumTcb: { Turin: tcb, Genoa: withoutFmc, Milan: withoutFmc },
    },
  }
  const { policies: _, body, ...parts } = jobParts()
  const policies = body.pools.map(({ name }) => poolPolicy(name, { ...allowing, ...change.poolPolicy }))
  const receipt = signReceipt(
    {
      ...body,
      pools: body.pools.map((pool, i) => ({ ...pool, policy: digestOf(policies[i] as JsonObject) })),
      quote: sha256Digest(report),
      ...change.body,
    },
    change.signedBy,
  )
  const { deployment } = bundle()
  return { ...parts, policies, receipt, evidence, deployment, trust: { ...allowing, ...change.policy }, at }
}

describe.each([
  ['Milan', 'vcek'],
  ['Genoa', 'vcek'],
  ['Turin', 'vcek'],
  ['Turin', 'vlek'],
] as const)('a receipt of a node in an SEV-SNP guest, %s, %s', (product, key) => {
  const amd = createAmdSimulator({ random: seededRandom(`${product} ${key}`), at, product, key })
  const failing = (options: VerifyReceiptOptions) => {
    const verdict = verifyReceipt(options)
    expect(verdict.ok).toBe(false)
    return verdict.checks.filter(({ result }) => result === 'fail').map(({ id }) => id)
  }

  it('is followed from the report to the result, every link, and says SIMULATED', () => {
    const verdict = verifyReceipt(chain(amd))
    expect(verdict.checks.filter(({ result }) => result !== 'pass')).toEqual([])
    expect(verdict.checks.map(({ id }) => id)).toEqual(Object.keys(receiptCheckTitles))
    expect([verdict.ok, verdict.simulated, verdict.evidence?.verdict.tee]).toEqual([true, true, 'sev-snp'])
  })

  it.each<[string, Parameters<typeof chain>[1], string[]]>([
    ['report for other keys', { report: { reportData: new Uint8Array(64) } }, ['key-set']],
    ['code that nobody allows', { report: { measurement: new Uint8Array(48) } }, ['trust', 'pool-trust']],
    ['guest under debug', { report: { defect: 'debug' } }, ['trust', 'pool-trust']],
    ['receipt that names another report', { body: { quote: digestOf('other') } }, ['receipt-quote']],
    ['receipt that names other keys', { body: { keySet: digestOf('other') } }, ['receipt-key-set']],
    ['receipt of another key', { signedBy: new Uint8Array(32).fill(9) }, ['signature']],
    ['receipt that says hardware', { body: { simulated: false } }, ['simulated']],
    ['verifier that trusts AMD only', { policy: { roots: ['amd'] } }, ['evidence', 'trust']],
    ['verifier that asks for a newer TCB', { policy: { snp: { minimumTcb: {} } } }, ['trust']],
    ['pool that asks for a newer TCB', { poolPolicy: { snp: { minimumTcb: {} } } }, ['pool-trust']],
    ['authority that was revoked', { crl: { defect: 'revoked-authority' } }, ['evidence', 'trust']],
    [
      'result that is another',
      { body: { result: { digest: digestOf('x'), sealed: digestOf('y'), mediaType: 'a/b' } } },
      ['result', 'sealed-result'],
    ],
  ])('is not ok for a %s', (_, change, ids) => {
    expect(failing(chain(amd, change))).toEqual(expect.arrayContaining(ids))
  })

  it.each<[string, readonly [number, number, number]]>([
    ['Milan', [0x19, 0x01, 1]],
    ['Genoa', [0x19, 0x11, 1]],
    ['Bergamo-Siena', [0x19, 0xa0, 2]],
    ['Turin', [0x1a, 0x02, 1]],
    ['nothing that is known', [0x17, 0x31, 0]],
  ])('is not ok, and no error, when the report was made one of %s', (_, cpuid) => {
    const whole = chain(amd)
    const evidence = whole.evidence as SnpNodeEvidence
    const bytes = Buffer.from(evidence.quote, 'base64url')
    bytes.set(cpuid, 0x188)
    // Of another stepping at least.
    bytes.writeUInt8((bytes[0x18a] ?? 0) ^ 0x80, 0x18a)
    const forged = { ...evidence, quote: bytes.toString('base64url') }
    expect(failing({ ...whole, evidence: forged })).toEqual(expect.arrayContaining(['evidence']))
    const { verdict, appraisal } = verifyNodeEvidence({ evidence: forged, policy: whole.trust, at })
    expect([verdict.ok, appraisal.answer]).toEqual([false, 'false'])
    expect(appraise(verdict, whole.trust).answer).toBe('false')
  })

  it('is not ok when any byte of the report was changed (a stride of them)', () => {
    const whole = chain(amd)
    const evidence = whole.evidence as SnpNodeEvidence
    const bytes = Buffer.from(evidence.quote, 'base64url')
    for (let at = 3; at < bytes.length; at += 97) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      const quote = changed.toString('base64url')
      expect([at, verifyReceipt({ ...whole, evidence: { ...evidence, quote } }).ok]).toEqual([at, false])
    }
  })
})
