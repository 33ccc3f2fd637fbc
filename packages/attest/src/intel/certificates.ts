import { hexToBytes } from '@noble/hashes/utils.js'
import { parseRevocationList, type RevocationList } from '../encoding/crl.js'
import { maximumPemCertificates, parsePemCertificates } from '../encoding/pem.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { type Certificate, parseCertificate } from '../encoding/x509.js'
import { AttestError } from '../errors.js'
import type { Collateral } from './collateral.js'
import type { Quote } from './quote.js'

/** The three certificates behind a quote. */
export interface PckChain {
  readonly pck: Certificate
  readonly authority: Certificate
  readonly root: Certificate
}

/** Common names that Intel's profile gives to each role. */
export const intelNames = {
  pck: 'Intel SGX PCK Certificate',
  authorities: ['Intel SGX PCK Platform CA', 'Intel SGX PCK Processor CA'],
  tcbSigning: 'Intel SGX TCB Signing',
} as const

/** Whether a certificate may sign TCB info and QE identities: by name, key usage, and because it is no authority. */
export function isTcbSigner({ commonName, keyUsage, authority }: Certificate): boolean {
  return commonName === intelNames.tcbSigning && keyUsage?.digitalSignature === true && !authority.ca
}

/** Most certificates of authorities that are kept; Intel has six in use. */
const maximumAuthorities = 64

/**
 * Certificates of authorities that were parsed before, by their PEM text: the same few stand behind every quote. Parsing is a
 * pure function of the text, and one object for one text lets its signature be checked once (see `rememberingSignatures`).
 */
const authorities = /* @__PURE__ */ new Map<string, Certificate>()

const blockEnd = '-----END CERTIFICATE-----'

/** Parses PEM, taking from the authorities what was read before. */
function readCertificates(pem: string): Certificate[] {
  const blocks = pem.split(blockEnd)
  const rest = blocks.pop() ?? ''
  const found: Certificate[] = []
  for (const [i, block] of blocks.entries()) {
    // A boundary ends its line; if not, the strict reader says so.
    if (i > 0 && !/^\r?\n/.test(block)) parsePemCertificates(pem)
    found.push(readCertificate(block.replace(/^(?:\r?\n)+/, '') + blockEnd))
    if (found.length > maximumPemCertificates) break
  }
  // What stands after the last certificate, or instead of any, is judged by the same strict reader.
  if (found.length === 0 || found.length > maximumPemCertificates || !/^(?:\r?\n)*$/.test(rest)) {
    parsePemCertificates(pem)
  }
  return found
}

function readCertificate(text: string): Certificate {
  const known = authorities.get(text)
  if (known !== undefined) return known
  // One block: the strict reader gives one certificate for it or throws.
  const [der] = parsePemCertificates(text)
  if (der === undefined) throw new AttestError('BAD_PEM', 'text', 'Not a PEM certificate')
  const certificate = parseCertificate(der)
  // Certificates of single platforms are many and seldom seen again.
  if (certificate.commonName === intelNames.pck) return certificate
  // The oldest goes first; a Map keeps the order of insertion.
  if (authorities.size >= maximumAuthorities) authorities.delete(authorities.keys().next().value ?? '')
  authorities.set(text, certificate)
  return certificate
}

/** The PEM text that a quote with certification data of type 5 carries. */
export function certificationText({ certificationData: data }: Quote): string {
  // Some quoting libraries count the C string's terminator into the length.
  let end = data.length
  while (end > 0 && data[end - 1] === 0) end -= 1
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(data.subarray(0, end))
}

/**
 * Reads a PCK chain, whatever its order: leaf, authority and root are told apart by their own fields.
 *
 * @param pem three certificates
 * @returns the chain; signatures are not verified here
 * @throws AttestError `BAD_CERTIFICATE` when it is not exactly one leaf, one authority and one root; `BAD_PEM`, `BAD_DER`
 */
export function pckChain(pem: string): PckChain {
  const certificates = readCertificates(pem)
  const roots = certificates.filter((certificate) => sameBytes(certificate.issuer, certificate.subject))
  const leaves = certificates.filter((certificate) => !certificate.authority.ca)
  const rest = certificates.filter(
    (certificate) => !roots.includes(certificate) && !leaves.includes(certificate),
  )
  const [pck, root, authority] = [leaves[0], roots[0], rest[0]]
  if (certificates.length !== 3 || pck === undefined || root === undefined || authority === undefined) {
    const text = 'The quote must carry one PCK certificate, one PCK CA and one root'
    throw new AttestError('BAD_CERTIFICATE', 'quote.certificationData', text)
  }
  return { pck, authority, root }
}

/** The two certificates that a collateral document or CRL comes with. */
export interface SignerChain {
  readonly signer: Certificate
  readonly root: Certificate
}

function signerChain(pem: string, place: string): SignerChain {
  const [signer, root, ...rest] = readCertificates(pem)
  if (signer === undefined || root === undefined || rest.length > 0) {
    throw new AttestError('BAD_COLLATERAL', place, 'The chain must be the signer and the root, nothing else')
  }
  return { signer, root }
}

/** Certificates and revocation lists of the collateral, parsed. */
export interface CollateralChains {
  readonly tcbInfo: SignerChain
  readonly qeIdentity: SignerChain
  readonly pckCrlIssuer: SignerChain
  readonly rootCrl: RevocationList
  readonly pckCrl: RevocationList
}

/**
 * Parses everything X.509 in a collateral bundle.
 *
 * @throws AttestError `BAD_PEM`, `BAD_CERTIFICATE`, `BAD_CRL`, `BAD_DER`, `BAD_COLLATERAL`
 */
export function collateralChains(collateral: Collateral): CollateralChains {
  return {
    tcbInfo: signerChain(collateral.tcbInfoIssuerChain, 'collateral.tcbInfoIssuerChain'),
    qeIdentity: signerChain(collateral.qeIdentityIssuerChain, 'collateral.qeIdentityIssuerChain'),
    pckCrlIssuer: signerChain(collateral.pckCrlIssuerChain, 'collateral.pckCrlIssuerChain'),
    rootCrl: parseRevocationList(hexToBytes(collateral.rootCaCrl.slice(2))),
    pckCrl: parseRevocationList(hexToBytes(collateral.pckCrl.slice(2))),
  }
}
