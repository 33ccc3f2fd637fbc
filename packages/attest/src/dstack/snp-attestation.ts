import { bytesToHex } from '@noble/hashes/utils.js'
import { type VerifySnpReportOptions, verifySnpReport } from '../amd/verify.js'
import { isBytes } from '../encoding/is-bytes.js'
import { maximumPemCertificates, parsePemCertificates } from '../encoding/pem.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { AttestError } from '../errors.js'
import { integer, optional, type Reader, record, schema, text } from '../shape/shape.js'
import { type Check, checkList, fail, notChecked, pass } from '../verdict/check-list.js'
import { debugAnswer } from '../verdict/debug.js'
import type { Hex, Verdict } from '../verdict/verdict.js'
import { composeHash, type DstackFacts } from './event-log.js'
import { mrConfigDigest } from './mr-config.js'
import { parseDstackAttestation } from './versioned-attestation.js'

/** Every question of {@link verifyDstackSnpAttestation}. */
export const dstackSnpCheckTitles = {
  report: 'The SEV-SNP report verifies',
  debug: 'The guest does not run under debug',
  'report-data': 'The report carries the data that were asked for, as the container says',
  'mr-config': 'The report’s host data name the configuration document (MrConfig, version 3)',
  'compose-hash': 'The app’s compose text is the one that the document names',
} as const

/** What {@link verifyDstackSnpAttestation} needs to know besides the container. */
export interface VerifyDstackSnpOptions extends Omit<VerifySnpReportOptions, 'certificates'> {
  /** VEK, its issuer and the root, as far as the container does not carry them (its root may be missing): PEM, or DER of each. */
  readonly certificates?: VerifySnpReportOptions['certificates']
  /** The 64 bytes that were asked for; without them the report may be old, unless a policy names its report data. */
  readonly reportData?: Uint8Array
  /** Text of app-compose.json; without it the app stays unproved, unless a policy names its compose hash. */
  readonly compose?: string
  /** Whether a guest may run under debug, so that its host can read its memory; absent: no. */
  readonly allowDebug?: boolean
}

/** Answer of {@link verifyDstackSnpAttestation}. */
export interface DstackSnpVerdict {
  readonly ok: boolean
  readonly platform: 'sev-snp'
  readonly checks: readonly Check[]
  /** Verdict on the report. Appraise it: its measurement is the image's, and `ok` says what runs, not that it is good. */
  readonly hardware: Verdict
  /** Digest of the configuration document, by which it and the report belong together. */
  readonly mrConfig: Hex
  /**
   * What the document says; worth something only when the verdict is ok. No register of SEV-SNP holds an event log, so that
   * events and the image's hash are never among them.
   */
  readonly facts: DstackFacts
}

interface MrConfigDocument {
  version: number
  app_id: string
  compose_hash: string
  instance_id?: string
  key_provider: string
  key_provider_id: string
}

const hexOf = (min: number, max: number): Reader<string> =>
  text({ min: 2 * min, max: 2 * max, pattern: /^(?:[0-9a-f]{2})*$/, what: 'lower-case hex' })
const documentSchema = /* @__PURE__ */ (() =>
  schema(
    'BAD_EVIDENCE',
    'mrConfig',
    'Not a configuration document of version 3',
    record<MrConfigDocument>(
      {
        version: integer(3, 3),
        app_id: hexOf(20, 20),
        compose_hash: hexOf(32, 32),
        instance_id: optional(hexOf(0, 20)),
        key_provider: text({ min: 1, max: 100 }),
        key_provider_id: hexOf(0, 4096),
      },
      'drop',
    ),
  ))()

/** A text of JSON, with the colon behind it where it is a field's name. */
const jsonString = /"(?:[^"\\]|\\.)*"(?:\s*:)?/g

// Whoever sends the container writes the document, so that neither the parser's stack nor that of the expression above is his to fill.
const maximumDocument = 1 << 16
const maximumDepth = 128

/** Fields of a value and of all that is in it: fewer than the text has names when one stands twice. */
function membersOf(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null) return 0
  if (depth === maximumDepth)
    throw new AttestError(
      'BAD_EVIDENCE',
      'mrConfig',
      `A configuration document is deeper than ${maximumDepth}`,
    )
  const inside = Object.values(value)
  return inside.reduce(
    (sum: number, one) => sum + membersOf(one, depth + 1),
    Array.isArray(value) ? 0 : inside.length,
  )
}

