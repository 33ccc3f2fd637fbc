import { concatBytes } from '@noble/hashes/utils.js'
import { needBytes, needBytesList } from '../encoding/argument.js'
import { AttestError } from '../errors.js'
import { treeRoot } from './merkle-tree.js'

/** Hashes in a full tile (C2SP tlog-tiles): 2^8. */
export const tileWidth = 256

/** Three digits each, all but the last behind an x: 1234067 is `x001/x234/067`. */
function indexPath(index: number): string {
  const groups: string[] = []
  for (let rest = index; ; rest = Math.floor(rest / 1000)) {
    groups.unshift(String(rest % 1000).padStart(3, '0'))
    if (rest < 1000) break
  }
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/')
}

/**
 * Path of a tile below a log's prefix.
 *
 * @param level 0 for hashes of leaves, or `entries`
 * @param index of the tile within its level
 * @param width hashes in it, when fewer than 256
 * @returns the path below the log’s address
 * @throws AttestError `BAD_ARGUMENT`
 */
export function tilePath(level: number | 'entries', index: number, width: number = tileWidth): string {
  const levelValid = level === 'entries' || (Number.isInteger(level) && level >= 0 && level <= 5)
  const widthValid = Number.isInteger(width) && width >= 1 && width <= tileWidth
  if (!levelValid || !Number.isSafeInteger(index) || index < 0 || !widthValid) {
    throw new AttestError('BAD_ARGUMENT', 'tile', 'There is no such tile')
  }
  return `tile/${level}/${indexPath(index)}${width === tileWidth ? '' : `.p/${width}`}`
}

/**
 * All tiles of hashes of a tree, by path.
 *
 * @param hashes hashes of the leaves
 * @returns content by path
 */
export function treeTiles(hashes: readonly Uint8Array[]): Map<string, Uint8Array> {
  needBytesList(hashes, 'hashes')
  const tiles = new Map<string, Uint8Array>()
  let level = [...hashes]
  for (let number = 0; level.length > 0 && number <= 5; number += 1) {
    const above: Uint8Array[] = []
    for (let start = 0; start < level.length; start += tileWidth) {
      const part = level.slice(start, start + tileWidth)
      tiles.set(tilePath(number, start / tileWidth, part.length), concatBytes(...part))
      if (part.length === tileWidth) above.push(treeRoot(part))
    }
    level = above
  }
  return tiles
}

/**
 * Writes a bundle of entries: each behind its length as two bytes, big-endian.
 *
 * @param entries bytes of each
 * @returns all of them, each behind its length
 * @throws AttestError `BAD_ARGUMENT` for an entry above 65535 bytes or more than 256 of them
 */
export function formatEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  needBytesList(entries, 'entries')
  if (entries.length > tileWidth || entries.some(({ length }) => length > 0xffff)) {
    throw new AttestError('BAD_ARGUMENT', 'entries', 'A bundle has up to 256 entries of up to 65535 bytes')
  }
  return concatBytes(
    ...entries.flatMap((entry) => [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry]),
  )
}

/**
 * Reads a bundle of entries.
 *
 * @param bytes of a bundle
 * @returns bytes of each entry
 * @throws AttestError `BAD_LOG`
 */
export function parseEntryBundle(bytes: Uint8Array): Uint8Array[] {
  needBytes(bytes, 'bundle')
  const entries: Uint8Array[] = []
  let at = 0
  while (at < bytes.length) {
    const length = (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0)
    at += 2
    if (at + length > bytes.length || entries.length === tileWidth) {
      throw new AttestError('BAD_LOG', 'bundle', 'Not a bundle of entries: it ends too early or is too long')
    }
    entries.push(bytes.subarray(at, at + length))
    at += length
  }
  return entries
}
