import { AttestError } from '../errors.js'
import { keyAlgorithm } from '../signature/port.js'
import { parseRsaPublicKey } from '../signature/rsa-pss.js'
import { sha256 } from '../signature/sha2.js'
import { type DerNode, derTag, parseDer } from './der.js'
import { derTime } from './der-time.js'
import { ecdsaSignature } from './ecdsa-signature.js'
import { bytesToHex } from './hex.js'
import { objectIdentifier } from './object-identifier.js'

/**
 * An X.509 version 3 certificate (RFC 5280) in the algorithms that vendors of confidential hardware use: P-256, P-384 and RSA
 * keys; signatures by ECDSA with SHA-256 or SHA-384, or RSASSA-PSS with SHA-384. Views alias the DER input.
 */
export interface Certificate {
  /** The whole DER encoding. */
  readonly raw: Uint8Array
  /** `TBSCertificate`: the signed bytes. */
  readonly tbs: Uint8Array
  /** Content octets of the serial number as lower-case hex, for example `00a888...`. */
  readonly serial: string
  /** Raw DER of the issuer name; names are compared byte by byte. */
  readonly issuer: Uint8Array
  /** Raw DER of the subject name. */
  readonly subject: Uint8Array
  /** The subject's common name, or an empty string. */
  readonly commonName: string
  /** Unix seconds, inclusive. */
  readonly notBefore: number
  /** Unix seconds, inclusive. */
  readonly notAfter: number
  /** Raw DER of `SubjectPublicKeyInfo`. */
  readonly spki: Uint8Array
  /** SHA-256 of {@link Certificate.spki}, hex. */
  readonly spkiDigest: string
  /** 04 || x || y of 65 (P-256) or 97 bytes (P-384), or DER of an `RSAPublicKey`: the forms of `VerifySignature`. */
  readonly publicKey: Uint8Array
  /** The kind of key that signed it. */
  readonly signedWith: SigningAlgorithm
  /** Basic constraints; `pathLength` is undefined when there is no limit. */
  readonly authority: { readonly ca: boolean; readonly pathLength: number | undefined }
  /** Key usage bits that matter here; undefined when the extension is absent. */
  readonly keyUsage:
    | { readonly digitalSignature: boolean; readonly signCertificates: boolean; readonly signCrls: boolean }
    | undefined
  /** Extension values (the DER inside the OCTET STRING) by dotted OID. */
  readonly extensions: ReadonlyMap<string, Uint8Array>
  /** r || s of 64 or 96 bytes, or an RSA signature. */
  readonly signature: Uint8Array
}

/** Kinds of keys, each with the one signature algorithm that is accepted of it. */
export type SigningAlgorithm = 'p256' | 'p384' | 'rsa'

const pss384 =
  '06092a864886f70d01010a3034a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130'
/** The accepted `AlgorithmIdentifier`s of signatures, whole. AMD writes the default trailer field out in its oldest ones. */
const signatureAlgorithms: Readonly<Record<string, SigningAlgorithm>> = {
  '300a06082a8648ce3d040302': 'p256',
  '300a06082a8648ce3d040303': 'p384',
  [`3041${pss384}`]: 'rsa',
  [`3046${pss384.replace('3034', '3039')}a303020101`]: 'rsa',
}
/** The accepted `AlgorithmIdentifier`s of keys, whole. */
const keyAlgorithms: Readonly<Record<string, SigningAlgorithm>> = {
  '301306072a8648ce3d020106082a8648ce3d030107': 'p256',
  '301006072a8648ce3d020106052b81040022': 'p384',
  '300d06092a864886f70d0101010500': 'rsa',
}
const commonNameOid = '2.5.4.3'
const basicConstraints = '2.5.29.19'
const keyUsageOid = '2.5.29.15'

/** Extensions whose meaning this verifier applies; any other that is marked critical makes the certificate unusable. */
const understood = new Set([basicConstraints, keyUsageOid])

/**
 * Parses one certificate strictly.
 *
 * @param der the certificate and nothing else
 * @returns its parts; nothing is verified yet
 * @throws AttestError `BAD_CERTIFICATE` for another version, algorithm or curve, a repeated extension or an unknown critical
 *   one; `BAD_DER` for encodings that are not canonical
 */
