import { type AttestationPolicy, verdictsRoot, verifyReceipt } from '@sealpool/attest'
import { openResult } from '@sealpool/client'
import {
  type Address,
  type Digest,
  decodeBase64Url,
  encodeBase64Url,
  type JsonObject,
  type JsonValue,
  platformRandom,
  sha256Digest,
  statementDigest,
} from '@sealpool/crypto'
import type { PlanShare } from '@sealpool/query'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import { sealParcel } from '../hand-off/sealed-parcel.js'
import type { PlannablePool } from '../ingest/served-pool.js'
import type { JobContext } from '../job/job-context.js'
import { advanceJob } from '../job/run-job.js'
import type { PeerAnswer, PeerCall } from '../peer/call-peer.js'
import { findJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { engine, keys, resultKeys } from '../testing/job-fixture.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import {
  otherKeys,
  otherPeer,
  otherPool,
  ownPool,
  shareFixture,
  signOther,
} from '../testing/share-fixture.js'
import { type GatherOptions, openFederation } from './gather-shares.js'
import { readGivenShares, readTakenShares, tidyShares } from './kept-share.js'
import { encodeShareFile } from './share-file.js'
import { signShare } from './share-statement.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
// This node coordinates.
const fixture = shareFixture(store, [ownPool, otherPool])
const { world } = fixture

const verdicts = [digestOfDigit('4')]
const view = (version: number) => ({
  epsilonSpent: String(version - 1),
  epsilonTotal: '6',
  deltaSpent: '0',
  deltaTotal: '0.000001',
  version,
  head: digestOfDigit(String(version)),
})
/** What the other home was asked, and what it answers instead of what it should. */
let steps: string[]
let answers: ((body: JsonObject) => PeerAnswer | Promise<PeerAnswer> | undefined) | undefined
let clock: { seconds: number }
let noise: Uint8Array
beforeEach(async () => {
  await fixture.reset()
  steps = []
  answers = undefined
  clock = { seconds: 1_700_000_000 }
  noise = new Uint8Array(32).fill(9)
})

/** The other home's honest answer: three people in each sector. */
async function honest(
  body: JsonObject,
  groups?: PlanShare['releases'][number]['groups'],
): Promise<PeerAnswer> {
  if (body['step'] === 'look') return { status: 200, body: { state: 'willing' } }
  const job = await findJob(store, String(body['job']))
  const of = {
    job: String(body['job']),
    manifest: job?.manifestDigest ?? digestOfDigit('0'),
    plan: body['plan'] as Digest,
  }
  const three = { statistics: ['3', '3'], bins: [] }
  const bytes = encodeShareFile({
    ...of,
    salt: platformRandom(32),
    noise,
    verdicts: { [otherPool.address]: verdicts },
    share: { releases: [{ groups: groups ?? [three, three] }] },
  })
  const sealed = await sealParcel(bytes, {
    kind: 'share',
    publicKey: decodeBase64Url(keys.keySet.hpke.publicKey),
    scope: { chainId: 31_337, pool: otherPool.address, policyDigest: otherPool.policyDigest, epoch: 1 },
    random: platformRandom,
  })
  const share = signShare(signOther, {
    ...of,
    coordinator: keys.statementAddress,
    coordinatorKeys: keys.keySetDigest,
    pools: [
      {
        pool: otherPool.address,
        name: 'more',
        policy: otherPool.policyDigest,
        epoch: 1,
        inputs: { root: digestOfDigit('6'), count: 1 },
        verdicts: verdictsRoot(verdicts),
        budget: { before: view(1), after: view(2), charged: { epsilon: '2', delta: '0' } },
      },
    ],
    share: sha256Digest(bytes),
    sealed: sha256Digest(sealed),
    keySet: otherKeys.keySetDigest,
    quote: digestOfDigit('7'),
    isolation: 'bubblewrap',
    simulated: true,
    issuedAt: '2026-01-01T00:00:00.000Z',
  })
  const given = { state: 'given', sealed: encodeBase64Url(sealed), share } as unknown as JsonValue
  return { status: 200, body: given }
}

