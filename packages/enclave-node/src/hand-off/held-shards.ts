import type { Digest } from '@sealpool/crypto'
import type { ShardPlace } from './shard.js'

/** Jobs of which a running node remembers its shard at most; what is forgotten first is the oldest. */
const mostJobs = 10_000

/** Which shard of each job this node was given, as long as it runs: a node that was given two would be nearer to all rows of a job. */
export interface HeldShards {
  /**
   * @param of the job; its manifest besides, since a reorganisation may give its number to another one
   * @returns whether a shard of a job may be taken; from then on no other one of that job is
   */
  take(of: { readonly job: string; readonly manifest: Digest }, shard: ShardPlace): boolean
}

/** Makes an empty memory. */
export function heldShards(): HeldShards {
  const held = new Map<string, number>()
  return {
    take({ job, manifest }, { index }) {
      const name = `${job} ${manifest}`
      const before = held.get(name)
      if (before !== undefined) return before === index
      held.set(name, index)
      const [oldest] = held.keys()
      if (held.size > mostJobs && oldest !== undefined) held.delete(oldest)
      return true
    },
  }
}
