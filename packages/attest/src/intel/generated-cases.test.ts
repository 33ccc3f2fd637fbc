import { createRequire } from 'node:module'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type GeneratedCase,
  type GeneratedIsvLevel,
  generatedAt,
  generatedChain,
  generatedRoot,
  plainCase,
  writeGeneratedCollateral,
  writeGeneratedQuote,
} from '../testing/generated-platform.js'
import { prepareCollateral, verifyQuote } from '../with-platform.js'
import type { Collateral } from './collateral.js'

// Whole cases that no public sample has: random platforms under a test root, judged by an oracle that is written from the steps of
// Intel's library (shared/reference/attestation.md, 7.1) and shares no code with the verifier, and by another verifier where
// its rules are Intel's.

const statuses = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const
type Status = (typeof statuses)[number]

interface Judged {
  readonly status: string
  readonly advisories: readonly string[]
  readonly date: string | null
}
const unsupported: Judged = { status: 'TCB_NOT_SUPPORTED', advisories: [], date: null }

/** Steps 6 to 8 and 10 for one TEE_TCB_SVN. */
function judgeOnce(one: GeneratedCase, svn: readonly number[]): Judged | undefined {
  const tdx = one.bodyType !== 1
  const sorted = [...one.levels].sort((a, b) => {
    const [x, y] = [
      [...a.sgx, ...(tdx ? a.tdx : []), a.pceSvn],
      [...b.sgx, ...(tdx ? b.tdx : []), b.pceSvn],
    ]
    const at = x.findIndex((value, i) => value !== y[i])
    return at < 0 ? 0 : (y[at] ?? 0) - (x[at] ?? 0)
  })
  const from = (svn[1] ?? 0) > 0 ? 2 : 0
  const reaches = (has: readonly number[], needs: readonly number[], start: number) =>
    needs.slice(start).every((need, i) => (has[i + start] ?? 0) >= need)
  const level = sorted.find(
    (candidate) =>
      reaches(one.sgx, candidate.sgx, 0) &&
      one.pceSvn >= candidate.pceSvn &&
      (!tdx || reaches(svn, candidate.tdx, from)),
  )
  const isv = (levels: readonly GeneratedIsvLevel[], has: number) =>
    [...levels].sort((a, b) => b.isvSvn - a.isvSvn).find(({ isvSvn }) => isvSvn <= has)
  const qe = isv(one.qe, one.qeIsvSvn)
  const parts = [qe]
  if (tdx && from === 2)
    parts.push(isv(one.modules.find(({ major }) => major === svn[1])?.levels ?? [], svn[0] ?? 0))
  if (level === undefined || parts.includes(undefined)) return undefined
  const known = parts.filter((part) => part !== undefined)
  // Statuses that Intel's library does not take from an identity (EvaluateTcb.cpp).
  const [enclave, module] = known
  if (enclave?.status.includes('SWHardening')) return undefined
  if (module !== undefined && !['UpToDate', 'OutOfDate', 'Revoked'].includes(module.status)) return undefined
  let status: Status = level.status
  if (known.some((part) => part.status === 'Revoked')) status = 'Revoked'
  else if (status !== 'Revoked' && known.some((part) => part.status === 'OutOfDate')) {
    if (status === 'UpToDate' || status === 'SWHardeningNeeded') status = 'OutOfDate'
    if (status === 'ConfigurationNeeded' || status === 'ConfigurationAndSWHardeningNeeded')
      status = 'OutOfDateConfigurationNeeded'
  }
  const all = [level, ...known]
  return {
    status,
    advisories: [...new Set(all.flatMap(({ advisories }) => advisories))].sort(),
    date: all.map(({ date }) => date).sort()[0] ?? null,
  }
}

