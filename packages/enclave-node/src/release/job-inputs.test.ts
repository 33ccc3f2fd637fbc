import { verdictsRoot } from '@sealpool/attest'
import { bytesToDigest, canonicalBytes, merkleRoot } from '@sealpool/crypto'
import { afterAll, beforeEach, expect, it } from 'vitest'
import { refinedInputs } from '../state/contribution-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import type { Sql } from '../state/state-store.js'
import { keepVerdictList } from '../state/verdict-list-table.js'
import { jobFixture, pool } from '../testing/job-fixture.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { jobInputs, reservedInputs } from './job-inputs.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const world = jobFixture(store)
beforeEach(() => world.reset())
const now = async () => (await jobInputs(store, [pool]))[0]

it('are what the receipt is verified against', async () => {
  const rows = await refinedInputs(store, pool.address)
  const leaves = rows.map(({ id, blobDigest, commitment }) =>
    canonicalBytes({ contribution: id, blob: blobDigest, commitment }),
  )
  const verdicts = rows.map(({ verdictDigest }) => verdictDigest)
  expect(await now()).toEqual({
    pool: pool.address,
    root: bytesToDigest(merkleRoot(leaves)),
    count: 4,
    contributors: 4,
    verdicts,
    verdictsRoot: verdictsRoot(verdicts),
  })
})

it('are gathered once as long as nothing changes, and anew after any change', async () => {
  const first = await now()
  expect(await now()).toBe(first)
  for (const change of [
    `verdict_digest = '${digestOfDigit('a')}'`,
    `blob_digest = '${digestOfDigit('b')}'`,
    `commitment = '${digestOfDigit('c')}'`,
    `contributor = (select min(contributor) from contributions)`,
    `state = 'withdrawn'`,
  ]) {
    const before = await now()
    await store.query(`update contributions set ${change} where id = 3`)
    const after = await now()
    expect(after, change).not.toEqual(before)
    expect(after?.count).toBe(change.startsWith('state') ? 3 : 4)
  }
  await world.reset()
  expect(await now()).toEqual(first)
})

it('are never answered for another state, whatever changed while they were gathered', async () => {
  await store.query(`update contributions set verdict_digest = '${digestOfDigit('d')}' where id = 2`)
  let statements = 0
  const between: Sql = {
    ...store,
    async query(text, values) {
      // After the state was named, before it is read.
      if (++statements === 2) await store.query(`update contributions set state = 'withdrawn' where id = 3`)
      return store.query(text, values)
    },
  }
  expect((await jobInputs(between, [pool]))[0]?.count).toBe(3)
  await store.query(`update contributions set state = 'refined' where id = 3`)
  expect((await now())?.count).toBe(4)
})

it('are those that were reserved, whatever came since', async () => {
  const found = await now()
  if (found === undefined) throw new Error('there is one pool')
  const { verdicts, verdictsRoot: _, ...facts } = found
  const input = { ...facts, refinements: ['1'], verdictList: await keepVerdictList(store, verdicts) }
  const reservation = { charge: '1', planDigest: digestOfDigit('0'), inputs: [input], versions: [] }
  await store.query(`update contributions set state = 'withdrawn'`)
  expect((await now())?.count).toBe(0)
  expect(await reservedInputs(store, reservation)).toEqual([found])
})
