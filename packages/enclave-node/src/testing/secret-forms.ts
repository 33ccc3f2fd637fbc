/**
 * The forms in which a secret may lie in memory or in a file.
 * @module
 */

/** A secret as it may be written. */
export interface SecretForm {
  readonly encoding: string
  readonly bytes: Buffer
}

/** What is looked for: by name, since its value is never shown. */
export interface Sought {
  readonly what: string
  readonly forms: readonly SecretForm[]
}

/** @returns base64 of bytes that begin at any of three places in longer ones: the part that does not depend on the neighbours */
export function base64Cores(bytes: Uint8Array): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const first = Math.ceil((shift * 8) / 6)
    const whole = Math.floor(((shift + bytes.length) * 8) / 6)
    return encoded.slice(first, whole)
  })
}

/** Texts that programs make of bytes, as one byte a character and as two: JavaScript keeps either. */
function writtenForms(bytes: Buffer): SecretForm[] {
  const texts: [string, string][] = [
    ['hexadecimal', bytes.toString('hex')],
    ['hexadecimal, capitals', bytes.toString('hex').toUpperCase()],
    ...base64Cores(bytes).flatMap((core): [string, string][] => [
      ['base64', core],
      ['base64url', core.replaceAll('+', '-').replaceAll('/', '_')],
    ]),
  ]
  return texts.flatMap(([encoding, text]) => [
    { encoding, bytes: Buffer.from(text, 'latin1') },
    { encoding: `${encoding} in UTF-16`, bytes: Buffer.from(text, 'utf16le') },
  ])
}

/** Equal forms (base64 without + and /) are looked for once. */
function distinct(forms: readonly SecretForm[]): SecretForm[] {
  return forms.filter(({ bytes }, index) => forms.findIndex((other) => other.bytes.equals(bytes)) === index)
}

/**
 * @param what its name
 * @param text at least 12 characters that stand nowhere by chance
 * @returns the forms of a text
 */
export function soughtText(what: string, text: string): Sought {
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length < 12) throw new RangeError(`${what} is too short to mean anything`)
  return {
    what,
    forms: distinct([
      { encoding: 'UTF-8', bytes },
      { encoding: 'UTF-16', bytes: Buffer.from(text, 'utf16le') },
      ...writtenForms(bytes),
    ]),
  }
}

/**
 * @param what its name
 * @param key 16 to 64 bytes
 * @returns the forms of a key: also as a number of either end first (the digits of a BigInt are 64 bits, the lowest first, so that a
 *   little-endian number lies there as its bytes do and a big-endian one backwards), as words that a hash or cipher has read, and under
 *   the pads of HMAC, which are as good as the key
 */
export function soughtKey(what: string, key: Uint8Array): Sought {
  const bytes = Buffer.from(key)
  if (bytes.length < 16 || bytes.length > 64 || bytes.length % 4 !== 0)
    throw new RangeError(`${what} is no key of 16 to 64 bytes`)
  const padded = (pad: number) => Buffer.from(bytes.map((byte) => byte ^ pad))
  return {
    what,
    forms: distinct([
      { encoding: 'bytes', bytes },
      { encoding: 'bytes backwards', bytes: Buffer.from(bytes).reverse() },
      { encoding: 'words', bytes: Buffer.from(bytes).swap32() },
      { encoding: 'inner pad', bytes: padded(0x36) },
      { encoding: 'outer pad', bytes: padded(0x5c) },
      ...writtenForms(bytes),
    ]),
  }
}

/**
 * @param what its name
 * @param scalar private key of X25519, 32 bytes
 * @returns the forms of the key and of the number that is computed with (RFC 7748, decodeScalar25519)
 */
export function soughtScalar(what: string, scalar: Uint8Array): Sought {
  const clamped = Uint8Array.from(scalar)
  clamped[0] = (clamped[0] ?? 0) & 248
  clamped[31] = ((clamped[31] ?? 0) & 127) | 64
  const forms = [...soughtKey(what, scalar).forms, ...soughtKey(what, clamped).forms]
  return { what, forms: distinct(forms) }
}
