import { compareLeaves, leafBytes, leafPrefix } from './leaf-hash.js'

/** Sorts hashes in place. @param hashes - one behind the other */
export type LeafSorter = (hashes: Uint8Array) => void

const buckets = 65_536
/** From here on sorting by insertion, which is the faster for few, would take the square of their number. */
const many = 24

/**
 * Makes a sorter of hashes. They are spread evenly between the least and the greatest of them, so that 65,536 buckets put them almost in
 * order. Who chooses rows can have many in one bucket: there they are compared. Its tables are used again each time: made anew they would
 * be megabytes of garbage per run until the collector sees them.
 *
 * @returns the sorter
 */
export function createLeafSorter(): LeafSorter {
  const starts = new Uint32Array(buckets + 1)
  const next = new Uint32Array(buckets + 1)
  const moved = new Uint8Array(leafBytes)
  let scratch = new Uint8Array()
  let bucketOfLeaf = new Uint16Array()
  const leafWords = leafBytes / 4

  /** Few to a bucket: each goes to its place among those before it. */
  const insert = (sorted: Uint8Array, first: number, end: number) => {
    for (let leaf = first + 1; leaf < end; leaf += 1) {
      let to = leaf
      while (to > first && compareLeaves(sorted, (to - 1) * leafBytes, sorted, leaf * leafBytes) > 0) to -= 1
      if (to === leaf) continue
      moved.set(sorted.subarray(leaf * leafBytes, (leaf + 1) * leafBytes))
      sorted.copyWithin((to + 1) * leafBytes, to * leafBytes, leaf * leafBytes)
      sorted.set(moved, to * leafBytes)
    }
  }
  const compare = (sorted: Uint8Array, first: number, end: number) => {
    let leaf = first + 1
    while (leaf < end && compareLeaves(sorted, (leaf - 1) * leafBytes, sorted, leaf * leafBytes) <= 0)
      leaf += 1
    // Rows that are equal are the most that stand together.
    if (leaf === end) return
    const before = sorted.slice(first * leafBytes, end * leafBytes)
    const order = Array.from({ length: end - first }, (_, index) => index * leafBytes)
    order.sort((a, b) => compareLeaves(before, a, before, b))
    for (const [index, from] of order.entries())
      sorted.set(before.subarray(from, from + leafBytes), (first + index) * leafBytes)
  }

  return (hashes) => {
    const count = hashes.length / leafBytes
    let [least, greatest] = [Number.POSITIVE_INFINITY, 0]
    for (let leaf = 0; leaf < count; leaf += 1) {
      const prefix = leafPrefix(hashes, leaf * leafBytes)
      if (prefix < least) least = prefix
      if (prefix > greatest) greatest = prefix
    }
    // One that is greater never gets a smaller product: rounding keeps the order.
    const scale = (buckets - 1) / Math.max(1, greatest - least)
    if (scratch.length < hashes.length) scratch = new Uint8Array(hashes.length)
    if (bucketOfLeaf.length < count) bucketOfLeaf = new Uint16Array(count)
    const sorted = scratch.subarray(0, hashes.length)
    const sortedWords = new Uint32Array(scratch.buffer, 0, hashes.length >> 2)
    // Four bytes at a time where the memory lies so.
    const words =
      hashes.byteOffset % 4 === 0
        ? new Uint32Array(hashes.buffer, hashes.byteOffset, hashes.length >> 2)
        : undefined
    starts.fill(0)
    for (let leaf = 0; leaf < count; leaf += 1) {
      const bucket = Math.floor((leafPrefix(hashes, leaf * leafBytes) - least) * scale)
      bucketOfLeaf[leaf] = bucket
      starts[bucket + 1] = (starts[bucket + 1] ?? 0) + 1
    }
    for (let bucket = 0; bucket < buckets; bucket += 1)
      starts[bucket + 1] = (starts[bucket + 1] ?? 0) + (starts[bucket] ?? 0)
    next.set(starts)
    for (let leaf = 0; leaf < count; leaf += 1) {
      const from = leaf * leafBytes
      const bucket = bucketOfLeaf[leaf] ?? 0
      const to = (next[bucket] ?? 0) * leafBytes
      next[bucket] = (next[bucket] ?? 0) + 1
      if (words === undefined) {
        for (let index = 0; index < leafBytes; index += 1) sorted[to + index] = hashes[from + index] ?? 0
        continue
      }
      const [toWord, fromWord] = [to >> 2, from >> 2]
      for (let index = 0; index < leafWords; index += 1)
        sortedWords[toWord + index] = words[fromWord + index] ?? 0
    }
    for (let bucket = 0; bucket < buckets; bucket += 1) {
      const first = starts[bucket] ?? 0
      const end = starts[bucket + 1] ?? 0
      if (end - first > many) compare(sorted, first, end)
      else if (end - first > 1) insert(sorted, first, end)
    }
    hashes.set(sorted)
  }
}
