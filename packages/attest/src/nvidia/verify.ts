import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { needBytes } from '../encoding/argument.js'
import { p384ChainProblem, validityProblem } from '../encoding/certificate-chain.js'
import { parseDer } from '../encoding/der.js'
import { parsePemCertificates } from '../encoding/pem.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { type Certificate, parseCertificate } from '../encoding/x509.js'
import { AttestError } from '../errors.js'
import { verifyAmdSignature } from '../signature/amd.js'
import type { VerifySignature } from '../signature/port.js'
import { askedNonce } from '../verdict/asked-nonce.js'
import {
  type Check,
  type CheckAnswer,
  checkList,
  fail,
  notChecked,
  pass,
  unless,
} from '../verdict/check-list.js'
import { momentSeconds } from '../verdict/moment.js'
import type { Hex } from '../verdict/verdict.js'

/** SHA-256 of the certificate “NVIDIA Device Identity CA”. */
export const nvidiaRootDigest = 'sha256:102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48'

/** Every question of {@link verifyNvidiaReport}; the last two are answered only with what the caller asked NVIDIA for. */
export const nvidiaCheckTitles = {
  'root-trusted': 'The device’s chain ends in NVIDIA’s pinned root',
  chain: 'The device’s certificates are signed up to the root',
  'certificate-dates': 'All certificates are in date',
  signature: 'Request and measurements are signed by the device',
  'firmware-id': 'Certificate and measurements name the same firmware (FWID), where both name one',
  nonce: 'The measurements were made for the nonce that was asked',
  'not-revoked': 'No certificate is revoked or on hold (NVIDIA answers by OCSP, online)',
  measurements: 'The measurements are those of driver and firmware that NVIDIA published (RIM)',
} as const

/** Answer of {@link verifyNvidiaReport}. */
export interface NvidiaVerdict {
  /** Never true without the caller's `revocation` and `referenceMeasurements`. */
  readonly ok: boolean
  /** What can be proved offline holds: it is a device of NVIDIA, and it answered this nonce with these measurements. */
  readonly authentic: boolean
  readonly checks: readonly Check[]
  /** Common name of the device's certificate: its type, which all devices of that type share. */
  readonly device: string
  /** SHA-256 of the key (SubjectPublicKeyInfo) that issued the device's certificate: the single device's own; null without one. */
  readonly deviceKey: Hex | null
  /** SHA-256 of the key that signed the measurements; it may change with the firmware. */
  readonly attestationKey: Hex
  readonly nonce: Hex
  /** Measurement blocks by index, as DMTF measurement specification has them. */
  readonly measurements: Readonly<Record<number, Hex>>
}

/** What NVIDIA's OCSP responder says of a certificate. */
export interface NvidiaRevocationAnswer {
  /** `hold` counts as revoked: NVIDIA puts keys on hold that it suspects. */
  readonly status: 'good' | 'hold' | 'revoked' | 'unknown'
  /** Until when the answer holds. */
  readonly nextUpdate: Date
}

/**
 * Port for what only NVIDIA knows: asked for each certificate below the root. Whoever implements it has to authenticate the
 * responder's answer (RFC 6960); nothing here can.
 *
 * @returns undefined when there is no answer
 */
export type NvidiaRevocation = (certificate: Certificate) => NvidiaRevocationAnswer | undefined

/**
 * Port for reference integrity manifests: by index of the measurement block, the values that NVIDIA published for this driver
 * and firmware. Whoever reads them has to verify the manifest's signature (XML-DSig); nothing here can.
 */
export type NvidiaReferenceMeasurements = Readonly<Record<number, readonly Hex[]>>

const requestLength = 37
const signatureLength = 96

/**
 * The verification itself, with portable signatures unless the caller gives others; see its public face in `with-platform.ts`, which
 * has no say in the root: it is NVIDIA's, and only tests pin another in its place.
 */
