import { AttestError } from '../errors.js'
import { keyAlgorithm, type VerifySignature } from '../signature/port.js'
import { type DerNode, derTag, parseDer } from './der.js'
import { derTime } from './der-time.js'
import { bytesToHex } from './hex.js'
import { sameBytes } from './same-bytes.js'
import {
  type Certificate,
  parseExtensions,
  type SigningAlgorithm,
  sequence,
  signatureAlgorithm,
  signatureValue,
} from './x509.js'

/** A version 2 certificate revocation list (RFC 5280 section 5), in the algorithms of {@link Certificate}. */
export interface RevocationList {
  /** `TBSCertList`: the signed bytes. */
  readonly tbs: Uint8Array
  /** Raw DER of the issuer name. */
  readonly issuer: Uint8Array
  /** Unix seconds. */
  readonly thisUpdate: number
  /** Unix seconds; a list without it is refused, because nothing would tell that it is stale. */
  readonly nextUpdate: number
  /** Revoked serial numbers (content octets, lower-case hex) with the revocation time in unix seconds. */
  readonly revoked: ReadonlyMap<string, number>
  readonly signedWith: SigningAlgorithm
  /** r || s of 64 or 96 bytes, or an RSA signature. */
  readonly signature: Uint8Array
}

/** CRL extensions: none that changes what the list covers is understood, so all critical ones are refused. */
const understood: ReadonlySet<string> = new Set()

/**
 * Parses a CRL strictly; nothing is verified yet.
 *
 * @param der the list and nothing else
 * @returns its parts
 * @throws AttestError `BAD_CRL`, or `BAD_DER` for encodings that are not canonical
 */
export function parseRevocationList(der: Uint8Array): RevocationList {
  try {
    return parse(der)
  } catch (cause) {
    if (cause instanceof AttestError && cause.code === 'BAD_CERTIFICATE') {
      throw new AttestError('BAD_CRL', cause.place, 'Unusable certificate revocation list', { cause })
    }
    throw cause
  }
}

function bad(place: string, what: string): AttestError {
  return new AttestError('BAD_CRL', place, `Unusable certificate revocation list: ${what}`)
}

function parse(der: Uint8Array): RevocationList {
  const [tbsNode, algorithm, signatureNode] = sequence(parseDer(der), 'certificateList', 3)
  const fields = [...sequence(tbsNode, 'tbsCertList')]
  const version = fields.shift()
  if (version?.tag !== derTag.integer || version.content.length !== 1 || version.content[0] !== 1) {
    throw bad('tbsCertList.version', 'only version 2 lists are accepted')
  }
  const signedWith = signatureAlgorithm(algorithm, fields.shift(), 'tbsCertList')
  const issuer = fields.shift()
  if (issuer?.tag !== derTag.sequence) throw bad('tbsCertList.issuer', 'a name is expected')
  const thisUpdate = fields.shift()
  const nextUpdate = fields.shift()
  if (thisUpdate === undefined || nextUpdate === undefined || !isTime(thisUpdate) || !isTime(nextUpdate)) {
    throw bad('tbsCertList.nextUpdate', 'both thisUpdate and nextUpdate are required')
  }
  const revoked =
    fields[0]?.tag === derTag.sequence ? parseEntries(fields.shift()) : new Map<string, number>()
  const extensions = fields.shift()
  if (extensions?.tag !== 0xa0 || fields.length !== 0)
    throw bad('tbsCertList', 'unexpected or missing fields')
  parseExtensions(extensions.children, 'tbsCertList.crlExtensions', understood)
  return {
    tbs: tbsNode?.raw ?? new Uint8Array(),
    issuer: issuer.raw,
    thisUpdate: derTime(thisUpdate),
    nextUpdate: derTime(nextUpdate),
    revoked,
    signedWith,
    signature: signatureValue(signedWith, signatureNode, 'certificateList.signatureValue'),
  }
}

function isTime(node: DerNode): boolean {
  return node.tag === derTag.utcTime || node.tag === derTag.generalizedTime
}

function parseEntries(list: DerNode | undefined): Map<string, number> {
  const revoked = new Map<string, number>()
  let checked: Uint8Array = new Uint8Array()
  for (const entry of sequence(list, 'tbsCertList.revokedCertificates')) {
    const fields = sequence(entry, 'tbsCertList.revokedCertificates')
    const [serial, date, extensions] = fields
    if (serial?.tag !== derTag.integer || date === undefined || !isTime(date) || fields.length > 3) {
      throw bad('tbsCertList.revokedCertificates', 'an entry is not serial, date, optional extensions')
    }
    // Entry extensions may name another issuer (indirect lists): any critical one is refused with the list.
    // Nearly all entries of a list have the same bytes there, which need to be read once.
    if (extensions !== undefined && !sameBytes(extensions.raw, checked)) {
      parseExtensions([extensions], 'tbsCertList.revokedCertificates.crlEntryExtensions', understood)
      checked = extensions.raw
    }
    revoked.set(bytesToHex(serial.content), derTime(date))
  }
  return revoked
}

/**
 * Whether a list was issued by a certificate: same name, the right to sign CRLs, and the signature.
 *
 * @param list the parsed list
 * @param issuer the certificate that should have signed it
 * @param verify signature port
 * @returns undefined when all hold, else what is wrong in plain words
 */
export function revocationListProblem(
  list: RevocationList,
  issuer: Certificate,
  verify: VerifySignature,
): string | undefined {
  if (!sameBytes(list.issuer, issuer.subject)) return `it was not issued by ${issuer.commonName}`
  if (!issuer.authority.ca || issuer.keyUsage?.signCrls !== true) {
    return `${issuer.commonName} may not sign revocation lists`
  }
  if (list.signedWith !== keyAlgorithm(issuer.publicKey)) {
    return `${issuer.commonName} has no key of the kind that signed it`
  }
  if (!verify(issuer.publicKey, list.tbs, list.signature)) {
    return `its signature by ${issuer.commonName} does not verify`
  }
  return undefined
}