export function parseCertificate(der: Uint8Array): Certificate {
  const [tbsNode, algorithm, signatureNode] = sequence(parseDer(der), 'certificate', 3)
  const tbs = sequence(tbsNode, 'tbsCertificate')
  const [version, serial, inner, issuer, validity, subject, spki, wrapped] = tbs
  const number = version?.tag === 0xa0 && version.children.length === 1 ? version.children[0] : undefined
  if (number?.tag !== derTag.integer || number.content.length !== 1 || number.content[0] !== 2) {
    throw bad('tbsCertificate.version', 'only version 3 certificates are accepted')
  }
  if (tbs.length !== 8 || wrapped?.tag !== 0xa3)
    throw bad('tbsCertificate', 'it must have exactly eight fields')
  if (serial?.tag !== derTag.integer || serial.content.length > 21) {
    throw bad('tbsCertificate.serialNumber', 'the serial number must be an INTEGER of at most 20 octets')
  }
  const signedWith = signatureAlgorithm(algorithm, inner, 'certificate')
  const [notBefore, notAfter] = sequence(validity, 'tbsCertificate.validity', 2)
  if (notBefore === undefined || notAfter === undefined || issuer === undefined || subject === undefined) {
    throw bad('tbsCertificate', 'a field is missing')
  }
  const extensions = parseExtensions(wrapped.children, 'tbsCertificate.extensions')
  const spkiRaw = spki?.raw ?? new Uint8Array()
  return {
    raw: der,
    tbs: tbsNode?.raw ?? new Uint8Array(),
    serial: bytesToHex(serial.content),
    issuer: sequenceNode(issuer, 'tbsCertificate.issuer').raw,
    subject: sequenceNode(subject, 'tbsCertificate.subject').raw,
    commonName: commonName(subject),
    notBefore: derTime(notBefore),
    notAfter: derTime(notAfter),
    spki: spkiRaw,
    get spkiDigest() {
      return bytesToHex(sha256(spkiRaw))
    },
    publicKey: publicKey(spki),
    authority: authority(extensions.get(basicConstraints)),
    keyUsage: keyUsage(extensions.get(keyUsageOid)),
    extensions,
    signedWith,
    signature: signatureValue(signedWith, signatureNode, 'certificate.signatureValue'),
  }
}

function bad(place: string, what: string): AttestError {
  return new AttestError('BAD_CERTIFICATE', place, `Unusable certificate: ${what}`)
}

function sequenceNode(node: DerNode | undefined, place: string): DerNode {
  if (node?.tag !== derTag.sequence) throw bad(place, 'a SEQUENCE is expected')
  return node
}

/**
 * The children of a SEQUENCE.
 *
 * @throws AttestError `BAD_CERTIFICATE` when it is something else or has another number of children
 */
export function sequence(
  node: DerNode | undefined,
  place: string,
  count?: number,
): readonly (DerNode | undefined)[] {
  const { children } = sequenceNode(node, place)
  if (count !== undefined && children.length !== count) throw bad(place, `${count} fields are expected`)
  return children
}

/**
 * The octets of a BIT STRING without unused bits.
 *
 * @throws AttestError `BAD_CERTIFICATE`
 */
export function bits(node: DerNode | undefined, place: string): Uint8Array {
  if (node?.tag !== derTag.bitString || node.content[0] !== 0) {
    throw bad(place, 'a BIT STRING of whole octets is expected')
  }
  return node.content.subarray(1)
}

/**
 * Both algorithm identifiers of a certificate or CRL must be the same accepted one: the outer one is not signed, so a
 * difference would be a byte that nobody vouches for.
 *
 * @throws AttestError `BAD_CERTIFICATE`
 */
export function signatureAlgorithm(
  outer: DerNode | undefined,
  inner: DerNode | undefined,
  place: string,
): SigningAlgorithm {
  const [whole, again] = [outer, inner].map((node) => bytesToHex(node?.raw ?? new Uint8Array()))
  const algorithm = Object.hasOwn(signatureAlgorithms, whole ?? '') && signatureAlgorithms[whole ?? '']
  if (!algorithm || whole !== again) {
    const accepted = 'only ecdsa-with-SHA256, ecdsa-with-SHA384 and RSASSA-PSS with SHA-384 are accepted'
    throw bad(`${place}.signatureAlgorithm`, accepted)
  }
  return algorithm
}

/**
 * The signature in the form of the signature port.
 *
 * @throws AttestError `BAD_CERTIFICATE`, `BAD_DER`
 */
