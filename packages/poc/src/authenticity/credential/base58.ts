const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/**
 * Decodes base58 as Bitcoin and multibase (`z`) write it.
 *
 * @param text at most 200 characters
 * @returns the bytes, or undefined when a character is foreign or the text too long
 */
export function decodeBase58(text: string): Uint8Array | undefined {
  if (text.length > 200) return undefined
  let value = 0n
  for (const character of text) {
    const digit = ALPHABET.indexOf(character)
    if (digit === -1) return undefined
    value = value * 58n + BigInt(digit)
  }
  const zeros = /^1*/.exec(text)?.[0].length ?? 0
  const hex = value === 0n ? '' : value.toString(16)
  const padded = hex.padStart(hex.length + (hex.length % 2), '0')
  const bytes = new Uint8Array(zeros + padded.length / 2)
  for (let index = 0; index < padded.length; index += 2) {
    bytes[zeros + index / 2] = Number.parseInt(padded.slice(index, index + 2), 16)
  }
  return bytes
}