const contextOf = (gather: Partial<GatherOptions> = {}, change: Partial<JobContext> = {}): JobContext => {
  const context = world.context(undefined, {
    pools: new Map([[ownPool.address, ownPool]]),
    now: () => clock.seconds,
    ...change,
  })
  const federation = openFederation({
    ...context,
    pools: new Map<Address, PlannablePool>([[otherPool.address, otherPool]]),
    patienceSeconds: 100,
    heartbeatSeconds: 900,
    attest: async () => otherPeer,
    call:
      () =>
      async ({ body }: Omit<PeerCall, 'token'>) => {
        const asked = body as JsonObject
        steps.push(String(asked['step']))
        return (await answers?.(asked)) ?? honest(asked)
      },
    onError: () => undefined,
    ...gather,
  })
  return { ...context, federation }
}
const advance = (gather?: Partial<GatherOptions>, change?: Partial<JobContext>, id = '1') =>
  advanceJob(contextOf(gather, change), id)
/** One process that comes back to the job again and again. */
const visits = (change: Partial<JobContext> = {}) => {
  const context = contextOf({}, change)
  return () => advanceJob(context, '1')
}
const paid = (id = '1') =>
  fixture.paid({ privacy: { epsilon: 2, delta: 0 }, salt: `abcdefghijklmno${id}` }, id)
const answerOf = async (id = '1') => {
  const job = await findJob(store, id)
  const { value } = await openResult({
    sealed: job?.sealedResult ?? new Uint8Array(),
    privateKey: resultKeys.privateKey,
  })
  return { value, digest: job?.resultDigest }
}
const home = (body: JsonValue): PeerAnswer => ({ status: 200, body })

