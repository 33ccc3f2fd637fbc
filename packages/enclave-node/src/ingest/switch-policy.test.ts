import { digestToHex } from '@sealpool/crypto'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { advanceJob } from '../job/run-job.js'
import { jobInputs } from '../release/job-inputs.js'
import { insertContribution, markBatchRecorded, nextContributions } from '../state/contribution-table.js'
import { liveCopiesOf } from '../state/live-copy-table.js'
import { markRootRecorded } from '../state/merkle-verdict-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { policyApplies } from '../state/policy-table.js'
import {
  dueErasures,
  isRebuilding,
  noteFilesRemoved,
  undoContributions,
  withdrawContribution,
} from '../state/withdrawal.js'
import { chainContribution, jobFixture, pool } from '../testing/job-fixture.js'
import { livePool, liveWorld } from '../testing/live-world.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { switchConsents } from './switch-consents.js'
import { switchPolicy } from './switch-policy.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
const runtime = await createQuickJsRuntime()
afterAll(async () => {
  await runtime.close()
  await store.close()
})
const first = pool.policyDigest
const second = digestOfDigit('d')
const third = digestOfDigit('e')
const events: unknown[] = []
const audit = { write: (event: unknown) => void events.push(event) }
const standing = async () =>
  (await store.query('select id::text, state, reason from contributions order by contributions.id')).map(
    ({ id, state, reason }) => `${id} ${state} ${reason ?? '-'}`,
  )

