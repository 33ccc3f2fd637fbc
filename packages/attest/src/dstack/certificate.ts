import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { validityProblem } from '../encoding/certificate-chain.js'
import { isBytes } from '../encoding/is-bytes.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { AttestError } from '../errors.js'
import { type VerifyQuoteOptions, verifyQuote } from '../intel/verify.js'
import { type Check, checkList, fail, notChecked, pass, unless } from '../verdict/check-list.js'
import { debugAnswer } from '../verdict/debug.js'
import { momentSeconds } from '../verdict/moment.js'
import type { Hex, Verdict } from '../verdict/verdict.js'
import { type DstackVerdict, dstackCheckTitles, verifyDstackEventLog } from './event-log.js'
import { parseRaTlsCertificate, raTlsAttestationOid } from './ra-tls.js'

/** Every question of {@link verifyDstackCertificate}: those about the certificate, then those about the event log. */
export const dstackCertificateCheckTitles = {
  quote: 'The quote in the certificate verifies',
  debug: 'The guest does not run under debug',
  'key-binding': 'The quote vouches for the certificate’s key',
  'certificate-dates': 'The certificate is in date, by its own word (nobody’s signature on it is asked for)',
  'app-id': 'The app that the certificate names is the one that was measured',
  ...dstackCheckTitles,
} as const

/** What {@link verifyDstackCertificate} needs to know besides the certificate. */
export interface VerifyDstackCertificateOptions extends Omit<VerifyQuoteOptions, 'collateral'> {
  /** For the quote; without it the hardware stays unproved. */
  readonly collateral?: VerifyQuoteOptions['collateral']
  /** Text of app-compose.json; without it the app stays unproved, unless a policy names its compose hash. */
  readonly compose?: string
  /** The event log, where the certificate carries none: JSON as the guest agent gives it. */
  readonly eventLog?: unknown
  /** Whether a guest may run under debug, so that its host can read its memory; absent: no. */
  readonly allowDebug?: boolean
}

/** Answer of {@link verifyDstackCertificate}. */
export interface DstackCertificateVerdict extends DstackVerdict {
  /** Verdict on the quote; null when it was not verified. Appraise it: `ok` says what runs, not that it is good. */
  readonly hardware: Verdict | null
  /** SubjectPublicKeyInfo of the key that the quote vouches for: the only thing to recognise the peer by. */
  readonly publicKey: Hex
}

/** The verification itself, with portable signatures unless the caller gives others; see its public face in `with-platform.ts`. */
export function verifyDstackCertificate(
  der: Uint8Array,
  options: VerifyDstackCertificateOptions,
): DstackCertificateVerdict {
  const { collateral, compose, eventLog: given, allowDebug, ...rest } = options
  const { certificate, quote, eventLog, appId, reportData } = parseRaTlsCertificate(der)
  if (quote === undefined) {
    const container = certificate.extensions.has(raTlsAttestationOid)
    throw new AttestError(
      'BAD_EVIDENCE',
      'certificate.quote',
      container
        ? 'The certificate carries dstack’s newer container (extension 8) and no TDX quote by itself; unpack it first'
        : 'The certificate carries no TDX quote',
    )
  }
  const hardware = collateral === undefined ? null : verifyQuote(quote, { ...rest, collateral })
  const claims = hardware?.claims
  const checks = checkList(dstackCertificateCheckTitles)
  checks.run('quote', [], () => {
    if (hardware === null) return notChecked('No collateral was given.')
    if (hardware.tee !== 'tdx') return fail('it is not of a TDX guest')
    if (hardware.ok) return pass(`All ${hardware.checks.length} checks pass.`)
    const open = hardware.checks.filter(({ result }) => result !== 'pass')
    return fail(open.map(({ id, detail }) => `${id}: ${detail}`).join('; '))
  })
  checks.run('debug', [], () => debugAnswer(hardware, allowDebug))
  checks.run('key-binding', [], () => {
    if (claims === undefined) return notChecked('The quote was not verified.')
    return sameBytes(hexToBytes(claims.reportData.slice(2)), reportData)
      ? pass('Its report data are the digest of the key.')
      : fail('it was made for another key')
  })
  checks.run('certificate-dates', [], () =>
    unless(validityProblem([certificate], momentSeconds(options.at)), 'It is.'),
  )
  const log = claims?.tee === 'tdx' ? logVerdict(claims.rtmrs, given ?? eventLog, compose) : undefined
  checks.run('app-id', [], () => {
    if (appId === undefined) return pass('It names none.')
    if (log === undefined) return notChecked('There is no event log, or no quote to hold it against.')
    return log.facts.appId === `0x${bytesToHex(appId)}` ? pass('They agree.') : fail('it is another one')
  })
  for (const id of Object.keys(dstackCheckTitles)) {
    const made = log?.checks.find((check: Check) => check.id === id)
    checks.run(id, [], () => made ?? notChecked('There is no event log, or no quote to hold it against.'))
  }
  return {
    ok: checks.ok(),
    checks: checks.list(),
    rtmrs: log?.rtmrs ?? null,
    facts: log?.facts ?? nothing,
    hardware,
    publicKey: `0x${bytesToHex(certificate.spki)}`,
  }
}

const nothing: DstackVerdict['facts'] = {
  appId: null,
  composeHash: null,
  instanceId: null,
  keyProvider: null,
  osImageHash: null,
  appEvents: [],
}

function logVerdict(
  rtmrs: Parameters<typeof verifyDstackEventLog>[0]['claims']['rtmrs'],
  eventLog: unknown,
  compose: string | undefined,
): DstackVerdict | undefined {
  if (eventLog === undefined) return undefined
  const json = isBytes(eventLog) ? parseLog(eventLog) : eventLog
  return verifyDstackEventLog({
    eventLog: json,
    claims: { rtmrs },
    ...(compose === undefined ? {} : { compose }),
  })
}

function parseLog(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    // Newer guests may compress it; nothing here unpacks bytes of unknown size.
    throw new AttestError(
      'BAD_EVENT_LOG',
      'certificate.eventLog',
      'The certificate’s event log is no JSON text (it may be compressed); give it as `eventLog`',
    )
  }
}
