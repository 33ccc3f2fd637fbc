import { decodeHex, type Hex } from '@sealpool/crypto'
import { keyedFingerprint } from '@sealpool/privacy'
import { type JobSecretOptions, jobSecret } from './job-secret.js'

/**
 * The randomness of a job's noise: a stream that follows from the node's root secret, the plan and the contributions that
 * are read (HMAC-SHA-256 in counter mode). To everybody without the root secret it is as good as fresh randomness; but the
 * same plan on the same data always gives the same answer. So a host that restores an old disk image and lets the node run
 * a job again learns nothing from the second answer, where fresh noise could be averaged away. It stops exact reruns only:
 * a host that gets another contribution accepted before each rerun sees fresh noise over nearly the same data, which only a
 * budget head anchored on the chain before the run would stop.
 * @param options `contributions`: ids of the contributions that the job reads, by pool address
 * @returns a source of bytes that starts at the beginning of the stream
 */
export function jobNoise(options: JobSecretOptions): (length: number) => Uint8Array {
  return noiseStream(jobSecret('job-noise', options))
}

/**
 * The stream of a job's noise.
 * @param seed 32 bytes: `jobSecret('job-noise', ...)` of the job
 * @returns a source of bytes that starts at the beginning of the stream
 */
export function noiseStream(seed: Uint8Array): (length: number) => Uint8Array {
  let counter = 0n
  let rest = new Uint8Array()
  return (length) => {
    const out = new Uint8Array(length)
    let filled = 0
    while (filled < length) {
      if (rest.length === 0) {
        const position = new Uint8Array(8)
        new DataView(position.buffer).setBigUint64(0, counter)
        counter += 1n
        rest = block(seed, position)
      }
      const part = rest.subarray(0, length - filled)
      out.set(part, filled)
      filled += part.length
      rest = rest.subarray(part.length)
    }
    return out
  }
}

function block(seed: Uint8Array, position: Uint8Array): Uint8Array<ArrayBuffer> {
  const hex: Hex = `0x${keyedFingerprint({ key: seed, domain: 'job-noise/stream', data: position })}`
  return new Uint8Array(decodeHex(hex))
}
