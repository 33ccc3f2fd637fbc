import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { type VerifySnpReportOptions, verifySnpReport } from '../amd/verify.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { AttestError } from '../errors.js'
import { type VerifyQuoteOptions, verifyQuote } from '../intel/verify.js'
import { verifyRsaPkcs1Sha256 } from '../signature/rsa-pkcs1.js'
import { askedNonce } from '../verdict/asked-nonce.js'
import { type Check, checkList, fail, notChecked, pass } from '../verdict/check-list.js'
import { debugAnswer } from '../verdict/debug.js'
import type { Hex, Verdict } from '../verdict/verdict.js'
import { bindsRuntimeData, type HclReport, parseHclReport } from './hcl-report.js'
import { parseTpmQuote, type TpmQuote, tpmSha256 } from './tpm-quote.js'

/** Evidence of an Azure confidential VM, as its tools collect it. */
export interface AzureEvidence {
  readonly hclReport: Uint8Array
  readonly tpmQuote: {
    readonly message: Uint8Array
    readonly signature: Uint8Array
    /** SHA-256 registers from 0 on; those that the quote does not select are not looked at. */
    readonly registers: readonly Uint8Array[]
  }
  /** TD quote, for TDX. */
  readonly quote?: Uint8Array
}

/** What {@link verifyAzureEvidence} needs to know besides the evidence. */
export interface VerifyAzureOptions {
  /** How to verify the SNP report inside; without it the hardware stays unproved. */
  readonly snp?: VerifySnpReportOptions
  /** How to verify the TD quote; without it the hardware stays unproved. */
  readonly tdx?: VerifyQuoteOptions
  /** What the TPM quote's extra data must be; without it freshness stays unproved. */
  readonly nonce?: Uint8Array
  /** Registers that the quote must cover; all 24 when absent. */
  readonly registers?: readonly number[]
  /** Whether a guest may run under debug, so that its host can read its memory; absent: no. */
  readonly allowDebug?: boolean
}

/** Every question of {@link verifyAzureEvidence}, from the hardware to the registers. */
export const azureCheckTitles = {
  hardware: 'The hardware’s own evidence verifies',
  debug: 'The guest does not run under debug',
  'td-report': 'The TD quote is about the TDREPORT in the HCL report',
  'runtime-data': 'The hardware’s report names the runtime data, and so the vTPM’s key',
  'tpm-signature': 'The TPM quote is signed by the vTPM’s attestation key',
  'tpm-selection': 'The TPM quote covers the SHA-256 bank and every register that is asked for',
  'register-digest': 'The registers are the ones that the TPM quote covers',
  nonce: 'The TPM quote was made for the nonce that was asked',
} as const

/** Answer of {@link verifyAzureEvidence}. */
export interface AzureVerdict {
  readonly ok: boolean
  readonly tee: 'sev-snp' | 'tdx'
  readonly checks: readonly Check[]
  /** Verdict on the hardware's evidence; null when it was not verified. */
  readonly hardware: Verdict | null
  /** Report data inside the HCL report: those of the hardware's evidence, or it is another machine's. */
  readonly reportData: Hex
  readonly nonce: Hex
  /** SHA-256 of the modulus of the vTPM's key `HCLAkPub`, big-endian: which machine it is. */
  readonly attestationKey: Hex
  /** Registers that the quote covers, by index. */
  readonly registers: Readonly<Record<number, Hex>>
  /** JSON text that names keys and configuration of the VM. */
  readonly runtimeData: string
}

