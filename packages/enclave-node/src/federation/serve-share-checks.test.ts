import { parseJobManifest } from '@sealpool/compute'
import { type Digest, parseCanonical } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { PlannablePool } from '../ingest/served-pool.js'
import type { JobContext } from '../job/job-context.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import { findJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { engine, keys, manifest } from '../testing/job-fixture.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { otherKeys, otherPeer, otherPool, ownPool, shareFixture } from '../testing/share-fixture.js'
import { type ToldShare, told } from '../testing/told-share.js'
import type { Federation } from './federation.js'
import { planShare } from './plan-shared-job.js'
import { type ShareWish, serveShares } from './serve-share.js'

/* Each check of a home that another one behind it would hide: without it these tests fail. */

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const fixture = shareFixture(store, [otherPool, ownPool])
const { world } = fixture
beforeEach(() => fixture.reset())

const caller = otherKeys.statementAddress
const federation: Federation = {
  pools: new Map<`0x${string}`, PlannablePool>([[otherPool.address, otherPool]]),
  look: async () => undefined,
  gather: async () => [],
}
const contextOf = (change: Partial<JobContext> = {}): JobContext =>
  world.context(() => engine(), { pools: new Map([[ownPool.address, ownPool]]), federation, ...change })
const planOf = async (id: string): Promise<Digest> => {
  const job = await findJob(store, id)
  const bytes = await world.blobs.get(job?.locator ?? '', { maximumBytes: 1e6 })
  const { own, shared } = await planShare(contextOf(), parseJobManifest(parseCanonical(bytes)))
  return (shared ?? own).planDigest
}
const asked = async (
  wish: Partial<ShareWish> = {},
  options: {
    readonly context?: Partial<JobContext>
    readonly attest?: () => Promise<AttestedPeer>
    readonly caller?: `0x${string}`
  } = {},
): Promise<ToldShare> => {
  const server = serveShares({
    job: contextOf(options.context),
    attest: options.attest ?? (async () => otherPeer),
    mayWork: () => true,
    place: () => () => undefined,
    audit: { write: () => undefined },
    onError: () => undefined,
  })
  const plan = wish.plan ?? (await planOf(wish.job ?? '1'))
  return told(await server.share(options.caller ?? caller, { job: '1', step: 'charge', plan, ...wish }))
}
const begun = (node = caller) => Object.assign(world.chain, { state: 'Running', node })
const later = (reason: string) => ({ state: 'later', reason })
const refused = (reason: string) => ({ state: 'refused', reason })

describe('a home that is asked whether it would', () => {
  it('says that it waits while it is not listed or stopped', async () => {
    await fixture.paid()
    expect(await asked({ step: 'look' }, { context: { isListed: async () => false } })).toEqual(
      later('NODE_NOT_LISTED'),
    )
    expect(await asked({ step: 'look' }, { context: { stopped: () => true } })).toEqual(later('NODE_STOPPED'))
    expect(await asked({ step: 'look' })).toEqual({ state: 'willing' })
  })

  it.each([
    ['is over', { state: 'Released', node: null }],
    ['is over, by him', { state: 'Released', node: caller }],
    ['another node has begun', { state: 'Running', node: keys.statementAddress }],
    ['the lot gave to another node', { state: 'Assigned', node: keys.statementAddress }],
  ])('refuses a job that %s', async (_, standing) => {
    await fixture.paid()
    Object.assign(world.chain, standing)
    expect(await asked({ step: 'look' })).toEqual(refused('SHARE_JOB'))
  })

  it.each([
    ['the lot gave to him', { state: 'Assigned', node: caller }],
    ['he has begun', { state: 'Running', node: caller }],
  ])('is willing for a job that %s', async (_, standing) => {
    await fixture.paid()
    Object.assign(world.chain, standing)
    expect(await asked({ step: 'look' })).toEqual({ state: 'willing' })
  })

  it.each([
    ['manifest', { manifestDigest: digestOfDigit('0') }],
    ['pools', { pools: [otherPool.address] }],
  ])('refuses a job that has another %s on the chain than it has read', async (_, change) => {
    await fixture.paid()
    const { jobTerms } = world.chain
    Object.assign(world.chain, {
      jobTerms: async (id: string) => ({
        ...(await (jobTerms as (id: string) => Promise<object>)(id)),
        ...change,
      }),
    })
    expect(await asked({ step: 'look' })).toEqual(refused('SHARE_JOB'))
  })

  it('refuses a job over none of its pools, and over its own alone', async () => {
    const theirs = { query: { sql: 'SELECT count(*) AS n FROM more.workers' } }
    const pools = [{ address: otherPool.address, name: otherPool.name }]
    await fixture.paid({ ...theirs, pools }, '2', { pools: [otherPool.address] })
    expect(await asked({ job: '2', step: 'look' })).toEqual(refused('JOB_NOT_APPROVED'))

    // The home of its own pool is this node: it would ask itself.
    const own = await world.paid(manifest(), {}, '3')
    const self = keys.statementAddress
    expect(await asked({ job: own, step: 'look' }, { caller: self })).toEqual(refused('PLAN_DIFFERS'))
    expect(await world.spent()).toBe('0')
  })

  it('signs no refusal for an error that merely has the code of one', async () => {
    await fixture.paid()
    for (const code of ['PEER_NOT_ATTESTED', 'STATE_ROLLED_BACK']) {
      const attest = () => Promise.reject(Object.assign(new Error('of some library'), { code }))
      expect(await asked({ step: 'look' }, { attest })).toEqual(later('HOME_FAILED'))
    }
  })

  it('asks about a caller in the form in which the chain has him', async () => {
    await fixture.paid()
    expect(await asked({ step: 'look' }, { caller: addressOfDigit('1') })).toEqual(refused('SHARE_JOB'))
  })
})

describe('a home that has computed its share', () => {
  it.each([
    [
      'is not listed any more',
      'NODE_NOT_LISTED',
      (over: () => boolean) => ({ isListed: async () => !over() }),
    ],
    ['is stopped', 'NODE_STOPPED', (over: () => boolean) => ({ stopped: over })],
  ])('keeps it to itself when it %s meanwhile', async (_, reason, change) => {
    await fixture.paid()
    begun()
    let over = false
    const openEngine = () =>
      engine({
        load: async () => {
          over = true
        },
      })
    const context = { openEngine, ...change(() => over) }
    expect(await asked({}, { context })).toEqual(later(reason))
    expect(over).toBe(true)
    expect(await world.spent()).toBe('1')
    over = false
    expect((await asked({})).state).toBe('given')
    expect(await world.spent()).toBe('1')
  })
})
