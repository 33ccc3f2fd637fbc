import { bytesToHex } from '../encoding/hex.js'
import { fail, notChecked, pass } from '../verdict/check-list.js'
import { issuerLine } from './check-chain.js'
import { lineOf, reportProduct, signingKey } from './claims.js'
import { need, type Question } from './parts.js'
import { readTcb, tcbComponents, tcbPaddingIsZero, tcbShortfall } from './tcb-version.js'

/** What is published about a line's keys and does not show in any check. */
const milanWarning =
  'Milan’s chip keys were extracted by software (arXiv 2605.12990): refuse it where you can'

/** Asks whether report and certificates belong together, and about the report's own signature. */
export function checkReport({ report, checks, parts, verify }: Question): void {
  checks.run('product', ['certificates'], () => {
    const { line, productName } = need(parts, 'facts')
    if (line !== issuerLine(need(parts, 'authority'), need(parts, 'root'))) {
      return fail(`the certificate is of ${productName}, its issuers of other processors`)
    }
    const named = reportProduct(report)
    if (named === null) return fail('the report names a processor that is not known')
    if (named !== undefined && lineOf(named) !== line) {
      return fail(`the report is of ${named}, the certificate of ${productName}`)
    }
    if (named === undefined && line === 'Turin') return fail('Turin has no reports of version 2')
    return pass(`${named ?? productName}${line === 'Milan' ? `. ${milanWarning}` : ''}.`)
  })
  checks.run('signing-key', ['certificates'], () => {
    const named = signingKey(report)
    const given = need(parts, 'facts').cspId === undefined ? 'vcek' : 'vlek'
    if (named === 'none') return fail('the report is not signed by any key')
    if (named !== given) return fail(`the report names a ${named} key, the certificate is of a ${given} key`)
    return pass(`${named.toUpperCase()}.`)
  })
  checks.run('report-signature', ['certificates', 'report-form'], () => {
    const { signed, signature } = report
    const valid = signature !== undefined && verify(need(parts, 'vek').publicKey, signed, signature)
    return valid
      ? pass('The signature verifies over bytes 0 to 671.')
      : fail('the report’s signature does not verify: it was changed, or the key is another')
  })
  checks.run('chip-id', ['certificates'], () => {
    const { hwid, cspId } = need(parts, 'facts')
    if (hwid === undefined) return pass(`A VLEK is not bound to a chip but to the provider ${cspId ?? ''}.`)
    if (report.chipId.every((octet) => octet === 0)) {
      return notChecked('The platform hides the chip’s id (MASK_CHIP_ID).')
    }
    const padded = bytesToHex(hwid).padEnd(128, '0')
    return padded === bytesToHex(report.chipId)
      ? pass('The ids agree.')
      : fail('the certificate is of another chip')
  })
  checks.run('tcb-match', ['certificates', 'product'], () => {
    const { tcb, line } = need(parts, 'facts')
    if (!tcbPaddingIsZero(report.reportedTcb, line)) return fail('the reported TCB has unknown levels')
    const reported = readTcb(report.reportedTcb, line)
    const differing = tcbComponents.filter((name) => reported[name] !== tcb[name])
    if (differing.length === 0)
      return pass(
        `${tcbComponents.flatMap((n) => (reported[n] === undefined ? [] : [`${n} ${reported[n]}`])).join(', ')}.`,
      )
    const text = differing.map((name) => `${name} is ${reported[name]}, certified is ${tcb[name]}`)
    return fail(text.join('; '))
  })
  checks.run('tcb-order', ['product'], () => {
    const { line } = need(parts, 'facts')
    const current = readTcb(report.currentTcb, line)
    for (const [name, bytes] of [
      ['reported', report.reportedTcb],
      ['committed', report.committedTcb],
    ] as const) {
      const above = tcbShortfall(current, readTcb(bytes, line))
      if (above.length > 0) return fail(`the current TCB is below the ${name} one: ${above.join(', ')}`)
    }
    return pass('Current is at least reported and committed.')
  })
}
