import { PrivacyError } from '../errors.js'

/**
 * Randomness as a port: returns `length` bytes that are uniform, independent and secret.
 * Everything that this package promises about privacy rests on that.
 */
export type RandomBytes = (length: number) => Uint8Array

/** Bytes fetched at once by {@link buffered}. */
const BLOCK = 4096

/** Marks a generator that can hand out short integers without making an array for each. */
const READ = Symbol('read')
interface BufferedRandom extends RandomBytes {
  readonly [READ]?: (length: number) => number
}

/**
 * Turns a generator that is costly per call into one that is cheap per byte. A byte is handed out once.
 *
 * @param random - Generator to draw blocks from.
 * @returns A generator with the same distribution.
 */
export function buffered(random: RandomBytes): RandomBytes {
  let block = new Uint8Array(0)
  let used = 0
  const reserve = (length: number): void => {
    if (used + length <= block.length) return
    block = take(BLOCK, random).slice()
    used = 0
  }
  const bytes: RandomBytes = (length) => {
    if (length > BLOCK) return random(length)
    reserve(length)
    const part = block.slice(used, used + length)
    block.fill(0, used, used + length)
    used += length
    return part
  }
  const read = (length: number): number => {
    reserve(length)
    let value = 0
    for (let left = length; left > 0; left--) {
      value = value * 256 + (block[used] ?? 0)
      block[used] = 0
      used++
    }
    return value
  }
  return Object.assign(bytes, { [READ]: read })
}

/**
 * True with probability `numerator / (denominator * divisor)`, exactly.
 *
 * Compares a uniform real, of which 32 bits are drawn at a time, with the fraction's own binary digits, and stops
 * at the first word that differs. So nearly always one word decides, however long the fraction is.
 *
 * @param word - floor(2^32 * numerator / denominator).
 * @param divisor - Whole number of at least 1.
 * @param fraction - `numerator` from 0 to `denominator`.
 * @param random - Randomness port.
 * @param before - Words that were drawn for this coin already.
 * @returns One draw.
 * @throws PrivacyError `PARAMETER_INVALID` when 33 words in turn are the fraction's own: the port is broken.
 */
export function coin(
  word: number,
  divisor: number,
  fraction: { readonly numerator: bigint; readonly denominator: bigint },
  random: RandomBytes,
  before = 0,
): boolean {
  // floor(floor(x) / k) = floor(x / k) for a whole k, so the first word needs no big integer.
  const first = Math.floor(word / divisor)
  if (first === 2 ** 32) return true
  const drawn = readInteger(4, random)
  if (drawn !== first) return drawn < first
  const denominator = fraction.denominator * BigInt(divisor)
  const numerator = (fraction.numerator << 32n) - BigInt(first) * denominator
  if (numerator === 0n) return false
  // Each word was the fraction's own.
  if (before >= 32) throw brokenRandom()
  return coin(Number((numerator << 32n) / denominator), 1, { numerator, denominator }, random, before + 1)
}

/**
 * A uniform integer in [0, bound), exactly: rejection sampling on the smallest power of two above.
 *
 * @param bound - Exclusive upper end, at least 1.
 * @param random - Randomness port.
 * @returns Uniform integer.
 * @throws PrivacyError `PARAMETER_INVALID` when `bound` is not positive, or the port returns too few bytes or always the same.
 */
export function uniformBelow(bound: bigint, random: RandomBytes): bigint {
  if (bound < 1n) {
    throw new PrivacyError('PARAMETER_INVALID', 'bound', 'A uniform draw needs a bound of at least 1.')
  }
  if (bound === 1n) return 0n
  if (bound <= 0x1_0000_0000n) return BigInt(uniformBelow32(Number(bound), random))
  const bits = (bound - 1n).toString(2).length
  const length = Math.ceil(bits / 8)
  const mask = 0xff >> (length * 8 - bits)
  for (let attempt = 0; attempt < mostRejections; attempt++) {
    const bytes = take(length, random)
    let value = BigInt((bytes[0] ?? 0) & mask)
    for (let index = 1; index < length; index++) value = (value << 8n) | BigInt(bytes[index] ?? 0)
    if (value < bound) return value
  }
  throw brokenRandom()
}

/** The same for bounds up to 2^32, in ordinary numbers, which is several times faster. */
function uniformBelow32(bound: number, random: RandomBytes): number {
  const bits = 32 - Math.clz32(bound - 1)
  const length = (bits + 7) >> 3
  const mask = bits === 32 ? 0xffffffff : 2 ** bits - 1
  for (let attempt = 0; attempt < mostRejections; attempt++) {
    const value = (readInteger(length, random) & mask) >>> 0
    if (value < bound) return value
  }
  throw brokenRandom()
}

/** Up to four bytes as a big-endian integer. */
function readInteger(length: number, random: BufferedRandom): number {
  const read = random[READ]
  if (read !== undefined) return read(length)
  const bytes = take(length, random)
  let value = 0
  for (let index = 0; index < length; index++) value = value * 256 + (bytes[index] ?? 0)
  return value
}

/** Draws that are thrown away one after the other, at most: a true generator comes there with a probability below 2^-200. */
export const mostRejections = 1024

/**
 * What a generator is told that can only be broken, where a sampler would draw for ever.
 *
 * @returns The error to throw.
 */
export function brokenRandom(): PrivacyError {
  return new PrivacyError(
    'PARAMETER_INVALID',
    'random',
    'The randomness port gives the same bytes again and again. Pass a generator of uniform, independent bytes.',
  )
}

function take(length: number, random: RandomBytes): Uint8Array {
  const bytes = random(length)
  if (bytes.length !== length) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'random',
      `The randomness port returned ${bytes.length} bytes where ${length} were asked for. Pass a generator that returns what it is asked for.`,
    )
  }
  return bytes
}
