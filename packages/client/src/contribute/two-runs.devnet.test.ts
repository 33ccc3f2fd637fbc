import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { memoryBlobStore, memoryJournal, storageJournal } from '../index.js'
import { contributingApps } from '../testing/contributing-app.js'
import { type DevnetPool, devnetPool } from '../testing/devnet-pool.js'
import type { ContributionJournal } from './contribution-journal.js'

/*
 * Two tabs with one journal and one wallet, and one person who pressed the button in both. Neither has noted anything when the other
 * begins.
 */

let world: DevnetPool
let apps: ReturnType<typeof contributingApps>
beforeAll(async () => {
  world = await devnetPool()
  apps = contributingApps(world, (await world.time()) + 3_600n)
}, 120_000)
afterAll(() => world.devnet.stop())

function pageStorage(): ContributionJournal {
  const values = new Map<string, string>()
  return storageJournal({
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  })
}

const key = 'payslips'
type Hold = 'send' | 'store'

/** Two tabs that begin together; the second is held at one place until the first is done. */
async function both(journal: ContributionJournal, hold: Hold) {
  const before = await apps.countOf()
  const blobStore = memoryBlobStore()
  let done = () => {}
  const first = new Promise<void>((resolve) => {
    done = resolve
  })
  const one = apps.app({ journal, blobStore })
  const put: typeof blobStore.put = async (...given) => {
    if (hold === 'store') await first
    return blobStore.put(...given)
  }
  const two = apps.app({ journal, blobStore: { ...blobStore, put } }, async (method, send) => {
    // What a transaction begins with.
    if (hold === 'send' && method === 'eth_estimateGas') await first
    return send()
  })
  const runs = await Promise.all([
    one.client.contribute(one.account, apps.exported(), { key }).finally(done),
    two.client.contribute(two.account, apps.exported(), { key }),
  ])
  const again = await apps
    .app({ journal, blobStore })
    .client.contribute(one.account, apps.exported(), { key })
  return { runs, again, more: (await apps.countOf()) - before }
}

/** A promise and what fulfils it. */
function moment() {
  let come = () => {}
  const been = new Promise<void>((resolve) => {
    come = resolve
  })
  return { been, come }
}

describe('two runs of one export at once', () => {
  test.each<[string, () => ContributionJournal, Hold]>([
    ['both sealed a file of their own, with a journal in memory', memoryJournal, 'send'],
    ['both sealed a file of their own, with a journal in Web Storage', pageStorage, 'send'],
    ['one was done before the other had stored its file, with a journal in memory', memoryJournal, 'store'],
    ['one was done before the other had stored its file, with one in Web Storage', pageStorage, 'store'],
  ])('leave one contribution, of which both tell, where %s', async (_, journalOf, hold) => {
    const { runs, again, more } = await both(journalOf(), hold)
    expect(more).toBe(1)
    const [one, two] = runs
    expect(two.id).toBe(one.id)
    expect(two.prepared.contribution).toEqual(one.prepared.contribution)
    expect(again).toMatchObject({ id: one.id, resumed: true })
  })

  test('leave one contribution, of which both tell, where each noted a file of its own in the same moment', async () => {
    const before = await apps.countOf()
    const [journal, blobStore] = [memoryJournal(), memoryBlobStore()]
    const [secondLooked, firstNoted, secondNoted, firstDone] = [moment(), moment(), moment(), moment()]
    let looks = 0
    const one = apps.app(
      {
        blobStore,
        journal: {
          ...journal,
          async set(...given) {
            await secondLooked.been
            await journal.set(...given)
            firstNoted.come()
          },
        },
      },
      async (method, send) => {
        if (method === 'eth_estimateGas') await secondNoted.been
        return send()
      },
    )
    const two = apps.app(
      {
        blobStore,
        journal: {
          ...journal,
          async setIfAbsent(...given) {
            const there = await journal.setIfAbsent(...given)
            looks += 1
            if (looks === 2) secondLooked.come()
            return there
          },
          async set(...given) {
            await firstNoted.been
            await journal.set(...given)
            secondNoted.come()
          },
        },
      },
      async (method, send) => {
        if (method === 'eth_estimateGas') await firstDone.been
        return send()
      },
    )
    const [first, second] = await Promise.all([
      one.client.contribute(one.account, apps.exported(), { key }).finally(firstDone.come),
      two.client.contribute(two.account, apps.exported(), { key }),
    ])
    expect(await apps.countOf()).toBe(before + 1)
    expect(second.id).toBe(first.id)
    expect(second.prepared.contribution).toEqual(first.prepared.contribution)
  })
})
