/**
 * The indexes of what pools hold, in this process's memory. They follow from the stored prints alone, so that they are made anew
 * after a restart, a reorganisation, a withdrawal, or a batch of verdicts that was not stored.
 * @module
 */
import { type Address, concatBytes } from '@sealpool/crypto'
import {
  type ContentItems,
  type ContributionSize,
  contentSketch,
  contributionSize,
  courseSketch,
  createNearDuplicateIndex,
  createRowIndex,
  type ItemSource,
  NEAR_ENTRY_BYTES,
  type NearDuplicateIndex,
  novelty,
  type RowIndex,
} from '@sealpool/poc'
import { type ContentPrints, countingPrints } from '../state/content-table.js'
import type { Sql } from '../state/state-store.js'

/** What a pool holds, to compare with. */
export interface PoolContent {
  /** @returns how new a content is, from 0 to 1 */
  noveltyOf(content: ItemSource): number
  /** @returns whether every item of it is held, by one contribution or by many; nothing is held of nothing */
  holdsAll(content: ContentItems): boolean
  /** @returns how much a content is beside the others; undefined of a pool that has few */
  sizeOf(content: ItemSource): ContributionSize | undefined
  /** @returns the contribution that is most like a content, and the share of it that the other holds; undefined when none was found */
  nearestTo(content: ItemSource): { readonly contribution: string; readonly contained: number } | undefined
  /** Takes the content of a contribution in. @returns what is to be stored of it */
  add(contribution: string, content: ItemSource): ContentPrints
}

/** The indexes of all pools. */
export interface ContentIndexes {
  /**
   * @param generation the stored contents' generation: of another one, the index is made anew
   * @param key the pool's key of prints, 32 bytes
   */
  open(sql: Sql, pool: Address, generation: string, key: Uint8Array): Promise<PoolContent>
  /** Forgets a pool's index: something was taken in that was not stored. */
  forget(pool: Address): void
}

/** @returns indexes, none of them made yet */
export function contentIndexes(): ContentIndexes {
  const made = new Map<Address, { readonly generation: string; readonly content: PoolContent }>()
  return {
    async open(sql, pool, generation, key) {
      const before = made.get(pool)
      if (before?.generation === generation) return before.content
      const content = poolContent(key, await readIndexes(sql, pool, key))
      made.set(pool, { generation, content })
      return content
    },
    forget(pool) {
      made.delete(pool)
    },
  }
}

interface Indexes {
  readonly near: NearDuplicateIndex
  readonly rows: RowIndex
  /** How numbers go up and down; of contributions that were accepted before there was such an index nothing is in it. */
  readonly courses: NearDuplicateIndex
  /** Ids by their numbers in `near`. */
  readonly ids: string[]
}

function poolContent(key: Uint8Array, { near, rows, courses, ids }: Indexes): PoolContent {
  return {
    noveltyOf: (content) => novelty({ key, content, near, rows, courses }),
    holdsAll: (content) => content.items.length > 0 && rows.novelty(content) === 0,
    sizeOf: (content) => contributionSize({ content, near }),
    nearestTo(content) {
      const found = near.nearest(contentSketch({ key, ...content }))
      const contribution = found === undefined ? undefined : ids[found.entry]
      return found === undefined || contribution === undefined
        ? undefined
        : { contribution, contained: found.contained }
    },
    add(contribution, content) {
      const sketch = contentSketch({ key, ...content })
      ids[near.add(sketch)] = contribution
      rows.add(content)
      const course = courseSketch({ key, ...content })
      if (course !== undefined) courses.add(course)
      const own = createRowIndex({ key })
      own.add(content)
      const sketches = course === undefined ? [sketch] : [sketch, course]
      return { sketch: concatBytes(...sketches.map(entryOf)), rows: own.toBytes() }
    },
  }
}

/** A sketch as the bytes of an index that holds nothing else. */
function entryOf(sketch: ReturnType<typeof contentSketch>): Uint8Array {
  const alone = createNearDuplicateIndex({ capacity: 1 })
  alone.add(sketch)
  return alone.toBytes()
}

/** Bytes of a sketch; behind all of them an index keeps the counts of items, of 4 bytes each. */
const countBytes = 4

async function readIndexes(sql: Sql, pool: Address, key: Uint8Array): Promise<Indexes> {
  const sketches: Uint8Array[] = []
  const courses: Uint8Array[] = []
  const ids: string[] = []
  const rows = new Set<bigint>()
  for await (const prints of countingPrints(sql, pool)) {
    sketches.push(prints.sketch.subarray(0, NEAR_ENTRY_BYTES))
    if (prints.sketch.length > NEAR_ENTRY_BYTES) courses.push(prints.sketch.subarray(NEAR_ENTRY_BYTES))
    ids.push(prints.contribution)
    const view = new DataView(prints.rows.buffer, prints.rows.byteOffset, prints.rows.length)
    for (let at = 0; at < prints.rows.length; at += 8) rows.add(view.getBigUint64(at))
  }
  const from = new Uint8Array(rows.size * 8)
  const into = new DataView(from.buffer)
  let at = 0
  for (const row of rows) {
    into.setBigUint64(at, row)
    at += 8
  }
  return {
    near: createNearDuplicateIndex({ from: joinSketches(sketches) }),
    rows: createRowIndex({ key, from }),
    courses: createNearDuplicateIndex({ from: joinSketches(courses) }),
    ids,
  }
}

/** Joins indexes of one entry each into the bytes of one index. */
function joinSketches(sketches: readonly Uint8Array[]): Uint8Array {
  const [first] = sketches
  if (first === undefined) return new Uint8Array()
  const markBytes = first.length - countBytes
  const joined = new Uint8Array(sketches.length * first.length)
  sketches.forEach((sketch, index) => {
    joined.set(sketch.subarray(0, markBytes), index * markBytes)
    joined.set(sketch.subarray(markBytes), sketches.length * markBytes + index * countBytes)
  })
  return joined
}
