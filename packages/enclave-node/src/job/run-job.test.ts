import { hpkeIdentity, type JsonValue, openBytes } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { readHomesWord } from '../federation/homes-word.js'
import { openKeyRing } from '../key/key-ring.js'
import { findJob, noteApproval, noteChainState } from '../state/job-table.js'
import { setMeta } from '../state/meta-table.js'
import { migrate } from '../state/migration.js'
import { storedLedger } from '../state/pglite-ledger.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { withdrawContribution } from '../state/withdrawal.js'
import { approval, engine, jobFixture, manifest, pool, resultKeys } from '../testing/job-fixture.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import type { JobContext } from './job-context.js'
import { previewPlan, requestRun } from './request-run.js'
import { advanceJob } from './run-job.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const world = jobFixture(store)
beforeEach(() => world.reset())

const never = () => {
  throw new Error('the job was run a second time')
}
/** Writes a state past every check. */
const force = (id: string, state: string) =>
  store.query('update jobs set state = $2 where id = $1', [id, state])

describe('a paid job', () => {
  it('is started, charged, released and settled, in this order', async () => {
    const id = await world.paid()
    // Of another job that had its number.
    await setMeta(store, 'given-shares 1', '[{}]')
    const job = await advanceJob(world.context(), id)
    expect(job).toMatchObject({ state: 'settled', reason: null })
    expect(await readHomesWord(store, id)).toBeUndefined()
    expect(world.chain.calls).toEqual(['start', 'release', 'settle'])
    expect(await world.spent()).toBe('1')
    const body = await world.receiptOf('1')
    expect(body.approvals).toEqual([approval])
    expect(body).toMatchObject({ outcome: 'released', isolation: 'bubblewrap', simulated: true })
    expect(body.pools[0]).toMatchObject({
      inputs: { count: 4 },
      budget: { charged: { epsilon: '1', delta: '0' } },
    })
    const opened = await openBytes(job?.sealedResult ?? new Uint8Array(0), {
      identities: [hpkeIdentity(resultKeys)],
    })
    expect(JSON.parse(new TextDecoder().decode(opened.plaintext))).toMatchObject({
      columns: [{ name: 'sector' }, { name: 'n' }],
    })
  })

  it.each(['release', 'settle'])(
    'that is cut off at %s goes on later, with one charge and the same answer',
    async (step) => {
      const id = await world.paid()
      world.chain.fail = step
      await expect(advanceJob(world.context(), id)).rejects.toThrow('cut off')
      const before = await findJob(store, id)
      expect(before?.state).toBe(step === 'release' ? 'charged' : 'released')
      world.chain.fail = undefined
      const after = await advanceJob(world.context(never), id)
      expect(after).toMatchObject({
        state: 'settled',
        resultDigest: before?.resultDigest,
        receipt: before?.receipt,
      })
      expect(await world.spent()).toBe('1')
    },
  )

  it('that is cut off before its charge costs nothing and begins again', async () => {
    const id = await world.paid()
    world.chain.fail = 'start'
    await expect(advanceJob(world.context(), id)).rejects.toThrow('cut off')
    expect(await world.spent()).toBe('0')
    world.chain.fail = undefined
    expect((await advanceJob(world.context(), id))?.state).toBe('settled')
    expect(await world.spent()).toBe('1')
  })

  it('that fails while it looks at data is charged and refused, without saying why', async () => {
    let closed = false
    const broken = () =>
      engine({
        query: async () => {
          throw new Error('wage 9.50 is too low')
        },
        close: async () => {
          closed = true
        },
      })
    const job = await advanceJob(world.context(broken), await world.paid())
    expect(job).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED', sealedResult: null })
    expect(closed).toBe(true)
    expect(await world.spent()).toBe('1')
    const body = await world.receiptOf('1')
    expect(body.pools[0]?.budget?.after.epsilonSpent).toBe('1')
    expect(JSON.stringify(job?.receipt)).not.toContain('9.50')
    expect(world.chain.calls).toEqual(['start', 'refuse'])
  })

  it.each<[string, JsonValue, object]>([
    ['MANIFEST_MISSING', manifest(), { locator: digestOfDigit('5') }],
    ['MANIFEST_DIGEST_MISMATCH', manifest(), { manifestDigest: digestOfDigit('5') }],
    ['MANIFEST_INVALID', manifest({ version: 9 }), {}],
    ['MANIFEST_CONSUMER_DIFFERS', manifest(), { consumer: addressOfDigit('1') }],
    ['MANIFEST_POOLS_DIFFER', manifest(), { pools: [pool.address, addressOfDigit('b')] }],
    ['POOL_NOT_SERVED', manifest({ pools: [{ address: pool.address, name: 'other' }] }), {}],
    ['PURPOSE_NOT_ALLOWED', manifest({ purpose: 'advertising' }), {}],
    ['SELECT_STAR', manifest({ query: { sql: 'SELECT * FROM pay.workers' } }), {}],
    ['BUDGET_PER_JOB_EXCEEDED', manifest({ privacy: { epsilon: 3, delta: 0 } }), {}],
  ])('is refused with %s, refunded, and charged nothing', async (reason, asked, change) => {
    const job = await advanceJob(world.context(), await world.paid(asked, change))
    expect(job).toMatchObject({ state: 'refused', reason })
    expect(world.chain.calls).toEqual(['refuse'])
    expect(await world.receiptOf('1')).toMatchObject({
      outcome: 'refused',
      refusal: { code: reason },
      result: null,
    })
    expect(await world.spent()).toBe('0')
  })

  it('is refused over a pool with too few contributors', async () => {
    await store.query('delete from contributions where id > 1')
    expect((await advanceJob(world.context(), await world.paid()))?.reason).toBe('TOO_FEW_CONTRIBUTORS')
  })

  it('is refused when the budget is spent, and never passes it', async () => {
    const ledger = storedLedger(store)
    for (const job of ['x', 'y', 'z']) {
      await ledger.charge({
        pool: pool.address,
        job,
        leaves: ['pay.workers'],
        charge: { epsilon: 1.9, delta: 0 },
      })
    }
    expect((await advanceJob(world.context(), await world.paid()))?.reason).toBe('BUDGET_EXHAUSTED')
    expect(await world.spent()).toBe('5.7')
  })

  it('has its charge before it runs: no other job can take the budget away from it meanwhile', async () => {
    const seen: string[] = []
    const looking = engine({
      query: async () => {
        seen.push(await world.spent())
        throw new Error('out of memory')
      },
    })
    const job = await advanceJob(
      world.context(() => looking),
      await world.paid(),
    )
    expect(seen).toEqual(['1'])
    expect(job).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED' })
    expect((await world.receiptOf('1')).pools[0]?.budget?.after.epsilonSpent).toBe('1')
  })

  it('of a pool whose key is another node’s is left to that node: neither run nor refused', async () => {
    world.chain.keyRing = openKeyRing(new Uint8Array(32).fill(8), digestOfDigit('9'))
    const job = await advanceJob(world.context(never), await world.paid(manifest({ purpose: 'advertising' })))
    expect(job).toMatchObject({ state: 'waiting', reason: 'POOL_KEY_OF_OTHER_NODE', receipt: null })
    expect(world.chain.calls).toEqual([])
    expect(await world.spent()).toBe('0')
  })

  it('is refused and never run when a pool’s vote was not read from the chain', async () => {
    const id = await world.proposed()
    await noteChainState(store, id, 'Funded')
    const job = await advanceJob(world.context(never), id)
    expect(job).toMatchObject({ state: 'refused', reason: 'JOB_NOT_APPROVED' })
    expect(world.chain.calls).toEqual(['refuse'])
    expect(await world.spent()).toBe('0')
  })

  it('is a further run under the vote of an earlier job with the same manifest and consumer only', async () => {
    await noteApproval(store, await world.proposed(), approval)
    await noteChainState(store, await world.proposed(manifest(), {}, '2'), 'Funded')
    expect((await advanceJob(world.context(), '2'))?.state).toBe('settled')
    expect((await world.receiptOf('2')).approvals).toEqual([approval])
    world.chain.state = 'Funded'
    const other = { consumer: addressOfDigit('1') }
    await noteChainState(store, await world.proposed(manifest(), other, '3'), 'Funded')
    expect((await advanceJob(world.context(never), '3'))?.reason).toBe('JOB_NOT_APPROVED')
  })

  it('waits for the confirmations of each step before it takes the next', async () => {
    const id = await world.paid()
    world.chain.confirmed = 'Funded'
    expect(await advanceJob(world.context(never), id)).toMatchObject({
      state: 'waiting',
      reason: 'START_NOT_CONFIRMED',
    })
    expect(await world.spent()).toBe('0')
    world.chain.confirmed = 'Running'
    expect((await advanceJob(world.context(), id))?.state).toBe('charged')
    world.chain.confirmed = 'Released'
    expect((await advanceJob(world.context(never), id))?.state).toBe('released')
    world.chain.confirmed = 'Settled'
    expect((await advanceJob(world.context(never), id))?.state).toBe('settled')
    expect(await world.spent()).toBe('1')
  })

  it('waits for the confirmations of its refund and keeps the reason', async () => {
    const id = await world.paid(manifest({ purpose: 'advertising' }))
    world.chain.confirmed = 'Funded'
    const waiting = await advanceJob(world.context(never), id)
    expect(waiting).toMatchObject({ state: 'refusing', reason: 'PURPOSE_NOT_ALLOWED' })
    world.chain.confirmed = 'Refused'
    expect(await advanceJob(world.context(never), id)).toMatchObject({
      state: 'refused',
      reason: 'PURPOSE_NOT_ALLOWED',
    })
  })

  it('is run once, also when it is advanced twice at the same time', async () => {
    const id = await world.paid()
    let runs = 0
    const context = world.context(() => {
      runs += 1
      return engine()
    })
    const [one, two] = await Promise.all([advanceJob(context, id), advanceJob(context, id)])
    expect([one?.state, two?.state, runs]).toEqual(['settled', 'settled', 1])
    expect(world.chain.calls).toEqual(['start', 'release', 'settle'])
  })

  it('is never run again once it is charged, whatever its row says', async () => {
    const id = await world.paid()
    const settled = await advanceJob(world.context(), id)
    await force(id, 'waiting')
    world.chain.state = 'Running'
    await expect(advanceJob(world.context(never), id)).rejects.toMatchObject({ code: 'JOB_ALREADY_CHARGED' })
    expect(await findJob(store, id)).toMatchObject({ receipt: settled?.receipt })
  })

  it('is run on what was reserved, whatever comes in meanwhile', async () => {
    const id = await world.paid()
    const loads: number[] = []
    const growing = () =>
      engine({
        load: async (table) => {
          loads.push('parquet' in table ? table.parquet.paths.length : 0)
          if (loads.length === 1) {
            await world.refined('2', ['5', '6'])
            throw new Error('the machine stops')
          }
        },
      })
    const context = world.context(growing, {
      parts: { ...world.context().parts, paths: (_, parts) => parts.map(({ file }) => file) },
    })
    await advanceJob(context, id)
    expect(loads).toEqual([1])
    expect(await world.receiptOf(id)).toMatchObject({
      refusal: { code: 'EXECUTION_FAILED' },
      pools: [{ inputs: { count: 4 }, budget: { after: { epsilonSpent: '1' } } }],
    })
  })

  it('that is cut off after its reservation runs again on the same inputs, under the same charge', async () => {
    const id = await world.paid()
    const answers: unknown[] = []
    const context = world.context(undefined, {
      random: () => {
        // The sealing of the answer is cut off: the job has run and nothing of it is stored.
        answers.push(null)
        if (answers.length === 1) throw new Error('the machine stops')
        return new Uint8Array(32).fill(9)
      },
    })
    await expect(advanceJob(context, id)).rejects.toMatchObject({ cause: { message: 'the machine stops' } })
    expect(await findJob(store, id)).toMatchObject({ state: 'running', receipt: null })
    expect(await world.spent()).toBe('1')
    await world.refined('2', ['5', '6'])
    expect(await advanceJob(world.context(), id)).toMatchObject({ state: 'settled' })
    expect((await world.receiptOf(id)).pools[0]?.inputs.count).toBe(4)
    expect(await world.spent()).toBe('1')
  })

  it('reads nothing that an owner took back: not before it runs, and not while it does', async () => {
    await withdrawContribution(store, { id: '4', blockNumber: 5n })
    const id = await world.paid()
    // The tables hold the others only when they are rebuilt.
    expect(await advanceJob(world.context(never), id)).toMatchObject({
      state: 'waiting',
      reason: 'TABLES_REBUILT',
    })
    expect(await world.spent()).toBe('0')
    await store.query(`update contributions set state = 'refined', refinement = 2 where state = 'recorded'`)
    await world.refined('2', ['5'])
    const taken = engine({
      query: async () => {
        await withdrawContribution(store, { id: '5', blockNumber: 6n })
        return [{ k0: '0', s0: '2', s1: '2' }]
      },
    })
    const job = await advanceJob(
      world.context(() => taken),
      id,
    )
    expect(job).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED', sealedResult: null })
    expect(await world.spent()).toBe('1')
  })

  it('waits while a contributor has stopped it', async () => {
    world.chain.suspended = true
    const job = await advanceJob(world.context(), await world.paid())
    expect(job).toMatchObject({ state: 'waiting', reason: 'JOB_SUSPENDED' })
    expect(world.chain.calls).toEqual([])
  })

  it('is left to the node that began it, and closed when the chain has ended it', async () => {
    const id = await world.paid()
    Object.assign(world.chain, { state: 'Running', node: addressOfDigit('7') })
    expect(await advanceJob(world.context(), id)).toMatchObject({
      state: 'closed',
      reason: 'RUN_BY_OTHER_NODE',
    })
    await force(id, 'waiting')
    Object.assign(world.chain, { state: 'Expired', node: null })
    expect(await advanceJob(world.context(), id)).toMatchObject({ state: 'closed', reason: 'CHAIN_EXPIRED' })
    expect(await world.spent()).toBe('0')
  })
})

