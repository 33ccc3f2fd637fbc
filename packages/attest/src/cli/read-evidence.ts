import { decodeHex } from '@sealpool/crypto'
import { readBytes } from './read-file.js'

/** Evidence as bytes, or as the hexadecimal, base64 or base64url text that many programs print. */
export async function readEvidence(path: string): Promise<Uint8Array> {
  const bytes = await readBytes(path)
  // The first bytes of quotes and reports are numbers from 2 to 5: no text begins like that, but for blanks and line ends.
  const first = bytes.find((octet) => octet !== 0x20 && (octet < 0x09 || octet > 0x0d)) ?? 0
  if (first < 0x20) return bytes
  const text = new TextDecoder().decode(bytes).replace(/\s+/g, '').replace(/^0x/, '')
  if (/^(?:[0-9a-fA-F]{2})+$/.test(text)) return decodeHex(`0x${text}`)
  const decoded = Buffer.from(text, 'base64')
  const forms = [decoded.toString('base64'), decoded.toString('base64url')]
  return text !== '' && forms.some((form) => form === text || form === text.replace(/={1,2}$/, ''))
    ? new Uint8Array(decoded)
    : bytes
}
