import { parseJobManifest } from '@sealpool/compute'
import { type Digest, parseCanonical, sha256Digest } from '@sealpool/crypto'
import type { SqlEngine, TableLoad } from '@sealpool/query'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import { openParcel } from '../hand-off/sealed-parcel.js'
import type { PlannablePool } from '../ingest/served-pool.js'
import type { JobContext } from '../job/job-context.js'
import { previewPlan, previewPrice, type RefusedPlan } from '../job/request-run.js'
import { advanceJob } from '../job/run-job.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import { findJob } from '../state/job-table.js'
import { metaKeys } from '../state/meta-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { withdrawContribution } from '../state/withdrawal.js'
import { approval, engine, keys, manifest } from '../testing/job-fixture.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import {
  otherKeys,
  otherPeer,
  otherPool,
  ownPool,
  sharedManifest,
  shareFixture,
} from '../testing/share-fixture.js'
import { type ToldShare, told } from '../testing/told-share.js'
import type { Federation } from './federation.js'
import { tidyShares } from './kept-share.js'
import { planShare } from './plan-shared-job.js'
import { type ShareWish, serveShares } from './serve-share.js'
import { parseShareFile } from './share-file.js'
import { readShareStatement } from './share-statement.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
// The other home coordinates; this one is asked.
const fixture = shareFixture(store, [otherPool, ownPool])
const { world } = fixture
beforeEach(() => fixture.reset())

const caller = otherKeys.statementAddress
const federation: Federation = {
  pools: new Map<`0x${string}`, PlannablePool>([[otherPool.address, otherPool]]),
  look: async () => undefined,
  gather: async () => [],
}
const contextOf = (open: () => SqlEngine = () => engine(), change: Partial<JobContext> = {}): JobContext =>
  world.context(open, { pools: new Map([[ownPool.address, ownPool]]), federation, ...change })
const planOf = async (id = '1'): Promise<Digest> => {
  const job = await findJob(store, id)
  const given = parseJobManifest(
    parseCanonical(await world.blobs.get(job?.locator ?? '', { maximumBytes: 1e6 })),
  )
  const { shared } = await planShare(contextOf(), given)
  if (shared === undefined) throw new Error('the job is not shared')
  return shared.planDigest
}
const asked = async (
  wish: Partial<ShareWish> = {},
  options: {
    readonly open?: () => SqlEngine
    readonly context?: Partial<JobContext>
    readonly attest?: () => Promise<AttestedPeer>
    readonly mayWork?: () => boolean
    readonly place?: () => (() => void) | undefined
    readonly caller?: `0x${string}`
  } = {},
): Promise<ToldShare> => {
  const server = serveShares({
    job: contextOf(options.open, options.context),
    attest: options.attest ?? (async () => otherPeer),
    mayWork: options.mayWork ?? (() => true),
    place: options.place ?? (() => () => undefined),
    audit: { write: () => undefined },
    onError: () => undefined,
  })
  const plan = wish.plan ?? (await planOf(wish.job))
  const answer = await server.share(options.caller ?? caller, { job: '1', step: 'charge', plan, ...wish })
  return told(answer)
}
/** What is remembered of shares. */
const kept = async () => (await metaKeys(store, 'share ')).at(0)
const begun = () => Object.assign(world.chain, { state: 'Running', node: caller })
const opened = async (answer: ToldShare, plan: Digest) => {
  if (answer.state !== 'given') throw new Error(JSON.stringify(answer))
  const bytes = await openParcel(answer.sealed, {
    kind: 'share',
    privateKey: otherKeys.hpkePrivateKey,
    scope: { chainId: 31_337, pool: ownPool.address, policyDigest: ownPool.policyDigest, epoch: 1 },
  })
  if (bytes === undefined) throw new Error('it is not sealed to the node that coordinates')
  const manifestDigest = (await findJob(store, '1'))?.manifestDigest ?? digestOfDigit('0')
  return { bytes, file: parseShareFile(bytes, { job: '1', manifest: manifestDigest, plan }) }
}

