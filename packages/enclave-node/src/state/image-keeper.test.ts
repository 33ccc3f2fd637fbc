import { describe, expect, it } from 'vitest'
import { type ImagePace, imageKeeper } from './image-keeper.js'
import type { KnownRows } from './known-rows.js'
import type { MemoryStore } from './pglite-store.js'
import type { StateStore } from './state-store.js'

const pace: ImagePace = { rows: 100, changes: 50, changesWithout: 20, changesAtStop: 5 }

function knownOf(count: number): KnownRows {
  return new Map([
    ['t', new Map(Array.from({ length: count }, (_, key) => [String(key), { version: 1, weight: 1n }]))],
  ])
}

/** A keeper on stand-ins that note what is asked of them. */
function keeper(
  options: { rows?: number; since?: number; room?: boolean; fails?: boolean; sound?: boolean } = {},
) {
  const asked: string[] = []
  const told: unknown[] = []
  const held: (() => void)[] = []
  let version = 7
  const noted = async (text: string, values: readonly unknown[] = []) => {
    asked.push([text, ...values].join(' '))
    return []
  }
  const plain = {
    query: noted,
    run: async () => undefined,
    close: async () => undefined,
    transaction: () => Promise.reject(new Error('not asked')),
  }
  const durable: StateStore = { name: 'pglite', ...plain }
  const working: MemoryStore = {
    name: 'pglite',
    ...plain,
    async snapshot(note) {
      asked.push('snapshot')
      return { files: [], release: () => asked.push('release'), at: note() }
    },
    fault: () => undefined,
  }
  const world = { rows: options.rows ?? 200, sound: options.sound ?? true, hold: false }
  const known = knownOf(world.rows)
  const kept = imageKeeper(
    {
      images: {
        load: async () => undefined,
        async keep(image, wanted) {
          asked.push(`keep ${image.version}`)
          if (world.hold) await new Promise<void>((resolve) => held.push(resolve))
          if (options.fails === true) throw new Error('No space left on device')
          return options.room !== false && wanted()
        },
        remove: () => asked.push('remove'),
      },
      durable,
      working,
      store: new Uint8Array(16),
      known,
      version: () => version,
      sound: () => world.sound,
    },
    { since: options.since, pace, onError: (error) => told.push(error) },
  )
  return {
    ...kept,
    asked,
    told,
    world,
    held,
    commit(rows: number) {
      version += 1
      kept.committed(rows)
    },
    /** What is under way ends. */
    async settled() {
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
      return asked.splice(0)
    },
  }
}

const taken = (version: number) => [
  'snapshot',
  `keep ${version}`,
  'release',
  `delete from sealed_gone where version <= $1 ${version}`,
]

describe('the keeper of the image', () => {
  it('takes one after so many changed rows, and forgets what went before it', async () => {
    const { commit, settled, follows } = keeper({ since: 0 })
    commit(49)
    expect(await settled()).toEqual([])
    commit(1)
    expect(await settled()).toEqual(taken(9))
    expect(follows()).toBe(true)
    commit(49)
    expect(await settled()).toEqual([])
  })

  it('takes one later in a large state, and none in a small one', async () => {
    const large = keeper({ since: 0, rows: 4000 })
    large.commit(499)
    expect(await large.settled()).toEqual([])
    large.commit(1)
    expect(await large.settled()).toEqual(taken(9))
    const small = keeper({ rows: 99 })
    small.commit(10_000)
    await small.close()
    expect(await small.settled()).toEqual([])
    expect(small.follows()).toBe(false)
  })

  it('takes one sooner where there is none, though not while the node starts', async () => {
    const { commit, settled, follows } = keeper()
    commit(4)
    expect(await settled()).toEqual([])
    expect(follows()).toBe(false)
    commit(1)
    expect(await settled()).toEqual(taken(9))
    expect(follows()).toBe(true)
  })

  it('takes the image away at once when rows are destroyed, and another one is taken after a while', async () => {
    const { commit, settled, follows, forget } = keeper({ since: 40 })
    expect(follows()).toBe(true)
    forget()
    expect(follows()).toBe(false)
    expect(await settled()).toEqual(['remove'])
    commit(19)
    expect(await settled()).toEqual([])
    commit(1)
    expect(await settled()).toEqual(taken(9))
  })

  it('does not keep the one that is being written when rows are destroyed meanwhile', async () => {
    const { commit, settled, follows, forget, world, held } = keeper({ since: 49 })
    world.hold = true
    commit(1)
    expect(await settled()).toEqual(['snapshot', 'keep 8'])
    commit(1000)
    expect(await settled()).toEqual([])
    forget()
    expect(await settled()).toEqual(['remove'])
    held[0]?.()
    expect(await settled()).toEqual(['release'])
    expect(follows()).toBe(false)
    world.hold = false
    commit(20)
    expect(await settled()).toEqual(taken(10))
  })

  it('tells when one could not be written, takes the old one away with all that is noted for it, and tries again later', async () => {
    const { commit, settled, follows, told } = keeper({ since: 49, fails: true })
    commit(1)
    expect(await settled()).toEqual(['snapshot', 'keep 8', 'release', 'remove', 'delete from sealed_gone'])
    expect(told).toEqual([new Error('No space left on device')])
    expect(follows()).toBe(false)
    commit(19)
    expect(await settled()).toEqual([])
    commit(1)
    expect(await settled()).toHaveLength(5)
  })

  it('gives up on a memory that is too large', async () => {
    const { commit, settled, close, told } = keeper({ since: 49, room: false })
    commit(1)
    expect(await settled()).toEqual(['snapshot', 'keep 8', 'release', 'remove', 'delete from sealed_gone'])
    commit(10_000)
    await close()
    expect(await settled()).toEqual([])
    expect(told).toEqual([])
  })

  it('takes a last one at a stop: after few changes where there is one, always where there is none', async () => {
    const fresh = keeper({ since: 4 })
    await fresh.close()
    expect(await fresh.settled()).toEqual([])
    const changed = keeper({ since: 5 })
    await changed.close()
    expect(await changed.settled()).toEqual(taken(7))
    const without = keeper()
    without.forget()
    await without.close()
    expect(await without.settled()).toEqual(['remove', ...taken(7)])
  })

  it('takes none of a memory that is not what lasts', async () => {
    const { commit, settled, close, world } = keeper({ since: 49 })
    world.sound = false
    commit(1)
    await close()
    expect(await settled()).toEqual([])
  })
})
