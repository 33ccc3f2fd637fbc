import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@sealpool/crypto'
import { PocError } from '../errors.js'

/**
 * Whether a contribution is to be audited. The choice follows from a public beacon that nobody knew when the contribution was made (a
 * later block's hash), so contributors cannot avoid it and the operator cannot spare anyone; everybody can compute it again.
 *
 * @param options `beacon`: 32 bytes; `contribution`: its id; `rate`: share that is audited, 0 to 1; `suspicion`: 0 to 1, raises the rate
 *   towards 1 (1 less novelty, for example)
 * @returns true when it is to be audited; the same options give the same answer
 * @throws PocError `OPTION_INVALID`
 */
export function selectForAudit(options: {
  readonly beacon: Uint8Array
  readonly contribution: string
  readonly rate: number
  readonly suspicion?: number
}): boolean {
  const { beacon, contribution, rate, suspicion = 0 } = options
  if (beacon.length !== 32) throw new PocError('OPTION_INVALID', 'beacon', 'a beacon has 32 bytes')
  for (const [place, value] of [
    ['rate', rate],
    ['suspicion', suspicion],
  ] as const) {
    if (!(value >= 0 && value <= 1))
      throw new PocError('OPTION_INVALID', place, 'expected a share from 0 to 1')
  }
  const label = new TextEncoder().encode(`sealpool/audit/1\0${contribution}`)
  const digest = sha256(concatBytes(beacon, label))
  // 48 bits: exact in a double, and finer than any rate that means something.
  const drawn =
    new DataView(digest.buffer, digest.byteOffset).getUint32(0) * 65_536 +
    ((digest[4] ?? 0) * 256 + (digest[5] ?? 0))
  return drawn / 2 ** 48 < rate + (1 - rate) * suspicion
}
