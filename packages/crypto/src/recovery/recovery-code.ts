import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, drawRandom, type Random, requireBytes, requireNonZero } from '../encoding/bytes.js'
import { utf8 } from '../encoding/utf8.js'
import { CryptoError } from '../errors.js'

// Crockford's base32: no I, L, O, U, so that a code survives handwriting and dictation.
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const entropyLength = 20
const checkCharacters = 4
const label = /* @__PURE__ */ utf8('sealpool/recovery-code/1')

/**
 * Draws a recovery code: 160 random bits and a checksum, as nine groups of four characters. It is shown once and kept
 * on paper; it is a secret.
 *
 * @param random - source of randomness
 * @returns the code, such as `7K2M-...`
 * @throws CryptoError `RANDOM_INVALID`
 */
export function drawRecoveryCode(random: Random): string {
  const characters = writeRecoveryCode(
    requireNonZero(drawRandom(random, entropyLength), 'RANDOM_INVALID', 'random'),
  )
  return (characters.match(/.{4}/g) ?? []).join('-')
}

function writeRecoveryCode(entropy: Uint8Array): string {
  const bits = BigInt(`0x${[...entropy].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`)
  const body = digits(bits, (entropyLength * 8) / 5)
  return body + checksumOf(entropy)
}

function checksumOf(entropy: Uint8Array): string {
  const digest = sha256(concatBytes(label, entropy))
  const twenty = ((digest[0] ?? 0) << 12) | ((digest[1] ?? 0) << 4) | ((digest[2] ?? 0) >> 4)
  return digits(BigInt(twenty), checkCharacters)
}

function digits(value: bigint, count: number): string {
  let rest = value
  let text = ''
  for (let index = 0; index < count; index++) {
    text = alphabet.charAt(Number(rest & 31n)) + text
    rest >>= 5n
  }
  return text
}

/**
 * Reads a recovery code as people type it: letters of either case, `O` for 0, `I` and `L` for 1, blanks and hyphens
 * anywhere.
 *
 * @param code - what the user typed
 * @returns the code's 20 secret bytes
 * @throws CryptoError `RECOVERY_CODE_INVALID` for another length, another character, or a mistyped one
 */
export function readRecoveryCode(code: string): Uint8Array {
  const refuse = (why: string) => new CryptoError('RECOVERY_CODE_INVALID', 'code', why)
  if (typeof code !== 'string' || code.length > 200) throw refuse('a recovery code is nine groups of four')
  const plain = code.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')
  const bodyLength = (entropyLength * 8) / 5
  if (plain.length !== bodyLength + checkCharacters) throw refuse('a recovery code is nine groups of four')
  let bits = 0n
  for (const character of plain.slice(0, bodyLength)) {
    const value = alphabet.indexOf(character)
    if (value < 0) throw refuse('a character is none of 0-9 and A-Z without I, L, O, U')
    bits = (bits << 5n) | BigInt(value)
  }
  const entropy = new Uint8Array(entropyLength)
  for (let index = entropyLength - 1; index >= 0; index--) {
    entropy[index] = Number(bits & 255n)
    bits >>= 8n
  }
  if (checksumOf(entropy) !== plain.slice(bodyLength))
    throw refuse('a character was mistyped; check the code')
  return requireBytes(entropy, entropyLength, 'code')
}
