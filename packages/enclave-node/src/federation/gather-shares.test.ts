import { type AttestationPolicy, verifyReceipt } from '@sealpool/attest'
import { openResult } from '@sealpool/client'
import { type Address, type Digest, type JsonObject, statementDigest } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import type { JobContext } from '../job/job-context.js'
import { advanceJob } from '../job/run-job.js'
import type { PeerAnswer } from '../peer/call-peer.js'
import { findJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { readVerdictLists } from '../state/verdict-list-table.js'
import { engine, resultKeys } from '../testing/job-fixture.js'
import { homeAnswer, otherBudget, otherHome, otherVerdicts } from '../testing/other-home.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { otherKeys, otherPeer, otherPool, ownPool } from '../testing/share-fixture.js'
import type { GatherOptions } from './gather-shares.js'
import { readGivenShares, readTakenShares, tidyShares } from './kept-share.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
// This node coordinates.
const other = otherHome(store)
const { fixture, world, contextOf, honest, paid } = other
beforeEach(() => other.reset())

const advance = (gather?: Partial<GatherOptions>, change?: Partial<JobContext>, id = '1') =>
  advanceJob(contextOf(gather, change), id)
/** One process that comes back to the job again and again. */
const visits = () => {
  const context = contextOf()
  return () => advanceJob(context, '1')
}
const answerOf = async (id = '1') => {
  const job = await findJob(store, id)
  const { value } = await openResult({
    sealed: job?.sealedResult ?? new Uint8Array(),
    privateKey: resultKeys.privateKey,
  })
  return { value, digest: job?.resultDigest }
}

describe('the node that coordinates', () => {
  it('asks before it charges, charges its own pool once, and signs for what every home did', async () => {
    await paid()
    const seen: string[] = []
    other.answers = (body) => {
      seen.push(`${String(body['step'])} ${world.chain.calls.join()}`)
      return undefined
    }
    expect(await advance()).toMatchObject({ state: 'settled', reason: null })
    expect(seen).toEqual(['look ', 'charge start'])
    expect(await world.spent()).toBe('2')
    const body = await world.receiptOf('1')
    expect(body.pools.map(({ name, epoch, budget }) => [name, epoch, budget?.charged])).toEqual([
      ['pay', 1, { epsilon: '2', delta: '0' }],
      ['more', 1, { epsilon: '2', delta: '0' }],
    ])
    expect(body.homes).toMatchObject([
      { node: otherKeys.statementAddress, keySet: otherKeys.keySetDigest, quote: digestOfDigit('7') },
    ])
    const job = await findJob(store, '1')
    expect(Object.keys(job?.inputs ?? {}).sort()).toEqual([ownPool.address, otherPool.address].sort())
    expect(job?.release).toMatchObject({ budgetHeads: [expect.any(String), otherBudget(2).head] })
  })

  it('gives one answer for one charge: killed and started again it is the same, byte for byte', async () => {
    const run = async (kill: boolean) => {
      await fixture.reset()
      await paid()
      if (kill) {
        other.answers = (body) => {
          if (body['step'] === 'charge') throw new NodeError('NODE_UNREACHABLE', 'x', 'killed')
          return undefined
        }
        expect(await advance()).toMatchObject({ state: 'waiting', reason: 'HOME_SILENT' })
        other.answers = undefined
        other.clock.seconds += 10
      }
      expect((await advance())?.state).toBe('settled')
      expect(await world.spent()).toBe('2')
      return answerOf()
    }
    const first = await run(false)
    expect(await run(true)).toEqual(first)
    // The noise follows from a secret of every home: another one there is another answer here.
    other.noise = new Uint8Array(32).fill(10)
    expect((await run(false)).digest).not.toBe(first.digest)
  })

  it('adds up: what a home has more, the answer has more, with the same noise', async () => {
    const rows = async (count: string) => {
      await fixture.reset()
      await paid()
      other.answers = (body) => {
        const group = { statistics: ['1000', count], bins: [] }
        return body['step'] === 'charge' ? honest(body, [group, group]) : undefined
      }
      expect((await advance())?.state).toBe('settled')
      const { value } = await answerOf()
      return (value as { rows: [string, number][] }).rows.map(([, n]) => n)
    }
    const [few, more] = [await rows('1000'), await rows('1500')]
    expect(few).toHaveLength(2)
    expect(more.map((n, index) => n - (few[index] ?? 0))).toEqual([500, 500])
  })

  it('has nothing to do with a home that is not what the pools ask for', async () => {
    await paid()
    const asked: string[] = []
    const attest: GatherOptions['attest'] = async (node, pools) => {
      asked.push(node, ...pools.map(({ name }) => name))
      throw new NodeError('PEER_NOT_ATTESTED', 'x', 'it runs other code')
    }
    expect(await advance({ attest })).toMatchObject({ state: 'refused', reason: 'HOME_NOT_ATTESTED' })
    expect(asked).toEqual([otherKeys.statementAddress, 'pay', 'more'])
    expect(other.steps).toEqual([])
    expect(await world.spent()).toBe('0')
  })

  it('ends a job as failed, and charged, when a home refuses after its word or gives what it may not', async () => {
    const spoilt: ((body: JsonObject) => PeerAnswer | Promise<PeerAnswer>)[] = [
      (body) => other.refuses(body),
      () => homeAnswer({ state: 'willing' }),
      (body) => honest({ ...body, plan: digestOfDigit('0') }),
      (body) => honest({ ...body, job: '77' }),
      (body) => honest(body, [{ statistics: ['1', '1'], bins: [] }]),
      async (body) => {
        const { status, body: given } = await honest(body)
        return { status, body: { ...(given as JsonObject), sealed: '!' } }
      },
    ]
    for (const [index, spoil] of spoilt.entries()) {
      await fixture.reset()
      await paid()
      other.answers = (body) => (body['step'] === 'charge' ? spoil(body) : undefined)
      expect(await advance(), String(index)).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED' })
      expect(await world.spent()).toBe('2')
      expect((await findJob(store, '1'))?.sealedResult).toBeNull()
    }
  })

  it('names in the receipt of a job that failed after its charge what every home has charged, or that it does not know', async () => {
    const judged = async () => {
      const job = await findJob(store, '1')
      const body = await world.receiptOf('1')
      const { checks } = verifyReceipt({
        receipt: job?.receipt,
        ...(job?.plan == null ? {} : { plan: job.plan }),
        // The charge is judged without evidence.
        trust: {} as AttestationPolicy,
        at: new Date(),
      })
      const inputs = await readVerdictLists(store, job?.inputs ?? {})
      return { body, answer: checks.find(({ id }) => id === 'charge'), inputs }
    }
    await paid()
    other.answers = (body) => (body['step'] === 'charge' ? other.refuses(body, 'POOL_STOPPED') : undefined)
    expect(await advance()).toMatchObject({ reason: 'EXECUTION_FAILED' })
    const alone = await judged()
    expect(alone.body.pools.map(({ name }) => name)).toEqual(['pay'])
    expect(alone.body.unanswered).toEqual([otherPool.address])
    expect(alone.answer).toMatchObject({ result: 'pass', detail: expect.stringContaining(otherPool.address) })

    // The home gave its share, and the job fails afterwards.
    await fixture.reset()
    await paid()
    other.answers = undefined
    const fails = () =>
      engine({
        query: async () => {
          throw new Error('out of memory')
        },
      })
    expect(await advance(undefined, { openEngine: fails })).toMatchObject({ reason: 'EXECUTION_FAILED' })
    const both = await judged()
    expect(both.body.unanswered).toBeUndefined()
    expect(both.body.pools.map(({ name, budget }) => [name, budget?.charged.epsilon])).toEqual([
      ['pay', '2'],
      ['more', '2'],
    ])
    expect(both.answer).toMatchObject({ result: 'pass' })
    expect(both.inputs[otherPool.address]).toEqual(otherVerdicts)
    const [signed] = (await readGivenShares(store, '1')) ?? []
    if (signed === undefined) throw new Error('what the home has signed is not kept')
    expect(both.body.homes).toEqual([
      {
        node: otherKeys.statementAddress,
        keySet: otherKeys.keySetDigest,
        quote: digestOfDigit('7'),
        share: statementDigest(signed.statement),
      },
    ])
    // Another job that gets the number has nothing of it.
    expect(await readTakenShares(store, '1')).toHaveLength(1)
    await tidyShares(store)
    expect(await readTakenShares(store, '1')).toEqual([])
  })

  it('waits for a home that is silent, gives signs of life, and refuses when its patience is over', async () => {
    await paid()
    let visit = visits()
    other.answers = () => ({ status: 503, body: { error: { code: 'BUSY' } } })
    expect(await visit()).toMatchObject({ state: 'waiting', reason: 'HOME_SILENT' })
    // What it does not know as a wait is none.
    other.answers = () => homeAnswer({ state: 'later', reason: 'X' })
    other.clock.seconds += 50
    expect(await visit()).toMatchObject({ state: 'waiting', reason: 'HOME_SILENT' })
    other.clock.seconds += 51
    expect(await visit()).toMatchObject({ state: 'refused', reason: 'HOME_SILENT' })
    expect(await world.spent()).toBe('0')
    // One that has answered meanwhile has the whole patience again.
    await fixture.reset()
    await paid()
    visit = visits()
    expect(await visit()).toMatchObject({ reason: 'HOME_SILENT' })
    other.answers = (body) =>
      body['step'] === 'charge' ? homeAnswer({ state: 'later', reason: 'X' }) : undefined
    other.clock.seconds += 90
    expect(await visit()).toMatchObject({ reason: 'HOME_SILENT' })
    other.clock.seconds += 90
    expect(await visit()).toMatchObject({ reason: 'HOME_SILENT' })
    other.clock.seconds += 11
    expect(await visit()).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED' })

    await fixture.reset()
    await paid()
    visit = visits()
    other.answers = (body) =>
      body['step'] === 'charge' ? homeAnswer({ state: 'later', reason: 'X' }) : undefined
    expect(await visit()).toMatchObject({ state: 'waiting', reason: 'HOME_SILENT' })
    expect(world.chain.beats).toHaveLength(0)
    other.clock.seconds += 901
    expect(await visit()).toMatchObject({ reason: 'HOME_SILENT' })
    expect(world.chain.beats).toHaveLength(1)
    expect(await world.spent()).toBe('2')
    other.answers = undefined
    expect(await visit()).toMatchObject({ state: 'settled' })
    expect(await world.spent()).toBe('2')
  })

  it('holds no wait against a home that is not its silence: its anchor, a pause, a stop, this node’s own absence', async () => {
    await paid()
    const visit = visits()
    const waits = [
      'POOL_PAUSED',
      'NODE_STOPPED',
      'JOB_SUSPENDED',
      'TABLES_REBUILT',
      'CONSENTS_SWITCHED',
      'BUSY',
    ]
    for (const reason of waits) {
      other.answers = () => homeAnswer({ state: 'later', reason })
      expect(await visit(), reason).toMatchObject({ state: 'waiting', reason: 'HOME_WAITS' })
      other.clock.seconds += 90
    }
    other.answers = (body) =>
      body['step'] === 'charge' ? homeAnswer({ state: 'later', reason: 'ANCHOR_NOT_CONFIRMED' }) : undefined
    for (let turn = 0; turn < 3; turn++) {
      expect(await visit()).toMatchObject({ state: 'waiting', reason: 'HOME_WAITS' })
      other.clock.seconds += 90
    }
    other.answers = (body) =>
      body['step'] === 'charge' ? homeAnswer({ state: 'later', reason: 'X' }) : undefined
    expect(await visit()).toMatchObject({ reason: 'HOME_SILENT' })
    // It looked at no job for an hour; then it was stopped and started again.
    other.clock.seconds += 3_600
    expect(await visit()).toMatchObject({ reason: 'HOME_SILENT' })
    other.clock.seconds += 101
    expect(await advance()).toMatchObject({ reason: 'HOME_SILENT' })
    other.answers = undefined
    expect(await visit()).toMatchObject({ state: 'settled' })
    expect(await world.spent()).toBe('2')
  })

  it('asks a home again that reads another block or other keys, and ends the job only when they do not agree in time', async () => {
    await paid()
    let visit = visits()
    other.answers = (body) => other.refuses(body, 'PLAN_DIFFERS')
    expect(await visit()).toMatchObject({ state: 'waiting', reason: 'HOME_DIFFERS' })
    expect(await world.spent()).toBe('0')
    other.answers = (body) => (body['step'] === 'charge' ? other.refuses(body, 'PLAN_DIFFERS') : undefined)
    expect(await visit()).toMatchObject({ state: 'waiting', reason: 'HOME_DIFFERS' })
    other.answers = undefined
    const attest = async () => ({ ...otherPeer, keySetDigest: digestOfDigit('0') })
    expect(await advance({ attest })).toMatchObject({ state: 'waiting', reason: 'HOME_DIFFERS' })
    expect(await visit()).toMatchObject({ state: 'settled' })
    expect(await world.spent()).toBe('2')

    await fixture.reset()
    await paid()
    visit = visits()
    other.answers = (body) => other.refuses(body, 'PLAN_DIFFERS')
    expect(await visit()).toMatchObject({ state: 'waiting', reason: 'HOME_DIFFERS' })
    other.clock.seconds += 101
    expect(await visit()).toMatchObject({ state: 'refused', reason: 'HOME_REFUSED' })
    expect(await world.spent()).toBe('0')
  })

  it('takes no share whose charge the chain does not show, or shows otherwise', async () => {
    await paid()
    Object.assign(world.chain, { anchors: true })
    const { anchoredHead } = world.chain
    let anchored: { sequence: number; head: Digest } | null = null
    Object.assign(world.chain, {
      anchoredHead: async (pool?: Address) =>
        pool === otherPool.address ? anchored : anchoredHead.call(world.chain),
    })
    expect(await advance()).toMatchObject({ state: 'waiting', reason: 'HOME_WAITS' })
    anchored = { sequence: 1, head: otherBudget(1).head }
    other.clock.seconds += 10
    expect(await advance()).toMatchObject({ state: 'waiting', reason: 'HOME_WAITS' })
    anchored = { sequence: 2, head: digestOfDigit('f') }
    other.clock.seconds += 10
    expect(await advance()).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED' })
    // Its word is not kept: the receipt leaves its pool open.
    expect(await readTakenShares(store, '1')).toEqual([])
    expect((await world.receiptOf('1')).unanswered).toEqual([otherPool.address])
    await fixture.reset()
    await paid()
    expect(await advance()).toMatchObject({ state: 'settled' })
  })

  it('releases nothing while the chain has lost another home’s charge in a reorganisation', async () => {
    await paid()
    Object.assign(world.chain, { anchors: true })
    const { anchoredHead } = world.chain
    const charge = { sequence: 2, head: otherBudget(2).head }
    let anchored: { sequence: number; head: Digest } | null = charge
    Object.assign(world.chain, {
      anchoredHead: async (pool?: Address) =>
        pool === otherPool.address ? anchored : anchoredHead.call(world.chain),
      fail: 'release',
    })
    await expect(advance()).rejects.toThrow('release is cut off')
    anchored = null
    world.chain.fail = undefined
    other.clock.seconds += 10
    expect(await advance()).toMatchObject({ state: 'charged', reason: 'HOME_WAITS' })
    expect(world.chain.calls).not.toContain('release')
    anchored = { sequence: 2, head: digestOfDigit('f') }
    await expect(advance()).rejects.toMatchObject({ code: 'SHARE_REFUSED' })
    expect(world.chain.calls).not.toContain('release')
    anchored = charge
    expect(await advance()).toMatchObject({ state: 'settled' })
  })

  it('refuses what it cannot ask in shares before it asks anybody', async () => {
    const join = 'SELECT count(*) FROM pay.workers JOIN more.workers USING (contributor)'
    await fixture.paid({ query: { sql: join } })
    expect(await advance()).toMatchObject({ state: 'refused', reason: 'NOT_DIVISIBLE' })
    expect(other.steps).toEqual([])
    expect(await world.spent()).toBe('0')
  })
})