export function signatureValue(
  algorithm: SigningAlgorithm,
  node: DerNode | undefined,
  place: string,
): Uint8Array {
  const value = bits(node, place)
  return algorithm === 'rsa' ? value : ecdsaSignature(value, algorithm === 'p256' ? 32 : 48)
}

/**
 * Reads `Extensions` (RFC 5280 4.2) from the children of their explicit tag.
 *
 * @returns extension values by dotted OID
 * @throws AttestError `BAD_CERTIFICATE` for a repeated extension or an unknown critical one
 */
export function parseExtensions(
  wrapped: readonly DerNode[],
  place: string,
  known: ReadonlySet<string> = understood,
): Map<string, Uint8Array> {
  if (wrapped.length !== 1) throw bad(place, 'one SEQUENCE of extensions is expected')
  const extensions = new Map<string, Uint8Array>()
  for (const entry of sequence(wrapped[0], place)) {
    const fields = sequence(entry, place)
    const [oidNode, second, third] = fields
    const critical = second?.tag === derTag.boolean
    const value = critical ? third : second
    if (oidNode?.tag !== derTag.objectIdentifier || value?.tag !== derTag.octetString) {
      throw bad(place, 'an extension is not OID, optional BOOLEAN, OCTET STRING')
    }
    // FALSE is the default and DER forbids to write a default (X.690 11.5).
    if (fields.length !== (critical ? 3 : 2) || (critical && second.content[0] !== 0xff)) {
      throw bad(place, 'an extension has a superfluous field')
    }
    const oid = objectIdentifier(oidNode.content, oidNode.offset)
    if (extensions.has(oid)) throw bad(`${place}.${oid}`, 'an extension is there twice')
    if (critical && !known.has(oid)) {
      throw bad(`${place}.${oid}`, 'an unknown extension is marked critical')
    }
    extensions.set(oid, value.content)
  }
  return extensions
}

function publicKey(spki: DerNode | undefined): Uint8Array {
  const place = 'tbsCertificate.subjectPublicKeyInfo'
  const [algorithm, key] = sequence(spki, place, 2)
  const name = bytesToHex(algorithm?.raw ?? new Uint8Array())
  const kind = Object.hasOwn(keyAlgorithms, name) ? keyAlgorithms[name] : undefined
  const value = bits(key, place)
  if (kind === undefined) throw bad(place, 'only P-256, P-384 and RSA keys are accepted')
  if (kind === 'rsa') parseRsaPublicKey(value)
  else if (keyAlgorithm(value) !== kind)
    throw bad(place, 'the key must be an uncompressed point of its curve')
  return value
}

function commonName(subject: DerNode): string {
  for (const set of subject.children) {
    for (const attribute of set.children) {
      const [oid, value] = attribute.children
      const isName = oid?.tag === derTag.objectIdentifier && objectIdentifier(oid.content) === commonNameOid
      if (isName && (value?.tag === derTag.utf8String || value?.tag === derTag.printableString)) {
        return new TextDecoder().decode(value.content)
      }
    }
  }
  return ''
}

function authority(value: Uint8Array | undefined): Certificate['authority'] {
  if (value === undefined) return { ca: false, pathLength: undefined }
  const place = 'tbsCertificate.extensions.basicConstraints'
  const fields = sequence(parseDer(value), place)
  const [ca, path] = fields
  if (fields.length === 0) return { ca: false, pathLength: undefined }
  if (ca?.tag !== derTag.boolean || fields.length > 2) throw bad(place, 'it does not follow RFC 5280 4.2.1.9')
  // Intel's leaf certificates spell out the default FALSE; that is theirs, signed, and not worth refusing.
  const isAuthority = ca.content[0] === 0xff
  if (path === undefined) return { ca: isAuthority, pathLength: undefined }
  if (path.tag !== derTag.integer || path.content.length !== 1 || (path.content[0] ?? 128) > 127) {
    throw bad(place, 'the path length must be a small INTEGER')
  }
  return { ca: isAuthority, pathLength: path.content[0] }
}

function keyUsage(value: Uint8Array | undefined): Certificate['keyUsage'] {
  if (value === undefined) return undefined
  const node = parseDer(value)
  const flags = node.tag === derTag.bitString ? node.content[1] : undefined
  if (flags === undefined) throw bad('tbsCertificate.extensions.keyUsage', 'a BIT STRING is expected')
  return {
    digitalSignature: (flags & 0x80) !== 0,
    signCertificates: (flags & 0x04) !== 0,
    signCrls: (flags & 0x02) !== 0,
  }
}
