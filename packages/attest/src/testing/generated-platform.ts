import { p256 } from '@noble/curves/nist.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { formatPemCertificates } from '../encoding/pem.js'
import { intelNames } from '../intel/certificates.js'
import type { Collateral } from '../intel/collateral.js'
import { intelQeVendorId } from '../intel/quote.js'
import type { TcbStatus } from '../intel/tcb-status.js'
import {
  makeCertificate,
  makeRevocationList,
  publicKeyOf,
  sgxExtension,
  sign,
  signedResponse,
} from '../simulator/test-pki.js'

/** A TCB level of a generated document. */
export interface GeneratedLevel {
  readonly sgx: readonly number[]
  readonly tdx: readonly number[]
  readonly pceSvn: number
  readonly status: TcbStatus
  readonly date: string
  readonly advisories: readonly string[]
}

/** A TCB level of an enclave or module. */
export interface GeneratedIsvLevel {
  readonly isvSvn: number
  readonly status: TcbStatus
  readonly date: string
  readonly advisories: readonly string[]
}

/** One question to a verifier, as numbers: what the oracle reads, and from which bytes are made. */
export interface GeneratedCase {
  readonly version: 3 | 4 | 5
  readonly bodyType: 1 | 2 | 3 | 4
  readonly infoVersion: 2 | 3
  readonly authority: 'Platform' | 'Processor'
  readonly sgx: readonly number[]
  readonly pceSvn: number
  readonly teeTcbSvn: readonly number[]
  readonly teeTcbSvn2: readonly number[]
  readonly qeIsvSvn: number
  readonly levels: readonly GeneratedLevel[]
  readonly qe: readonly GeneratedIsvLevel[]
  readonly modules: readonly { readonly major: number; readonly levels: readonly GeneratedIsvLevel[] }[]
  readonly certification: 'chain' | 'chain-reversed' | 'chain-terminated' | 'ppid'
  readonly authenticationLength: number
  readonly padding: number
  /** What the TCB info says of every module, where it is not what the quote's module is. */
  readonly described?: {
    readonly mrsigner?: string
    readonly attributes?: string
    readonly attributesMask?: string
  }
  /** SEAMATTRIBUTES of the quote's module, 8 bytes; zero when absent. */
  readonly seamAttributes?: Uint8Array
  /** Which enclave the identity is of, when it is not the one for this kind of quote. */
  readonly identityId?: string
}

/** A TDX case of version 4 whose status is UpToDate, with what is to be different. */
export function plainCase(change: Partial<GeneratedCase> = {}): GeneratedCase {
  const level = { status: 'UpToDate' as const, date: '2025-05-14T00:00:00Z', advisories: [] }
  const svns = (svn: number) => new Array<number>(16).fill(svn)
  return {
    version: 4,
    bodyType: 2,
    infoVersion: 3,
    authority: 'Platform',
    sgx: svns(1),
    pceSvn: 1,
    teeTcbSvn: svns(1),
    teeTcbSvn2: [],
    qeIsvSvn: 1,
    levels: [{ sgx: svns(0), tdx: svns(0), pceSvn: 0, ...level }],
    qe: [{ isvSvn: 0, ...level }],
    modules: [{ major: 1, levels: [{ isvSvn: 0, ...level }] }],
    certification: 'chain',
    authenticationLength: 32,
    padding: 0,
    ...change,
  }
}

/** A moment at which everything generated is current. */
export const generatedAt: Date = new Date('2026-11-20T12:00:00Z')
const now = generatedAt.getTime() / 1000
const day = 86_400
const fmspc = '00a06d080000'
const pceId = '0000'
const mrSigner = new Uint8Array(32).fill(0x5e)

const u16 = (value: number) => Uint8Array.of(value & 255, value >> 8)
const u32 = (value: number) => concatBytes(u16(value & 0xffff), u16(value >>> 16))
const keyOf = (name: string) =>
  p256.utils.randomSecretKey(concatBytes(sha256(new TextEncoder().encode(name)), new Uint8Array(16)))