/** The verification itself, with portable signatures unless the caller gives others; see its public face in `with-platform.ts`. */
export function verifyAzureEvidence(evidence: AzureEvidence, options: VerifyAzureOptions): AzureVerdict {
  const asked = askedNonce(options.nonce)
  const report = parseHclReport(evidence.hclReport)
  const quote = parseTpmQuote(evidence.tpmQuote.message)
  const titles: Record<string, string> = { ...azureCheckTitles }
  if (report.tee === 'sev-snp') delete titles['td-report']
  const checks = checkList(titles)
  const hardware = hardwareVerdict(evidence, report, options)
  checks.run('hardware', [], () => {
    if (hardware === null) return notChecked('Neither certificates nor collateral were given.')
    const open = hardware.checks.filter(({ result }) => result !== 'pass')
    if (hardware.ok) return pass(`All ${hardware.checks.length} checks pass.`)
    return fail(open.map(({ id, detail }) => `${id}: ${detail}`).join('; '))
  })
  checks.run('debug', [], () => debugAnswer(hardware, options.allowDebug))
  if (report.tee === 'tdx') {
    checks.run('td-report', [], () => {
      if (hardware === null) return notChecked('The TD quote was not verified.')
      const same = hardware.claims.reportData === `0x${bytesToHex(report.reportData)}`
      return same ? pass('Their report data agree.') : fail('the TD quote has another report data')
    })
  }
  checks.run('runtime-data', [], () =>
    bindsRuntimeData(report) ? pass('SHA-256 agrees.') : fail('the report names other runtime data'),
  )
  const { message, signature, registers } = evidence.tpmQuote
  checks.run('tpm-signature', [], () =>
    verifyRsaPkcs1Sha256(report.attestationKey, message, signature)
      ? pass('It verifies with HCLAkPub.')
      : fail('it does not verify'),
  )
  checkRegisters(checks, quote, registers, options.registers ?? Array.from({ length: 24 }, (_, i) => i))
  checks.run('nonce', [], () => {
    if (asked === undefined) return notChecked('No nonce was asked for: the quote may be old.')
    return sameBytes(quote.extraData, asked) ? pass('It is fresh.') : fail('it was made for another nonce')
  })
  return {
    ok: checks.ok(),
    tee: report.tee,
    checks: checks.list(),
    hardware,
    reportData: `0x${bytesToHex(report.reportData)}`,
    nonce: `0x${bytesToHex(quote.extraData)}`,
    attestationKey: keyDigest(report.attestationKey),
    registers: Object.fromEntries(
      quote.registers.map((index) => [index, `0x${bytesToHex(registers[index] ?? new Uint8Array())}`]),
    ),
    runtimeData: new TextDecoder().decode(report.runtimeData),
  }
}

function keyDigest({ modulus, size }: HclReport['attestationKey']): Hex {
  return `0x${bytesToHex(sha256(hexToBytes(modulus.toString(16).padStart(2 * size, '0'))))}`
}

function checkRegisters(
  checks: ReturnType<typeof checkList>,
  quote: TpmQuote,
  registers: readonly Uint8Array[],
  wanted: readonly number[],
): void {
  checks.run('tpm-selection', [], () => {
    if (quote.bank !== tpmSha256) return fail('it covers another bank than SHA-256')
    const missing = wanted.filter((index) => !quote.registers.includes(index))
    if (missing.length > 0) return fail(`it does not cover the registers ${missing.join(', ')}`)
    return pass(`It covers ${quote.registers.length} registers.`)
  })
  checks.run('register-digest', ['tpm-selection'], () => {
    const values = quote.registers.map((index) => registers[index])
    const complete = values.filter((value): value is Uint8Array => value?.length === 32)
    if (complete.length !== values.length) return notChecked('Not every register that it covers was given.')
    const same = sameBytes(sha256(concatBytes(...complete)), quote.registerDigest)
    return same ? pass('The digests agree.') : fail('the registers are others')
  })
}

function hardwareVerdict(
  evidence: AzureEvidence,
  report: HclReport,
  options: VerifyAzureOptions,
): Verdict | null {
  if (report.tee === 'sev-snp')
    return options.snp === undefined ? null : verifySnpReport(report.hardware, options.snp)
  if (options.tdx === undefined) return null
  if (evidence.quote === undefined) {
    throw new AttestError('BAD_EVIDENCE', 'evidence.quote', 'Evidence of a TDX machine needs its TD quote')
  }
  return verifyQuote(evidence.quote, options.tdx)
}
