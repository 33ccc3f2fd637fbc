import { chainProblem, validityProblem } from '../encoding/certificate-chain.js'
import { parseRevocationList, revocationListProblem } from '../encoding/crl.js'
import { parsePemCertificates } from '../encoding/pem.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { type Certificate, parseCertificate } from '../encoding/x509.js'
import { keyAlgorithm, type VerifySignature } from '../signature/port.js'
import { amdRootClaim, productLine, type SnpProductLine } from '../trust-anchor/amd.js'
import { namedRoots } from '../trust-anchor/named-roots.js'
import { fail, notChecked, pass, unless } from '../verdict/check-list.js'
import { type ChainQuestion, need, type Parts } from './parts.js'
import { vekFacts } from './vek-extensions.js'

const selfIssued = (certificate: Certificate) => sameBytes(certificate.issuer, certificate.subject)

/** Finds leaf, issuer and root by their names, whatever their order; undefined is what was not given. */
function sortCertificates(
  certificates: readonly Certificate[],
  verify: VerifySignature,
): Pick<Parts, 'vek' | 'authority' | 'root'> {
  const leaves = certificates.filter(({ authority }) => !authority.ca)
  const [vek] = leaves
  if (vek === undefined || leaves.length > 1) return {}
  const issuerOf = (of: Certificate | undefined, root: boolean) => {
    if (of === undefined) return undefined
    const named = certificates.filter(
      (one) => sameBytes(one.subject, of.issuer) && one !== of && selfIssued(one) === root,
    )
    // AMD has had two keys of one name (SEV-Genoa): the signature tells which of them issued this certificate.
    const signers = named.length > 1 ? named.filter((one) => signedBy(of, one, verify)) : named
    return signers[0] ?? named[0]
  }
  const authority = issuerOf(vek, false)
  const root = issuerOf(authority, true)
  return { vek, ...(authority && { authority }), ...(root && { root }) }
}

function signedBy(certificate: Certificate, issuer: Certificate, verify: VerifySignature): boolean {
  return (
    certificate.signedWith === keyAlgorithm(issuer.publicKey) &&
    verify(issuer.publicKey, certificate.tbs, certificate.signature)
  )
}

/** The line of which both issuers are by their names; undefined when they are of two lines or of none. */
export function issuerLine(authority: Certificate, root: Certificate): SnpProductLine | undefined {
  const certified = productLine(authority.commonName.replace('SEV-VLEK-', 'SEV-'), 'SEV-')
  // A simulator's root names no line.
  const rooted = productLine(root.commonName, 'ARK-') ?? certified
  return certified === rooted ? certified : undefined
}

/** Asks about the three certificates. */
export function checkChain({ options, checks, parts, verify, at }: ChainQuestion): void {
  checks.run('certificates', [], () => {
    const { certificates } = options
    const encoded = typeof certificates === 'string' ? parsePemCertificates(certificates) : certificates
    if (encoded.length > 16) return fail('more than 16 certificates were given')
    const { vek, authority, root } = sortCertificates(encoded.map(parseCertificate), verify)
    if (vek === undefined) return notChecked('Not exactly one endorsement key’s certificate was given.')
    if (authority === undefined) return notChecked(`The issuer of ${vek.commonName} was not given.`)
    if (root === undefined) return notChecked(`The root above ${authority.commonName} was not given.`)
    parts.facts = vekFacts(vek)
    Object.assign(parts, { vek, authority, root })
    return pass(
      `${vek.commonName} of ${parts.facts.productName}, ${authority.commonName}, ${root.commonName}.`,
    )
  })
  checks.run('root-trusted', ['certificates'], () => {
    const root = amdRootClaim(need(parts, 'root'))
    if (root.vendor === 'amd') return pass('The root is AMD’s pinned key.')
    const trusted = namedRoots(options.trustedRoots)
    if (trusted.includes(root.certificate) || trusted.includes(root.publicKey)) {
      return pass(`NOT A VENDOR ROOT: “${root.commonName}” is trusted only because the caller named it.`)
    }
    return fail(`the root “${root.commonName}” is neither a vendor’s pinned root nor named as trusted`)
  })
  checks.run('vek-chain', ['certificates'], () => {
    const [vek, authority, root] = [need(parts, 'vek'), need(parts, 'authority'), need(parts, 'root')]
    const facts = need(parts, 'facts')
    const vlek = vek.commonName === 'SEV-VLEK'
    if (!vlek && vek.commonName !== 'SEV-VCEK')
      return fail('the leaf is neither a VCEK nor a VLEK by its name')
    if (productLine(authority.commonName, vlek ? 'SEV-VLEK-' : 'SEV-') === undefined) {
      return fail(`${authority.commonName} is no issuer of a ${vek.commonName} by its name`)
    }
    if (vlek !== (facts.cspId !== undefined) || vlek === (facts.hwid !== undefined)) {
      return fail('a VCEK must name a chip and a VLEK a provider, not both')
    }
    const problem = chainProblem([vek, authority, root], verify)
    return unless(problem, `${vek.commonName} ← ${authority.commonName} ← ${root.commonName}`)
  })
  checks.run('certificate-dates', ['certificates'], () => {
    const chain = [need(parts, 'vek'), need(parts, 'authority'), need(parts, 'root')]
    return unless(validityProblem(chain, at), 'All certificates are in date.')
  })
}

/** Asks about the revocation list of the root. */
export function checkRevocation({ options, checks, parts, verify, at }: ChainQuestion): void {
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString()
  checks.run('crl', ['certificates'], () => {
    if (options.crl === undefined) return notChecked('The root’s revocation list was not given.')
    const list = parseRevocationList(options.crl)
    const problem = revocationListProblem(list, need(parts, 'root'), verify)
    if (problem === undefined) parts.crl = list
    return unless(problem, `It is authentic and lists ${list.revoked.size} certificates.`)
  })
  checks.run('crl-dates', ['crl'], () => {
    const { thisUpdate, nextUpdate } = need(parts, 'crl')
    if (at < thisUpdate) return fail(`the list is from the future: it was issued at ${iso(thisUpdate)}`)
    if (at > nextUpdate) return fail(`the list went stale at ${iso(nextUpdate)}`)
    return pass(`Current until ${iso(nextUpdate)}.`)
  })
  checks.run('not-revoked', ['crl'], () => {
    const { revoked } = need(parts, 'crl')
    // AMD lists intermediates only; the endorsement keys all have serial number zero and cannot be listed one by one.
    const authority = need(parts, 'authority')
    if (revoked.has(authority.serial)) return fail(`${authority.commonName} is revoked`)
    return pass(`${authority.commonName} is not on the list.`)
  })
}