/** Step 9 on top: what a relaunch would mend. */
function judge(one: GeneratedCase): Judged {
  const launch = judgeOnce(one, one.teeTcbSvn)
  if (launch === undefined) return unsupported
  if (one.bodyType < 3) return launch
  const current = judgeOnce(one, one.teeTcbSvn2)
  if (current === undefined) return unsupported
  const behind = launch.status.startsWith('OutOfDate')
  const good = ['UpToDate', 'SWHardeningNeeded', 'ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded']
  if (!behind || !good.includes(current.status)) return launch
  const configuration = [launch.status, current.status].some((status) => status.includes('Configuration'))
  return {
    ...launch,
    status: configuration ? 'TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED' : 'TD_RELAUNCH_ADVISED',
  }
}

const svn = fc.constantFrom(0, 0, 1, 2, 3)
const sixteen = fc.array(fc.constantFrom(1, 2, 3, 3, 3), { minLength: 16, maxLength: 16 })
/** Levels that random platforms do reach now and then: few components differ from zero. */
const few = fc.tuple(svn, svn, svn).map(([a, b, c]) => [a, 0, b, 0, 0, c, ...new Array<number>(10).fill(0)])
const status = fc.constantFrom(...statuses)
const date = fc.constantFrom('2023-08-09T00:00:00Z', '2024-03-13T00:00:00Z', '2025-05-14T00:00:00Z')
const advisories = fc.subarray(['INTEL-SA-00615', 'INTEL-SA-00837', 'INTEL-SA-01192'])
const isvLevel = fc.record({
  isvSvn: fc.constantFrom(0, 2, 4, 6),
  status: fc.constantFrom<Status>('UpToDate', 'UpToDate', 'OutOfDate', 'ConfigurationNeeded', 'Revoked'),
  date,
  advisories,
})
const isvLevels = fc.uniqueArray(isvLevel, { minLength: 1, maxLength: 3, selector: ({ isvSvn }) => isvSvn })
const tee = fc
  .tuple(fc.constantFrom(5, 6, 3, 0), fc.constantFrom(0, 0, 1, 1, 3, 11), svn)
  .map(([minor, major, microcode]) => [minor, major, microcode, ...new Array<number>(13).fill(0)])
const shape = fc.constantFrom<Pick<GeneratedCase, 'version' | 'bodyType' | 'infoVersion'>>(
  { version: 3, bodyType: 1, infoVersion: 2 },
  { version: 3, bodyType: 1, infoVersion: 3 },
  { version: 5, bodyType: 1, infoVersion: 3 },
  { version: 4, bodyType: 1, infoVersion: 3 },
  { version: 4, bodyType: 2, infoVersion: 3 },
  { version: 5, bodyType: 2, infoVersion: 3 },
  { version: 5, bodyType: 3, infoVersion: 3 },
  { version: 5, bodyType: 4, infoVersion: 3 },
)
const level = fc.record({
  sgx: few,
  tdx: few,
  pceSvn: fc.integer({ min: 0, max: 12 }),
  status,
  date,
  advisories,
})
const generated: fc.Arbitrary<GeneratedCase> = fc
  .record({
    shape,
    authority: fc.constantFrom('Platform' as const, 'Processor' as const),
    sgx: sixteen,
    pceSvn: fc.constantFrom(4, 8, 11, 13),
    teeTcbSvn: tee,
    teeTcbSvn2: tee,
    qeIsvSvn: fc.constantFrom(1, 4, 6, 8),
    // Two levels with the same numbers and other statuses have no order that anything defines.
    levels: fc.uniqueArray(level, { minLength: 1, maxLength: 5, selector: ({ sgx }) => JSON.stringify(sgx) }),
    qe: isvLevels,
    modules: fc.uniqueArray(fc.record({ major: fc.constantFrom(1, 3, 11), levels: isvLevels }), {
      minLength: 2,
      maxLength: 3,
      selector: ({ major }) => major,
    }),
    certification: fc.constantFrom(
      'chain' as const,
      'chain-reversed' as const,
      'chain-terminated' as const,
      'ppid' as const,
    ),
    authenticationLength: fc.constantFrom(0, 20, 32, 1000),
    padding: fc.constantFrom(0, 1, 3000),
  })
  .map(({ shape: { version, bodyType, infoVersion }, ...rest }) => ({
    version,
    bodyType,
    infoVersion,
    ...rest,
  }))

