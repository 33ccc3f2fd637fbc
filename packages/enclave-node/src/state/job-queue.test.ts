import type { Address } from '@sealpool/crypto'
import { afterAll, beforeEach, expect, it } from 'vitest'
import type { ChainJobFact } from '../chain/chain-port.js'
import { jobFixture, pool } from '../testing/job-fixture.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { applyJobEvent, undoJobEvents } from './job-event-table.js'
import { begunJobs, dueJobs } from './job-queue.js'
import { migrate } from './migration.js'
import { openPgliteStore } from './pglite-store.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const world = jobFixture(store)
beforeEach(() => world.reset())

/** A job with its votes, paid for in a block; each has a manifest of its own unless it is said. */
async function paidJob(
  id: string,
  options: {
    readonly block: bigint
    readonly price?: string
    readonly manifest?: string
    /** Another pool of the job, whose vote was not read. */
    readonly second?: Address
  },
): Promise<void> {
  const { block, price, manifest = id, second } = options
  const proposed: ChainJobFact = {
    kind: 'proposed',
    id,
    job: {
      id,
      consumer: addressOfDigit('e'),
      manifestDigest: digestOfDigit(manifest),
      locator: 'x',
      pools: second === undefined ? [pool.address] : [pool.address, second],
    },
  }
  const approved: readonly ChainJobFact[] =
    price === undefined ? [] : [{ kind: 'approved', id, approval: { pool: pool.address, block: '2', price } }]
  const earlier = [proposed, ...approved, { kind: 'moved', id, state: 'Approved' } as const]
  for (const [place, fact] of earlier.entries())
    await applyJobEvent(store, { ...fact, block: 2n, position: 10 * Number(id) + place }, here)
  await applyJobEvent(store, { kind: 'moved', id, state: 'Funded', block, position: Number(id) }, here)
}
const here = { served: true, self: addressOfDigit('0') }
const due = () => dueJobs(store, ['waiting', 'running', 'charged'], 0)

it('is in the order of payment, not of proposal, with a head start for what is paid', async () => {
  await paidJob('1', { block: 30n, price: '50' })
  await paidJob('2', { block: 20n, price: '50' })
  await paidJob('3', { block: 31n, price: '1000' })
  expect(await due()).toEqual(['2', '3', '1'])
  await store.query(`update jobs set state = 'charged' where id = 1`)
  expect(await due()).toEqual(['1', '2', '3'])
  await store.query(`update jobs set state = 'running', reservation = '{}' where id = 1`)
  expect(await due()).toEqual(['1', '2', '3'])
})

it('counts the vote under which a further run stands', async () => {
  await paidJob('1', { block: 20n, price: '5000', manifest: '1' })
  await paidJob('2', { block: 29n, price: '1', manifest: '2' })
  await paidJob('3', { block: 30n, manifest: '1' })
  await paidJob('4', { block: 25n, manifest: '4' })
  expect(await due()).toEqual(['1', '3', '4', '2'])
  // A vote on a later job says nothing of an earlier one.
  await paidJob('5', { block: 90n, price: '1000000', manifest: '4' })
  expect(await due()).toEqual(['1', '3', '4', '2', '5'])
})

it('gives no head start while the vote of one of its pools is not known', async () => {
  await paidJob('1', { block: 20n, price: '1' })
  await paidJob('2', { block: 21n, price: '1000000', second: addressOfDigit('d') })
  expect(await due()).toEqual(['1', '2'])
})

it('keeps the place of a job that was taken from a silent node, and forgets a payment that a reorganisation took', async () => {
  await paidJob('1', { block: 20n })
  await paidJob('2', { block: 25n })
  await applyJobEvent(store, { kind: 'moved', id: '1', state: 'Funded', block: 40n, position: 1 }, here)
  expect(await due()).toEqual(['1', '2'])
  await undoJobEvents(store, 10n)
  await applyJobEvent(store, { kind: 'moved', id: '2', state: 'Funded', block: 19n, position: 1 }, here)
  await applyJobEvent(store, { kind: 'moved', id: '1', state: 'Funded', block: 21n, position: 1 }, here)
  expect(await due()).toEqual(['2', '1'])
})

it('leaves out what is not due, and knows jobs of which an older release kept no events', async () => {
  await paidJob('3', { block: 20n })
  await world.paid(undefined, {}, '7')
  await world.paid(undefined, {}, '8')
  await store.query('update jobs set retry_at = 50 where id = 8')
  expect(await due()).toEqual(['7', '3'])
})

it('does not wait for a time that a clock has given that was set far forward and back again', async () => {
  await world.paid(undefined, {}, '7')
  await store.query('update jobs set retry_at = 86400')
  expect(await due()).toEqual([])
  await store.query('update jobs set retry_at = 86401')
  expect(await due()).toEqual(['7'])
})

it('knows what was begun, and what of it this node carries', async () => {
  const changes: Readonly<Record<string, string>> = {
    1: `retry_at = 0`,
    2: `reason = 'START_NOT_CONFIRMED'`,
    3: `chain_state = 'Running'`,
    4: `reservation = '{}', reason = 'ANCHOR_NOT_CONFIRMED'`,
    5: `reservation = '{}', reason = 'HANDED_OFF'`,
    // The home of its first pool carries it.
    6: `reservation = '{}', state = 'running', pools = '["${addressOfDigit('d')}","${pool.address}"]'`,
    7: `reservation = '{}', state = 'charged'`,
    8: `reservation = '{}', state = 'settled', chain_state = 'Running'`,
    9: `reservation = '{}', detached = true`,
    // Another home of theirs stands still.
    10: `reservation = '{}', reason = 'HOME_WAITS'`,
    11: `reservation = '{}', reason = 'HOME_SILENT'`,
    12: `reservation = '{}', reason = 'HOME_DIFFERS'`,
    // The lot gave it to this node, or to another one that may be silent.
    13: `chain_state = 'Assigned'`,
    14: `chain_state = 'Assigned', reason = 'ASSIGNED_TO_OTHER_NODE'`,
    15: `chain_state = 'Assigned', reason = 'POOL_KEY_OF_OTHER_NODE'`,
    16: `chain_state = 'Running', reason = 'BLOB_STORE_FAILED'`,
    17: `reservation = '{}', reason = 'RESTRICTION_UNKNOWN'`,
    // It fails at every try.
    18: `chain_state = 'Running', reservation = '{}', reason = 'TRIED_AGAIN'`,
  }
  for (const [id, change] of Object.entries(changes)) {
    await world.paid(undefined, {}, id)
    await store.query(`update jobs set ${change} where id = ${id}`)
  }
  const { all, carried } = await begunJobs(store, [pool.address])
  expect([...all].sort()).toEqual([
    '10',
    '11',
    '12',
    '13',
    '14',
    '15',
    '16',
    '17',
    '18',
    '2',
    '3',
    '4',
    '5',
    '6',
    '7',
  ])
  expect([...carried].sort()).toEqual(['13', '2', '3', '4'])
})
