import type { RandomBytes } from '../mechanism/random.js'

/**
 * A reproducible generator for tests (sfc32); never for noise that protects anybody.
 *
 * @param seed - Any integer.
 * @returns Generator with the shape of the randomness port.
 */
export function deterministicRandom(seed: number): RandomBytes {
  let [a, b, c, counter] = [seed | 0, 0x9e3779b9 | 0, 0x243f6a88 | 0, 1]
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 24
  }
  for (let warm = 0; warm < 20; warm++) next()
  return (length) => Uint8Array.from({ length }, next)
}
