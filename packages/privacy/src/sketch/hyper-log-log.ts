import { PrivacyError } from '../errors.js'
import { keyedHash } from './keyed-hash.js'

/** Registers from which the number of distinct items is estimated. */
export interface HyperLogLog {
  readonly kind: 'hyper-log-log'
  /** 2^precision registers, each the longest run of zeros seen plus one. */
  readonly registers: Uint8Array
}

/** Bits of a hash that are left for runs of zeros. */
const RUN_BITS = 32

/**
 * A keyed HyperLogLog sketch (Flajolet et al. 2007).
 *
 * @param options - `items`; `key` and `use` as for all sketches of the pool; `precision` from 4 to 16, default 12: the standard
 *   error is 1.04 / sqrt(2^precision), 1.6 %.
 * @returns The sketch. It belongs inside of the enclave; `sealSketch` makes it fit to leave.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function hyperLogLog(options: {
  readonly items: Iterable<string>
  readonly key: Uint8Array
  readonly use: string
  readonly precision?: number
}): HyperLogLog {
  const { precision = 12 } = options
  if (!Number.isSafeInteger(precision) || precision < 4 || precision > 16) {
    throw new PrivacyError('PARAMETER_INVALID', 'precision', 'precision must be a whole number from 4 to 16.')
  }
  const hash = keyedHash(options)
  const registers = new Uint8Array(2 ** precision)
  for (const item of options.items) {
    const [place, run] = hash(item)
    const register = place >>> (32 - precision)
    const length = Math.clz32(run) + 1
    if (length > (registers[register] ?? 0)) registers[register] = length
  }
  return { kind: 'hyper-log-log', registers }
}

/**
 * Estimated number of distinct items, by Ertl's improved estimator (arXiv:1702.01284, algorithm 6), which needs no tables and
 * no switch for small sets. An exact-looking number about private data: noise must be added before it is shown to anyone.
 *
 * @param sketch - Sketch.
 * @returns Estimate of at least 0.
 */
export function distinctCount({ registers }: HyperLogLog): number {
  const size = registers.length
  const counts = new Array<number>(RUN_BITS + 2).fill(0)
  for (const register of registers) counts[register] = (counts[register] ?? 0) + 1
  let sum = size * tau(1 - (counts[RUN_BITS + 1] ?? 0) / size)
  for (let value = RUN_BITS; value >= 1; value--) sum = (sum + (counts[value] ?? 0)) / 2
  sum += size * sigma((counts[0] ?? 0) / size)
  return (size / (2 * Math.LN2)) * (size / sum)
}

/** Union of two sets.
 *
 * @param left - Sketch.
 * @param right - Sketch under the same key, use and precision.
 * @returns Sketch of the union.
 * @throws PrivacyError `PARAMETER_INVALID` for different precisions.
 */
export function mergeHyperLogLogs(left: HyperLogLog, right: HyperLogLog): HyperLogLog {
  if (left.registers.length !== right.registers.length) {
    throw new PrivacyError('PARAMETER_INVALID', 'registers', 'Only sketches of the same precision merge.')
  }
  const registers = left.registers.map((register, index) => Math.max(register, right.registers[index] ?? 0))
  return { kind: 'hyper-log-log', registers }
}

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY
  let [power, step, sum] = [share, 1, share]
  for (;;) {
    power *= power
    const before = sum
    sum += power * step
    step += step
    if (sum === before) return sum
  }
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0
  let [root, step, sum] = [share, 1, 1 - share]
  for (;;) {
    root = Math.sqrt(root)
    const before = sum
    step /= 2
    sum -= (1 - root) ** 2 * step
    if (sum === before) return sum / 3
  }
}

/** One byte for each register. */
export function hyperLogLogBytes({ registers }: HyperLogLog): Uint8Array {
  return registers
}

/** The sketch of bytes, or nothing when they cannot be one. */
export function hyperLogLogFromBytes(bytes: Uint8Array): HyperLogLog | undefined {
  const precision = Math.log2(bytes.length)
  if (!Number.isInteger(precision) || precision < 4 || precision > 16) return undefined
  if (bytes.some((register) => register > RUN_BITS + 1)) return undefined
  return { kind: 'hyper-log-log', registers: bytes.slice() }
}
