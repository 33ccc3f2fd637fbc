import { parseJobManifest } from '@sealpool/compute'
import type { JsonObject } from '@sealpool/crypto'
import { parsePoolPolicy, type ViewLimits } from '@sealpool/privacy'
import { afterAll, beforeEach, expect, it } from 'vitest'
import type { ServedPool } from '../ingest/served-pool.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { engine } from '../testing/job-fixture.js'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import { otherPool, ownPool, sharedManifest, shareFixture } from '../testing/share-fixture.js'
import { planShare } from './plan-shared-job.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const fixture = shareFixture(store, [ownPool, otherPool])
beforeEach(() => fixture.reset())

const limited = (pool: ServedPool, views: ViewLimits): ServedPool => ({
  ...pool,
  policy: parsePoolPolicy({ ...pool.policy, views }),
})
const contextOf = (own: ServedPool, other: ServedPool) =>
  fixture.world.context(() => engine(), {
    pools: new Map([[own.address, own]]),
    federation: {
      pools: new Map([[other.address, other]]),
      look: async () => undefined,
      gather: async () => [],
    },
  })
const wish = (views?: JsonObject) =>
  parseJobManifest(sharedManifest([ownPool, otherPool], views === undefined ? {} : { views }))

it.each<[string, ViewLimits, JsonObject | undefined]>([
  ['the whole result, where the consumer may have a count', { consumer: 'count' }, undefined],
  [
    'a count to somebody, where others may have the receipt',
    {},
    {
      consumer: { kind: 'whole' },
      others: [
        {
          address: addressOfDigit('c'),
          resultKey: { kem: 'x25519', publicKey: 'A'.repeat(43) },
          view: { kind: 'count' },
        },
      ],
    },
  ],
])('no home plans a job that gives %s', async (_name, limits, views) => {
  const allowing: ViewLimits = { consumer: 'whole', others: 'whole' }
  const plan = (own: ViewLimits, other: ViewLimits) =>
    planShare(contextOf(limited(ownPool, own), limited(otherPool, other)), wish(views))
  expect((await plan(allowing, allowing)).shared).toBeDefined()
  await expect(plan(limits, allowing)).rejects.toMatchObject({ code: 'VIEW_NOT_ALLOWED' })
  await expect(plan(allowing, limits)).rejects.toMatchObject({ code: 'VIEW_NOT_ALLOWED' })
})
