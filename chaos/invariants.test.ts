import { describe, expect, it } from 'vitest'
import type { Facts } from './facts.js'
import { checkInvariants } from './invariants.js'

const pool = `0x${'aa'.repeat(20)}`
const [first, second] = [`0x${'01'.repeat(20)}`, `0x${'02'.repeat(20)}`]

/** Two accepted contributions, one refused for a reason that is allowed, one settled and one refused job. */
const sound: Facts = {
  sent: [
    { id: '1', mayBeRefused: [] },
    { id: '2', mayBeRefused: [] },
    { id: '3', mayBeRefused: ['BLOB_DIGEST_MISMATCH'] },
  ],
  paid: ['1', '2'],
  reorganised: false,
  rewardEach: '100',
  chain: {
    contributions: [
      { id: '1', pool, owner: first, state: 'Accepted' },
      { id: '2', pool, owner: first, state: 'Accepted' },
      { id: '3', pool, owner: second, state: 'Refused' },
    ],
    verdicts: [
      { id: '1', refused: false },
      { id: '2', refused: false },
      { id: '3', refused: true },
    ],
    balances: [
      { pool, owner: first, balance: '200' },
      { pool, owner: second, balance: '0' },
    ],
    jobs: [
      {
        id: '1',
        state: 'Settled',
        pools: [pool],
        price: '1000',
        released: 1,
        settled: 1,
        refunded: 0,
        receipt: 'sha256:01',
      },
      {
        id: '2',
        state: 'Refused',
        pools: [pool],
        price: '1000',
        released: 0,
        settled: 0,
        refunded: 1,
        receipt: null,
      },
    ],
    anchors: [{ pool, version: 1 }],
    consumerSpent: '1000',
  },
  store: {
    contributions: [
      { id: '1', pool, state: 'refined', reason: null },
      { id: '2', pool, state: 'refined', reason: null },
      { id: '3', pool, state: 'refused', reason: 'BLOB_DIGEST_MISMATCH' },
    ],
    jobs: [
      { id: '1', state: 'settled', reason: null, hasResult: true },
      { id: '2', state: 'refused', reason: 'BUDGET_EXHAUSTED', hasResult: false },
    ],
    ledger: [
      { pool, version: 0, job: null, epsilonSpent: '0', epsilonCharged: null },
      { pool, version: 1, job: '1', epsilonSpent: '0.5', epsilonCharged: '0.5' },
    ],
    receipts: [
      { job: '1', outcome: 'released', digest: 'sha256:01' },
      { job: '2', outcome: 'refused', digest: 'sha256:02' },
    ],
  },
}

type Chain = Facts['chain']
type Store = Facts['store']
const withChain = (change: Partial<Chain>): Facts => ({ ...sound, chain: { ...sound.chain, ...change } })
const withStore = (change: Partial<Store>): Facts => ({ ...sound, store: { ...sound.store, ...change } })
const settled = sound.chain.jobs[0] as Chain['jobs'][number]
const refused = sound.chain.jobs[1] as Chain['jobs'][number]
const charge = sound.store.ledger[1] as Store['ledger'][number]
const opening = sound.store.ledger[0] as Store['ledger'][number]

const breachesOf = (facts: Facts): Record<string, readonly string[]> =>
  Object.fromEntries(
    checkInvariants(facts)
      .filter(({ breaches }) => breaches.length > 0)
      .map(({ name, breaches }) => [name, breaches]),
  )

