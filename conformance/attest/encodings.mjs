// Evidence as origins keep it: bytes, or bytes written as text.
const utf8 = new TextDecoder('utf-8', { fatal: true })

const fromHex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
const fromBase64 = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))

/** Bytes as origins write them in JSON: a list of numbers, hex, base64 or base64url. */
export function bytesOf(value) {
  if (Array.isArray(value)) return Uint8Array.from(value)
  if (value.startsWith('0x')) return fromHex(value.slice(2))
  return /^(?:[0-9a-f]{2})*$/i.test(value) ? fromHex(value) : fromBase64(value)
}

/** Bytes of a file that may hold them as PEM, hex or base64 text; anything else stays as it is. */
export function decoded(bytes) {
  if (
    bytes.length === 0 ||
    !bytes.every((octet) => octet === 9 || octet === 10 || octet === 13 || (octet >= 32 && octet < 127))
  )
    return bytes
  const text = utf8.decode(bytes)
  const [, pem] = /-----BEGIN [A-Z0-9 ]+-----([A-Za-z0-9+/=\s]+)-----END/.exec(text) ?? []
  if (pem !== undefined) return fromBase64(pem.replaceAll(/\s/g, ''))
  const bare = text.replaceAll(/\s/g, '').replace(/^0x/i, '')
  if (/^(?:[0-9a-f]{2})+$/i.test(bare)) return fromHex(bare)
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(bare) && bare.length >= 64 ? fromBase64(bare) : bytes
}

/** Whether a file's name is that of a certificate. */
export const isCertificateName = (name) => /\.(?:der|pem|cer|crt|cert)$/.test(name)
