import { receiptBodySchema } from '@sealpool/attest'
import { memoryBlobStore } from '@sealpool/client'
import {
  canonicalBytes,
  deriveKeyPair,
  encodeBase64Url,
  hpkeIdentity,
  type JsonValue,
  openBytes,
  platformRandom,
} from '@sealpool/crypto'
import type { SqlEngine } from '@sealpool/query'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { ChainJobState, ChainPort } from '../chain/chain-port.js'
import { keyScope } from '../ingest/served-pool.js'
import { openKeyRing } from '../key/key-ring.js'
import { nodeSigner } from '../key/node-signer.js'
import { insertContribution } from '../state/contribution-table.js'
import { findJob, insertJob, noteApproval, noteChainState } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { storedLedger } from '../state/pglite-ledger.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { addressOfDigit, digestOfDigit, servedPoolFixture } from '../testing/served-pool-fixture.js'
import type { JobContext } from './job-context.js'
import { jobLock } from './job-lock.js'
import { previewPlan, requestRun } from './request-run.js'
import { advanceJob } from './run-job.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())

const pool = servedPoolFixture()
const consumer = addressOfDigit('e')
const registry = addressOfDigit('f')
const result = deriveKeyPair(new Uint8Array(32).fill(3))
const keys = openKeyRing(new Uint8Array(32).fill(7), digestOfDigit('9'))
const manifest = (change: object = {}) =>
  ({
    format: 'sealpool/job-manifest',
    version: 1,
    kind: 'query',
    title: 'Test',
    pools: [{ address: pool.address, name: 'pay' }],
    query: { sql: 'SELECT sector, count(*) AS n FROM pay.workers GROUP BY sector' },
    compute: null,
    privacy: { epsilon: 1, delta: 0 },
    consumer: {
      address: consumer,
      resultKey: { kem: 'x25519', publicKey: encodeBase64Url(result.publicKey) },
    },
    purpose: 'research',
    salt: 'abcdefghijklmnop',
    ...change,
  }) as unknown as JsonValue

/** An engine with four workers, two in each sector. */
const engine = (change: Partial<SqlEngine> = {}): SqlEngine => ({
  dialect: 'duckdb',
  load: async () => undefined,
  query: async () => [
    { k0: '0', s0: '2', s1: '2' },
    { k0: '1', s0: '2', s1: '2' },
  ],
  close: async () => undefined,
  ...change,
})

/** A chain of which only jobs are seen; `calls` tells what was sent to it. */
function fakeChain() {
  const calls: string[] = []
  const chain = {
    calls,
    state: 'Funded' as ChainJobState,
    /** What stands under the confirmations, when that is not the newest. */
    confirmed: undefined as ChainJobState | undefined,
    suspended: false,
    node: null as `0x${string}` | null,
    fail: undefined as string | undefined,
    chainId: 31_337,
    registry,
    head: async () => ({ number: 9n, hash: `0x${'0'.repeat(64)}` as const, timestamp: 1_700_000_000 }),
    /** Whose key the pool's data is sealed to. */
    keyRing: keys,
    pool: async () => {
      const { keyId } = chain.keyRing.poolKey(keyScope(pool, 1))
      return { keyEpoch: { epoch: 1, keyDigest: keyId } }
    },
    jobState: async () => ({
      state: chain.confirmed ?? chain.state,
      suspended: chain.suspended,
      node: chain.node,
    }),
  }
  const send = (name: string, next: ChainJobState) => async () => {
    if (chain.fail === name) throw new Error(`${name} is cut off`)
    calls.push(name)
    chain.state = next
    if (name === 'start') chain.node = keys.statementAddress
    return null
  }
  return Object.assign(chain, {
    startJob: send('start', 'Running'),
    releaseJob: send('release', 'Released'),
    settleJob: send('settle', 'Settled'),
    refuseJob: send('refuse', 'Refused'),
  })
}

