import type { JsonObject } from '@sealpool/crypto'
import { afterAll, expect, it } from 'vitest'
import { parseNodeConfig } from '../config/node-config.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { jobFixture } from '../testing/job-fixture.js'
import { addressOfDigit, servedPoolFixture } from '../testing/served-pool-fixture.js'
import { settingsWith } from '../testing/settings.js'
import { nodeLogger } from './logger.js'
import { openFederationOf } from './open-federation.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())

const policy = { ...(JSON.parse(JSON.stringify(servedPoolFixture().policy)) as JsonObject), name: 'more' }
const opened = (access: JsonObject) => {
  const settings = settingsWith() as { readonly chain: object }
  const pools = [{ address: addressOfDigit('b'), policy: { ...policy, access } }]
  const config = parseNodeConfig({
    ...settings,
    chain: { ...settings.chain, anchors: addressOfDigit('c') },
    federation: { nodes: ['https://other.example'], pools },
  })
  const work = {
    mayWork: () => true,
    place: () => () => undefined,
    audit: { write: () => undefined },
  }
  return openFederationOf(
    config,
    jobFixture(store).context(),
    nodeLogger({ level: 'silent', simulated: true }),
    work,
  )
}

it('a pool of another home is taken with access rules that this release understands, and with no others', () => {
  const wallets = [addressOfDigit('e')]
  const { job } = opened({ version: 1, use: { wallets } })
  expect(job.federation?.pools.get(addressOfDigit('b'))?.policy.access).toEqual({
    version: 1,
    use: { wallets },
  })
  expect(() => opened({ version: 2, use: { wallets } })).toThrow(
    expect.objectContaining({
      code: 'CONFIG_POOL_MISMATCH',
      place: `pools ${addressOfDigit('b')} access.version`,
    }),
  )
})