function readDocument(document: string): MrConfigDocument {
  if (document.length > maximumDocument)
    throw new AttestError(
      'BAD_EVIDENCE',
      'mrConfig',
      `A configuration document is longer than ${maximumDocument} characters`,
    )
  let json: unknown
  try {
    json = JSON.parse(document)
  } catch {
    throw new AttestError('BAD_EVIDENCE', 'mrConfig', 'Not a configuration document: it is no JSON')
  }
  if (membersOf(json) !== (document.match(jsonString) ?? []).filter((one) => one.endsWith(':')).length)
    throw new AttestError('BAD_EVIDENCE', 'mrConfig', 'A configuration document has no field twice')
  return documentSchema.parse(json)
}

/** DER of what a container carries, each PEM or DER, and of what the caller adds, each certificate once. */
function certificatesOf(
  carried: readonly Uint8Array[],
  given: VerifySnpReportOptions['certificates'] | undefined,
): Uint8Array[] {
  const inside = carried.flatMap((bytes) =>
    // A DER certificate begins with its SEQUENCE.
    bytes[0] === 0x30 ? [bytes] : parsePemCertificates(new TextDecoder().decode(bytes)),
  )
  // Nobody has counted them yet, and each is compared with each.
  if (inside.length > maximumPemCertificates)
    throw new AttestError(
      'BAD_EVIDENCE',
      'attestation.certificates',
      `The container carries more than ${maximumPemCertificates} certificates`,
    )
  const added = typeof given === 'string' ? parsePemCertificates(given) : (given ?? [])
  const own = inside.filter((one, i) => inside.findIndex((other) => sameBytes(one, other)) === i)
  return [...own, ...added.filter((one) => !own.some((other) => sameBytes(one, other)))]
}

/** The verification itself, with portable signatures unless the caller gives others; see its public face in `with-platform.ts`. */
export function verifyDstackSnpAttestation(
  container: Uint8Array,
  options: VerifyDstackSnpOptions,
): DstackSnpVerdict {
  const { certificates, reportData, compose, allowDebug, ...rest } = options
  if (reportData !== undefined && !(isBytes(reportData) && reportData.length === 64))
    throw new AttestError('BAD_ARGUMENT', 'options.reportData', '64 bytes are expected')
  const { evidence, reportData: claimed } = parseDstackAttestation(container)
  if (evidence.platform !== 'sev-snp')
    throw new AttestError(
      'BAD_EVIDENCE',
      'attestation.evidence',
      `The container carries evidence of another platform (${evidence.platform})`,
    )
  const hardware = verifySnpReport(evidence.report, {
    ...rest,
    certificates: certificatesOf(evidence.certificates, certificates),
  })
  const { claims } = hardware
  const checks = checkList(dstackSnpCheckTitles)
  checks.run('report', [], () => {
    if (hardware.ok) return pass(`All ${hardware.checks.length} checks pass.`)
    const open = hardware.checks.filter(({ result }) => result !== 'pass')
    return fail(open.map(({ id, detail }) => `${id}: ${detail}`).join('; '))
  })
  checks.run('debug', [], () => debugAnswer(hardware, allowDebug))
  checks.run('report-data', [], () => {
    if (claims.reportData !== `0x${bytesToHex(claimed)}`)
      return fail('the container names other data than the report')
    if (reportData === undefined) return notChecked('Nobody said what was asked for: the report may be old.')
    return sameBytes(claimed, reportData) ? pass('They are those.') : fail('it was made for other data')
  })
  const mrConfig = mrConfigDigest(evidence.mrConfig)
  let document: MrConfigDocument | undefined
  checks.run('mr-config', [], () => {
    if (claims.hostData !== mrConfig) return fail('they name another document')
    document = readDocument(evidence.mrConfig)
    return pass('They do.')
  })
  checks.run('compose-hash', ['mr-config'], () => {
    if (compose === undefined) return notChecked('The compose text was not given.')
    return composeHash(compose) === `0x${document?.compose_hash}`
      ? pass('The hashes agree.')
      : fail('it is another text')
  })
  return {
    ok: checks.ok(),
    platform: 'sev-snp',
    checks: checks.list(),
    hardware,
    mrConfig,
    facts: factsOf(document),
  }
}

function factsOf(document: MrConfigDocument | undefined): DstackFacts {
  const hex = (value: string | undefined): Hex | null =>
    value === undefined || value === '' ? null : `0x${value}`
  return {
    appId: hex(document?.app_id),
    composeHash: hex(document?.compose_hash),
    instanceId: hex(document?.instance_id),
    // In the form of the event that a TDX guest writes.
    keyProvider:
      document === undefined
        ? null
        : JSON.stringify({ name: document.key_provider, id: document.key_provider_id }),
    osImageHash: null,
    appEvents: [],
  }
}
