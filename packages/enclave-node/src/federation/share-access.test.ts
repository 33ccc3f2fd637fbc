import { parseJobManifest } from '@sealpool/compute'
import { digestOf, type JsonObject } from '@sealpool/crypto'
import { parsePoolPolicy } from '@sealpool/privacy'
import { afterAll, beforeEach, expect, it } from 'vitest'
import type { AccessQuery } from '../chain/chain-port.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { JobRefusal } from '../job/job-refusal.js'
import { applyConsents } from '../state/consent-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { consumer, engine, keys } from '../testing/job-fixture.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import {
  otherKeys,
  otherPeer,
  otherPool,
  ownPool,
  sharedManifest,
  shareFixture,
} from '../testing/share-fixture.js'
import { told } from '../testing/told-share.js'
import { planShare } from './plan-shared-job.js'
import { readShareRefusal } from './refusal-statement.js'
import { serveShares } from './serve-share.js'
import { readShareStatement } from './share-statement.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const fixture = shareFixture(store, [otherPool, ownPool])
const { world } = fixture

const block = { number: 9n, hash: `0x${'ab'.repeat(32)}`, timestamp: 1_700_000_000 } as const
beforeEach(async () => {
  await fixture.reset()
  Object.assign(world.chain, {
    access: async ({ conditions }: AccessQuery) => conditions.map(() => ({ block, answers: [null] })),
  })
})

const only: JsonObject = { version: 1, use: { wallets: [consumer] } }
const others: JsonObject = { version: 1, use: { not: { wallets: [consumer] } } }
const under = (pool: ServedPool, change: JsonObject): ServedPool => ({
  ...pool,
  policy: parsePoolPolicy({ ...pool.policy, ...change }),
})
const guarded = (pool: ServedPool, access: JsonObject): ServedPool => under(pool, { access })
const contextOf = (own: ServedPool, other: ServedPool) =>
  world.context(() => engine(), {
    pools: new Map([[own.address, own]]),
    federation: {
      pools: new Map([[other.address, other]]),
      look: async () => undefined,
      gather: async () => [],
    },
  })
const wish = parseJobManifest(sharedManifest([otherPool, ownPool]))

it('each home judges the conditions of every pool of a job, its own and those of others', async () => {
  const planned = await planShare(contextOf(guarded(ownPool, only), guarded(otherPool, only)), wish)
  const met = { block: '9', hash: block.hash, conditions: [{ rules: digestOf(only), verdict: 'yes' }] }
  expect(planned.shared?.charges.map(({ pool }) => pool.access)).toEqual([met, met])
  expect(planned.own.charges.map(({ pool }) => pool.access)).toEqual([met])
  for (const context of [
    contextOf(guarded(ownPool, others), otherPool),
    contextOf(ownPool, guarded(otherPool, others)),
  ])
    await expect(planShare(context, wish)).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
})

it('each home judges who may have which view for every pool of a job, its own and those of others', async () => {
  const counted = { views: { consumer: 'count' } }
  const view = { consumer: { kind: 'count' }, others: [] }
  const narrow = parseJobManifest(sharedManifest([otherPool, ownPool], { views: view }))
  for (const context of [
    contextOf(under(ownPool, counted), otherPool),
    contextOf(ownPool, under(otherPool, counted)),
  ]) {
    await expect(planShare(context, wish)).rejects.toMatchObject({ code: 'VIEW_NOT_ALLOWED' })
    expect((await planShare(context, narrow)).shared?.charges).toHaveLength(2)
  }
})

it('a home gives no share to a job whose consumer it does not let in, and the other one says why', async () => {
  await fixture.paid()
  Object.assign(world.chain, { state: 'Running', node: otherKeys.statementAddress })
  const plan = (await planShare(contextOf(guarded(ownPool, only), otherPool), wish)).shared?.planDigest
  const shareOf = (own: ServedPool) =>
    serveShares({
      job: contextOf(own, otherPool),
      attest: async () => otherPeer,
      mayWork: () => true,
      place: () => () => undefined,
      audit: { write: () => undefined },
      onError: () => undefined,
    }).share(otherKeys.statementAddress, { job: '1', step: 'charge', plan: plan ?? digestOf('no plan') })
  const denied = await shareOf(guarded(ownPool, others))
  expect(told(denied)).toEqual({ state: 'refused', reason: 'ACCESS_DENIED' })
  expect(await world.spent()).toBe('0')
  const { chainId, nodeRegistry } = contextOf(ownPool, otherPool).sign.deployment
  const signed = readShareRefusal(denied.state === 'refused' ? denied.refusal : undefined, {
    signer: keys.statementAddress,
    deployment: { chainId, nodeRegistry },
    pool: otherPool.address,
    job: '1',
  })
  expect(signed && JobRefusal.ofHome(signed).code).toBe('ACCESS_DENIED')
  const given = await shareOf(guarded(ownPool, only))
  expect(given).toMatchObject({ state: 'given' })
  // The receipt has what the home judged: so has what it signs.
  const share = readShareStatement(given.state === 'given' ? given.share : undefined, {
    signer: keys.statementAddress,
    deployment: { chainId, nodeRegistry },
    pool: ownPool.address,
    job: '1',
  })
  expect(share?.body.pools[0]?.access?.conditions).toEqual([{ rules: digestOf(only), verdict: 'yes' }])
})

it('a home whose pool says which texts count tells how many it left out, in a word that the other one reads', async () => {
  const own: ServedPool = { ...ownPool, consents: [digestOfDigit('0')] }
  await store.query(`update contributions set consent_digest = $1 where id = 1`, [`0x${'b'.repeat(64)}`])
  await store.transaction((tx) => applyConsents(tx, own.address, own.consents))
  await world.refined('2', ['2', '3', '4'])
  await fixture.paid()
  Object.assign(world.chain, { state: 'Running', node: otherKeys.statementAddress })
  const context = contextOf(own, otherPool)
  const plan = (await planShare(context, wish)).shared?.planDigest
  const given = await serveShares({
    job: context,
    attest: async () => otherPeer,
    mayWork: () => true,
    place: () => () => undefined,
    audit: { write: () => undefined },
    onError: () => undefined,
  }).share(otherKeys.statementAddress, { job: '1', step: 'charge', plan: plan ?? digestOf('no plan') })
  const { chainId, nodeRegistry } = context.sign.deployment
  const share = readShareStatement(given.state === 'given' ? given.share : undefined, {
    signer: keys.statementAddress,
    deployment: { chainId, nodeRegistry },
    pool: own.address,
    job: '1',
  })
  expect(share?.body.pools).toMatchObject([{ inputs: { count: 3 }, consent: { withheld: 1 } }])
})
