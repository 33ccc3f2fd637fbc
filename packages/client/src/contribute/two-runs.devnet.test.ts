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

describe('two runs of one export at once', () => {
  test.each([
    ['in memory', memoryJournal],
    ['in Web Storage', pageStorage],
  ])('leave one contribution, with a journal %s', async (_, journalOf) => {
    const before = await apps.countOf()
    const shared = { journal: journalOf(), blobStore: memoryBlobStore() }
    const [one, two] = [apps.app(shared), apps.app(shared)]
    const both = await Promise.allSettled([
      one.client.contribute(one.account, apps.exported(), { key: 'payslips' }),
      two.client.contribute(two.account, apps.exported(), { key: 'payslips' }),
    ])
    expect(await apps.countOf()).toBe(before + 1)
    const ids = both.flatMap((run) => (run.status === 'fulfilled' ? [run.value.id] : []))
    expect(ids.length).toBeGreaterThan(0)
    expect(new Set(ids).size).toBe(1)
    const again = await apps.app(shared).client.contribute(one.account, apps.exported(), { key: 'payslips' })
    expect(again).toMatchObject({ id: ids[0], resumed: true })
    expect(await apps.countOf()).toBe(before + 1)
  })
})
