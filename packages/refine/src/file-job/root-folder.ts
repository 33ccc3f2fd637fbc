import { leafBytes, sha256, sha256Into } from './leaf-hash.js'

/** Folds leaf hashes that come in order into the root of RFC 6962, 2.1, holding one hash per level. */
export function createRootFolder(): { add(hashes: Uint8Array, at: number): void; root(): Uint8Array } {
  const node = new Uint8Array(1 + 2 * leafBytes)
  node[0] = 1
  // A level holds the root of 2^level leaves that wait for as many more, or nothing.
  const levels: { readonly hash: Uint8Array; waits: boolean }[] = []
  const joinInto = (left: Uint8Array, right: Uint8Array, into: Uint8Array) => {
    node.set(left, 1)
    node.set(right, 1 + leafBytes)
    sha256Into(node, into, 0)
  }
  const carried = new Uint8Array(leafBytes)
  return {
    add(hashes, at) {
      for (let index = 0; index < leafBytes; index += 1) carried[index] = hashes[at + index] ?? 0
      let height = 0
      for (let level = levels[height]; level?.waits === true; level = levels[height]) {
        joinInto(level.hash, carried, carried)
        level.waits = false
        height += 1
      }
      const level = levels[height] ?? { hash: new Uint8Array(leafBytes), waits: false }
      levels[height] = level
      level.hash.set(carried)
      level.waits = true
    },
    root() {
      const [lowest, ...higher] = levels.filter(({ waits }) => waits)
      if (lowest === undefined) return sha256()
      const hash = Uint8Array.from(lowest.hash)
      for (const level of higher) joinInto(level.hash, hash, hash)
      return hash
    },
  }
}
