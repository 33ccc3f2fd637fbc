import { hasBareReturn } from '../../define/split-mail.js'

/** A mail as DKIM sees it. Texts hold one byte in each character (Latin-1), so that nothing is decoded before it is hashed. */
export interface MailMessage {
  /** Header fields from the top, name and body as they stand, folding included. */
  readonly headers: readonly { readonly name: string; readonly raw: string }[]
  readonly body: string
}

const MOST_HEADERS = 2000

/**
 * Splits a message (RFC 5322 section 2.1) into header fields and body. Bare line feeds, which mail stores keep on disk, become
 * the CRLF that was signed; a bare carriage return is what no message may hold (section 2.3) and what readers take differently.
 *
 * @param bytes the message
 * @returns the message, or undefined when its header is malformed or a carriage return stands alone
 */
export function readMessage(bytes: Uint8Array): MailMessage | undefined {
  const lines = latin1(bytes)
  if (hasBareReturn(lines)) return undefined
  const text = lines.replace(/\r?\n/g, '\r\n')
  const gap = text.indexOf('\r\n\r\n')
  // Without an empty line the message is a header and no body; the last field still ends with CRLF.
  const head = gap === -1 ? text.replace(/(\r\n)?$/, '\r\n') : text.slice(0, gap + 2)
  const body = gap === -1 ? '' : text.slice(gap + 4)
  const headers: { name: string; raw: string }[] = []
  let field = ''
  for (const line of head.split('\r\n').slice(0, -1)) {
    if (/^[ \t]/.test(line)) {
      if (field === '') return undefined
      field += `${line}\r\n`
      continue
    }
    if (field !== '') headers.push({ name: nameOf(field), raw: field })
    if (!/^[\x21-\x39\x3b-\x7e]+[ \t]*:/.test(line) || headers.length >= MOST_HEADERS) return undefined
    field = `${line}\r\n`
  }
  if (field !== '') headers.push({ name: nameOf(field), raw: field })
  return headers.length > 0 ? { headers, body } : undefined
}

function nameOf(field: string): string {
  return field.slice(0, field.indexOf(':')).trimEnd().toLowerCase()
}

/** Bytes as a text of one character each. */
export function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  }
  return text
}

/** The other way round. */
export function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/** How a part of the message is written before it is hashed (RFC 6376 section 3.4). */
export type Canonicalization = 'simple' | 'relaxed'

/** A header field in its canonical form, with its CRLF (sections 3.4.1, 3.4.2). */
export function canonicalHeader(raw: string, mode: Canonicalization): string {
  if (mode === 'simple') return raw
  const colon = raw.indexOf(':')
  const name = raw.slice(0, colon).trim().toLowerCase()
  const value = raw
    .slice(colon + 1)
    .replaceAll('\r\n', '')
    .replace(/[ \t]+/g, ' ')
    // Blanks and tabs alone are white space here: `trim` would take the last byte of a letter in UTF-8 (0xA0) as well.
    .replace(/^ | $/g, '')
  return `${name}:${value}\r\n`
}

/** The body in its canonical form (sections 3.4.3, 3.4.4). */
export function canonicalBody(body: string, mode: Canonicalization): string {
  // Line by line: an expression that looks for blanks before a line's end takes quadratic time on a line of blanks.
  const lines =
    mode === 'simple'
      ? body
      : body
          .split('\r\n')
          .map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''))
          .join('\r\n')
  let end = lines.length
  while (end >= 2 && lines.startsWith('\r\n', end - 2)) end -= 2
  const kept = lines.slice(0, end)
  if (kept === '') return mode === 'simple' ? '\r\n' : ''
  return `${kept}\r\n`
}
