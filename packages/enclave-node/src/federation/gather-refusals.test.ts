import { type AttestationPolicy, verifyReceipt } from '@sealpool/attest'
import { parseJobManifest } from '@sealpool/compute'
import { type JsonObject, statementDigest } from '@sealpool/crypto'
import { parsePoolPolicy } from '@sealpool/privacy'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { previewPlan } from '../job/request-run.js'
import { advanceJob } from '../job/run-job.js'
import type { PeerAnswer } from '../peer/call-peer.js'
import { findJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { consumer } from '../testing/job-fixture.js'
import { homeAnswer, otherHome } from '../testing/other-home.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { otherKeys, otherPool, ownPool, sharedManifest } from '../testing/share-fixture.js'
import { readHomesWord } from './homes-word.js'
import { keepGivenShares } from './kept-share.js'
import type { ShareRefusalReason } from './refusal-statement.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
// This node coordinates.
const other = otherHome(store)
const { world, contextOf, paid } = other
beforeEach(() => other.reset())
const advance = () => advanceJob(contextOf(), '1')

/** What a verifier finds of the receipt's charges, with what the homes have signed. */
const judged = async (shares?: readonly unknown[]) => {
  const job = await findJob(store, '1')
  const { checks } = verifyReceipt({
    receipt: job?.receipt,
    ...(job?.plan == null ? {} : { plan: job.plan }),
    shares: shares ?? (await readHomesWord(store, '1')) ?? [],
    policies: [ownPool.policy as unknown as JsonObject],
    trust: {} as AttestationPolicy,
    at: new Date(),
  })
  return checks.filter(
    ({ id, result }) => ['charge', 'outcome', 'policies', 'access'].includes(id) && result === 'fail',
  )
}

describe('a home that refuses', () => {
  it.each<[ShareRefusalReason, string]>([
    ['BUDGET_EXHAUSTED', 'BUDGET_EXHAUSTED'],
    ['POOL_STOPPED', 'POOL_STOPPED'],
    ['COORDINATOR_NOT_ATTESTED', 'HOME_REFUSED'],
    ['NOT_PLANNED', 'HOME_REFUSED'],
    // What its pool asks for stands in no receipt of this node.
    ['ACCESS_DENIED', 'HOME_REFUSED'],
    // Nobody was charged, and a receipt that says so would not verify.
    ['EXECUTION_FAILED', 'HOME_REFUSED'],
  ])(
    'with %s has the job refused whole, nobody charged, and its own word in the receipt',
    async (said, reason) => {
      await paid()
      other.answers = (body) => other.refuses(body, said)
      expect(await advance()).toMatchObject({ state: 'refused', reason })
      expect(other.steps).toEqual(['look'])
      expect(await world.spent()).toBe('0')
      expect(world.chain.calls).toEqual(['refuse'])
      const [refusal] = (await readHomesWord(store, '1')) ?? []
      if (refusal === undefined) throw new Error('what the home has signed is not kept')
      expect((await world.receiptOf('1')).refusedBy).toEqual({
        node: otherKeys.statementAddress,
        keySet: otherKeys.keySetDigest,
        quote: digestOfDigit('7'),
        reason: said,
        charged: false,
        refusal: statementDigest(refusal.statement),
      })
      expect(await judged()).toEqual([])
      expect(await judged([])).toMatchObject([{ id: 'charge' }])
    },
  )

  it('is not asked for a consumer whom its pool does not let in, and the receipt that says so verifies', async () => {
    const access = { version: 1, use: { not: { wallets: [consumer] } } }
    const guarded = { ...otherPool, policy: parsePoolPolicy({ ...otherPool.policy, access }) }
    const block = { number: 9n, hash: `0x${'ab'.repeat(32)}`, timestamp: 1_700_000_000 }
    await paid()
    Object.assign(world.chain, { access: async () => [{ block, answers: [null] }] })
    const context = contextOf({ pools: new Map([[otherPool.address, guarded]]) })
    const wish = parseJobManifest(sharedManifest([ownPool, otherPool]))
    expect(await previewPlan(context, wish)).toMatchObject({
      receipt: { statement: { body: { refusal: { code: 'HOME_REFUSED' } } } },
    })
    expect(await advanceJob(context, '1')).toMatchObject({ state: 'refused', reason: 'HOME_REFUSED' })
    expect(other.steps).toEqual([])
    expect(await judged([])).toEqual([])
  })

  it('after its word ends the job as failed; the receipt says that it refused, and leaves its pool open', async () => {
    await paid()
    other.answers = (body) =>
      body['step'] === 'charge'
        ? other.refuses(body, { reason: 'EXECUTION_FAILED', charged: true })
        : undefined
    expect(await advance()).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED' })
    expect(await world.receiptOf('1')).toMatchObject({
      refusedBy: { node: otherKeys.statementAddress, reason: 'EXECUTION_FAILED', charged: true },
      unanswered: [otherPool.address],
    })
    expect(await judged()).toEqual([])
  })

  it('is told apart from one that is silent, and from one that was refused by nobody', async () => {
    await paid()
    // Of another job that had its number.
    await keepGivenShares(store, '1', [
      await other.refusal({ job: '1', plan: digestOfDigit('1'), step: 'look' }),
    ])
    const context = contextOf()
    other.answers = () => homeAnswer({ state: 'later', reason: 'X' })
    expect(await advanceJob(context, '1')).toMatchObject({ state: 'waiting', reason: 'HOME_SILENT' })
    other.clock.seconds += 101
    expect(await advanceJob(context, '1')).toMatchObject({ state: 'refused', reason: 'HOME_SILENT' })
    expect((await world.receiptOf('1')).refusedBy).toBeUndefined()
    expect(await readHomesWord(store, '1')).toBeUndefined()
  })

  it.each<[ShareRefusalReason, string]>([
    ['PLAN_DIFFERS', 'HOME_REFUSED'],
    ['JOB_NOT_APPROVED', 'JOB_NOT_APPROVED'],
    ['SHARE_JOB', 'HOME_REFUSED'],
  ])('with %s, which may be one block’s matter, is believed when patience is over', async (said, reason) => {
    await paid()
    const context = contextOf()
    other.answers = (body) => other.refuses(body, said)
    expect(await advanceJob(context, '1')).toMatchObject({ state: 'waiting', reason: 'HOME_DIFFERS' })
    other.clock.seconds += 101
    expect(await advanceJob(context, '1')).toMatchObject({ state: 'refused', reason })
    expect((await world.receiptOf('1')).refusedBy).toMatchObject({ reason: said })
    expect(await judged()).toEqual([])
  })

  it.each<[string, string, (body: JsonObject) => PeerAnswer | Promise<PeerAnswer>]>([
    [
      'a reason that nobody signed',
      'HOME_SILENT',
      () => homeAnswer({ state: 'refused', reason: 'POOL_STOPPED' }),
    ],
    ['no statement', 'HOME_SILENT', () => homeAnswer({ state: 'refused', refusal: {} })],
    [
      'a reason of its own making',
      'HOME_SILENT',
      (body) => other.refuses(body, { reason: 'Jane Doe earns 7' as ShareRefusalReason }),
    ],
    ['a refusal of another job', 'HOME_SILENT', (body) => other.refuses({ ...body, job: '2' })],
    [
      'a refusal that says another job than it is signed for',
      'HOME_SILENT',
      async (body) => {
        const refusal = await other.refusal(body)
        const { statement } = refusal
        const changed = {
          ...refusal,
          statement: { ...statement, body: { ...statement.body, reason: 'SHARE_JOB' } },
        }
        return homeAnswer({ state: 'refused', refusal: JSON.parse(JSON.stringify(changed)) })
      },
    ],
    [
      'a refusal for another pool’s job',
      'HOME_SILENT',
      (body) => other.refuses(body, {}, { pool: addressOfDigit('c') }),
    ],
    ['a refusal of another plan', 'HOME_SILENT', (body) => other.refuses(body, { plan: digestOfDigit('0') })],
    ['a refusal of the other step', 'HOME_SILENT', (body) => other.refuses(body, { step: 'charge' })],
    [
      'a refusal to another node',
      'HOME_SILENT',
      (body) => other.refuses(body, { coordinator: addressOfDigit('c') }),
    ],
    ['a refusal that claims hardware', 'HOME_SILENT', (body) => other.refuses(body, { simulated: false })],
    [
      'a refusal that another node signed',
      'HOME_SILENT',
      (body) => other.refuses(body, {}, { sign: contextOf().sign }),
    ],
    [
      'a refusal of another job by this number',
      'HOME_DIFFERS',
      (body) => other.refuses(body, { manifest: digestOfDigit('0') }),
    ],
    [
      'a refusal under other keys',
      'HOME_DIFFERS',
      (body) => other.refuses(body, { keySet: digestOfDigit('0') }),
    ],
    ['a share when it was asked to look', 'HOME_SILENT', (body) => other.honest({ ...body, step: 'charge' })],
  ])('is not held to %s: it is asked again', async (_, reason, spoil) => {
    await paid()
    other.answers = spoil
    expect(await advance()).toMatchObject({ state: 'waiting', reason })
    expect(await world.spent()).toBe('0')
    // The next honest answer counts.
    other.answers = undefined
    expect(await advance()).toMatchObject({ state: 'settled' })
    expect((await world.receiptOf('1')).refusedBy).toBeUndefined()
  })
})
