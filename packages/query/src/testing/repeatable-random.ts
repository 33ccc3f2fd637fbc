import { createCipheriv } from 'node:crypto'

/** The same bytes in every run: AES in counter mode. A test of a distribution must not fail by chance. */
export function repeatableRandom(seed: number): (length: number) => Uint8Array {
  const key = new Uint8Array(16)
  new DataView(key.buffer).setUint32(0, seed)
  const stream = createCipheriv('aes-128-ctr', key, new Uint8Array(16))
  return (length) => new Uint8Array(stream.update(new Uint8Array(length)))
}