describe('a pool whose policy changes', () => {
  const world = jobFixture(store)
  const switchTo = (policyDigest: typeof first) =>
    switchPolicy({ store }, { address: pool.address, policyDigest }, audit)
  const next = async () =>
    (await nextContributions(store, pool.address, 'recorded', 10, 0)).map(({ id }) => id)
  const set = (id: number, values: string) => store.run(`update contributions set ${values} where id = ${id}`)

  beforeEach(async () => {
    await world.reset()
    await store.run('truncate meta, earlier_policies')
    events.length = 0
  })

  it('has no tables of what was sealed under the one before, and tables of what comes under the new one', async () => {
    expect(await switchTo(first)).toBe(0)
    expect(events).toEqual([])
    expect(await switchTo(second)).toBe(1)
    expect(await standing()).toEqual([1, 2, 3, 4].map((id) => `${id} recorded POLICY_CHANGED`))
    expect(await store.query('select state from refinements')).toEqual([{ state: 'superseded' }])
    expect(await next()).toEqual([])
    expect(await isRebuilding(store, pool.address)).toBe(false)
    await world.refined('2', ['5', '6'])
    expect(await jobInputs(store, [pool])).toMatchObject([{ count: 2 }])
    expect(await switchTo(second)).toBe(0)
    expect(events).toEqual([
      { event: 'pool-policy', facts: { pool: pool.address, policy: second, waiting: 4 } },
    ])
  })

  it('uses it again when its policy is the pool’s again, each under its own', async () => {
    await switchTo(first)
    await switchTo(second)
    await world.refined('2', ['5'])
    await switchTo(third)
    await world.refined('3', ['6'])
    expect(await switchTo(first)).toBe(1)
    expect(await standing()).toEqual([
      ...[1, 2, 3, 4].map((id) => `${id} recorded -`),
      ...[5, 6].map((id) => `${id} recorded POLICY_CHANGED`),
    ])
    expect(await next()).toEqual(['1', '2', '3', '4'])
    expect(events.at(-1)).toMatchObject({ facts: { waiting: 2 } })
    await switchTo(second)
    expect(await next()).toEqual(['5'])
  })

  it('tells an earlier policy by the signed tables where none was noted', async () => {
    const statement = JSON.stringify({ statement: { body: { policy: first } } })
    await store.query('update refinements set statement = $1', [statement])
    expect(await policyApplies(store, pool.address, first)).toBe(true)
    expect(await policyApplies(store, pool.address, second)).toBe(false)
    expect(await switchTo(second)).toBe(1)
    expect(await next()).toEqual([])
    await store.run(`delete from meta`)
    // Tables that were given up say nothing.
    expect(await policyApplies(store, pool.address, second)).toBe(true)
  })

  it('gives up what a node of before it was noted had of several policies side by side', async () => {
    const signed = (id: number, policy: string) =>
      store.query('update refinements set statement = $1 where id = $2', [
        JSON.stringify({ statement: { body: { policy } } }),
        id,
      ])
    await world.refined('2', ['5', '6'])
    await signed(1, first)
    await signed(2, second)
    // Somebody has taken back what was in it with this one: it has been tried in vain since.
    await set(4, `state = 'recorded', reason = 'BLOB_MISSING', attempts = 3`)
    for (const id of [1, 6]) await set(id, `reason = 'REFINER_REFUSED'`)
    expect(await policyApplies(store, pool.address, second)).toBe(true)
    expect(await switchTo(second)).toBe(1)
    expect(await standing()).toEqual([
      '1 refined REFINER_REFUSED',
      ...[2, 3, 4].map((id) => `${id} recorded POLICY_CHANGED`),
      '5 refined -',
      '6 refined REFINER_REFUSED',
    ])
    expect(await store.query('select state from refinements order by refinements.id')).toEqual([
      { state: 'superseded' },
      { state: 'signed' },
    ])
    expect(events).toMatchObject([{ event: 'pool-policy', facts: { waiting: 3 } }])
    await switchTo(first)
    expect(await next()).toEqual(['2', '3', '4'])
  })

  it('begins no job on tables of another policy', async () => {
    await switchTo(second)
    const id = await world.paid()
    const context = world.context(undefined, { pools: new Map([[pool.address, pool]]) })
    expect(await advanceJob(context, id)).toMatchObject({ state: 'waiting', reason: 'POLICY_SWITCHED' })
    await switchTo(first)
    expect(await advanceJob(context, id)).not.toMatchObject({ reason: 'POLICY_SWITCHED' })
  })

  it('leaves what jobs have reserved of it to them first, and waits for jobs of other pools not at all', async () => {
    await switchTo(first)
    const id = await world.paid()
    await store.query(`update jobs set reservation = '{"inputs":[]}', state = 'running' where id = $1`, [id])
    expect(await switchTo(second)).toBe(0)
    expect((await standing())[0]).toBe('1 refined -')
    expect(await policyApplies(store, pool.address, second)).toBe(false)
    await store.query(`update jobs set pools = $2 where id = $1`, [id, JSON.stringify([addressOfDigit('d')])])
    expect(await switchTo(second)).toBe(1)
  })

  it('counts what was judged under it, wherever it has got since, and leaves what was not to its proof', async () => {
    await switchTo(first)
    await set(1, `state = 'seen', refinement = null`)
    await set(2, `state = 'judged', refinement = null`)
    await set(3, `state = 'withdrawn', state_before = 'refined', withdrawn_block = 20`)
    await set(4, `state = 'detached', state_before = 'seen', refinement = null`)
    await switchTo(second)
    expect(await standing()).toEqual(['1 seen -', '2 judged -', '3 withdrawn -', '4 detached -'])
    await set(1, `state = 'recorded'`)
    await set(2, `state = 'recorded'`)
    await undoContributions(store, 19n)
    await set(4, `state = 'recorded', state_before = null`)
    expect(await next()).toEqual(['1', '4'])
  })

  describe('of what becomes accepted while it is sealed under another one, or under a text that counts no more,', () => {
    const again = (id: string) =>
      insertContribution(
        store,
        chainContribution({ id, pool: pool.address, owner: addressOfDigit(id), logIndex: 0 }),
      )
    const batched = () =>
      store.run(`insert into verdict_batches (id, pool, entries, statement, state)
        values (9, '${pool.address.toLowerCase()}', '[]', '{}', 'signed') on conflict (id) do update set state = 'signed'`)
    const comeTrue: readonly [string, () => Promise<void>, () => Promise<void>][] = [
      [
        'when its verdict stands on the chain',
        () => set(1, `state = 'judged', refinement = null, verdict_batch = 9`),
        () => markBatchRecorded(store, '9'),
      ],
      [
        'when the root of its batch does',
        () => set(1, `state = 'judged', refinement = null, merkle_batch = 9, batch_index = 0`),
        () => markRootRecorded(store, '9', null),
      ],
      [
        'when its withdrawal is undone',
        () => set(1, `state = 'withdrawn', state_before = 'refined', withdrawn_block = 20`),
        () => undoContributions(store, 19n),
      ],
      [
        'when the chain shows it again',
        () => set(1, `state = 'detached', state_before = 'recorded', refinement = null`),
        () => again('1'),
      ],
    ]

    it.each(comeTrue)('it says why it waits %s', async (_, prepare, becomes) => {
      await batched()
      await switchTo(first)
      await prepare()
      await switchTo(second)
      expect((await standing())[0]).not.toContain('CHANGED')
      await becomes()
      const [row] = await store.query('select state, reason, reason_text from contributions where id = 1')
      expect(row).toMatchObject({ state: 'recorded', reason: 'POLICY_CHANGED' })
      expect(row?.['reason_text']).toContain('seal it under that one')
      await switchTo(first)
      expect((await standing())[0]).toBe('1 recorded -')
    })

    it.each(comeTrue)('%s: and of a text the same', async (_, prepare, becomes) => {
      await batched()
      await prepare()
      await switchConsents({ store }, { address: pool.address, consents: [second] }, audit)
      await becomes()
      const [row] = await store.query('select state, reason, reason_text from contributions where id = 1')
      expect(row).toMatchObject({ state: 'recorded', reason: 'CONSENT_CHANGED' })
      expect(row?.['reason_text']).toContain('counts no more')
      await switchConsents({ store }, { address: pool.address, consents: null }, audit)
      expect((await standing())[0]).toBe('1 recorded -')
    })

    it.each(comeTrue)(
      '%s: a reason that holds no more goes, and another stays',
      async (_, prepare, becomes) => {
        await batched()
        for (const reason of ['POLICY_CHANGED', 'NOT_LIVE']) {
          await prepare()
          const isJudged = (await standing())[0]?.startsWith('1 judged')
          // What is judged has no reason but one for which it is refused.
          if (!isJudged) await set(1, `reason = '${reason}', reason_text = 'why'`)
          await becomes()
          const stays = !isJudged && reason === 'NOT_LIVE'
          const [row] = await store.query('select reason, reason_text from contributions where id = 1')
          expect(row).toEqual({ reason: stays ? reason : null, reason_text: stays ? 'why' : null })
        }
      },
    )

    it('a refusal stays one', async () => {
      await batched()
      await switchTo(first)
      await set(1, `state = 'judged', verdict_batch = 9, reason = 'PROOF_REFUSED', reason_text = 'why'`)
      await set(2, `state = 'judged', merkle_batch = 9, batch_index = 0, reason = 'PROOF_REFUSED'`)
      await set(
        3,
        `state = 'withdrawn', state_before = 'refused', withdrawn_block = 20, reason = 'PROOF_REFUSED'`,
      )
      await switchTo(second)
      await markBatchRecorded(store, '9')
      await markRootRecorded(store, '9', null)
      await undoContributions(store, 19n)
      expect((await standing()).slice(0, 3)).toEqual([1, 2, 3].map((id) => `${id} refused PROOF_REFUSED`))
    })

    it('nothing is said of what is judged anew, because its verdicts were given up', async () => {
      await batched()
      await switchTo(first)
      await set(1, `state = 'detached', state_before = 'recorded', verdict_batch = 9, refinement = null`)
      await switchTo(second)
      await store.run(`update verdict_batches set state = 'replaced' where id = 9`)
      await again('1')
      expect((await standing())[0]).toBe('1 seen -')
    })
  })

  it('keeps a refiner’s refusal as it is', async () => {
    await switchTo(first)
    await set(1, `reason = 'REFINER_REFUSED'`)
    await switchTo(second)
    expect((await standing())[0]).toBe('1 refined REFINER_REFUSED')
    await switchTo(first)
    expect((await standing())[0]).toBe('1 refined REFINER_REFUSED')
  })

  it('asks for the text as well when the policy is back', async () => {
    await switchTo(first)
    await store.query('update contributions set consent_digest = $1 where id = 1', [digestToHex(third)])
    await store.query('update contributions set consent_digest = $1 where id > 1', [digestToHex(second)])
    await switchTo(second)
    await switchConsents({ store }, { address: pool.address, consents: [second] }, audit)
    // Looked for in vain before.
    await set(2, `attempts = 7, retry_at = 9000000000`)
    await switchTo(first)
    expect((await standing()).slice(0, 2)).toEqual(['1 recorded CONSENT_CHANGED', '2 recorded -'])
    expect(await next()).toEqual(['2', '3', '4'])
    const [one, two] = await store.query(
      'select reason_text, attempts from contributions order by contributions.id',
    )
    expect(one?.['reason_text']).toContain('counts no more')
    expect(two).toEqual({ reason_text: null, attempts: 0 })
  })

  it('says of what waits that its policy changed, whichever texts count meanwhile', async () => {
    await switchTo(first)
    await switchTo(second)
    const waiting = [1, 2, 3, 4].map((id) => `${id} recorded POLICY_CHANGED`)
    for (const consents of [[second], null]) {
      expect(await switchConsents({ store }, { address: pool.address, consents }, audit)).toBe(1)
      expect(await standing()).toEqual(waiting)
    }
  })

  it('knows nothing of a contribution that gets the number of one that is gone', async () => {
    await switchTo(first)
    await switchTo(second)
    await set(1, `state = 'detached', state_before = 'recorded'`)
    const other = chainContribution({
      id: '1',
      pool: pool.address,
      blobDigest: digestOfDigit('9'),
      logIndex: 7,
    })
    await insertContribution(store, other)
    await set(1, `state = 'recorded'`)
    expect(await next()).toEqual(['1'])
  })

  it('signs for no erasure while the files of the tables before are there', async () => {
    await switchTo(first)
    await set(2, `reason = 'REFINER_REFUSED'`)
    await switchTo(second)
    for (const id of ['1', '2']) await withdrawContribution(store, { id, blockNumber: 20n })
    // The refiner had refused it: it was in no file.
    expect((await dueErasures(store)).map(({ id }) => id)).toEqual(['2'])
    await noteFilesRemoved(store, '1')
    expect((await dueErasures(store)).map(({ id }) => id)).toEqual(['1', '2'])
  })

  it('changes nothing of other pools', async () => {
    await world.refined('7', ['7'], addressOfDigit('d'))
    await switchTo(first)
    await switchTo(second)
    expect((await standing()).at(-1)).toBe('7 refined -')
    expect(await store.query('select state from refinements where id = 7')).toEqual([{ state: 'signed' }])
  })

  it('changes nothing of another pool that has tables of one policy and waits for another', async () => {
    const theirs = addressOfDigit('d')
    await world.refined('7', ['7'], theirs)
    await world.refined('8', ['8'], theirs)
    await store.query('update refinements set statement = $1 where id > 1', [
      JSON.stringify({ statement: { body: { policy: first } } }),
    ])
    await set(8, `state = 'recorded', refinement = null, attempts = 3`)
    await store.query(`insert into earlier_policies (contribution, pool, policy) values (8, $1, $2)`, [
      theirs,
      first,
    ])
    const stands = async () => [
      await store.query(
        'select id::text, state, reason, attempts from contributions where pool = $1 order by contributions.id',
        [theirs],
      ),
      await store.query('select id::text, state from refinements where pool = $1 order by refinements.id', [
        theirs,
      ]),
      await store.query('select contribution::text, policy from earlier_policies where pool = $1', [theirs]),
    ]
    const before = await stands()
    expect(await policyApplies(store, pool.address, second)).toBe(true)
    for (const policy of [second, third, first, third]) {
      await switchTo(policy)
      expect(await stands()).toEqual(before)
    }
    // Its own four alone wait.
    expect(events.at(-1)).toMatchObject({ facts: { waiting: 4 } })
  })
})

describe('a live pool whose policy changes', () => {
  const world = liveWorld(store, runtime)

  it('asks no store for what was sealed under another one', async () => {
    await world.reset()
    await store.run('truncate meta, earlier_policies')
    await world.accepted('1')
    await world.see()
    const switchTo = (policyDigest: typeof first) =>
      switchPolicy(world.ingest(), { address: livePool.address, policyDigest }, audit)
    await switchTo(livePool.policyDigest)
    expect(await switchTo(second)).toBe(1)
    world.fetched.length = 0
    expect(await world.see()).toBe(0)
    expect(world.fetched).toEqual([])
    expect(await liveCopiesOf(store, livePool.address)).toEqual([])
    expect(await switchTo(livePool.policyDigest)).toBe(1)
    expect(await world.see()).toBe(1)
  })
})
