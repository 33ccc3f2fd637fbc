import { equalBytes } from '@sealpool/crypto'
import {
  type DerElement,
  derBitString,
  derInteger,
  derObjectId,
  readDer,
  readDerAll,
} from '../../signature/der.js'
import { keyFromSpki, type PublicKey } from '../../signature/public-key.js'
import { type SignatureAlgorithm, verifySignature } from '../../signature/verify-signature.js'

/** What is needed of an X.509 certificate (RFC 5280). */
export interface Certificate {
  readonly bytes: Uint8Array
  readonly signed: Uint8Array
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  /** Unix seconds. */
  readonly notBefore: number
  readonly notAfter: number
  readonly key: PublicKey
  readonly algorithm: SignatureAlgorithm
  readonly signature: Uint8Array
  /** Basic constraints: may issue certificates. */
  readonly authority: boolean
  /** Certificates of other authorities that may stand between this one and the leaf; Infinity when it does not say. */
  readonly pathLength: number
  /** Key usage: may sign certificates. True when it does not say. */
  readonly mayCertify: boolean
  /** Key usage: may sign anything else (digitalSignature). True when it does not say. */
  readonly maySign: boolean
  /** Extended key usages by object identifier. */
  readonly usages: readonly string[]
  /** An extension that is critical and not understood here. */
  readonly unknownCritical: boolean
}

const algorithms: Readonly<Record<string, SignatureAlgorithm>> = {
  '1.2.840.10045.4.3.2': 'ES256',
  '1.2.840.10045.4.3.3': 'ES384',
  '1.2.840.113549.1.1.11': 'RS256',
  '1.2.840.113549.1.1.12': 'RS384',
  '1.2.840.113549.1.1.13': 'RS512',
  '1.3.101.112': 'EdDSA',
}
/**
 * Extensions whose meaning is applied (key usage, basic constraints, extended key usage) or changes nothing that is decided here (key
 * identifiers, other names).
 */
const understood = new Set(['2.5.29.14', '2.5.29.15', '2.5.29.17', '2.5.29.19', '2.5.29.35', '2.5.29.37'])

/**
 * Reads a certificate.
 *
 * @param bytes hostile DER
 * @returns its parts, or undefined when it is malformed or of an algorithm that is not verified
 */
export function readCertificate(bytes: Uint8Array): Certificate | undefined {
  const outer = readDer(bytes)
  if (outer?.tag !== 0x30 || outer.whole.length !== bytes.length) return undefined
  const [body, algorithm, mark] = readDerAll(outer.content) ?? []
  const signature = derBitString(mark)
  const name = derObjectId(readDerAll(algorithm?.content ?? new Uint8Array(0))?.[0])
  const own = name !== undefined && Object.hasOwn(algorithms, name) ? algorithms[name] : undefined
  const fields = body?.tag === 0x30 ? readDerAll(body.content) : undefined
  if (body === undefined || fields === undefined || signature === undefined || own === undefined)
    return undefined
  // An explicit version stands first; version 1 has none and no extensions.
  const [, , issuer, validity, subject, spki, ...rest] = fields[0]?.tag === 0xa0 ? fields.slice(1) : fields
  const [from, until] = readDerAll(validity?.content ?? new Uint8Array(0)) ?? []
  const notBefore = unixTime(from)
  const notAfter = unixTime(until)
  const key = spki === undefined ? undefined : keyFromSpki(spki.whole)
  if (issuer === undefined || subject === undefined || key === undefined) return undefined
  if (notBefore === undefined || notAfter === undefined) return undefined
  const extensions = readExtensions(rest.find(({ tag }) => tag === 0xa3))
  if (extensions === undefined) return undefined
  return {
    bytes,
    signed: body.whole,
    issuer: issuer.whole,
    subject: subject.whole,
    notBefore,
    notAfter,
    key,
    algorithm: own,
    signature,
    ...extensions,
  }
}

