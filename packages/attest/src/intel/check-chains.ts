import { chainProblem, validityProblem } from '../encoding/certificate-chain.js'
import { revocationListProblem } from '../encoding/crl.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { rootClaim } from '../trust-anchor/intel.js'
import { namedRoots } from '../trust-anchor/named-roots.js'
import { fail, pass, unless } from '../verdict/check-list.js'
import { intelNames, isTcbSigner } from './certificates.js'
import { iso, need, type Question, windowProblem } from './parts.js'

/** Asks about certificates and revocation lists. */
export function checkChains({ options, checks, parts, verify, at }: Question): void {
  checks.run('root-trusted', ['certificates'], () => {
    const root = rootClaim(need(parts, 'chain').root)
    if (root.vendor === 'intel') return pass('The root is Intel’s pinned key.')
    const trusted = namedRoots(options.trustedRoots)
    if (trusted.includes(root.certificate) || trusted.includes(root.publicKey)) {
      return pass(`NOT A VENDOR ROOT: “${root.commonName}” is trusted only because the caller named it.`)
    }
    return fail(`the root “${root.commonName}” is neither a vendor’s pinned root nor named as trusted`)
  })
  checks.run('pck-chain', ['certificates'], () => {
    const { pck, authority, root } = need(parts, 'chain')
    if (pck.commonName !== intelNames.pck) return fail('the leaf is not a PCK certificate by its name')
    if (!intelNames.authorities.some((name) => name === authority.commonName)) {
      return fail(
        'the issuer of the PCK certificate is neither the Platform nor the Processor CA by its name',
      )
    }
    const problem = chainProblem([pck, authority, root], verify)
    return unless(problem, `${pck.commonName} ← ${authority.commonName} ← ${root.commonName}`)
  })
  checks.run('collateral-chains', ['certificates'], () => {
    const { root, authority } = need(parts, 'chain')
    const { tcbInfo, qeIdentity, pckCrlIssuer } = need(parts, 'chains')
    for (const chain of [tcbInfo, qeIdentity, pckCrlIssuer]) {
      const same = sameBytes(chain.root.spki, root.spki) && sameBytes(chain.root.subject, root.subject)
      if (!same) return fail(`${chain.signer.commonName} ends in another root than the quote`)
      const problem = chainProblem([chain.signer, chain.root], verify)
      if (problem !== undefined) return fail(problem)
    }
    for (const { signer } of [tcbInfo, qeIdentity]) {
      if (!isTcbSigner(signer)) return fail(`${signer.commonName} is not a TCB signing certificate`)
    }
    const issuer = pckCrlIssuer.signer
    if (!sameBytes(issuer.spki, authority.spki) || !sameBytes(issuer.subject, authority.subject)) {
      return fail(`the PCK revocation list is of ${issuer.commonName}, the PCK of ${authority.commonName}`)
    }
    return pass('TCB signing certificates and CRL issuer are certified by the quote’s root.')
  })
  checks.run('certificate-dates', ['certificates'], () => {
    const { pck, authority, root } = need(parts, 'chain')
    const { tcbInfo, qeIdentity, pckCrlIssuer } = need(parts, 'chains')
    const signers = [tcbInfo, qeIdentity, pckCrlIssuer].flatMap((chain) => [chain.signer, chain.root])
    return unless(validityProblem([pck, authority, root, ...signers], at), 'All certificates are in date.')
  })
  checks.run('root-crl', ['certificates'], () => {
    const list = need(parts, 'chains').rootCrl
    const problem = revocationListProblem(list, need(parts, 'chain').root, verify)
    return unless(problem, `It is authentic and lists ${list.revoked.size} certificates.`)
  })
  checks.run('pck-crl', ['certificates'], () => {
    const list = need(parts, 'chains').pckCrl
    const problem = revocationListProblem(list, need(parts, 'chain').authority, verify)
    return unless(problem, `It is authentic and lists ${list.revoked.size} certificates.`)
  })
  checks.run('crl-dates', ['certificates'], () => {
    const { rootCrl, pckCrl } = need(parts, 'chains')
    const problem =
      windowProblem('root revocation list', rootCrl.thisUpdate, rootCrl.nextUpdate, at) ??
      windowProblem('PCK revocation list', pckCrl.thisUpdate, pckCrl.nextUpdate, at)
    return unless(problem, `Current until ${iso(Math.min(rootCrl.nextUpdate, pckCrl.nextUpdate))}.`)
  })
  checks.run('not-revoked', ['root-crl', 'pck-crl'], () => {
    const { pck, authority } = need(parts, 'chain')
    const { rootCrl, pckCrl, tcbInfo, qeIdentity, pckCrlIssuer } = need(parts, 'chains')
    if (pckCrl.revoked.has(pck.serial)) return fail('the platform’s PCK certificate is revoked')
    for (const certificate of [authority, pckCrlIssuer.signer, tcbInfo.signer, qeIdentity.signer]) {
      if (rootCrl.revoked.has(certificate.serial)) return fail(`${certificate.commonName} is revoked`)
    }
    return pass('Neither the platform’s certificate nor an authority is on a list.')
  })
}