export function verifyNvidiaReport(
  report: Uint8Array,
  options: {
    readonly certificates: string
    readonly at: Date
    readonly nonce?: Uint8Array
    readonly revocation?: NvidiaRevocation
    readonly referenceMeasurements?: NvidiaReferenceMeasurements
    readonly measuredBlocks?: readonly number[]
    readonly verifySignature?: VerifySignature
  },
  rootDigest: string = nvidiaRootDigest,
): NvidiaVerdict {
  const at = momentSeconds(options.at)
  const asked = askedNonce(options.nonce)
  const { nonce, measurements, firmwareId } = parseReport(report)
  const chain = parsePemCertificates(options.certificates).map(parseCertificate)
  const verify = options.verifySignature ?? verifyAmdSignature
  const checks = checkList(nvidiaCheckTitles)
  const [leaf, issuer] = chain
  const root = chain[chain.length - 1]
  checks.run('root-trusted', [], () => {
    const digest = `sha256:${bytesToHex(sha256(root?.raw ?? new Uint8Array()))}`
    return digest === rootDigest ? pass('The root is NVIDIA’s.') : fail('the root is not NVIDIA’s')
  })
  checks.run('chain', [], () => unless(p384ChainProblem(chain, verify), `${chain.length} certificates.`))
  checks.run('certificate-dates', [], () => unless(validityProblem(chain, at), 'All are in date.'))
  checks.run('signature', ['chain'], () => {
    const cut = report.length - signatureLength
    const valid = leaf !== undefined && verify(leaf.publicKey, report.subarray(0, cut), report.subarray(cut))
    return valid ? pass('It verifies.') : fail('it does not verify')
  })
  checks.run('firmware-id', ['signature'], () => firmwareAnswer(leaf, firmwareId))
  checks.run('nonce', [], () => {
    if (asked === undefined) return notChecked('No nonce was asked for: the measurements may be old.')
    return sameBytes(nonce, asked) ? pass('It is fresh.') : fail('they were made for another nonce')
  })
  checks.run('not-revoked', ['chain'], () =>
    revocationAnswer(chain.slice(0, -1), options.revocation, options.at),
  )
  checks.run('measurements', ['signature'], () =>
    referenceAnswer(measurements, options.referenceMeasurements, options.measuredBlocks),
  )
  return {
    ok: checks.ok(),
    authentic: checks.passed(
      'root-trusted',
      'chain',
      'certificate-dates',
      'signature',
      'firmware-id',
      'nonce',
    ),
    checks: checks.list(),
    device: leaf?.commonName ?? '',
    // A chain of two has its root there, which is no device's.
    deviceKey: issuer === undefined || issuer === root ? null : `0x${issuer.spkiDigest}`,
    attestationKey: `0x${leaf?.spkiDigest ?? ''}`,
    nonce: `0x${bytesToHex(nonce)}`,
    measurements,
  }
}

function revocationAnswer(
  chain: readonly Certificate[],
  ask: NvidiaRevocation | undefined,
  at: Date,
): CheckAnswer {
  if (ask === undefined) return notChecked('Only NVIDIA can tell, online, and no answer was given.')
  let open: string | undefined
  for (const certificate of chain) {
    const { status, nextUpdate } = ask(certificate) ?? { status: 'unknown', nextUpdate: at }
    const { commonName } = certificate
    if (status === 'revoked') return fail(`${commonName} is revoked`)
    if (status === 'hold') return fail(`${commonName} is on hold`)
    // What is open about one certificate hides nothing of the next.
    if (status !== 'good') open ??= `NVIDIA gave no answer about ${commonName}.`
    else if (!(at <= nextUpdate)) open ??= `The answer about ${commonName} went stale.`
  }
  if (open !== undefined) return notChecked(open)
  return pass(`${chain.length} certificates are good, by the answers that the caller brought.`)
}

/** Extension of TCG's DICE profile that names the firmware which holds the key (2.23.133.5.4.1). */
const firmwareExtension = '2.23.133.5.4.1'
const sha384Oid = '608648016503040202'

/** `CompositeDeviceID`: version, key of the device, and hash algorithm with digest of the firmware. */
function firmwareAnswer(leaf: Certificate | undefined, reported: Uint8Array | undefined): CheckAnswer {
  const value = leaf?.extensions.get(firmwareExtension)
  if (reported === undefined) return pass('The measurements name none.')
  if (value === undefined) return pass('The certificate names none.')
  const [, , firmware, ...others] = parseDer(value).children
  const [algorithm, digest] = firmware?.children ?? []
  if (algorithm === undefined || digest === undefined || others.length > 0)
    return fail('the certificate’s extension cannot be read')
  if (bytesToHex(algorithm.content) !== sha384Oid)
    return fail('the certificate names it by another hash than SHA-384')
  return sameBytes(digest.content, reported)
    ? pass('They do.')
    : fail('the measurements were made by another firmware than the certificate is for')
}