let chain: ReturnType<typeof fakeChain>
let blobs: ReturnType<typeof memoryBlobStore>
function contextOf(open: () => SqlEngine = () => engine()): JobContext {
  return {
    store,
    lock: jobLock(),
    chain: chain as unknown as ChainPort,
    blobStore: blobs,
    keys,
    sign: nodeSigner({ statementKey: keys.statementKey, chainId: 31_337, registry }),
    evidence: {
      simulated: true,
      quoteDigest: digestOfDigit('8'),
      registered: async () => {
        throw new Error('not asked here')
      },
      fresh: async () => {
        throw new Error('not asked here')
      },
    },
    parts: {
      write: async () => {
        throw new Error('not asked here')
      },
      paths: () => [],
    },
    pools: new Map([[pool.address, pool]]),
    openEngine: open,
    isolation: 'bubblewrap',
    random: platformRandom,
    now: () => 1_700_000_000,
  }
}
/** Puts a job on the chain as proposed. */
async function proposed(asked: JsonValue = manifest(), change: object = {}, id = '1'): Promise<string> {
  const { locator, digest } = await blobs.put(canonicalBytes(asked))
  await insertJob(store, {
    id,
    consumer,
    manifestDigest: digest,
    locator,
    pools: [pool.address],
    ...change,
  })
  return id
}
const approval = { pool: pool.address, block: '12', price: '50' }
/** Puts a job on the chain as approved and paid for. */
async function paid(asked: JsonValue = manifest(), change: object = {}): Promise<string> {
  const id = await proposed(asked, change)
  const job = await findJob(store, id)
  for (const one of job?.pools ?? []) await noteApproval(store, id, { ...approval, pool: one })
  await noteChainState(store, id, 'Funded')
  return id
}
const never = () => {
  throw new Error('the job was run a second time')
}
/** Writes a state past every check. */
const force = (id: string, state: string) =>
  store.query('update jobs set state = $2 where id = $1', [id, state])
const spent = async () => (await storedLedger(store).head(pool.address)).state.epsilonSpent
const receiptOf = async (id: string) => {
  const job = await findJob(store, id)
  return receiptBodySchema.parse(job?.receipt?.statement.body)
}

beforeEach(async () => {
  await store.run('truncate jobs, ledger, receipts, contributions, contributors, blobs cascade')
  chain = fakeChain()
  blobs = memoryBlobStore()
  await storedLedger(store).open(pool.address, pool.policy.privacy)
  for (const number of [1, 2, 3, 4]) {
    await insertContribution(store, {
      id: String(number),
      pool: pool.address,
      owner: addressOfDigit(String(number)),
      blobDigest: digestOfDigit('1'),
      commitment: digestOfDigit('2'),
      schemaId: `0x${'0'.repeat(64)}`,
      consentDigest: `0x${'0'.repeat(64)}`,
      epoch: 1,
      locator: 'x',
      blockNumber: 1n,
      blockHash: `0x${'0'.repeat(64)}`,
      logIndex: number,
    })
  }
  await store.query(`update contributions set state = 'refined', verdict_digest = $1`, [digestOfDigit('3')])
})

