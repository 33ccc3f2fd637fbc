import { createHash } from 'node:crypto'

/** RFC 6962 section 2.1, as it is written there. */
export function treeHash(list) {
  const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest()
  if (list.length === 0) return sha256()
  if (list.length === 1) return sha256(Buffer.from([0]), list[0])
  let split = 1
  while (split * 2 < list.length) split *= 2
  return sha256(Buffer.from([1]), treeHash(list.slice(0, split)), treeHash(list.slice(split)))
}
