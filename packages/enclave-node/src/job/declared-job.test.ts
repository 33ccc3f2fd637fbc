import { type JobManifest, parseJobManifest, scopeDigest } from '@sealpool/compute'
import type { JsonValue } from '@sealpool/crypto'
import { parsePoolPolicy } from '@sealpool/privacy'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { ChainJobDeclaration } from '../chain/chain-port.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { jobFixture, manifest, pool } from '../testing/job-fixture.js'
import { digestOfDigit, servedPoolFixture } from '../testing/served-pool-fixture.js'
import { requireDeclared, scopeOf } from './declared-job.js'
import { planJob } from './plan-job.js'
import { advanceJob } from './run-job.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const world = jobFixture(store)
beforeEach(() => world.reset())

/** The usual pool with a second table, `managers`, of the same columns. */
const fixture = servedPoolFixture()
const twoTables: ServedPool = {
  ...fixture,
  policy: parsePoolPolicy({
    ...(fixture.policy as unknown as Record<string, JsonValue>),
    tables: fixture.policy.tables.flatMap((table) => [table, { ...table, name: 'managers' }]),
  } as unknown as JsonValue),
}
const counting = (table: string) => `SELECT sector, count(*) AS n FROM pay.${table} GROUP BY sector`
const scope = (table: string, columns: readonly string[], purpose = 'research') =>
  scopeDigest({ purpose, pools: [{ address: pool.address, tables: [{ name: table, columns }] }] })

async function planned(sql: string) {
  const asked: JobManifest = parseJobManifest(manifest({ query: { sql } }))
  return { manifest: asked, planned: await planJob(asked, [twoTables]) }
}
const held = async (sql: string, declared: Partial<ChainJobDeclaration>) =>
  requireDeclared(
    { jobDeclaration: async () => ({ code: null, scope: null, ...declared }) },
    '1',
    await planned(sql),
  )
const differs = { code: 'DECLARATION_DIFFERS', charged: false }

describe('a job that declares a scope', () => {
  it('reads that scope: one for table A cannot read B', async () => {
    const declared = { scope: scope('workers', ['sector']) }
    await expect(held(counting('workers'), declared)).resolves.toBeUndefined()
    await expect(held(counting('managers'), declared)).rejects.toMatchObject(differs)
    await expect(
      held(counting('managers'), { scope: scope('managers', ['sector']) }),
    ).resolves.toBeUndefined()
  })

  it('reaches its columns, no more and no fewer, for its purpose', async () => {
    const both = 'SELECT sector, avg(wage) AS m FROM pay.workers GROUP BY sector'
    await expect(held(both, { scope: scope('workers', ['sector']) })).rejects.toMatchObject(differs)
    await expect(held(both, { scope: scope('workers', ['sector', 'wage']) })).resolves.toBeUndefined()
    const more = { scope: scope('workers', ['sector', 'wage']) }
    await expect(held(counting('workers'), more)).rejects.toMatchObject(differs)
    const other = { scope: scope('workers', ['sector'], 'teaching') }
    await expect(held(counting('workers'), other)).rejects.toMatchObject(differs)
    // Groups reach what they are made by.
    await expect(held(counting('workers'), { scope: scope('workers', []) })).rejects.toMatchObject(differs)
    const none = 'SELECT count(*) AS n FROM pay.workers'
    await expect(held(none, { scope: scope('workers', []) })).resolves.toBeUndefined()
  })

  it('is refused before it is begun or charged, with a receipt', async () => {
    const id = await world.paid()
    world.chain.declared = { code: null, scope: scope('managers', ['sector']) }
    const job = await advanceJob(world.context(), id)
    expect(job).toMatchObject({ state: 'refused', reason: 'DECLARATION_DIFFERS' })
    expect(world.chain.calls).toEqual(['refuse'])
    expect(await world.spent()).toBe('0')
    expect(await world.receiptOf(id)).toMatchObject({
      refusal: { code: 'DECLARATION_DIFFERS' },
      result: null,
    })
  })

  it('runs when its plan is what it declares', async () => {
    const id = await world.paid()
    world.chain.declared = { code: null, scope: scope('workers', ['sector']) }
    expect((await advanceJob(world.context(), id))?.state).toBe('settled')
  })
})

it('a job that declares code runs that code: of a query, its plan', async () => {
  const { planned: plan } = await planned(counting('workers'))
  await expect(held(counting('workers'), { code: plan.planDigest })).resolves.toBeUndefined()
  await expect(held(counting('workers'), { code: digestOfDigit('1') })).rejects.toMatchObject(differs)
  const computed = { ...(await planned(counting('workers'))) }
  const code = digestOfDigit('2')
  const chain = { jobDeclaration: async () => ({ code, scope: null }) }
  const job = { ...computed, planned: { ...computed.planned, code } }
  await expect(requireDeclared(chain, '1', job)).resolves.toBeUndefined()
  const other = { ...job, planned: { ...job.planned, code: plan.planDigest } }
  await expect(requireDeclared(chain, '1', other)).rejects.toMatchObject(differs)
})

it('a scope says what is read of every pool of a job', async () => {
  const { manifest: asked, planned: plan } = await planned(counting('workers'))
  expect(scopeOf({ manifest: asked, planned: plan })).toEqual({
    purpose: 'research',
    pools: [{ address: pool.address, tables: [{ name: 'workers', columns: ['sector'] }] }],
  })
})
