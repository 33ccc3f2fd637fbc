const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
const checksumLength = 6

/**
 * Writes bytes as Bech32 (BIP-173), in lower case.
 *
 * @param prefix - the human-readable part, in lower case
 * @param bytes - any bytes
 * @returns prefix, `1`, data and checksum
 */
export function encodeBech32(prefix: string, bytes: Uint8Array): string {
  const words = toWords(bytes)
  const codes = Array.from(prefix, (character) => character.charCodeAt(0))
  const expanded = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)]
  const checksum = polymod([...expanded, ...words, ...new Array<number>(checksumLength).fill(0)]) ^ 1
  for (let index = checksumLength - 1; index >= 0; index--) words.push((checksum >> (5 * index)) & 31)
  return `${prefix}1${words.map((word) => alphabet.charAt(word)).join('')}`
}

/**
 * Reads Bech32 in lower case, and only the one text that {@link encodeBech32} writes for these bytes.
 *
 * @param prefix - the human-readable part that is expected
 * @param text - of unknown origin
 * @returns the bytes, or undefined for anything else
 */
export function decodeBech32(prefix: string, text: string): Uint8Array | undefined {
  const data = text.slice(prefix.length + 1, -checksumLength)
  const bytes = new Uint8Array(Math.floor((data.length * 5) / 8))
  let buffer = 0
  let bits = 0
  let offset = 0
  for (const character of data) {
    buffer = ((buffer << 5) | alphabet.indexOf(character)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[offset++] = (buffer >> bits) & 0xff
  }
  // Writing them again finds a wrong character, checksum, prefix or padding alike.
  return encodeBech32(prefix, bytes) === text ? bytes : undefined
}

/** Bytes as groups of five bits, the last one filled up with zeros. */
function toWords(bytes: Uint8Array): number[] {
  const words: number[] = []
  let buffer = 0
  let bits = 0
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; ) {
      bits -= 5
      words.push((buffer >> bits) & 31)
    }
  }
  if (bits > 0) words.push((buffer << (5 - bits)) & 31)
  return words
}

function polymod(values: readonly number[]): number {
  let checksum = 1
  for (const value of values) {
    const top = checksum >> 25
    checksum = ((checksum & 0x1ffffff) << 5) ^ value
    generators.forEach((generator, index) => {
      if ((top >> index) & 1) checksum ^= generator
    })
  }
  return checksum
}