describe('a paid job', () => {
  it('is started, charged, released and settled, in this order', async () => {
    const job = await advanceJob(contextOf(), await paid())
    expect(job).toMatchObject({ state: 'settled', reason: null })
    expect(chain.calls).toEqual(['start', 'release', 'settle'])
    expect(await spent()).toBe('1')
    const body = await receiptOf('1')
    expect(body.approvals).toEqual([approval])
    expect(body).toMatchObject({ outcome: 'released', isolation: 'bubblewrap', simulated: true })
    expect(body.pools[0]).toMatchObject({
      inputs: { count: 4 },
      budget: { charged: { epsilon: '1', delta: '0' } },
    })
    const opened = await openBytes(job?.sealedResult ?? new Uint8Array(0), {
      identities: [hpkeIdentity(result)],
    })
    expect(JSON.parse(new TextDecoder().decode(opened.plaintext))).toMatchObject({
      columns: [{ name: 'sector' }, { name: 'n' }],
    })
  })

  it.each(['release', 'settle'])(
    'that is cut off at %s goes on later, with one charge and the same answer',
    async (step) => {
      const id = await paid()
      chain.fail = step
      await expect(advanceJob(contextOf(), id)).rejects.toThrow('cut off')
      const before = await findJob(store, id)
      expect(before?.state).toBe(step === 'release' ? 'charged' : 'released')
      chain.fail = undefined
      const after = await advanceJob(contextOf(never), id)
      expect(after).toMatchObject({
        state: 'settled',
        resultDigest: before?.resultDigest,
        receipt: before?.receipt,
      })
      expect(await spent()).toBe('1')
    },
  )

  it('that is cut off before its charge costs nothing and begins again', async () => {
    const id = await paid()
    chain.fail = 'start'
    await expect(advanceJob(contextOf(), id)).rejects.toThrow('cut off')
    expect(await spent()).toBe('0')
    chain.fail = undefined
    expect((await advanceJob(contextOf(), id))?.state).toBe('settled')
    expect(await spent()).toBe('1')
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
    const job = await advanceJob(contextOf(broken), await paid())
    expect(job).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED', sealedResult: null })
    expect(closed).toBe(true)
    expect(await spent()).toBe('1')
    const body = await receiptOf('1')
    expect(body.pools[0]?.budget?.after.epsilonSpent).toBe('1')
    expect(JSON.stringify(job?.receipt)).not.toContain('9.50')
    expect(chain.calls).toEqual(['start', 'refuse'])
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
    const job = await advanceJob(contextOf(), await paid(asked, change))
    expect(job).toMatchObject({ state: 'refused', reason })
    expect(chain.calls).toEqual(['refuse'])
    expect(await receiptOf('1')).toMatchObject({
      outcome: 'refused',
      refusal: { code: reason },
      result: null,
    })
    expect(await spent()).toBe('0')
  })

  it('is refused over a pool with too few contributors', async () => {
    await store.query('delete from contributions where id > 1')
    expect((await advanceJob(contextOf(), await paid()))?.reason).toBe('TOO_FEW_CONTRIBUTORS')
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
    expect((await advanceJob(contextOf(), await paid()))?.reason).toBe('BUDGET_EXHAUSTED')
    expect(await spent()).toBe('5.7')
  })

  it('whose budget goes to another job while it runs tells nothing of what it saw', async () => {
    const { charge } = storedLedger(store)
    const greedy = engine({
      query: async () => {
        for (const job of ['x', 'y', 'z']) {
          await charge({
            pool: pool.address,
            job,
            leaves: ['pay.workers'],
            charge: { epsilon: 1.9, delta: 0 },
          })
        }
        throw new Error('out of memory')
      },
    })
    const job = await advanceJob(
      contextOf(() => greedy),
      await paid(),
    )
    expect(job).toMatchObject({ state: 'refused', reason: 'BUDGET_EXHAUSTED' })
    expect(await receiptOf('1')).toMatchObject({
      refusal: { code: 'BUDGET_EXHAUSTED', message: expect.not.stringContaining('charged') },
      result: null,
    })
    expect(await spent()).toBe('5.7')
  })

  it('of a pool whose key is another node’s is left to that node: neither run nor refused', async () => {
    chain.keyRing = openKeyRing(new Uint8Array(32).fill(8), digestOfDigit('9'))
    const job = await advanceJob(contextOf(never), await paid(manifest({ purpose: 'advertising' })))
    expect(job).toMatchObject({ state: 'waiting', reason: 'POOL_KEY_OF_OTHER_NODE', receipt: null })
    expect(chain.calls).toEqual([])
    expect(await spent()).toBe('0')
  })

  it('is refused and never run when a pool’s vote was not read from the chain', async () => {
    const id = await proposed()
    await noteChainState(store, id, 'Funded')
    const job = await advanceJob(contextOf(never), id)
    expect(job).toMatchObject({ state: 'refused', reason: 'JOB_NOT_APPROVED' })
    expect(chain.calls).toEqual(['refuse'])
    expect(await spent()).toBe('0')
  })

  it('is a further run under the vote of an earlier job with the same manifest and consumer only', async () => {
    await noteApproval(store, await proposed(), approval)
    await noteChainState(store, await proposed(manifest(), {}, '2'), 'Funded')
    expect((await advanceJob(contextOf(), '2'))?.state).toBe('settled')
    expect((await receiptOf('2')).approvals).toEqual([approval])
    chain.state = 'Funded'
    const other = { consumer: addressOfDigit('1') }
    await noteChainState(store, await proposed(manifest(), other, '3'), 'Funded')
    expect((await advanceJob(contextOf(never), '3'))?.reason).toBe('JOB_NOT_APPROVED')
  })

  it('waits for the confirmations of each step before it takes the next', async () => {
    const id = await paid()
    chain.confirmed = 'Funded'
    expect(await advanceJob(contextOf(never), id)).toMatchObject({
      state: 'waiting',
      reason: 'START_NOT_CONFIRMED',
    })
    expect(await spent()).toBe('0')
    chain.confirmed = 'Running'
    expect((await advanceJob(contextOf(), id))?.state).toBe('charged')
    chain.confirmed = 'Released'
    expect((await advanceJob(contextOf(never), id))?.state).toBe('released')
    chain.confirmed = 'Settled'
    expect((await advanceJob(contextOf(never), id))?.state).toBe('settled')
    expect(await spent()).toBe('1')
  })

  it('waits for the confirmations of its refund and keeps the reason', async () => {
    const id = await paid(manifest({ purpose: 'advertising' }))
    chain.confirmed = 'Funded'
    const waiting = await advanceJob(contextOf(never), id)
    expect(waiting).toMatchObject({ state: 'refusing', reason: 'PURPOSE_NOT_ALLOWED' })
    chain.confirmed = 'Refused'
    expect(await advanceJob(contextOf(never), id)).toMatchObject({
      state: 'refused',
      reason: 'PURPOSE_NOT_ALLOWED',
    })
  })

  it('is run once, also when it is advanced twice at the same time', async () => {
    const id = await paid()
    let runs = 0
    const context = contextOf(() => {
      runs += 1
      return engine()
    })
    const [one, two] = await Promise.all([advanceJob(context, id), advanceJob(context, id)])
    expect([one?.state, two?.state, runs]).toEqual(['settled', 'settled', 1])
    expect(chain.calls).toEqual(['start', 'release', 'settle'])
  })

  it('is never run again once it is charged, whatever its row says', async () => {
    const id = await paid()
    const settled = await advanceJob(contextOf(), id)
    await force(id, 'waiting')
    chain.state = 'Running'
    await expect(advanceJob(contextOf(never), id)).rejects.toMatchObject({ code: 'JOB_ALREADY_CHARGED' })
    expect(await findJob(store, id)).toMatchObject({ receipt: settled?.receipt })
  })

  it('tells nothing when contributions come in while it runs, and names them when it runs again', async () => {
    const id = await paid()
    let runs = 0
    const growing = () =>
      engine({
        query: async () => {
          runs += 1
          if (runs === 1) {
            await store.query(
              `update contributions set verdict_digest = $1, blob_digest = $1, state = 'refined' where id = 4`,
              [digestOfDigit('6')],
            )
          }
          return [
            { k0: '0', s0: '2', s1: '2' },
            { k0: '1', s0: '2', s1: '2' },
          ]
        },
      })
    expect(await advanceJob(contextOf(growing), id)).toMatchObject({
      reason: 'INPUTS_CHANGED',
      receipt: null,
    })
    expect(await spent()).toBe('0')
    expect(chain.calls).toEqual(['start'])
    await advanceJob(contextOf(growing), id)
    expect(runs).toBe(2)
    expect((await receiptOf(id)).pools[0]?.inputs.count).toBe(4)
    expect(await spent()).not.toBe('0')
  })

  it('waits while a contributor has stopped it', async () => {
    chain.suspended = true
    const job = await advanceJob(contextOf(), await paid())
    expect(job).toMatchObject({ state: 'waiting', reason: 'JOB_SUSPENDED' })
    expect(chain.calls).toEqual([])
  })

  it('is left to the node that began it, and closed when the chain has ended it', async () => {
    const id = await paid()
    Object.assign(chain, { state: 'Running', node: addressOfDigit('7') })
    expect(await advanceJob(contextOf(), id)).toMatchObject({ state: 'closed', reason: 'RUN_BY_OTHER_NODE' })
    await force(id, 'waiting')
    Object.assign(chain, { state: 'Expired', node: null })
    expect(await advanceJob(contextOf(), id)).toMatchObject({ state: 'closed', reason: 'CHAIN_EXPIRED' })
    expect(await spent()).toBe('0')
  })
})