describe('the invariants', () => {
  it('hold on what is sound, and each has looked at something', () => {
    expect(breachesOf(sound)).toEqual({})
    for (const { name, checked } of checkInvariants(sound)) expect(checked, name).toBeGreaterThan(0)
  })

  const planted: readonly (readonly [string, string, Facts])[] = [
    [
      'a contribution that left the chain',
      'no contribution lost',
      { ...sound, sent: [...sound.sent, { id: '9', mayBeRefused: [] }] },
    ],
    [
      'a contribution that the node never saw',
      'no contribution lost',
      withStore({ contributions: sound.store.contributions.slice(1) }),
    ],
    [
      'a contribution of somebody else that the node never saw',
      'no contribution lost',
      { ...withStore({ contributions: sound.store.contributions.slice(1) }), sent: sound.sent.slice(1) },
    ],
    [
      'a contribution that waits for ever',
      'no contribution lost',
      withChain({
        contributions: [
          { id: '1', pool, owner: first, state: 'Offered' },
          ...sound.chain.contributions.slice(1),
        ],
      }),
    ],
    [
      'a refusal for a reason that this contribution gave no cause for',
      'no contribution lost',
      { ...sound, sent: sound.sent.map((one) => ({ ...one, mayBeRefused: [] })) },
    ],
    [
      'a contribution that the node made up',
      'contributions of chain and store equal',
      withStore({
        contributions: [...sound.store.contributions, { id: '7', pool, state: 'refined', reason: null }],
      }),
    ],
    [
      'a contribution that is accepted here and refused there',
      'contributions of chain and store equal',
      withStore({
        contributions: sound.store.contributions.map((one) =>
          one.id === '3' ? { ...one, state: 'refined' } : one,
        ),
      }),
    ],
    [
      'a contribution that got stuck',
      'contributions of chain and store equal',
      withStore({
        contributions: sound.store.contributions.map((one) =>
          one.id === '1' ? { ...one, state: 'recorded' } : one,
        ),
      }),
    ],
    [
      'a contribution in another pool',
      'contributions of chain and store equal',
      withStore({
        contributions: sound.store.contributions.map((one) => ({ ...one, pool: second })),
      }),
    ],
    [
      'a second verdict',
      'one verdict for each contribution',
      withChain({ verdicts: [...sound.chain.verdicts, { id: '1', refused: false }] }),
    ],
    [
      'a missing verdict',
      'one verdict for each contribution',
      withChain({ verdicts: sound.chain.verdicts.slice(1) }),
    ],
    [
      'a reward twice',
      'one reward for each accepted contribution',
      withChain({
        balances: [
          { pool, owner: first, balance: '300' },
          { pool, owner: second, balance: '0' },
        ],
      }),
    ],
    [
      'a reward that never came',
      'one reward for each accepted contribution',
      withChain({
        balances: [
          { pool, owner: first, balance: '100' },
          { pool, owner: second, balance: '0' },
        ],
      }),
    ],
    [
      'a reward for what was refused',
      'one reward for each accepted contribution',
      withChain({
        balances: [
          { pool, owner: first, balance: '200' },
          { pool, owner: second, balance: '100' },
        ],
      }),
    ],
    [
      'an owner whose balance nobody read',
      'one reward for each accepted contribution',
      withChain({ balances: [] }),
    ],
    [
      'a paid job that never ends',
      'every paid job comes to an end',
      withChain({ jobs: [{ ...settled, state: 'Funded', released: 0, settled: 0 }, refused] }),
    ],
    ['a paid job that is gone', 'every paid job comes to an end', { ...sound, paid: ['1', '2', '3'] }],
    [
      'a second release',
      'no job released or settled twice',
      withChain({ jobs: [{ ...settled, released: 2 }, refused] }),
    ],
    [
      'a second settlement',
      'no job released or settled twice',
      withChain({ jobs: [{ ...settled, settled: 2 }, refused] }),
    ],
    [
      'a settlement without a release',
      'no job released or settled twice',
      withChain({ jobs: [{ ...settled, released: 0 }, refused] }),
    ],
    [
      'a refund of what was settled',
      'no job released or settled twice',
      withChain({ jobs: [{ ...settled, refunded: 1 }, refused] }),
    ],
    [
      'a second receipt of a release',
      'no job released or settled twice',
      withStore({
        receipts: [...sound.store.receipts, { job: '1', outcome: 'released', digest: 'sha256:01' }],
      }),
    ],
    [
      'a release under a receipt that nobody gave out',
      'receipts of chain and store equal',
      withChain({ jobs: [{ ...settled, receipt: 'sha256:03' }, refused] }),
    ],
    ['a payment twice', 'no job paid twice', withChain({ consumerSpent: '2000' })],
    ['a payment of nothing', 'no job paid twice', withChain({ consumerSpent: '0' })],
    [
      'a charge twice',
      'no charge twice, ledgers add up',
      withStore({
        ledger: [opening, charge, { ...charge, version: 2, epsilonSpent: '1' }],
      }),
    ],
    [
      'a charge for a job that nobody proposed',
      'no charge twice, ledgers add up',
      withStore({ ledger: [opening, charge, { ...charge, version: 2, job: '44', epsilonSpent: '1' }] }),
    ],
    [
      'a ledger with a hole',
      'no charge twice, ledgers add up',
      withStore({ ledger: [opening, { ...charge, version: 2 }] }),
    ],
    [
      'a ledger that says less than it charged',
      'no charge twice, ledgers add up',
      withStore({ ledger: [opening, { ...charge, epsilonSpent: '0.25' }] }),
    ],
    ['a result without a charge', 'no result without a charge', withStore({ ledger: [opening] })],
    [
      'a stored answer of a job that was never charged',
      'no result without a charge',
      withStore({
        jobs: sound.store.jobs.map((job) => ({ ...job, hasResult: true })),
      }),
    ],
    [
      'a release whose charge is not anchored',
      'no result without a charge',
      withChain({ anchors: [{ pool, version: 0 }] }),
    ],
    [
      'a job that the node does not know',
      'jobs and anchors of chain and store equal',
      withStore({ jobs: sound.store.jobs.slice(1) }),
    ],
    [
      'a job that is settled there and not here',
      'jobs and anchors of chain and store equal',
      withStore({ jobs: sound.store.jobs.map((job) => ({ ...job, state: 'released' })) }),
    ],
    [
      'an anchor of a version that the node does not have',
      'jobs and anchors of chain and store equal',
      withChain({ anchors: [{ pool, version: 2 }] }),
    ],
  ]
  it.each(planted)('find %s', (_, name, facts) => {
    expect(Object.keys(breachesOf(facts))).toContain(name)
  })

  it('allow after a reorganisation what it brings: a charge that stays, a number used again, an anchor that lags', () => {
    const lagging: Facts = {
      ...withStore({
        ledger: [
          opening,
          charge,
          { ...charge, version: 2, epsilonSpent: '1' },
          { ...charge, version: 3, job: '44', epsilonSpent: '1.5' },
        ],
      }),
      reorganised: true,
    }
    const found = breachesOf({ ...lagging, chain: { ...lagging.chain, anchors: [{ pool, version: 3 }] } })
    expect(found).toEqual({})
    expect(Object.keys(breachesOf({ ...lagging, reorganised: false }))).toContain(
      'no charge twice, ledgers add up',
    )
  })
})
