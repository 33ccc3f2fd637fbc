import { AttestError } from '../errors.js'
import { needBytesList, needText } from './argument.js'

const begin = '-----BEGIN CERTIFICATE-----'
const end = '-----END CERTIFICATE-----'
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
/** Value of each ASCII character in base64, -1 for all others. */
const values = /* @__PURE__ */ Int8Array.from({ length: 128 }, (_, code) =>
  alphabet.indexOf(String.fromCharCode(code)),
)

/** Most certificates read from one PEM text; Intel's chains have three. */
export const maximumPemCertificates = 16

/**
 * Reads a chain of PEM certificates (RFC 7468): lines of base64 between boundaries, LF or CRLF, blank lines between blocks.
 * Any other text, padding that is not canonical, or an odd boundary is refused.
 *
 * @param text PEM text, at most 16 certificates
 * @returns DER bytes of each, in the order of the text
 * @throws AttestError `BAD_PEM`
 */
export function parsePemCertificates(text: string): Uint8Array[] {
  needText(text, 'text')
  const certificates: Uint8Array[] = []
  let body: string[] | undefined
  const lines = text.split('\n')
  for (let i = 0; i < lines.length; i += 1) {
    const line = (lines[i] ?? '').replace(/\r$/, '')
    const fail = (what: string) =>
      new AttestError('BAD_PEM', `line ${i + 1}`, `Not a PEM certificate chain: ${what}`)
    if (body === undefined) {
      if (line === '') continue
      if (line !== begin) throw fail(`expected ${begin}`)
      if (certificates.length === maximumPemCertificates) {
        throw fail(`more than ${maximumPemCertificates} certificates`)
      }
      body = []
    } else if (line === end) {
      certificates.push(decodeBase64(body.join(''), fail))
      body = undefined
    } else {
      body.push(line)
    }
  }
  if (body !== undefined) throw new AttestError('BAD_PEM', 'end of text', 'The last PEM block is not closed')
  if (certificates.length === 0) throw new AttestError('BAD_PEM', 'text', 'There is no PEM certificate')
  return certificates
}

/**
 * Writes certificates as PEM with 64-column lines, one LF after each line: the one canonical form that evidence must use,
 * so that no byte of it can be changed without notice.
 *
 * @param certificates DER bytes
 * @returns PEM text
 */
export function formatPemCertificates(certificates: readonly Uint8Array[]): string {
  needBytesList(certificates, 'certificates')
  return certificates
    .map((der) => `${begin}\n${(encodeBase64(der).match(/.{1,64}/g) ?? []).join('\n')}\n${end}\n`)
    .join('')
}

function decodeBase64(text: string, fail: (what: string) => AttestError): Uint8Array {
  if (text.length === 0 || text.length % 4 !== 0) throw fail('base64 of a wrong length')
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  let bits = 0
  let count = 0
  let out = 0
  for (let i = 0; i < text.length - padding; i += 1) {
    const value = values[text.charCodeAt(i)] ?? -1
    if (value < 0) throw fail('a character that is not base64')
    bits = ((bits << 6) | value) & 0xffffff
    count += 6
    if (count >= 8) {
      count -= 8
      bytes[out] = (bits >> count) & 0xff
      out += 1
    }
  }
  if ((bits & ((1 << count) - 1)) !== 0) throw fail('base64 whose last bits are not zero')
  return bytes
}

function encodeBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    text += alphabet.charAt(group >> 18) + alphabet.charAt((group >> 12) & 63)
    text += left > 1 ? alphabet.charAt((group >> 6) & 63) : '='
    text += left > 2 ? alphabet.charAt(group & 63) : '='
  }
  return text
}
