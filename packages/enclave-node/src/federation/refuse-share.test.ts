import { type Digest, statementDigest } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { AuditFact } from '../audit/audit-chain.js'
import type { JobContext } from '../job/job-context.js'
import { findJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { engine, keys } from '../testing/job-fixture.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { otherKeys, otherPeer, otherPool, ownPool, shareFixture } from '../testing/share-fixture.js'
import { readHomesWord } from './homes-word.js'
import { logRefusal, maximumRefusals, readRefusals } from './kept-refusal.js'
import { readShareRefusal, type ShareRefusalBody, shareRefusalReason } from './refusal-statement.js'
import { refuseShare } from './refuse-share.js'
import { type ServeShareOptions, type ShareWish, serveShares } from './serve-share.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
// The other home coordinates; this one is asked, and knows no other home: what it plans is its own pools' part alone.
const fixture = shareFixture(store, [otherPool, ownPool])
const { world } = fixture
const caller = otherKeys.statementAddress
let logged: AuditFact[]
let now: number
beforeEach(async () => {
  await fixture.reset()
  logged = []
  now = 1_700_000_000
})

const contextOf = (change: Partial<JobContext> = {}): JobContext =>
  world.context(() => engine(), { pools: new Map([[ownPool.address, ownPool]]), ...change })
const ask = (
  wish: Partial<ShareWish> = {},
  options: Partial<Omit<ServeShareOptions, 'job'>> & {
    readonly context?: Partial<JobContext>
    readonly caller?: typeof caller
  } = {},
) => {
  Object.assign(world.chain, {
    head: async () => ({ number: 9n, hash: `0x${'0'.repeat(64)}`, timestamp: now }),
  })
  const server = serveShares({
    job: contextOf(options.context),
    attest: async () => otherPeer,
    mayWork: () => true,
    place: () => () => undefined,
    audit: { write: (fact) => void logged.push(fact) },
    onError: () => undefined,
    ...options,
  })
  const plan: Digest = digestOfDigit('2')
  return server.share(options.caller ?? caller, { job: '1', step: 'look', plan, ...wish })
}
const refusalOf = async (...asked: Parameters<typeof ask>) => {
  const answer = await ask(...asked)
  if (answer.state !== 'refused') throw new Error(JSON.stringify(answer))
  const { deployment } = contextOf().sign
  const read = readShareRefusal(answer.refusal, {
    signer: keys.statementAddress,
    deployment,
    pool: otherPool.address,
    job: '1',
  })
  if (read === undefined) throw new Error('it has not signed for it')
  return read
}

describe('a home that refuses', () => {
  it('signs for whom, for what and why, and has it in its log and its state before it says so', async () => {
    await fixture.paid()
    const { body, statement } = await refusalOf()
    expect(body).toEqual({
      job: '1',
      manifest: (await findJob(store, '1'))?.manifestDigest ?? digestOfDigit('0'),
      plan: digestOfDigit('2'),
      step: 'look',
      coordinator: caller,
      reason: 'POOL_NOT_SERVED',
      charged: false,
      keySet: keys.keySetDigest,
      quote: digestOfDigit('8'),
      simulated: true,
      issuedAt: '2023-11-14T22:13:20.000Z',
    } satisfies ShareRefusalBody)
    expect(logged).toEqual([
      {
        event: 'share-refused',
        facts: {
          job: '1',
          reason: 'POOL_NOT_SERVED',
          charged: false,
          statement: statementDigest(statement.statement),
        },
      },
    ])
    expect(await readHomesWord(store, '1')).toEqual([statement])
    // Where it cannot be logged, nothing is said.
    const unwritable = () => {
      throw new Error('the disk is full')
    }
    const other = await ask({ step: 'charge', plan: digestOfDigit('3') }, { audit: { write: unwritable } })
    expect(other).toEqual({ state: 'later', reason: 'HOME_FAILED' })
    expect(await readRefusals(store, '1')).toEqual([statement])
  })

  it('says the same again to whoever asks the same again, and logs it once', async () => {
    await fixture.paid()
    const first = await refusalOf()
    now += 60
    expect(await refusalOf()).toEqual(first)
    expect(logged).toHaveLength(1)
    const other = await refusalOf({ plan: digestOfDigit('3') })
    expect(other.body.issuedAt).not.toBe(first.body.issuedAt)
    expect(logged).toHaveLength(2)
    expect(await readRefusals(store, '1')).toHaveLength(2)
  })

  it('has one word for each of its keys', async () => {
    await fixture.paid()
    const { statement } = await refusalOf()
    const log = () => void logged.push({ event: 'share-refused', facts: {} } as unknown as AuditFact)
    expect(await logRefusal(store, '1', { ...statement, signer: caller }, log)).toMatchObject({
      signer: caller,
    })
    expect(logged).toHaveLength(2)
    expect(await logRefusal(store, '1', statement, log)).toEqual(statement)
    expect(logged).toHaveLength(2)
  })

  it('asks to wait for a job that it does not know, or knows without pools: there is nothing to sign for', async () => {
    const refuse = () =>
      refuseShare(
        { job: contextOf(), audit: { write: (fact) => void logged.push(fact) } },
        { caller, wish: { job: '1', step: 'look', plan: digestOfDigit('2') }, reason: 'SHARE_JOB' },
      )
    expect(await refuse()).toEqual({ state: 'later', reason: 'CHAIN_BEHIND' })
    await fixture.paid()
    await store.query(`update jobs set pools = '[]'`)
    expect(await refuse()).toEqual({ state: 'later', reason: 'CHAIN_BEHIND' })
    expect(logged).toEqual([])
  })

  it('logs no more of one job than an honest node asks for', async () => {
    await fixture.paid()
    const plan = (n: number): Digest => `sha256:${n.toString(16).padStart(64, '0')}`
    for (let n = 0; n < maximumRefusals; n++) await refusalOf({ plan: plan(n) })
    expect(await ask({ plan: plan(99) })).toEqual({ state: 'later', reason: 'HOME_FAILED' })
    expect(logged).toHaveLength(maximumRefusals)
    expect(await readRefusals(store, '1')).toHaveLength(maximumRefusals)
    expect((await refusalOf({ plan: plan(3) })).body.plan).toBe(plan(3))
  })

  it('keeps nothing of what it tells a node that does not coordinate', async () => {
    await fixture.paid()
    const { body } = await refusalOf({}, { caller: keys.statementAddress })
    expect(body).toMatchObject({ reason: 'SHARE_JOB', coordinator: keys.statementAddress })
    expect(logged).toEqual([])
    expect(await readHomesWord(store, '1')).toBeUndefined()
  })

  it('tells nothing of why a job ended that it had charged', async () => {
    await fixture.paid()
    await store.query(
      `update jobs set reservation = '{"charge":"x","planDigest":"y","inputs":[],"versions":[]}'`,
    )
    expect((await refusalOf()).body).toMatchObject({ reason: 'EXECUTION_FAILED', charged: true })
    // Who asks, and for what, is no end of the job.
    const { body } = await refusalOf({}, { caller: keys.statementAddress })
    expect(body).toMatchObject({ reason: 'SHARE_JOB', charged: true })
  })

  it('tells one of a fixed list of reasons', () => {
    expect(shareRefusalReason('BUDGET_EXHAUSTED')).toBe('BUDGET_EXHAUSTED')
    for (const code of ['column "wage of Jane" is unknown', 'constructor', ''])
      expect(shareRefusalReason(code)).toBe('NOT_PLANNED')
  })

  it('signs nothing once its keys are with another node', async () => {
    await fixture.paid()
    const sign = Object.assign(
      () => {
        throw new Error('KEYS_MOVED')
      },
      { deployment: contextOf().sign.deployment },
    )
    expect(await ask({}, { context: { sign } })).toEqual({ state: 'later', reason: 'HOME_FAILED' })
    expect(logged).toEqual([])
  })
})
