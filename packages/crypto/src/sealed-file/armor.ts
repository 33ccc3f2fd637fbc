import { decodeBase64Url, encodeBase64Url } from '../encoding/base64url.js'
import { requireByteString } from '../encoding/bytes.js'
import { CryptoError } from '../errors.js'

const begin = '-----BEGIN SEALPOOL FILE-----'
const end = '-----END SEALPOOL FILE-----'
const columns = 64

/**
 * Writes a sealed file as text: base64 (RFC 4648 section 4) in lines of 64 characters between two marks.
 *
 * @param sealed - any bytes, at least one
 * @returns the text, with a line break at its end
 * @throws CryptoError `ARMOR_INVALID` for no bytes
 */
export function encodeArmor(sealed: Uint8Array): string {
  requireByteString(sealed, 'sealed')
  if (sealed.length === 0) throw new CryptoError('ARMOR_INVALID', 'sealed', 'there is nothing to write')
  const unpadded = encodeBase64Url(sealed).replaceAll('-', '+').replaceAll('_', '/')
  const text = unpadded.padEnd(Math.ceil(unpadded.length / 4) * 4, '=')
  const lines = [begin]
  for (let at = 0; at < text.length; at += columns) lines.push(text.slice(at, at + columns))
  return `${[...lines, end].join('\n')}\n`
}

/**
 * Reads what {@link encodeArmor} wrote. White space around the whole and line breaks of either kind are taken;
 * anything else that differs from the one text for these bytes is refused.
 *
 * @param text - the armoured file
 * @returns the bytes
 * @throws CryptoError `ARMOR_INVALID`
 */
export function decodeArmor(text: string): Uint8Array {
  return readArmor(text, { begin, end })
}

/**
 * Reads base64 in lines of 64 characters between two marks.
 *
 * @param text - of unknown origin
 * @param marks - the first and the last line
 * @returns the bytes
 * @throws CryptoError `ARMOR_INVALID`
 */
export function readArmor(
  text: string,
  { begin, end }: { readonly begin: string; readonly end: string },
): Uint8Array {
  if (typeof text !== 'string') throw refuse('expected text')
  const lines = inner(text).split(/\r?\n/)
  if (lines.length < 3 || lines[0] !== begin || lines.at(-1) !== end) {
    throw refuse(`expected lines between ${begin} and ${end}`)
  }
  const body = lines.slice(1, -1)
  body.forEach((line, index) => {
    const last = index === body.length - 1
    const pattern = last ? /^[A-Za-z0-9+/]+={0,2}$/ : /^[A-Za-z0-9+/]+$/
    const full = last ? line.length <= columns && line.length % 4 === 0 : line.length === columns
    if (!full || !pattern.test(line)) throw refuse(`line ${index + 2} is not base64 of ${columns} characters`)
  })
  const joined = body.join('').replace(/=+$/, '')
  try {
    return decodeBase64Url(joined.replaceAll('+', '-').replaceAll('/', '_'))
  } catch (error) {
    throw refuse('the base64 is not in its one form', error)
  }
}

/** Without blanks, tabs and line breaks at both ends; `trim()` would take every white space of Unicode. */
function inner(text: string): string {
  let [start, stop] = [0, text.length]
  while (start < stop && ' \t\r\n'.includes(text.charAt(start))) start += 1
  while (stop > start && ' \t\r\n'.includes(text.charAt(stop - 1))) stop -= 1
  return text.slice(start, stop)
}

function refuse(why: string, cause?: unknown): CryptoError {
  return new CryptoError('ARMOR_INVALID', 'text', why, cause === undefined ? undefined : { cause })
}