const keys = {
  root: keyOf('root'),
  authority: keyOf('authority'),
  pck: keyOf('pck'),
  tcbSigning: keyOf('tcb signing'),
  attestation: keyOf('attestation'),
}
const issuers = {
  root: { commonName: 'Intel SGX Root CA', privateKey: keys.root },
  Platform: { commonName: intelNames.authorities[0], privateKey: keys.authority },
  Processor: { commonName: intelNames.authorities[1], privateKey: keys.authority },
}
const dates = { notBefore: now - 100 * day, notAfter: now + 3650 * day }

/** A root that bears Intel's name and is not Intel's. */
export const generatedRoot: Uint8Array = makeCertificate({
  ...dates,
  commonName: issuers.root.commonName,
  publicKey: publicKeyOf(keys.root),
  issuer: issuers.root,
  authority: { pathLength: 1 },
})
const tcbSigning = makeCertificate({
  ...dates,
  commonName: intelNames.tcbSigning,
  publicKey: publicKeyOf(keys.tcbSigning),
  issuer: issuers.root,
})
const authorities = {
  Platform: makeAuthority('Platform'),
  Processor: makeAuthority('Processor'),
}
function makeAuthority(which: 'Platform' | 'Processor') {
  return makeCertificate({
    ...dates,
    commonName: issuers[which].commonName,
    publicKey: publicKeyOf(keys.authority),
    issuer: issuers.root,
    authority: { pathLength: 0 },
  })
}
const window = { thisUpdate: now - day, nextUpdate: now + 29 * day }
const rootCrl = makeRevocationList({ ...window, issuer: issuers.root, revoked: [] })
const pckCrls = {
  Platform: makeRevocationList({
    ...window,
    issuer: issuers.Platform,
    revoked: [new Uint8Array(20).fill(7)],
  }),
  Processor: makeRevocationList({ ...window, issuer: issuers.Processor, revoked: [] }),
}

const isvLevels = (levels: readonly GeneratedIsvLevel[]) =>
  levels.map(({ isvSvn, status, date, advisories }) => ({
    tcb: { isvsvn: isvSvn },
    tcbDate: date,
    tcbStatus: status,
    advisoryIDs: advisories,
  }))
const common = {
  issueDate: '2026-11-19T12:00:00Z',
  nextUpdate: '2026-12-19T12:00:00Z',
  tcbEvaluationDataNumber: 20,
}
const moduleFields = { mrsigner: '0'.repeat(96), attributes: '0'.repeat(16), attributesMask: 'F'.repeat(16) }

function writeTcbInfo(one: GeneratedCase): string {
  const isTdx = one.bodyType !== 1
  const components = (svns: readonly number[]) => svns.map((svn) => ({ svn }))
  const flat = (svns: readonly number[]) =>
    Object.fromEntries(svns.map((svn, i) => [`sgxtcbcomp${String(i + 1).padStart(2, '0')}svn`, svn]))
  const value = {
    ...(one.infoVersion === 2 ? {} : { id: isTdx ? 'TDX' : 'SGX' }),
    version: one.infoVersion,
    ...common,
    fmspc: fmspc.toUpperCase(),
    pceId,
    tcbType: 0,
    ...(isTdx
      ? {
          tdxModule: { ...moduleFields, ...one.described },
          tdxModuleIdentities: one.modules.map(({ major, levels }) => ({
            id: `TDX_${major.toString(16).toUpperCase().padStart(2, '0')}`,
            ...moduleFields,
            ...one.described,
            tcbLevels: isvLevels(levels),
          })),
        }
      : {}),
    tcbLevels: one.levels.map(({ sgx, tdx, pceSvn, status, date, advisories }) => ({
      tcb:
        one.infoVersion === 2
          ? { ...flat(sgx), pcesvn: pceSvn }
          : {
              sgxtcbcomponents: components(sgx),
              pcesvn: pceSvn,
              ...(isTdx ? { tdxtcbcomponents: components(tdx) } : {}),
            },
      tcbDate: date,
      tcbStatus: status,
      advisoryIDs: advisories,
    })),
  }
  return signedResponse('tcbInfo', value, keys.tcbSigning)
}

