import { PrivacyError } from '../errors.js'
import { keyedHash } from './keyed-hash.js'

/** A set's members as bits. Whoever has the key can test whether an item may be in the set. */
export interface BloomFilter {
  readonly kind: 'bloom'
  /** Bits that each item sets. */
  readonly hashes: number
  readonly bits: Uint8Array
}

/**
 * A keyed Bloom filter.
 *
 * @param options - `items`; `key` and `use` as for all sketches of the pool; `capacity`: distinct items that it is made for, a
 *   public number, from 1 to 10,000,000; `falsePositives`: chance of a wrong yes at capacity, from 1e-9 to 0.5.
 * @returns The sketch. It belongs inside of the enclave; `sealSketch` makes it fit to leave.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function bloomFilter(options: {
  readonly items: Iterable<string>
  readonly key: Uint8Array
  readonly use: string
  readonly capacity: number
  readonly falsePositives: number
}): BloomFilter {
  const { capacity, falsePositives } = options
  if (!Number.isSafeInteger(capacity) || capacity < 1 || capacity > 10_000_000) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'capacity',
      'capacity must be a whole number from 1 to 10,000,000.',
    )
  }
  if (!(falsePositives >= 1e-9 && falsePositives <= 0.5)) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'falsePositives',
      'falsePositives must lie between 1e-9 and 0.5.',
    )
  }
  const bits = new Uint8Array(
    Math.max(8, Math.ceil((-capacity * Math.log(falsePositives)) / Math.LN2 ** 2 / 8)),
  )
  const hashes = Math.max(1, Math.round(-Math.log2(falsePositives)))
  const places = placesOf(options, hashes, bits.length * 8)
  for (const item of options.items) {
    for (const place of places(item)) bits[place >>> 3] = (bits[place >>> 3] ?? 0) | (1 << (place & 7))
  }
  return { kind: 'bloom', hashes, bits }
}

/**
 * Whether an item may be in the set.
 *
 * @param filter - Filter.
 * @param options - `key` and `use` with which it was made, and the `item`.
 * @returns False: certainly not. True: probably.
 * @throws PrivacyError `PARAMETER_INVALID` for a short key.
 */
export function mayContain(
  filter: BloomFilter,
  options: { readonly key: Uint8Array; readonly use: string; readonly item: string },
): boolean {
  const { bits, hashes } = filter
  const places = placesOf(options, hashes, bits.length * 8)
  return places(options.item).every((place) => ((bits[place >>> 3] ?? 0) & (1 << (place & 7))) !== 0)
}

/** Double hashing (Kirsch, Mitzenmacher 2006) on 53 bits, so that large filters are filled evenly. */
function placesOf(
  options: { readonly key: Uint8Array; readonly use: string },
  hashes: number,
  size: number,
): (item: string) => readonly number[] {
  const hash = keyedHash(options)
  return (item) => {
    const [a, b, c, d] = hash(item)
    const start = ((a & 0x1fffff) * 2 ** 32 + b) % size
    const step = 1 + (((c & 0x1fffff) * 2 ** 32 + d) % (size - 1))
    return Array.from({ length: hashes }, (_, index) => (start + index * step) % size)
  }
}

/** Number of hashes in one byte, then the bits. */
export function bloomBytes({ hashes, bits }: BloomFilter): Uint8Array {
  const bytes = new Uint8Array(1 + bits.length)
  bytes[0] = hashes
  bytes.set(bits, 1)
  return bytes
}

/** The sketch of bytes, or nothing when they cannot be one. */
export function bloomFromBytes(bytes: Uint8Array): BloomFilter | undefined {
  const hashes = bytes[0] ?? 0
  if (hashes < 1 || hashes > 30 || bytes.length < 9) return undefined
  return { kind: 'bloom', hashes, bits: bytes.slice(1) }
}
