import { concatBytes } from '@noble/hashes/utils.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { sha256 } from '../signature/sha2.js'
import { fail, notChecked, pass, unless } from '../verdict/check-list.js'
import { enclaveIdentityProblem, tdxModuleProblem } from './enclave-identity.js'
import { need, type Question, quoteTitles } from './parts.js'
import { evaluateTcb, tdxModuleFor } from './tcb.js'

/** Asks about the quote's own signatures. */
export function checkQuote({ quote, checks, parts, verify }: Question): void {
  checks.run('qe-report-signature', ['certificates'], () => {
    const { pck } = need(parts, 'chain')
    return verify(pck.publicKey, quote.qeReport.raw, quote.qeReportSignature)
      ? pass('The signature verifies with the PCK certificate’s key.')
      : fail('the signature over the quoting enclave’s report does not verify')
  })
  checks.run('attestation-key', [], () => {
    const digest = sha256(concatBytes(quote.attestationKey.subarray(1), quote.qeAuthenticationData))
    const { reportData } = quote.qeReport
    const matches = sameBytes(reportData.subarray(0, 32), digest)
    if (!matches) return fail('the quoting enclave’s report is about another attestation key')
    if (reportData.subarray(32).some((octet) => octet !== 0)) {
      return fail('the quoting enclave’s report data does not end in zeros')
    }
    return pass('SHA-256 of key and authentication data is in the report.')
  })
  checks.run('qe-identity', ['collateral'], () => {
    const problem = enclaveIdentityProblem(quote.qeReport, need(parts, 'identity').value)
    return unless(problem, 'MRSIGNER, product, attributes and MISCSELECT agree.')
  })
  checks.run('quote-signature', [], () =>
    verify(quote.attestationKey, quote.signed, quote.signature)
      ? pass('The signature verifies over header and body.')
      : fail('the quote’s signature does not verify: header or body were changed'),
  )
}

/** Asks which TCB level the platform reaches. */
export function checkTcb({ quote, checks, parts }: Question): void {
  const { report } = quote
  if (report.kind === 'td') {
    checks.run('tdx-module', ['collateral'], () => {
      const module = tdxModuleFor(need(parts, 'info').value, report.teeTcbSvn)
      return unless(tdxModuleProblem(report, module), 'Its signer and attributes agree.')
    })
  }
  // A status is told only when all it rests on is authentic and in date; otherwise it would be somebody's claim.
  const apart = ['tcb-level', 'trailing-bytes', 'tdx-module']
  const others = Object.keys(quoteTitles(quote)).filter((id) => !apart.includes(id))
  checks.run('tcb-level', others, () => {
    if (report.kind === 'td' && !checks.passed('tdx-module')) {
      // A module of a version that the TCB info does not name has no level, and that is the status; one that differs has none.
      // The base module, of major version 0, is always named.
      const named = tdxModuleFor(need(parts, 'info').value, report.teeTcbSvn) !== undefined
      if (named) return notChecked('It builds on tdx-module.')
    }
    const tcb = evaluateTcb({
      info: need(parts, 'info').value,
      identity: need(parts, 'identity').value,
      platform: need(parts, 'platform'),
      qeIsvSvn: quote.qeReport.isvSvn,
      teeTcbSvn: report.kind === 'td' ? report.teeTcbSvn : undefined,
      teeTcbSvn2: report.kind === 'td' ? report.teeTcbSvn2 : undefined,
    })
    parts.tcb = tcb
    const detail = [
      `TCB status ${tcb.status}`,
      ...(tcb.tcbDate === undefined ? [] : [`TCB date ${tcb.tcbDate.slice(0, 10)}`]),
      ...tcb.shortfall,
      ...(tcb.advisories.length === 0 ? [] : [`advisories ${tcb.advisories.join(', ')}`]),
    ].join('; ')
    return tcb.status === 'TCB_NOT_SUPPORTED' || tcb.status === 'Revoked' ? fail(detail) : pass(`${detail}.`)
  })
}
