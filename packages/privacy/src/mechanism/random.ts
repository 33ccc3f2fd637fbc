import { PrivacyError } from '../errors.js'

/**
 * Randomness as a port: returns `length` bytes that are uniform, independent and secret.
 * Everything that this package promises about privacy rests on that.
 */
export type RandomBytes = (length: number) => Uint8Array

/** Bytes fetched at once by {@link buffered}. */
const BLOCK = 4096

/**
 * Turns a generator that is costly per call into one that is cheap per byte. A byte is handed out once.
 *
 * @param random - Generator to draw blocks from.
 * @returns A generator with the same distribution.
 */
export function buffered(random: RandomBytes): RandomBytes {
  let block = new Uint8Array(0)
  let used = 0
  return (length) => {
    if (length > BLOCK) return random(length)
    if (used + length > block.length) {
      block = random(BLOCK).slice()
      used = 0
    }
    const bytes = block.slice(used, used + length)
    block.fill(0, used, used + length)
    used += length
    return bytes
  }
}

/**
 * A uniform integer in [0, bound), exactly: rejection sampling on the smallest power of two above.
 *
 * @param bound - Exclusive upper end, at least 1.
 * @param random - Randomness port.
 * @returns Uniform integer.
 * @throws PrivacyError `PARAMETER_INVALID` when `bound` is not positive or the port returns too few bytes.
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
  for (;;) {
    const bytes = take(length, random)
    let value = BigInt((bytes[0] ?? 0) & mask)
    for (let index = 1; index < length; index++) value = (value << 8n) | BigInt(bytes[index] ?? 0)
    if (value < bound) return value
  }
}

/** The same for bounds up to 2^32, in ordinary numbers, which is several times faster. */
function uniformBelow32(bound: number, random: RandomBytes): number {
  const bits = 32 - Math.clz32(bound - 1)
  const length = (bits + 7) >> 3
  const mask = bits === 32 ? 0xffffffff : 2 ** bits - 1
  for (;;) {
    const bytes = take(length, random)
    let value = 0
    for (let index = 0; index < length; index++) value = value * 256 + (bytes[index] ?? 0)
    value = (value & mask) >>> 0
    if (value < bound) return value
  }
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