describe('a home that is asked for its share', () => {
  it('charges its own pool once, and gives exact numbers to the node that it attested', async () => {
    await fixture.paid()
    const plan = await planOf()
    expect(await asked({ step: 'look' })).toEqual({ state: 'willing' })
    expect(await world.spent()).toBe('0')
    begun()
    const loaded: TableLoad[] = []
    const looking = () => engine({ load: async (table) => void loaded.push(table) })
    const answer = await asked({}, { open: looking })
    expect(await world.spent()).toBe('1')
    // Both tables are there; the other home's has no rows here.
    expect(loaded.map(({ name }) => name)).toEqual(['more.workers', 'pay.workers'])
    const { bytes, file } = await opened(answer, plan)
    expect(file?.share.releases[0]?.groups.map(({ statistics }) => statistics)).toEqual([
      ['2', '2'],
      ['2', '2'],
    ])
    if (answer.state !== 'given') throw new Error('no share')
    const read = readShareStatement(answer.share, {
      signer: keys.statementAddress,
      deployment: contextOf().sign.deployment,
      pool: ownPool.address,
      job: '1',
    })
    expect(read?.body).toMatchObject({
      coordinator: caller,
      coordinatorKeys: otherKeys.keySetDigest,
      share: sha256Digest(bytes),
      sealed: sha256Digest(answer.sealed),
      plan,
      pools: [
        { pool: ownPool.address, epoch: 1, inputs: { count: 4 }, budget: { charged: { epsilon: '1' } } },
      ],
    })

    // Asked again, by a node that was killed before it had the answer: the same numbers, the same noise, no other charge.
    const never = () => {
      throw new Error('it was computed twice')
    }
    const again = await opened(await asked({}, { open: never }), plan)
    expect(again.bytes).toEqual(bytes)
    expect(await world.spent()).toBe('1')
  })

  it('that was killed after its charge goes on under it, with the same part of the noise', async () => {
    await fixture.paid()
    begun()
    const plan = await planOf()
    const dies = () =>
      engine({
        query: async () => {
          throw new Error('killed')
        },
      })
    await asked({}, { open: dies })
    expect(await world.spent()).toBe('1')
    const first = await opened(await asked(), plan)
    await store.query(`delete from meta where key like 'share %'`)
    const second = await opened(await asked(), plan)
    expect(await world.spent()).toBe('1')
    expect(second.file?.noise).toEqual(first.file?.noise)
    expect(second.file?.share).toEqual(first.file?.share)
    expect(second.file?.salt).not.toEqual(first.file?.salt)
  })

  it('leaves the job to the node that coordinates, and forgets its share when the job is over', async () => {
    await fixture.paid()
    begun()
    await asked()
    expect(await advanceJob(contextOf(), '1')).toMatchObject({
      state: 'waiting',
      reason: 'COORDINATED_ELSEWHERE',
    })
    expect(world.chain.calls).toEqual([])
    await tidyShares(store)
    expect(await kept()).toBeDefined()
    await store.query(`update jobs set state = 'closed' where id = '1'`)
    await tidyShares(store)
    expect(await kept()).toBeUndefined()
    expect(await asked()).toEqual({ state: 'refused', reason: 'SHARE_JOB' })
    expect(await world.spent()).toBe('1')
  })

  it('attests the node that asks under the policies of all pools, and gives nothing to one that is not what they ask for', async () => {
    await fixture.paid()
    begun()
    const seen: string[] = []
    const attesting = serveShares({
      job: contextOf(),
      attest: async (node, pools) => {
        seen.push(node, ...pools.map(({ name }) => name))
        throw new NodeError('PEER_NOT_ATTESTED', 'x', 'it runs other code')
      },
      mayWork: () => true,
      place: () => () => undefined,
      audit: { write: () => undefined },
      onError: () => undefined,
    })
    const wish = { job: '1', plan: await planOf(), step: 'charge' } as const
    expect(told(await attesting.share(caller, wish))).toEqual({
      state: 'refused',
      reason: 'COORDINATOR_NOT_ATTESTED',
    })
    expect(seen).toEqual([caller, 'more', 'pay'])
    const other = async () => ({ ...otherPeer, statementAddress: keys.statementAddress })
    expect(await asked({}, { attest: other })).toEqual({
      state: 'refused',
      reason: 'COORDINATOR_NOT_ATTESTED',
    })
    const away = async (): Promise<AttestedPeer> => {
      throw new NodeError('NODE_UNREACHABLE', 'x', 'away')
    }
    expect(await asked({}, { attest: away })).toEqual({ state: 'later', reason: 'HOME_FAILED' })
    expect(await world.spent()).toBe('0')
  })

  it.each<[string, string, () => Promise<unknown> | unknown]>([
    ['is not begun', 'SHARE_JOB', () => Object.assign(world.chain, { state: 'Funded', node: null })],
    ['another node has', 'SHARE_JOB', () => Object.assign(world.chain, { node: keys.statementAddress })],
    ['is over', 'SHARE_JOB', () => Object.assign(world.chain, { state: 'Released' })],
    ['is stopped', 'JOB_SUSPENDED', () => Object.assign(world.chain, { suspended: true })],
    [
      'is over a paused pool',
      'POOL_PAUSED',
      () => Object.assign(world.chain, { pausedUntil: 1_800_000_000 }),
    ],
    [
      'has other pools on the chain',
      'SHARE_JOB',
      () => Object.assign(world.chain, { jobTerms: async () => ({ manifestDigest: '', pools: [] }) }),
    ],
    [
      'has a first pool with another home',
      'SHARE_JOB',
      () => {
        fixture.state.shown[otherPool.address] = {
          keyEpoch: { epoch: 1, node: keys.statementAddress } as never,
        }
      },
    ],
    [
      'has a pool with a key of another node',
      'POOL_KEY_OF_OTHER_NODE',
      () => {
        fixture.state.shown[ownPool.address] = {
          keyEpoch: { epoch: 2, node: keys.statementAddress, keyDigest: digestOfDigit('0') } as never,
        }
      },
    ],
    [
      'is under another policy of the other pool',
      'POOL_NOT_SERVED',
      () => {
        fixture.state.shown[otherPool.address] = {
          keyEpoch: { epoch: 1, node: caller } as never,
          policyDigest: digestOfDigit('0'),
        }
      },
    ],
    ['has no vote of this pool', 'JOB_NOT_APPROVED', () => store.query(`update jobs set approvals = '[]'`)],
    [
      'has only the vote of the other pool',
      'JOB_NOT_APPROVED',
      () =>
        store.query('update jobs set approvals = $1', [
          JSON.stringify([{ ...approval, pool: otherPool.address }]),
        ]),
    ],
    [
      'has too few people',
      'TOO_FEW_CONTRIBUTORS',
      () => store.run('truncate contributions, refinements cascade'),
    ],
    ['is not read yet', 'CHAIN_BEHIND', () => store.query(`update jobs set state = 'seen'`)],
    ['is gone from the chain', 'SHARE_JOB', () => store.query('update jobs set detached = true')],
  ])('charges nothing for a job that %s', async (_, reason, spoil) => {
    await fixture.paid()
    begun()
    const plan = await planOf()
    await spoil()
    expect(await asked({ plan })).toMatchObject({ reason })
    expect(await world.spent()).toBe('0')
    expect(await kept()).toBeUndefined()
  })

  it('charges nothing beyond its budget, while it is stopped, or when it is not listed', async () => {
    for (const id of ['1', '2', '3']) {
      await fixture.paid({ privacy: { epsilon: 2, delta: 0 }, salt: `abcdefghijklmno${id}` }, id)
      begun()
      expect((await asked({ job: id })).state).toBe('given')
    }
    expect(await world.spent()).toBe('6')
    await fixture.paid({}, '4')
    expect(await asked({ job: '4', step: 'look' })).toEqual({ state: 'refused', reason: 'BUDGET_EXHAUSTED' })
    expect(await asked({ job: '4' })).toEqual({ state: 'refused', reason: 'BUDGET_EXHAUSTED' })
    const stopped = { stopped: () => true }
    expect(await asked({ job: '3' }, { context: stopped })).toEqual({
      state: 'later',
      reason: 'NODE_STOPPED',
    })
    const gone = { isListed: async () => false }
    expect(await asked({ job: '3' }, { context: gone })).toEqual({
      state: 'later',
      reason: 'NODE_NOT_LISTED',
    })
    expect(await world.spent()).toBe('6')
  })

  it('gives nothing that its charge is not anchored for', async () => {
    Object.assign(world.chain, { anchors: true, anchorsConfirmed: false })
    await fixture.paid()
    begun()
    const never = () => {
      throw new Error('data was read')
    }
    expect(await asked({}, { open: never })).toEqual({ state: 'later', reason: 'ANCHOR_NOT_CONFIRMED' })
    world.chain.anchorsConfirmed = true
    expect((await asked()).state).toBe('given')
    expect(await world.spent()).toBe('1')
  })

  it('plans a job over pools of several homes for whoever asks, and prices only its own', async () => {
    const given = parseJobManifest(sharedManifest([otherPool, ownPool]))
    const plan = await previewPlan(contextOf(), given)
    await fixture.paid()
    expect(plan).toMatchObject({ ok: true, planDigest: await planOf() })
    const { receipt } = (await previewPrice(contextOf(), given)) as RefusedPlan
    expect(receipt.statement.body['refusal']).toMatchObject({ code: 'POOL_NOT_SERVED' })
  })

  it('takes no plan but its own, and no question that its rows would have to leave for', async () => {
    await fixture.paid()
    begun()
    expect(await asked({ plan: digestOfDigit('1') })).toEqual({ state: 'refused', reason: 'PLAN_DIFFERS' })
    const plan = await planOf()
    const join = 'SELECT count(*) FROM pay.workers JOIN more.workers USING (contributor)'
    await fixture.paid({ query: { sql: join } }, '2')
    expect(await asked({ job: '2', plan })).toEqual({ state: 'refused', reason: 'NOT_DIVISIBLE' })
    const handOff = { measurements: [`0x${'ab'.repeat(32)}`], expiresAt: 1_800_000_000, fallback: 'none' }
    await fixture.paid({ handOff }, '3')
    expect(await asked({ job: '3', plan })).toEqual({ state: 'refused', reason: 'HAND_OFF_NOT_SHARED' })
    const compute = {
      computation: 'linear-regression',
      parameters: {
        target: { pool: 'pay', table: 'workers', column: 'wage' },
        features: [{ name: 'theirs', pool: 'more', table: 'workers', column: 'wage', transform: 'identity' }],
      },
    }
    await fixture.paid({ kind: 'compute', query: null, compute }, '6')
    expect(await asked({ job: '6', plan })).toEqual({ state: 'refused', reason: 'JOB_NOT_DIVISIBLE' })
    await fixture.paid({ purpose: 'advertising' }, '4')
    expect(await asked({ job: '4', plan })).toEqual({ state: 'refused', reason: 'PURPOSE_NOT_ALLOWED' })
    const own = await world.paid(manifest(), {}, '5')
    expect(await asked({ job: own, plan })).toMatchObject({ state: 'refused' })
    expect(await asked({ job: '77', plan })).toEqual({ state: 'later', reason: 'CHAIN_BEHIND' })
    expect(await world.spent()).toBe('0')
  })

  it('gives nothing of what an owner took back', async () => {
    await fixture.paid()
    begun()
    const takes = () =>
      engine({
        load: async () => {
          await store.query('delete from refinements')
        },
      })
    expect(await asked({}, { open: takes })).toEqual({ state: 'refused', reason: 'EXECUTION_FAILED' })
    expect(await kept()).toBeUndefined()
  })

  it('answers nothing while it may not work itself, and gives nothing when that changed while it computed', async () => {
    await fixture.paid()
    begun()
    const behind = { state: 'later', reason: 'CHAIN_BEHIND' }
    for (const step of ['look', 'charge'] as const)
      expect(await asked({ step }, { mayWork: () => false })).toEqual(behind)
    expect(await world.spent()).toBe('0')
    let working = true
    const open = () =>
      engine({
        load: async () => {
          working = false
        },
      })
    expect(await asked({}, { open, mayWork: () => working })).toEqual(behind)
    expect(working).toBe(false)
    expect((await asked()).state).toBe('given')
    expect(await world.spent()).toBe('1')
  })

  it('computes a share in one of the places for jobs, and charges nothing when all are taken', async () => {
    await fixture.paid()
    begun()
    expect(await asked({}, { place: () => undefined })).toEqual({ state: 'later', reason: 'BUSY' })
    expect(await world.spent()).toBe('0')
    expect(await asked({ step: 'look' }, { place: () => undefined })).toEqual({ state: 'willing' })
    let [taken, freed] = [0, 0]
    const place = () => {
      taken += 1
      return () => {
        freed += 1
      }
    }
    const dies = () =>
      engine({
        query: async () => {
          expect([taken, freed]).toEqual([1, 0])
          throw new Error('killed')
        },
      })
    expect((await asked({}, { place, open: dies })).state).toBe('refused')
    expect([taken, freed]).toEqual([1, 1])
    expect((await asked({}, { place })).state).toBe('given')
    expect([taken, freed]).toEqual([2, 2])
    // What is kept needs no engine.
    expect((await asked({}, { place: () => undefined })).state).toBe('given')
  })

  it('gives no kept share again once an owner took something of it back, and forgets it', async () => {
    await fixture.paid()
    begun()
    const plan = await planOf()
    expect((await asked({ plan })).state).toBe('given')
    const [row] = await store.query(
      'select id::text as id from contributions order by contributions.id limit 1',
    )
    const withdrawal = { id: String(row?.['id']), blockNumber: 10n }
    await store.transaction((tx) => withdrawContribution(tx, withdrawal))
    expect(await asked({ plan })).toEqual({ state: 'refused', reason: 'EXECUTION_FAILED' })
    expect(await kept()).toBeDefined()
    await tidyShares(store)
    expect(await kept()).toBeUndefined()
    expect(await asked({ plan })).toEqual({ state: 'refused', reason: 'EXECUTION_FAILED' })
    expect(await world.spent()).toBe('1')
  })

  it('does not take the number of a job for the job', async () => {
    await fixture.paid()
    begun()
    const first = await opened(await asked(), await planOf())
    // A reorganisation gives the number to another job, over what was contributed until then.
    await store.query('delete from jobs')
    await fixture.paid({ salt: 'another-salt-abcdefgh' })
    const other = await opened(await asked(), await planOf())
    expect(other.file).toBeDefined()
    expect(other.file?.manifest).not.toBe(first.file?.manifest)
    expect(await world.spent()).toBe('2')
  })
})
