import { keyAlgorithm, type VerifySignature } from '../signature/port.js'
import { sameBytes } from './same-bytes.js'
import type { Certificate } from './x509.js'

const nothing = 'there is no certificate'

/**
 * Checks that each certificate of a chain was signed by the next and that the last one signed itself: names, CA bit, path
 * length, key usage and signatures (RFC 5280 section 6 for the profile used here). Dates, trust in the root and revocation
 * are separate questions with separate answers.
 *
 * @param chain leaf first, self-signed root last
 * @param verify signature port
 * @returns undefined when the chain holds, else what is wrong in plain words
 */
export function chainProblem(chain: readonly Certificate[], verify: VerifySignature): string | undefined {
  if (chain.length === 0) return nothing
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1] ?? certificate
    if (!sameBytes(certificate.issuer, issuer.subject)) {
      return `${certificate.commonName} names another issuer than ${issuer.commonName}`
    }
    if (!issuer.authority.ca) return `${issuer.commonName} is not a certificate authority`
    if (issuer.keyUsage?.signCertificates !== true) return `${issuer.commonName} may not sign certificates`
    // Authorities between this issuer and the leaf; the issuer's own path length limits them.
    const between = Math.max(0, issuer === certificate ? index - 1 : index)
    if (issuer.authority.pathLength !== undefined && between > issuer.authority.pathLength) {
      return `${issuer.commonName} allows a shorter chain than this one`
    }
    if (certificate.signedWith !== keyAlgorithm(issuer.publicKey)) {
      return `${issuer.commonName} has no key of the kind that signed ${certificate.commonName}`
    }
    if (!verify(issuer.publicKey, certificate.tbs, certificate.signature)) {
      return `the signature of ${issuer.commonName} on ${certificate.commonName} does not verify`
    }
  }
  return undefined
}

/**
 * As {@link chainProblem}, for authorities that use ECDSA P-384 with SHA-384 throughout: another kind of key would be judged by
 * whether the signature port happens to know it.
 *
 * @param chain leaf first, self-signed root last
 * @param verify signature port
 * @returns undefined when the chain holds, else what is wrong in plain words
 */
export function p384ChainProblem(chain: readonly Certificate[], verify: VerifySignature): string | undefined {
  const other = chain.find(({ publicKey }) => keyAlgorithm(publicKey) !== 'p384')
  return other === undefined ? chainProblem(chain, verify) : `the key of ${other.commonName} is not of P-384`
}

/**
 * Whether all certificates are in date.
 *
 * @param chain any certificates
 * @param at unix seconds
 * @returns undefined when they are, else the first that is not, in plain words
 */
export function validityProblem(chain: readonly Certificate[], at: number): string | undefined {
  if (chain.length === 0) return nothing
  for (const certificate of chain) {
    const date = (seconds: number) => new Date(seconds * 1000).toISOString()
    if (at < certificate.notBefore) {
      return `${certificate.commonName} is not valid before ${date(certificate.notBefore)}`
    }
    if (at > certificate.notAfter) return `${certificate.commonName} expired at ${date(certificate.notAfter)}`
  }
  return undefined
}