describe('the node that coordinates', () => {
  it('asks before it charges, charges its own pool once, and signs for what every home did', async () => {
    await paid()
    const seen: string[] = []
    answers = (body) => {
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
    expect(job?.release).toMatchObject({ budgetHeads: [expect.any(String), view(2).head] })
  })

  it('gives one answer for one charge: killed and started again it is the same, byte for byte', async () => {
    const run = async (kill: boolean) => {
      await fixture.reset()
      await paid()
      if (kill) {
        answers = (body) => {
          if (body['step'] === 'charge') throw new NodeError('NODE_UNREACHABLE', 'x', 'killed')
          return undefined
        }
        expect(await advance()).toMatchObject({ state: 'waiting', reason: 'HOME_SILENT' })
        answers = undefined
        clock.seconds += 10
      }
      expect((await advance())?.state).toBe('settled')
      expect(await world.spent()).toBe('2')
      return answerOf()
    }
    const first = await run(false)
    expect(await run(true)).toEqual(first)
    // The noise follows from a secret of every home: another one there is another answer here.
    noise = new Uint8Array(32).fill(10)
    expect((await run(false)).digest).not.toBe(first.digest)
  })

  it('adds up: what a home has more, the answer has more, with the same noise', async () => {
    const rows = async (count: string) => {
      await fixture.reset()
      await paid()
      answers = (body) => {
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

  it.each([
    ['BUDGET_EXHAUSTED', 'BUDGET_EXHAUSTED'],
    ['JOB_NOT_APPROVED', 'JOB_NOT_APPROVED'],
    ['POOL_STOPPED', 'POOL_STOPPED'],
    ['whatever <it> says', 'HOME_REFUSED'],
    ['constructor', 'HOME_REFUSED'],
    // Nobody was charged, and a receipt that says so would not verify.
    ['EXECUTION_FAILED', 'HOME_REFUSED'],
  ])('refuses whole and charges nobody when a home refuses with %s', async (said, reason) => {
    await paid()
    answers = () => home({ state: 'refused', reason: said })
    expect(await advance()).toMatchObject({ state: 'refused', reason })
    expect(steps).toEqual(['look'])
    expect(await world.spent()).toBe('0')
    expect(world.chain.calls).toEqual(['refuse'])
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
    expect(steps).toEqual([])
    expect(await world.spent()).toBe('0')
  })

  it('ends a job as failed, and charged, when a home refuses after its word or gives what it may not', async () => {
    const spoilt: ((body: JsonObject) => PeerAnswer | Promise<PeerAnswer>)[] = [
      () => home({ state: 'refused', reason: 'BUDGET_EXHAUSTED' }),
      () => home({ state: 'willing' }),
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
      answers = (body) => (body['step'] === 'charge' ? spoil(body) : undefined)
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
      return { body, answer: checks.find(({ id }) => id === 'charge'), inputs: job?.inputs }
    }
    await paid()
    answers = (body) =>
      body['step'] === 'charge' ? home({ state: 'refused', reason: 'POOL_STOPPED' }) : undefined
    expect(await advance()).toMatchObject({ reason: 'EXECUTION_FAILED' })
    const alone = await judged()
    expect(alone.body.pools.map(({ name }) => name)).toEqual(['pay'])
    expect(alone.body.unanswered).toEqual([otherPool.address])
    expect(alone.answer).toMatchObject({ result: 'pass', detail: expect.stringContaining(otherPool.address) })

    // The home gave its share, and the job fails afterwards.
    await fixture.reset()
    await paid()
    answers = undefined
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
    expect(both.inputs?.[otherPool.address]).toEqual(verdicts)
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
    answers = () => ({ status: 503, body: { error: { code: 'BUSY' } } })
    expect(await visit()).toMatchObject({ state: 'waiting', reason: 'HOME_SILENT' })
    // What it does not know as a wait is none.
    answers = () => home({ state: 'later', reason: 'X' })
    clock.seconds += 50
    expect(await visit()).toMatchObject({ state: 'waiting', reason: 'HOME_SILENT' })
    clock.seconds += 51
    expect(await visit()).toMatchObject({ state: 'refused', reason: 'HOME_SILENT' })
    expect(await world.spent()).toBe('0')
    // One that has answered meanwhile has the whole patience again.
    await fixture.reset()
    await paid()
    visit = visits()
    expect(await visit()).toMatchObject({ reason: 'HOME_SILENT' })
    answers = (body) => (body['step'] === 'charge' ? home({ state: 'later', reason: 'X' }) : undefined)
    clock.seconds += 90
    expect(await visit()).toMatchObject({ reason: 'HOME_SILENT' })
    clock.seconds += 90
    expect(await visit()).toMatchObject({ reason: 'HOME_SILENT' })
    clock.seconds += 11
    expect(await visit()).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED' })

    await fixture.reset()
    await paid()
    visit = visits({ keepAlive: () => () => undefined })
    answers = (body) => (body['step'] === 'charge' ? home({ state: 'later', reason: 'X' }) : undefined)
    expect(await visit()).toMatchObject({ state: 'waiting', reason: 'HOME_SILENT' })
    expect(world.chain.beats).toHaveLength(0)
    clock.seconds += 901
    expect(await visit()).toMatchObject({ reason: 'HOME_SILENT' })
    expect(world.chain.beats).toHaveLength(1)
    expect(await world.spent()).toBe('2')
    answers = undefined
    expect(await visit()).toMatchObject({ state: 'settled' })
    expect(await world.spent()).toBe('2')
  })

  it('holds no wait against a home that is not its silence: its anchor, a pause, a stop, this node’s own absence', async () => {
    await paid()
    const visit = visits()
    for (const reason of ['POOL_PAUSED', 'NODE_STOPPED', 'JOB_SUSPENDED', 'TABLES_REBUILT', 'BUSY']) {
      answers = () => home({ state: 'later', reason })
      expect(await visit(), reason).toMatchObject({ state: 'waiting', reason: 'HOME_WAITS' })
      clock.seconds += 90
    }
    answers = (body) =>
      body['step'] === 'charge' ? home({ state: 'later', reason: 'ANCHOR_NOT_CONFIRMED' }) : undefined
    for (let turn = 0; turn < 3; turn++) {
      expect(await visit()).toMatchObject({ state: 'waiting', reason: 'HOME_WAITS' })
      clock.seconds += 90
    }
    answers = (body) => (body['step'] === 'charge' ? home({ state: 'later', reason: 'X' }) : undefined)
    expect(await visit()).toMatchObject({ reason: 'HOME_SILENT' })
    // It looked at no job for an hour; then it was stopped and started again.
    clock.seconds += 3_600
    expect(await visit()).toMatchObject({ reason: 'HOME_SILENT' })
    clock.seconds += 101
    expect(await advance()).toMatchObject({ reason: 'HOME_SILENT' })
    answers = undefined
    expect(await visit()).toMatchObject({ state: 'settled' })
    expect(await world.spent()).toBe('2')
  })

  it('asks a home again that reads another block or other keys, and ends the job only when they do not agree in time', async () => {
    await paid()
    let visit = visits()
    answers = () => home({ state: 'refused', reason: 'PLAN_DIFFERS' })
    expect(await visit()).toMatchObject({ state: 'waiting', reason: 'HOME_DIFFERS' })
    expect(await world.spent()).toBe('0')
    answers = (body) =>
      body['step'] === 'charge' ? home({ state: 'refused', reason: 'PLAN_DIFFERS' }) : undefined
    expect(await visit()).toMatchObject({ state: 'waiting', reason: 'HOME_DIFFERS' })
    answers = undefined
    const attest = async () => ({ ...otherPeer, keySetDigest: digestOfDigit('0') })
    expect(await advance({ attest })).toMatchObject({ state: 'waiting', reason: 'HOME_DIFFERS' })
    expect(await visit()).toMatchObject({ state: 'settled' })
    expect(await world.spent()).toBe('2')

    await fixture.reset()
    await paid()
    visit = visits()
    answers = () => home({ state: 'refused', reason: 'PLAN_DIFFERS' })
    expect(await visit()).toMatchObject({ state: 'waiting', reason: 'HOME_DIFFERS' })
    clock.seconds += 101
    expect(await visit()).toMatchObject({ state: 'refused', reason: 'HOME_REFUSED' })
    expect(await world.spent()).toBe('0')
  })

  it('takes no share whose charge the chain does not show, or shows otherwise', async () => {
    await paid()
    Object.assign(world.chain, { anchors: true })
    const { anchoredHead } = world.chain
    let other: { sequence: number; head: Digest } | null = null
    Object.assign(world.chain, {
      anchoredHead: async (pool?: Address) =>
        pool === otherPool.address ? other : anchoredHead.call(world.chain),
    })
    expect(await advance()).toMatchObject({ state: 'waiting', reason: 'HOME_WAITS' })
    other = { sequence: 1, head: view(1).head }
    clock.seconds += 10
    expect(await advance()).toMatchObject({ state: 'waiting', reason: 'HOME_WAITS' })
    other = { sequence: 2, head: digestOfDigit('f') }
    clock.seconds += 10
    expect(await advance()).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED' })
    await fixture.reset()
    await paid()
    expect(await advance()).toMatchObject({ state: 'settled' })
  })

  it('releases nothing while the chain has lost another home’s charge in a reorganisation', async () => {
    await paid()
    Object.assign(world.chain, { anchors: true })
    const { anchoredHead } = world.chain
    const charge = { sequence: 2, head: view(2).head }
    let other: { sequence: number; head: Digest } | null = charge
    Object.assign(world.chain, {
      anchoredHead: async (pool?: Address) =>
        pool === otherPool.address ? other : anchoredHead.call(world.chain),
      fail: 'release',
    })
    await expect(advance()).rejects.toThrow('release is cut off')
    other = null
    world.chain.fail = undefined
    clock.seconds += 10
    expect(await advance()).toMatchObject({ state: 'charged', reason: 'HOME_WAITS' })
    expect(world.chain.calls).not.toContain('release')
    other = { sequence: 2, head: digestOfDigit('f') }
    await expect(advance()).rejects.toMatchObject({ code: 'SHARE_REFUSED' })
    expect(world.chain.calls).not.toContain('release')
    other = charge
    expect(await advance()).toMatchObject({ state: 'settled' })
  })

  it('refuses what it cannot ask in shares before it asks anybody', async () => {
    const join = 'SELECT count(*) FROM pay.workers JOIN more.workers USING (contributor)'
    await fixture.paid({ query: { sql: join } })
    expect(await advance()).toMatchObject({ state: 'refused', reason: 'NOT_DIVISIBLE' })
    expect(steps).toEqual([])
    expect(await world.spent()).toBe('0')
  })
})
