import { keyedFingerprint } from '@sealpool/privacy'

/** Contributors that are drawn for at a stretch: some hundredths of a second. */
const atOnce = 1_000

/**
 * Deals contributors out to shards: each to exactly one, so that all rows of a person are in one place, and no two shards differ by more
 * than one contributor. Who goes where follows from the key and the set alone: the same deal however often it is made, and to whoever has
 * not the key as good as drawn.
 * @param contributors numbers, in any order, any of them twice
 * @param shards how many, from 1 on
 * @param key at least 32 secret bytes of the job
 * @param giveWay lets others have their turn: a draw for all of a large pool takes seconds
 * @returns each contributor's shard, from 0 on
 */
export async function dealContributors(
  contributors: Iterable<number>,
  shards: number,
  key: Uint8Array,
  giveWay: () => Promise<void>,
): Promise<ReadonlyMap<number, number>> {
  const drawn: { readonly contributor: number; readonly print: string }[] = []
  for (const contributor of new Set(contributors)) {
    const print = keyedFingerprint({ key, domain: 'job-deal/contributor', data: String(contributor) })
    drawn.push({ contributor, print })
    if (drawn.length % atOnce === 0) await giveWay()
  }
  drawn.sort((one, other) => (one.print < other.print ? -1 : 1))
  return new Map(drawn.map(({ contributor }, place) => [contributor, place % shards]))
}
