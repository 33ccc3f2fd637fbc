import { sameBytes } from '../encoding/same-bytes.js'
import { fail, notChecked, pass, unless } from '../verdict/check-list.js'
import { certificationText, pckChain } from './certificates.js'
import { need, type Question, seconds, windowProblem } from './parts.js'
import { pckPlatform } from './pck-extension.js'
import { intelQeVendorId } from './quote.js'

/** Asks whether quote and collateral can be read at all. */
export function checkForm({ quote, options, source, checks, parts }: Question): void {
  checks.run('quote-header', [], () => {
    if (quote.attestationKeyType !== 2)
      return fail(`attestation key type ${quote.attestationKeyType} is unknown`)
    if (!sameBytes(quote.qeVendorId, intelQeVendorId)) return fail('the quoting enclave is of another vendor')
    return pass(`Version ${quote.version} ${quote.tee.toUpperCase()} quote, ECDSA P-256.`)
  })
  checks.run('trailing-bytes', [], () => {
    if (quote.trailing.length === 0) return pass('The quote ends where it says.')
    const zero = quote.trailing.every((octet) => octet === 0)
    if (!zero && options.trailingBytes !== 'any') {
      return fail(`${quote.trailing.length} bytes that are not zero follow the quote`)
    }
    return pass(`${quote.trailing.length} bytes of ${zero ? 'zero padding' : 'another layer'} are ignored.`)
  })
  checks.run('certificates', [], () => {
    const carried = quote.certificationType === 5
    const pem = carried ? certificationText(quote) : options.pckCertificateChain
    if (pem === undefined) {
      const text =
        'it names its PCK certificate by PPID instead of carrying the chain, and no chain was given'
      return notChecked(`Certification data type ${quote.certificationType}: ${text}.`)
    }
    // The quote's own first: when they can be read and this check fails all the same, the collateral is at fault.
    const chain = pckChain(pem)
    parts.platform = pckPlatform(chain.pck)
    parts.chain = chain
    parts.chains = source.chains()
    return pass('PCK chain, signer chains and revocation lists are canonical.')
  })
  checks.run('collateral', [], () => {
    const { info, identity } = source.documents()
    const wanted = quote.tee === 'tdx' ? { info: 'TDX', identity: 'TD_QE' } : { info: 'SGX', identity: 'QE' }
    if (info.value.id !== wanted.info)
      return fail(`the TCB info is for ${info.value.id}, the quote ${wanted.info}`)
    if (identity.value.id !== wanted.identity) {
      return fail(`the identity is of another enclave than ${wanted.identity}`)
    }
    parts.info = info
    parts.identity = identity
    const { version, tcbEvaluationDataNumber } = info.value
    return pass(`TCB info version ${version}, evaluation data number ${tcbEvaluationDataNumber}.`)
  })
}

/** Asks about Intel's signed documents. */
export function checkDocuments({ quote, checks, parts, verify, at }: Question): void {
  checks.run('tcb-info-signature', ['certificates', 'collateral'], () => {
    const { signed, signature } = need(parts, 'info')
    const { signer } = need(parts, 'chains').tcbInfo
    return verify(signer.publicKey, signed, signature)
      ? pass('The signature verifies over the document as served.')
      : fail('the signature over the TCB info does not verify')
  })
  checks.run('qe-identity-signature', ['certificates', 'collateral'], () => {
    const { signed, signature } = need(parts, 'identity')
    const { signer } = need(parts, 'chains').qeIdentity
    return verify(signer.publicKey, signed, signature)
      ? pass('The signature verifies over the document as served.')
      : fail('the signature over the QE identity does not verify')
  })
  checks.run('collateral-dates', ['collateral'], () => {
    const [info, identity] = [need(parts, 'info').value, need(parts, 'identity').value]
    const problem =
      windowProblem('TCB info', seconds(info.issueDate), seconds(info.nextUpdate), at) ??
      windowProblem('QE identity', seconds(identity.issueDate), seconds(identity.nextUpdate), at)
    return unless(problem, `Current until ${[info.nextUpdate, identity.nextUpdate].sort()[0]}.`)
  })
  checks.run('platform-match', ['certificates', 'collateral'], () => {
    const platform = need(parts, 'platform')
    const info = need(parts, 'info').value
    if (platform.fmspc !== info.fmspc) {
      return fail(`the platform’s FMSPC is ${platform.fmspc}, the TCB info is for ${info.fmspc}`)
    }
    if (platform.pceId !== info.pceId) {
      return fail(`the platform’s PCE id is ${platform.pceId}, the TCB info is for ${info.pceId}`)
    }
    return pass(
      `FMSPC ${platform.fmspc}, PCE id ${platform.pceId}, as the ${quote.tee.toUpperCase()} TCB info.`,
    )
  })
}
