import { derTag, parseDer } from '../encoding/der.js'
import type { Certificate } from '../encoding/x509.js'
import { AttestError } from '../errors.js'
import { productLine, type SnpProductLine } from '../trust-anchor/amd.js'
import type { SnpTcb } from './tcb-version.js'

/** What AMD certifies of a chip (VCEK) or of a cloud provider (VLEK), from OIDs below 1.3.6.1.4.1.3704.1. */
export interface VekFacts {
  /** For example `Milan-B0` or `Turin`. */
  readonly productName: string
  readonly line: SnpProductLine
  readonly tcb: SnpTcb
  /** 64 bytes, 8 for Turin; undefined for a VLEK. */
  readonly hwid: Uint8Array | undefined
  /** Undefined for a VCEK. */
  readonly cspId: string | undefined
}

const base = '1.3.6.1.4.1.3704.1.'

function bad(name: string, what: string): AttestError {
  return new AttestError('BAD_CERTIFICATE', `vek.extensions.${name}`, `Unusable VEK certificate: ${what}`)
}

/**
 * Reads AMD's extensions of a versioned endorsement key's certificate (AMD 57230, VCEK certificate and KDS interface).
 *
 * @param certificate of a VCEK or VLEK
 * @returns what it certifies
 * @throws AttestError `BAD_CERTIFICATE` when one is missing or of the wrong form; nothing is skipped
 */
export function vekFacts(certificate: Certificate): VekFacts {
  const value = (arc: string) => {
    const found = certificate.extensions.get(base + arc)
    if (found === undefined) throw bad(arc, 'the extension is missing')
    return found
  }
  const level = (arc: string) => {
    const { tag, content } = parseDer(value(arc))
    const [first = 0x80, second = 0] = content
    if (
      tag !== derTag.integer ||
      content.length > 2 ||
      first >= 0x80 ||
      (content.length === 2 && first !== 0)
    ) {
      throw bad(arc, 'an INTEGER from 0 to 255 is expected')
    }
    return content.length === 2 ? second : first
  }
  const productName = ia5(value('2'), '2')
  const line = productLine(productName)
  if (line === undefined) throw bad('2', 'the product is none that is known')
  const tcb = { bootloader: level('3.1'), tee: level('3.2'), snp: level('3.3'), microcode: level('3.8') }
  const csp = certificate.extensions.get(`${base}5`)
  const hwid = certificate.extensions.get(`${base}4`)
  return {
    productName,
    line,
    tcb: line === 'Turin' ? { fmc: level('3.9'), ...tcb } : tcb,
    hwid: hwid === undefined ? undefined : chipIdentity(hwid, line === 'Turin' ? 8 : 64),
    cspId: csp === undefined ? undefined : ia5(csp, '5'),
  }
}

function ia5(der: Uint8Array, arc: string): string {
  const { tag, content } = parseDer(der)
  if (tag !== derTag.ia5String || content.some((octet) => octet < 0x20 || octet > 0x7e)) {
    throw bad(arc, 'a printable IA5String is expected')
  }
  return new TextDecoder().decode(content)
}

/** The identifier stands bare, in some early certificates as an OCTET STRING. */
function chipIdentity(value: Uint8Array, length: number): Uint8Array {
  if (value.length === length) return value
  if (value.length === length + 2 && value[0] === derTag.octetString && value[1] === length)
    return value.subarray(2)
  throw bad('4', `a hardware id of ${length} bytes is expected`)
}
