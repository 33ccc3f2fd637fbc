import { afterAll, expect, it } from 'vitest'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { acceptGiven, expectedShare, givenShare } from '../testing/given-share.js'
import { keys } from '../testing/job-fixture.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { otherKeys, otherPool } from '../testing/share-fixture.js'
import { chargedHomes } from './charged-homes.js'
import { keepTakenShare, readTakenShares } from './kept-share.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())

it('are those that gave a share of this very job, under its plan, to the node’s present keys', async () => {
  await keepTakenShare(store, '7', await acceptGiven(await givenShare()))
  const { manifest: manifestDigest, plan } = expectedShare
  const keySet = keys.keySetDigest
  const job = { id: '7', manifestDigest }
  const found = await chargedHomes(store, job, { plan, keySet })
  expect(found.homes.map(({ node }) => node)).toEqual([otherKeys.statementAddress])
  expect([...found.pools.keys()]).toEqual([otherPool.address])
  for (const none of [
    await chargedHomes(store, { ...job, manifestDigest: digestOfDigit('0') }, { plan, keySet }),
    await chargedHomes(store, job, { plan: digestOfDigit('0'), keySet }),
    // Settings that are measured were changed while the job ran: a receipt under the new keys may not name it.
    await chargedHomes(store, job, { plan, keySet: digestOfDigit('0') }),
  ])
    expect(none).toMatchObject({ homes: [], statements: [], verdicts: {} })
})

it('keep what they signed for another job of the same number, which a reorganisation may bring back', async () => {
  const other = { manifest: digestOfDigit('a') }
  const again = async (expected: object) =>
    keepTakenShare(
      store,
      '8',
      await acceptGiven(
        await givenShare({ body: { job: '8', ...expected }, file: { job: '8', ...expected } }),
        {
          job: '8',
          ...expected,
        },
      ),
    )
  await again({})
  await again(other)
  await again(other)
  const { plan } = expectedShare
  for (const manifestDigest of [expectedShare.manifest, other.manifest]) {
    const found = await chargedHomes(store, { id: '8', manifestDigest }, { plan, keySet: keys.keySetDigest })
    expect(found.homes).toHaveLength(1)
  }
  expect(await readTakenShares(store, '8')).toHaveLength(2)
})