const trustedRoots = [`sha256:${bytesToHex(sha256(generatedRoot))}`] as const
const ask = (one: GeneratedCase, collateral: Parameters<typeof verifyQuote>[1]['collateral']) =>
  verifyQuote(writeGeneratedQuote(one), {
    collateral,
    at: generatedAt,
    trustedRoots,
    ...(one.certification === 'ppid' ? { pckCertificateChain: generatedChain(one) } : {}),
  })
/** Quotes of a module that no identity describes reach no TCB level. */
const undescribed = (one: GeneratedCase) => {
  const major = one.teeTcbSvn[1] ?? 0
  return one.bodyType !== 1 && major > 0 && !one.modules.some((module) => module.major === major)
}

const numRuns = process.env['SEALPOOL_EXHAUSTIVE'] === undefined ? 120 : 3000

describe('generated cases', () => {
  it('get the answer of an oracle, with plain and with prepared collateral', () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(generated, (one) => {
        const collateral = writeGeneratedCollateral(one)
        const verdict = ask(one, collateral)
        expect(ask(one, prepareCollateral(collateral))).toEqual(verdict)
        const failed = verdict.checks.filter(({ result }) => result !== 'pass').map(({ id }) => id)
        if (undescribed(one)) {
          expect([verdict.ok, failed, verdict.tcbStatus]).toEqual([
            false,
            ['tdx-module', 'tcb-level'],
            'TCB_NOT_SUPPORTED',
          ])
          return
        }
        const expected = judge(one)
        seen.set(expected.status, (seen.get(expected.status) ?? 0) + 1)
        expect({ status: verdict.tcbStatus, advisories: verdict.advisories, date: verdict.tcbDate }).toEqual(
          expected,
        )
        const bad = expected.status === 'TCB_NOT_SUPPORTED' || expected.status === 'Revoked'
        expect([verdict.ok, failed]).toEqual([!bad, bad ? ['tcb-level'] : []])
      }),
      { numRuns, seed: 42 },
    )
    // A run that only ever saw one answer would prove little.
    expect([...seen.keys()].length).toBeGreaterThan(5)
  }, 60_000)
})

describe('a case with one thing that does not fit', () => {
  const good = (major: number): GeneratedCase =>
    plainCase({ teeTcbSvn: [3, major, ...new Array<number>(14).fill(1)] })
  const answer = (one: GeneratedCase) => {
    const { tcbStatus, checks } = ask(one, writeGeneratedCollateral(one))
    return [
      tcbStatus,
      ...checks.filter(({ result }) => result !== 'pass').map(({ id, result }) => `${id} ${result}`),
    ]
  }
  const debug = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)

  // The base module of major version 0, and one that has an identity of its own.
  it.each([0, 1])('has no status when its TDX module (major version %i) is not as described', (major) => {
    expect(answer(good(major))).toEqual(['UpToDate'])
    const different = [null, 'tdx-module fail', 'tcb-level not-checked']
    expect(answer({ ...good(major), described: { mrsigner: '01'.padEnd(96, '0') } })).toEqual(different)
    expect(answer({ ...good(major), described: { attributes: '0100000000000000' } })).toEqual(different)
    expect(answer({ ...good(major), seamAttributes: debug })).toEqual(different)
    // Attributes that the description allows are not zero all the same: a debug module.
    const described = { attributes: '0100000000000000' }
    expect(answer({ ...good(major), seamAttributes: debug, described })).toEqual(different)
    const unmasked = { attributesMask: '0000000000000000' }
    expect(answer({ ...good(major), seamAttributes: debug, described: unmasked })).toEqual(different)
  })

  it('has the status TCB_NOT_SUPPORTED when no module of its major version is described', () => {
    expect(answer(good(2))).toEqual(['TCB_NOT_SUPPORTED', 'tdx-module fail', 'tcb-level fail'])
  })

  it.each(['QE', 'QVE'])('is not read by the identity of %s', (identityId) => {
    const [status, ...failed] = answer({ ...good(1), identityId })
    expect([status, failed[0]]).toEqual([null, 'collateral fail'])
  })
})

