import { createCipheriv, createHash } from 'node:crypto'

/**
 * A randomness port that gives the same bytes in every run: AES-256 in counter mode under a key made of a name.
 *
 * @param name two names give unrelated streams
 * @returns the port
 */
export function deterministicRandom(name) {
  const key = createHash('sha256').update(name).digest()
  const stream = createCipheriv('aes-256-ctr', key, new Uint8Array(16))
  return (length) => new Uint8Array(stream.update(new Uint8Array(length)))
}