/** Collateral of a case. */
export function writeGeneratedCollateral(one: GeneratedCase): Collateral {
  const chain = (signer: Uint8Array) => formatPemCertificates([signer, generatedRoot])
  const identity = {
    id: one.identityId ?? (one.bodyType === 1 ? 'QE' : 'TD_QE'),
    version: 2,
    ...common,
    miscselect: '00000000',
    miscselectMask: 'FFFFFFFF',
    attributes: '11000000000000000000000000000000',
    attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000',
    mrsigner: bytesToHex(mrSigner).toUpperCase(),
    isvprodid: one.bodyType === 1 ? 1 : 2,
    tcbLevels: isvLevels(one.qe),
  }
  return {
    tcbInfo: writeTcbInfo(one),
    tcbInfoIssuerChain: chain(tcbSigning),
    qeIdentity: signedResponse('enclaveIdentity', identity, keys.tcbSigning),
    qeIdentityIssuerChain: chain(tcbSigning),
    rootCaCrl: `0x${bytesToHex(rootCrl)}`,
    pckCrl: `0x${bytesToHex(pckCrls[one.authority])}`,
    pckCrlIssuerChain: chain(authorities[one.authority]),
  }
}

/** PEM of the platform's chain, leaf first. */
export function generatedChain(one: GeneratedCase): string {
  const pck = makeCertificate({
    ...dates,
    commonName: intelNames.pck,
    publicKey: publicKeyOf(keys.pck),
    issuer: issuers[one.authority],
    extensions: [sgxExtension({ fmspc, pceId, pceSvn: one.pceSvn, sgxComponents: one.sgx })],
  })
  const chain = [pck, authorities[one.authority], generatedRoot]
  return formatPemCertificates(one.certification === 'chain-reversed' ? chain.reverse() : chain)
}

function enclaveReport(prodId: number, svn: number, reportData: Uint8Array): Uint8Array {
  const report = new Uint8Array(384)
  report.set(hexToBytes('11000000000000000700000000000000'), 48)
  report.set(mrSigner, 128)
  report.set(u16(prodId), 256)
  report.set(u16(svn), 258)
  report.set(reportData, 320)
  return report
}

function tdBody(one: GeneratedCase): Uint8Array {
  const lengths = { 1: 384, 2: 584, 3: 648, 4: 885 }
  const body = new Uint8Array(lengths[one.bodyType])
  body.set(one.teeTcbSvn)
  body.set(one.seamAttributes ?? new Uint8Array(8), 112)
  body[123] = 0x10 // SEPT_VE_DISABLE
  body.set(hexToBytes('e702060000000000'), 128) // XFAM
  body.fill(0x33, 136, 184)
  if (one.bodyType > 2) body.set(one.teeTcbSvn2, 584)
  return body
}

/** The quote of a case. */
export function writeGeneratedQuote(one: GeneratedCase): Uint8Array {
  const tee = one.bodyType === 1 ? 0 : 0x81
  const header = concatBytes(u16(one.version), u16(2), u32(tee), u32(0), intelQeVendorId, new Uint8Array(20))
  const body = one.bodyType === 1 ? enclaveReport(9, 3, new Uint8Array(64).fill(4)) : tdBody(one)
  const typed = one.version === 5 ? concatBytes(u16(one.bodyType), u32(body.length), body) : body
  const signed = concatBytes(header, typed)
  const attestationKey = publicKeyOf(keys.attestation).subarray(1)
  const authentication = new Uint8Array(one.authenticationLength).fill(0xa5)
  const report = enclaveReport(
    one.bodyType === 1 ? 1 : 2,
    one.qeIsvSvn,
    sha256(concatBytes(attestationKey, authentication)),
  )
  const text = new TextEncoder().encode(generatedChain(one))
  const data =
    one.certification === 'ppid'
      ? new Uint8Array(404)
      : one.certification === 'chain-terminated'
        ? concatBytes(text, Uint8Array.of(0))
        : text
  const inner = concatBytes(
    report,
    sign(report, keys.pck),
    u16(authentication.length),
    authentication,
    u16(one.certification === 'ppid' ? 3 : 5),
    u32(data.length),
    data,
  )
  const wrapped = one.version === 3 ? inner : concatBytes(u16(6), u32(inner.length), inner)
  const section = concatBytes(sign(signed, keys.attestation), attestationKey, wrapped)
  return concatBytes(signed, u32(section.length), section, new Uint8Array(one.padding))
}