interface Peer {
  QuoteVerifier: {
    newWithRootCa(der: Uint8Array): {
      verify(
        quote: Uint8Array,
        collateral: object,
        seconds: number,
      ): { status: string; advisory_ids: string[] }
    }
  }
}
const peer = (() => {
  try {
    return createRequire(import.meta.url)('@phala/dcap-qvl') as Peer
  } catch {
    console.log('skipped: @phala/dcap-qvl is not installed')
    return undefined
  }
})()

function peerCollateral(collateral: Collateral): object {
  const split = (text: string) => {
    const parts = /^\{"[a-zA-Z]+":(\{.*\}),"signature":"([0-9a-f]+)"\}$/s.exec(text)
    return [parts?.[1] ?? '', parts?.[2] ?? '']
  }
  const [[tcb_info, tcb_info_signature], [qe_identity, qe_identity_signature]] = [
    split(collateral.tcbInfo),
    split(collateral.qeIdentity),
  ]
  return {
    tcb_info,
    tcb_info_signature,
    qe_identity,
    qe_identity_signature,
    tcb_info_issuer_chain: collateral.tcbInfoIssuerChain,
    qe_identity_issuer_chain: collateral.qeIdentityIssuerChain,
    pck_crl_issuer_chain: collateral.pckCrlIssuerChain,
    root_ca_crl: collateral.rootCaCrl.slice(2),
    pck_crl: collateral.pckCrl.slice(2),
  }
}

describe.skipIf(peer === undefined)('@phala/dcap-qvl 0.3.9', () => {
  // Where its rules are Intel's: TCB info version 3, no TDX 1.5 module (it compares components from index 0 and knows neither
  // modules nor relaunch), levels in Intel's order (it does not sort), a QE that changes nothing by more than severity.
  const comparable = generated
    .filter(({ infoVersion, bodyType }) => infoVersion === 3 && bodyType <= 2)
    .map((one) => ({
      ...one,
      certification: 'chain' as const,
      authenticationLength: 32,
      version: one.bodyType === 1 ? (3 as const) : one.version,
      teeTcbSvn: one.teeTcbSvn.map((value, i) => (i === 1 ? 0 : value)),
      levels: [...one.levels].sort((a, b) => (levelOrder(a) < levelOrder(b) ? 1 : -1)),
      qe: [...one.qe]
        .sort((a, b) => b.isvSvn - a.isvSvn)
        .map((part) => ({
          ...part,
          status: part.status === 'Revoked' ? part.status : ('UpToDate' as const),
        })),
    }))
  const levelOrder = ({ sgx, tdx, pceSvn }: GeneratedCase['levels'][number]) =>
    [...sgx, ...tdx, pceSvn].map((value) => String.fromCharCode(65 + value)).join('')

  it('agrees on every generated case that it judges by the same rules', () => {
    const count = { agree: 0, refused: 0 }
    fc.assert(
      fc.property(comparable, (one) => {
        const collateral = writeGeneratedCollateral(one)
        const verdict = ask(one, collateral)
        let answer: { status: string; advisory_ids: string[] } | undefined
        try {
          answer = peer?.QuoteVerifier.newWithRootCa(Buffer.from(generatedRoot)).verify(
            writeGeneratedQuote(one),
            peerCollateral(collateral),
            generatedAt.getTime() / 1000,
          )
        } catch {
          answer = undefined
        }
        if (answer === undefined) {
          count.refused += 1
          expect(verdict.ok).toBe(false)
          return
        }
        count.agree += 1
        expect([verdict.tcbStatus, verdict.advisories]).toEqual([
          answer.status,
          [...answer.advisory_ids].sort(),
        ])
      }),
      { numRuns, seed: 7 },
    )
    expect(count.agree).toBeGreaterThan(20)
    expect(count.refused).toBeGreaterThan(5)
  }, 60_000)
})