describe('asking before the votes', () => {
  it('gives one signed refusal for each state that was read, and never moves the job', async () => {
    const id = await proposed()
    // What stands in the newest block and not under the confirmations yet counts for nothing.
    chain.state = 'Funded'
    const first = await requestRun(contextOf(), id)
    expect(first).toMatchObject({ state: 'seen', chainState: 'Proposed', reason: 'JOB_NOT_APPROVED' })
    expect((await requestRun(contextOf(), id))?.receipt).toEqual(first?.receipt)
    await noteChainState(store, id, 'Approved')
    expect(await requestRun(contextOf(), id)).toMatchObject({ state: 'seen', reason: 'JOB_NOT_FUNDED' })
    await noteChainState(store, id, 'Funded')
    expect(await requestRun(contextOf(), id)).toMatchObject({ state: 'waiting', reason: null })
    expect(chain.calls).toEqual([])
  })

  it('changes nothing when the job is settled while the manifest is still being fetched', async () => {
    const id = await proposed()
    let arrive: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      arrive = resolve
    })
    const context = contextOf()
    const slow: JobContext = {
      ...context,
      blobStore: {
        ...blobs,
        get: async (locator, options) => {
          await gate
          return blobs.get(locator, options)
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
    const context = contextOf(() => {
      throw new Error('a preview touched data')
    })
    const { parseJobManifest } = await import('@sealpool/compute')
    expect(await previewPlan(context, parseJobManifest(manifest()))).toMatchObject({ ok: true })
    const refused = await previewPlan(context, parseJobManifest(manifest({ purpose: 'advertising' })))
    expect(refused).toMatchObject({ ok: false, receipt: { statement: { body: { job: { id: 'plan' } } } } })
    expect(await spent()).toBe('0')
  })

  it('knows nothing of a job that it has not seen', async () => {
    expect(await requestRun(contextOf(), '99')).toBeUndefined()
    expect(await advanceJob(contextOf(), '99')).toBeUndefined()
  })
})
