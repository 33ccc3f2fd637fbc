import { keyedFingerprint } from '@sealpool/privacy'

/**
 * Deals contributors out to shards: each to exactly one, so that all rows of a person are in one place, and no two shards differ by more
 * than one contributor. Who goes where follows from the key and the set alone: the same deal however often it is made, and to whoever has
 * not the key as good as drawn.
 * @param contributors numbers, in any order, any of them twice
 * @param shards how many, from 1 on
 * @param key at least 32 secret bytes of the job
 * @returns each contributor's shard, from 0 on
 */
export function dealContributors(
  contributors: Iterable<number>,
  shards: number,
  key: Uint8Array,
): ReadonlyMap<number, number> {
  const drawn = [...new Set(contributors)]
    .map((contributor) => ({
      contributor,
      print: keyedFingerprint({ key, domain: 'job-deal/contributor', data: String(contributor) }),
    }))
    .sort((one, other) => (one.print < other.print ? -1 : 1))
  return new Map(drawn.map(({ contributor }, place) => [contributor, place % shards]))
}