function readExtensions(
  element: DerElement | undefined,
):
  | Pick<Certificate, 'authority' | 'pathLength' | 'mayCertify' | 'maySign' | 'usages' | 'unknownCritical'>
  | undefined {
  const result = {
    authority: false,
    pathLength: Number.POSITIVE_INFINITY,
    mayCertify: true,
    maySign: true,
    usages: [] as string[],
    unknownCritical: false,
  }
  if (element === undefined) return result
  const list = readDer(element.content)
  const seen = new Set<string>()
  for (const extension of list === undefined ? [] : (readDerAll(list.content) ?? [])) {
    const parts = readDerAll(extension.content)
    const id = derObjectId(parts?.[0])
    const value = parts?.at(-1)
    if (parts === undefined || id === undefined || value?.tag !== 0x04) return undefined
    // One of a kind (RFC 5280 section 4.2): which of two counts would be the reader's choice.
    if (seen.has(id)) return undefined
    seen.add(id)
    const critical = parts[1]?.tag === 0x01 && parts[1].content[0] === 0xff
    if (critical && !understood.has(id)) result.unknownCritical = true
    if (id === '2.5.29.19') {
      const constraints = readDer(value.content)
      const [flag, length] = constraints === undefined ? [] : (readDerAll(constraints.content) ?? [])
      result.authority = flag?.tag === 0x01 && flag.content[0] === 0xff
      if (length !== undefined) {
        const most = derInteger(length)
        if (most === undefined) return undefined
        result.pathLength = Number(most)
      }
    }
    if (id === '2.5.29.15') {
      const usage = readDer(value.content)
      if (usage?.tag !== 0x03 || usage.content.length < 2) return undefined
      const bits = usage.content[1] ?? 0
      // Bits from the left: digitalSignature is 0, keyCertSign 5 (RFC 5280 section 4.2.1.3).
      result.maySign = (bits & 0x80) !== 0
      result.mayCertify = (bits & 0x04) !== 0
    }
    if (id === '2.5.29.37') {
      const usages = readDer(value.content)
      for (const usage of usages === undefined ? [] : (readDerAll(usages.content) ?? [])) {
        result.usages.push(derObjectId(usage) ?? '')
      }
    }
  }
  return result
}

function unixTime(element: DerElement | undefined): number | undefined {
  if (element?.tag !== 0x17 && element?.tag !== 0x18) return undefined
  const text = String.fromCharCode(...element.content.subarray(0, 20))
  const match = /^(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)
  if (match === null || (element.tag === 0x18) !== (match[1] !== undefined)) return undefined
  const short = Number(match[2])
  const year = match[1] === undefined ? short + (short < 50 ? 2000 : 1900) : Number(match[1]) * 100 + short
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(3).map(Number)
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000
}

/**
 * Follows a chain from its first certificate to a trusted root: names and signatures match, issuers may issue (basic constraints, key
 * usage, and the length of the path: RFC 5280 section 6.1.4, l to n), nothing critical is unknown. Revocation cannot be asked for
 * offline.
 *
 * @param chain leaf first
 * @param roots trusted certificates
 * @returns the certificates that were used, root last, or undefined when there is no such chain
 */
export function followChain(
  chain: readonly Certificate[],
  roots: readonly Certificate[],
): readonly Certificate[] | undefined {
  const [leaf, ...others] = chain
  if (leaf === undefined || chain.length > 8) return undefined
  const used = [leaf]
  for (let current = leaf; ; ) {
    if (current.unknownCritical) return undefined
    if (roots.some((one) => equalBytes(one.bytes, current.bytes)))
      return keepsPathLength(used) ? used : undefined
    const root = roots.find((one) => isIssuedBy(current, one))
    if (root !== undefined) return keepsPathLength([...used, root]) ? [...used, root] : undefined
    const next = others.shift()
    if (next === undefined || !isIssuedBy(current, next)) return undefined
    used.push(next)
    current = next
  }
}

/** No authority has more of others below it than it allows; those that issued themselves do not count. */
function keepsPathLength([, ...authorities]: readonly Certificate[]): boolean {
  let below = 0
  for (const authority of authorities) {
    if (below > authority.pathLength) return false
    if (!equalBytes(authority.issuer, authority.subject)) below++
  }
  return true
}

function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  const { key } = issuer
  // The certificate says ES256 for any curve with SHA-256; the key's own curve decides what can be verified.
  return (
    issuer.authority &&
    issuer.mayCertify &&
    equalBytes(certificate.issuer, issuer.subject) &&
    verifySignature({
      algorithm: certificate.algorithm,
      key,
      message: certificate.signed,
      signature: certificate.signature,
      format: key.type === 'rsa' || key.type === 'ed25519' ? 'compact' : 'der',
    })
  )
}