function referenceAnswer(
  measurements: Readonly<Record<number, Hex>>,
  references: NvidiaReferenceMeasurements | undefined,
  counted: readonly number[] = Object.keys(measurements).map(Number),
): CheckAnswer {
  const indexes = Object.keys(references ?? {}).map(Number)
  if (references === undefined || indexes.length === 0)
    return notChecked('NVIDIA’s reference manifests are not read here, and no values were given.')
  const differing = indexes.filter((index) => {
    const value = measurements[index]
    return value === undefined || references[index]?.includes(value) !== true
  })
  if (differing.length > 0) return fail(`blocks with other values than published: ${differing.join(', ')}`)
  const open = counted.filter((index) => references[index] === undefined)
  if (open.length > 0)
    return notChecked(
      `${indexes.length} blocks are as published; the references name no value for ${open.length} others.`,
    )
  return pass(`${indexes.length} blocks are as published, all that count.`)
}

function parseReport(report: Uint8Array) {
  needBytes(report, 'nvidia.report')
  const bad = (what: string) =>
    new AttestError('BAD_EVIDENCE', 'nvidia.report', `Not an SPDM 1.1 measurement exchange: ${what}`)
  const response = report.subarray(requestLength)
  if (report.length < requestLength + 8 + signatureLength || report.length > 1 << 20)
    throw bad('its length is wrong')
  if (report[0] !== 0x11 || report[1] !== 0xe0) throw bad('it does not begin with the request')
  // Whoever shows the report has written the request: asked for one block, the device would measure only what is shown.
  if (report[2] !== 1 || report[3] !== 0xff) throw bad('the request is not for all measurements, signed')
  if (response[0] !== 0x11 || response[1] !== 0x60) throw bad('the response is missing')
  const length = (response[5] ?? 0) + (response[6] ?? 0) * 256 + (response[7] ?? 0) * 65536
  const record = response.subarray(8, 8 + length)
  if (8 + length + signatureLength > response.length) throw bad('the record is cut off')
  const measurements: Record<number, Hex> = {}
  let at = 0
  for (let i = 0; i < (response[4] ?? 0); i += 1) {
    const size = (record[at + 2] ?? 0) + (record[at + 3] ?? 0) * 256
    if (at + 4 + size > record.length) throw bad('a measurement is cut off')
    const valueSize = (record[at + 5] ?? 0) + (record[at + 6] ?? 0) * 256
    if (record[at + 1] !== 1 || valueSize + 3 !== size) throw bad('a measurement is not as DMTF has it')
    if (measurements[record[at] ?? 0] !== undefined) throw bad('two measurements have one index')
    measurements[record[at] ?? 0] = `0x${bytesToHex(record.subarray(at + 7, at + 4 + size))}`
    at += 4 + size
  }
  if (at !== record.length) throw bad('the record holds more than its measurements')
  // Behind the record: the device's own nonce, NVIDIA's opaque fields, and the signature, which ends it.
  const lengthAt = 8 + length + 32
  const opaqueLength = (response[lengthAt] ?? 0) + (response[lengthAt + 1] ?? 0) * 256
  const end = lengthAt + 2 + opaqueLength + signatureLength
  if (end > response.length) throw bad('its opaque part is cut off')
  if (end < response.length) throw bad(`${response.length - end} bytes stand behind its signature`)
  const firmwareId = opaqueField(response.subarray(lengthAt + 2, lengthAt + 2 + opaqueLength), 20, bad)
  return { nonce: report.subarray(4, 36), measurements, firmwareId }
}

/** One of NVIDIA's fields: each has a type, a length (both of two bytes, little-endian), and a value. */
function opaqueField(
  opaque: Uint8Array,
  wanted: number,
  bad: (what: string) => AttestError,
): Uint8Array | undefined {
  let found: Uint8Array | undefined
  let at = 0
  while (at < opaque.length) {
    const type = (opaque[at] ?? 0) + (opaque[at + 1] ?? 0) * 256
    const end = at + 4 + (opaque[at + 2] ?? 0) + (opaque[at + 3] ?? 0) * 256
    if (end > opaque.length) throw bad('an opaque field is cut off')
    if (type === wanted) {
      if (found !== undefined) throw bad('an opaque field stands twice')
      found = opaque.subarray(at + 4, end)
    }
    at = end
  }
  return found
}