describe('asking before the votes', () => {
  it('gives one signed refusal for each state that was read, and never moves the job', async () => {
    const id = await world.proposed()
    // What stands in the newest block and not under the confirmations yet counts for nothing.
    world.chain.state = 'Funded'
    const first = await requestRun(world.context(), id)
    expect(first).toMatchObject({ state: 'seen', chainState: 'Proposed', reason: 'JOB_NOT_APPROVED' })
    expect((await requestRun(world.context(), id))?.receipt).toEqual(first?.receipt)
    await noteChainState(store, id, 'Approved')
    expect(await requestRun(world.context(), id)).toMatchObject({ state: 'seen', reason: 'JOB_NOT_FUNDED' })
    await noteChainState(store, id, 'Funded')
    expect(await requestRun(world.context(), id)).toMatchObject({ state: 'waiting', reason: null })
    expect(world.chain.calls).toEqual([])
  })

  it('changes nothing when the job is settled while the manifest is still being fetched', async () => {
    const id = await world.proposed()
    let arrive: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      arrive = resolve
    })
    const context = world.context()
    const slow: JobContext = {
      ...context,
      blobStore: {
        ...world.blobs,
        get: async (locator, options) => {
          await gate
          return world.blobs.get(locator, options)
        },
      },
    }
    const asked = requestRun(slow, id)
    await noteApproval(store, id, approval)
    await noteChainState(store, id, 'Funded')
    const settled = await advanceJob(context, id)
    expect(settled?.state).toBe('settled')
    arrive()
    expect(await asked).toEqual(settled)
    expect(await findJob(store, id)).toEqual(settled)
  })

  it('previews a plan without charging, and refuses with a receipt over the plan', async () => {
    const context = world.context(() => {
      throw new Error('a preview touched data')
    })
    const { parseJobManifest } = await import('@sealpool/compute')
    expect(await previewPlan(context, parseJobManifest(manifest()))).toMatchObject({ ok: true })
    const refused = await previewPlan(context, parseJobManifest(manifest({ purpose: 'advertising' })))
    expect(refused).toMatchObject({ ok: false, receipt: { statement: { body: { job: { id: 'plan' } } } } })
    expect(await world.spent()).toBe('0')
  })

  it('knows nothing of a job that it has not seen', async () => {
    expect(await requestRun(world.context(), '99')).toBeUndefined()
    expect(await advanceJob(world.context(), '99')).toBeUndefined()
  })
})
