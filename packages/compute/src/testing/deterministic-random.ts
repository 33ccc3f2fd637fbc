import type { RandomBytes } from '@sealpool/privacy'

/**
 * A reproducible generator for tests (xorshift on 64 bits); never for noise that protects anybody.
 *
 * @param seed - Any integer.
 * @returns Generator with the shape of the randomness port.
 */
export function deterministicRandom(seed: number): RandomBytes {
  let state = BigInt.asUintN(64, BigInt(seed) * 0x9e3779b97f4a7c15n + 0x1234567n)
  return (length) => {
    const bytes = new Uint8Array(length)
    for (let index = 0; index < length; index++) {
      if (index % 4 === 0) {
        state = BigInt.asUintN(64, state ^ (state << 13n))
        state ^= state >> 7n
        state = BigInt.asUintN(64, state ^ (state << 17n))
      }
      bytes[index] = Number((state >> BigInt(8 * (index % 4) + 16)) & 0xffn)
    }
    return bytes
  }
}

/** Standard normal and uniform numbers from a seed, for synthetic data. */
export function deterministicNumbers(seed: number): { uniform(): number; normal(): number } {
  const random = deterministicRandom(seed)
  const uniform = (): number => {
    const bytes = random(4)
    return (new DataView(bytes.buffer).getUint32(0) + 0.5) / 2 ** 32
  }
  return { uniform, normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()) }
}
