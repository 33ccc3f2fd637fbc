// Evidence as origins keep it: bytes, or bytes written as text.
const fromHex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
const fromBase64 = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))
const latin = (bytes) => {
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return text
}

/**
 * Bytes as origins write them in JSON: a list of numbers, hex, base64 or base64url.
 *
 * @throws Error for what is none of them: a misread must not look like evidence
 */
export function bytesOf(value) {
  if (Array.isArray(value)) {
    if (value.every((octet) => Number.isInteger(octet) && octet >= 0 && octet < 256))
      return Uint8Array.from(value)
    throw new Error('a list of other numbers than bytes')
  }
  if (/^0x/i.test(value)) {
    if (/^0x(?:[0-9a-f]{2})*$/i.test(value)) return fromHex(value.slice(2))
    throw new Error('0x and something that is not wholly hex')
  }
  return /^(?:[0-9a-f]{2})*$/i.test(value) ? fromHex(value) : fromBase64(value)
}

/** Text without the byte order mark that some editors write. */
export function withoutMark(bytes) {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}

/** Whether no octet is a control character that texts do not have; any encoding beyond ASCII will do. */
const isText = (bytes) => bytes.every((octet) => octet === 9 || octet === 10 || octet === 13 || octet >= 32)

/** Blocks of a PEM text with their labels; comments between them may be in any encoding. */
function pemBlocks(written) {
  // A quote holds PEM between its own bytes, and is no PEM text.
  const bytes = withoutMark(written)
  if (bytes.length > 1 << 22 || !isText(bytes)) return []
  const blocks = latin(bytes).matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----/g)
  return [...blocks].map(([, label, body]) => ({ label, bytes: fromBase64(body.replaceAll(/\s/g, '')) }))
}

/** Bytes of a file that may hold them as PEM, hex or base64 text; anything else stays as it is. */
export function decoded(bytes) {
  const blocks = pemBlocks(bytes)
  // Keys and parameters stand in front of what they belong to.
  const [block] = [...blocks.filter(({ label }) => !/KEY|PARAMETERS/.test(label)), ...blocks]
  if (block !== undefined) return block.bytes
  const marked = withoutMark(bytes)
  const end = marked.length > 0 && marked[marked.length - 1] === 0 ? marked.length - 1 : marked.length
  const written = marked.subarray(0, end)
  const readable = (octet) => octet === 9 || octet === 10 || octet === 13 || (octet >= 32 && octet < 127)
  if (written.length === 0 || !written.every(readable)) return bytes
  const bare = latin(written)
    .replaceAll(/\s/g, '')
    .replace(/^"(.*)"$/, '$1')
    .replace(/^0x/i, '')
  if (/^[0-9a-f]{2}(?::[0-9a-f]{2})+$/i.test(bare)) return fromHex(bare.replaceAll(':', ''))
  if (/^(?:[0-9a-f]{2})+$/i.test(bare)) return fromHex(bare)
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(bare) && bare.length >= 64 ? fromBase64(bare) : bytes
}

/** DER of every certificate in a file: all blocks of a PEM that are labelled as one, or the one that it is. */
export function certificatesIn(bytes) {
  const blocks = pemBlocks(bytes).filter(({ label }) => label.endsWith('CERTIFICATE'))
  return blocks.length > 0 ? blocks.map((block) => block.bytes) : [decoded(bytes)]
}

/**
 * Every certificate of a folder with the name of its file. A file that cannot be read is a difference of its own, and takes
 * nothing else with it but the cases that need it.
 */
export function certificatesOf(folder, { files, library, tally }) {
  return files.list(folder).flatMap((name) => {
    const path = `${folder}/${name}`
    if (!/\.(?:der|pem|cer|crt|cert)$/i.test(name)) {
      tally.count('certificate file', false, `not read: ${path} has another ending`)
      return []
    }
    const all = tally.attempt('certificate file', path, () =>
      files.certificates(path).map((der) => ({ name, certificate: library.parseCertificate(der) })),
    )
    return all ?? []
  })
}
