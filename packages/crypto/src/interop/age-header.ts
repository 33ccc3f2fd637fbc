import { base64nopad } from '@scure/base'
import { isBytes } from '../encoding/bytes.js'
import { utf8 } from '../encoding/utf8.js'
import { CryptoError } from '../errors.js'

/** A stanza of an age header. */
export interface AgeStanza {
  readonly type: string
  readonly args: readonly string[]
  readonly body: Uint8Array
}

const decoder = /* @__PURE__ */ new TextDecoder()
const versionLine = 'age-encryption.org/v1'
const columns = 64
/** Longest header that is read. */
const maximumLength = 1_048_576
/** Stanzas bear no names: each costs every identity a key agreement. */
const maximumStanzas = 1000

/**
 * Writes an age header up to the hyphens before its MAC, which is what the MAC covers.
 *
 * @param stanzas - the recipients
 * @returns the bytes
 */
export function encodeAgeHeader(stanzas: readonly AgeStanza[]): Uint8Array {
  const lines = [versionLine]
  for (const { type, args, body } of stanzas) {
    lines.push(['->', type, ...args].join(' '))
    const text = base64nopad.encode(body)
    // The last line of a body is shorter than a full one, and empty when need be.
    for (let at = 0; at <= text.length; at += columns) lines.push(text.slice(at, at + columns))
  }
  return utf8(`${lines.join('\n')}\n---`)
}

/**
 * Reads an age header.
 *
 * @param file - an age file
 * @returns stanzas, the bytes that the MAC covers, the MAC, and where the payload begins
 * @throws CryptoError `AGE_INVALID` for what is no header of version 1, in time and memory bounded by 1 MiB
 */
export function parseAgeHeader(file: Uint8Array): {
  readonly stanzas: readonly AgeStanza[]
  readonly unsigned: Uint8Array
  readonly mac: Uint8Array
  readonly payloadOffset: number
} {
  if (!isBytes(file)) throw invalid('expected a Uint8Array')
  let offset = 0
  const line = (): string => {
    const end = file.indexOf(0x0a, offset)
    if (end < 0 || end > maximumLength) throw invalid('the header does not end within 1 MiB')
    const bytes = file.subarray(offset, end)
    if (!bytes.every((byte) => byte >= 0x20 && byte <= 0x7e)) throw invalid('a line is not printable ASCII')
    offset = end + 1
    return decoder.decode(bytes)
  }
  if (line() !== versionLine) throw invalid(`expected ${versionLine}`)
  const stanzas: AgeStanza[] = []
  for (;;) {
    const start = offset
    const first = line()
    if (first.startsWith('--- ')) {
      if (stanzas.length === 0) throw invalid('a file has at least one recipient')
      const mac = decode(first.slice(4))
      if (mac.length !== 32) throw invalid('a MAC has 32 bytes')
      return { stanzas, unsigned: file.slice(0, start + 3), mac, payloadOffset: offset }
    }
    const [arrow, type, ...args] = first.split(' ')
    const named = type !== undefined && type.length > 0 && args.every((arg) => arg.length > 0)
    if (arrow !== '->' || !named) throw invalid('expected a stanza')
    const parts: string[] = []
    for (;;) {
      const part = line()
      if (part.length > columns) throw invalid('a line of a stanza is too long')
      parts.push(part)
      if (part.length < columns) break
    }
    if (stanzas.length === maximumStanzas) throw invalid(`more than ${maximumStanzas} recipients`)
    stanzas.push({ type, args, body: decode(parts.join('')) })
  }
}

function decode(text: string): Uint8Array {
  try {
    return base64nopad.decode(text)
  } catch {
    throw invalid('base64 that is not in its one form')
  }
}

function invalid(why: string): CryptoError {
  return new CryptoError('AGE_INVALID', 'header', `not an age file of version 1: ${why}`)
}
