import { type DerNode, derTag, parseDer } from '../encoding/der.js'
import { bytesToHex } from '../encoding/hex.js'
import { objectIdentifier } from '../encoding/object-identifier.js'
import type { Certificate } from '../encoding/x509.js'
import { AttestError } from '../errors.js'

/** What Intel certifies about a platform in a PCK certificate (OID 1.2.840.113741.1.13.1 and below). */
export interface PckPlatform {
  /** Family, model, stepping, platform, custom SKU: 6 bytes, lower-case hex. */
  readonly fmspc: string
  /** Provisioning certification enclave id: 2 bytes, lower-case hex. */
  readonly pceId: string
  readonly pceSvn: number
  /** The 16 SGX TCB component SVNs. */
  readonly sgxComponents: readonly number[]
}

const sgxExtension = '1.2.840.113741.1.13.1'

function bad(place: string, what: string): AttestError {
  return new AttestError('BAD_CERTIFICATE', `pck.sgxExtension${place}`, `Unusable PCK certificate: ${what}`)
}

/**
 * Reads the SGX extension of a PCK certificate (Intel SGX PCK Certificate and CRL Profile Specification, 1.3.5).
 *
 * @param certificate the PCK certificate
 * @returns the platform facts that TCB matching needs
 * @throws AttestError `BAD_CERTIFICATE` when a field is missing, twice or of the wrong type or size
 */
export function pckPlatform(certificate: Certificate): PckPlatform {
  const value = certificate.extensions.get(sgxExtension)
  if (value === undefined) throw bad('', 'the SGX extension is missing')
  const fields = attributes(parseDer(value), sgxExtension)
  const tcb = attributes(fields.get('2'), `${sgxExtension}.2`)
  const components: number[] = []
  for (let i = 1; i <= 16; i += 1) components.push(svn(tcb.get(String(i)), `.2.${i}`, 255))
  return {
    fmspc: octets(fields.get('4'), '.4', 6),
    pceId: octets(fields.get('3'), '.3', 2),
    pceSvn: svn(tcb.get('17'), '.2.17', 65535),
    sgxComponents: components,
  }
}

/** A SEQUENCE of (OID, value) pairs whose OIDs all extend `prefix` by one arc; keyed by that arc. */
function attributes(node: DerNode | undefined, prefix: string): Map<string, DerNode> {
  const place = prefix.slice(sgxExtension.length)
  if (node?.tag !== derTag.sequence) throw bad(place, 'a SEQUENCE is expected')
  const found = new Map<string, DerNode>()
  for (const pair of node.children) {
    const [oid, value] = pair.children
    const name = oid?.tag === derTag.objectIdentifier ? objectIdentifier(oid.content, oid.offset) : ''
    if (value === undefined || pair.children.length > 2 || !name.startsWith(`${prefix}.`)) {
      throw bad(place, 'an attribute is not a pair of OID and value')
    }
    const arc = name.slice(prefix.length + 1)
    if (found.has(arc)) throw bad(`${place}.${arc}`, 'the attribute is there twice')
    found.set(arc, value)
  }
  return found
}

function octets(node: DerNode | undefined, place: string, length: number): string {
  if (node?.tag !== derTag.octetString || node.content.length !== length) {
    throw bad(place, `an OCTET STRING of ${length} bytes is expected`)
  }
  return bytesToHex(node.content)
}

function svn(node: DerNode | undefined, place: string, maximum: number): number {
  const negative = ((node?.content[0] ?? 0) & 0x80) !== 0
  if (node?.tag !== derTag.integer || negative) throw bad(place, 'an INTEGER from 0 on is expected')
  let value = 0
  for (const octet of node.content) value = value * 256 + octet
  if (value > maximum) throw bad(place, `an INTEGER up to ${maximum} is expected`)
  return value
}
