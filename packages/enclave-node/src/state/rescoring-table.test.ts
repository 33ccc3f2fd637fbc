import type { Digest, SignedStatement } from '@sealpool/crypto'
import type { RescoredContribution } from '@sealpool/poc'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { chainContribution, pool } from '../testing/job-fixture.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { insertContribution } from './contribution-table.js'
import { forgetRescored } from './forget-rescored.js'
import { migrate } from './migration.js'
import { openPgliteStore } from './pglite-store.js'
import {
  beginRescoring,
  countRescored,
  dueRescored,
  endRescoringPart,
  findRescoringRun,
  hasUnrecorded,
  judgedEarlier,
  leaveRescored,
  nextRescoringNumber,
  nextRescoringPart,
  putOffRescored,
  putOffRescoringRun,
  rescoredAgreements,
  rescoredHolder,
  rescoredVerdicts,
  rescoringStatements,
  stillAccepted,
  storeRescored,
} from './rescoring-table.js'
import type { AgreementRecord } from './verdict-agreement-table.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())

const other = addressOfDigit('d')
const [earlier, oldest, present, next] = ['4', '5', '6', '7'].map(digestOfDigit) as [
  `sha256:${string}`,
  `sha256:${string}`,
  `sha256:${string}`,
  `sha256:${string}`,
]
const run = digestOfDigit('8')
const later = digestOfDigit('9')
const mine = { pool: pool.address, run }
const statement = (said: string): SignedStatement => ({
  statement: { type: 'sealpool/rescored-verdict', version: 1, body: { said } },
  context: {
    chainId: 31_337,
    registry: other,
    pool: pool.address,
    subject: `0x${'0'.repeat(64)}`,
    nonce: '0',
    facts: [],
  },
  signer: other,
  signature: '0x',
})
const entry = (contribution: string) => ({ contribution }) as RescoredContribution

/** A contribution that a proof has judged, as it stands. */
async function judged(id: string, change: { of?: typeof other; state?: string; poc?: string } = {}) {
  const { of = pool.address, state = 'refined', poc = earlier } = change
  const owner = addressOfDigit(id.slice(-1))
  await insertContribution(store, chainContribution({ id, pool: of, owner, logIndex: Number(id) }))
  await store.query('update contributions set state = $2, score = $3 where id = $1', [
    id,
    state,
    state === 'seen' ? null : 5_000,
  ])
  await store.query(`insert into verdicts (contribution, digest, statement) values ($1, 'x', $2)`, [
    id,
    JSON.stringify({ statement: { body: { poc } } }),
  ])
}
const begin = (ids: readonly string[], change: object = {}, poc = present) =>
  beginRescoring(store, { ...mine, accepted: 9, chosen: ids.length, ...change }, poc, ids)
const due = async (at = 0) => (await dueRescored(store, mine, { at, limit: 10 })).map(({ id }) => id)
const second = (
  id: string,
  poc = present,
  account: string | null = null,
  agreement: AgreementRecord | null = null,
) =>
  storeRescored(store, poc, { entry: entry(id), statement: statement(`${id} by ${poc}`), account, agreement })

beforeEach(() =>
  store.run(
    `truncate contributions, contributors, verdicts, rescored, rescored_verdicts, rescoring_runs, rescoring_statements cascade`,
  ),
)

describe('who is chosen from', () => {
  it('are those of one pool that one of the earlier proofs has accepted, and that count', async () => {
    await judged('1')
    await judged('2', { poc: oldest })
    await judged('3', { poc: next })
    await judged('4', { of: other })
    await judged('5', { state: 'recorded' })
    for (const [id, state] of ['seen', 'judged', 'refused', 'withdrawn', 'detached'].entries())
      await judged(`1${id}`, { state })
    const by = { earlier: [earlier, oldest], present }
    expect(await judgedEarlier(store, pool.address, by)).toEqual([
      { contribution: '1', poc: earlier, isRescored: false },
      { contribution: '2', poc: oldest, isRescored: false },
      { contribution: '5', poc: earlier, isRescored: false },
    ])
    await begin(['1'])
    await begin(['2'], { run: later }, next)
    expect((await judgedEarlier(store, pool.address, by)).map(({ isRescored }) => isRescored)).toEqual([
      true,
      false,
      false,
    ])
    await begin(['1'], { run: digestOfDigit('a') }, next)
    // By two proofs already: still one.
    expect(await judgedEarlier(store, pool.address, by)).toHaveLength(3)
    // Refined by a release that wrote no score.
    await store.query('update contributions set score = null where id = 1')
    expect((await judgedEarlier(store, pool.address, by)).map(({ contribution }) => contribution)).toEqual([
      '2',
      '5',
    ])
    expect([await stillAccepted(store, '1'), await stillAccepted(store, '10')]).toEqual([
      undefined,
      undefined,
    ])
    expect((await stillAccepted(store, '5'))?.id).toBe('5')
  })

  it('wait for verdicts of the same pool that are on their way', async () => {
    await judged('1', { state: 'judged', of: other })
    await judged('3', { state: 'seen' })
    await judged('4')
    expect(await hasUnrecorded(store, pool.address)).toBe(false)
    await judged('2', { state: 'judged' })
    expect(await hasUnrecorded(store, pool.address)).toBe(true)
  })
})

describe('a run', () => {
  it('is of a pool and a choice, also where nobody was chosen', async () => {
    await begin([])
    expect(await findRescoringRun(store, pool.address, run)).toEqual({
      ...mine,
      state: 'judging',
      accepted: 9,
      chosen: 0,
    })
    expect(await findRescoringRun(store, pool.address, later)).toBeUndefined()
    expect(await findRescoringRun(store, other, run)).toBeUndefined()
    expect(await countRescored(store, mine)).toEqual({ due: 0, done: 0 })
  })

  it('takes its own in turn: none of another pool or run, none that waits, none that is done', async () => {
    for (const id of ['1', '2', '3']) await judged(id)
    await begin(['1', '2', '3'])
    await begin(['4'], { pool: other })
    await begin(['5'], { run: later })
    expect(await due()).toEqual(['1', '2', '3'])
    expect(await dueRescored(store, mine, { at: 0, limit: 2 })).toHaveLength(2)
    await putOffRescored(store, '1', present, 100)
    expect([await due(99), await due(100)]).toEqual([
      ['2', '3'],
      ['1', '2', '3'],
    ])
    expect((await dueRescored(store, mine, { at: 100, limit: 1 }))[0]).toEqual({ id: '1', attempts: 1 })
    expect(await second('2')).toBe(true)
    await leaveRescored(store, '3', present, 'BLOB_MISSING')
    expect(await due(100)).toEqual(['1'])
    expect(await countRescored(store, mine)).toEqual({ due: 1, done: 2 })
    await putOffRescored(store, '2', present, 500)
    await leaveRescored(store, '2', present, 'BLOB_MISSING')
    const { entries, left } = await nextRescoringPart(store, mine, 10)
    expect([entries, left]).toEqual([[entry('2')], [{ contribution: '3', reason: 'BLOB_MISSING' }]])
  })

  it('has its turns by number, in whatever order they were chosen', async () => {
    for (const id of ['10', '9', '11']) await judged(id)
    await begin(['10', '9', '11'])
    expect(await due()).toEqual(['9', '10', '11'])
    for (const id of ['11', '10', '9']) await second(id)
    expect((await nextRescoringPart(store, mine, 2)).entries).toEqual([entry('9'), entry('10')])
  })

  it('puts off nothing that is done', async () => {
    await judged('1')
    await begin(['1'])
    await second('1')
    await putOffRescored(store, '1', present, 100)
    expect(await store.query('select state, attempts, retry_at::integer from rescored')).toEqual([
      { state: 'judged', attempts: 0, retry_at: 0 },
    ])
  })

  it('puts off and leaves out by its own proof alone', async () => {
    await judged('1')
    await begin(['1'])
    await putOffRescored(store, '1', next, 100)
    await leaveRescored(store, '1', next, 'BLOB_MISSING')
    expect(await due()).toEqual(['1'])
  })
})

describe('a second verdict', () => {
  it('is stored once, by the proof that it was chosen for, on what still counts', async () => {
    await judged('1')
    await judged('2')
    await begin(['1', '2'])
    expect(await second('1', next)).toBe(false)
    await store.run(`update contributions set state = 'withdrawn' where id = 2`)
    expect(await second('2')).toBe(false)
    expect(await second('1')).toBe(true)
    expect(await second('1')).toBe(false)
    expect(await rescoredVerdicts(store, '1')).toEqual([statement(`1 by ${present}`)])
    expect(await rescoredVerdicts(store, '2')).toEqual([])
    expect(await due()).toEqual(['2'])
  })

  it('is found by the account that it came with, of the same proof', async () => {
    for (const id of ['1', '2', '3', '4']) await judged(id)
    await begin(['1', '2', '3', '4'])
    await begin(['1'], { run: later }, next)
    const holder = async (account: string) => (await rescoredHolder(store, present, account))?.owner
    await second('1', next, 'him')
    expect(await holder('him')).toBeUndefined()
    await second('4', present, 'him')
    expect(await holder('him')).toBe(addressOfDigit('4'))
    await second('2', present, 'him')
    await second('3', present, 'her')
    // Of several the first.
    expect(await holder('him')).toBe(addressOfDigit('2'))
    expect(await holder('her')).toBe(addressOfDigit('3'))
  })
})

it('what validators agreed on stands by the proof, and goes with the second verdict', async () => {
  for (const id of ['1', '2']) await judged(id)
  await begin(['1', '2'])
  await begin(['1'], { run: later }, next)
  const record = (poc: Digest) => ({ poc, threshold: 2 }) as AgreementRecord
  await second('1', present, null, record(present))
  await second('1', next, null, record(next))
  await second('2')
  expect(await rescoredAgreements(store, '1')).toEqual([present, next].sort().map(record))
  expect(await rescoredAgreements(store, '2')).toEqual([])
  await store.transaction((tx) => forgetRescored(tx, '1'))
  expect(await rescoredAgreements(store, '1')).toEqual([])
})

it('a whole run is put off, but for what waits longer anyway and what is judged', async () => {
  for (const id of ['1', '2', '3']) await judged(id)
  await begin(['1', '2', '3'])
  await begin(['1'], { run: later }, next)
  await putOffRescored(store, '2', present, 500)
  await second('3')
  await putOffRescoringRun(store, mine, 100)
  const at = async (time: number, of = run) =>
    (await dueRescored(store, { ...mine, run: of }, { at: time, limit: 9 })).map(({ id }) => id)
  expect(await at(99)).toEqual([])
  expect(await at(100)).toEqual(['1'])
  expect(await at(500)).toEqual(['1', '2'])
  expect(await at(0, later)).toEqual(['1'])
})

describe('a statement', () => {
  it('tells the second verdict of its own proof, and whom the run has no more, in parts', async () => {
    for (const id of ['1', '2', '3']) await judged(id)
    await begin(['1', '2', '3', '4'])
    await begin(['1'], { run: later }, next)
    await begin(['9'], { pool: other })
    await leaveRescored(store, '9', present, 'BLOB_MISSING')
    await second('1', next)
    for (const id of ['1', '2', '3']) await second(id)
    await store.run(`update contributions set state = 'withdrawn' where id = 2`)
    // Its documents went with an erasure, whatever the table still says of it.
    await store.run('delete from rescored_verdicts where contribution = 3')
    expect(await nextRescoringPart(store, mine, 2)).toEqual({
      entries: [entry('1')],
      left: [{ contribution: '2', reason: 'NOT_HELD' }],
    })
    const part = {
      poc: present,
      number: 1,
      last: false,
      contributions: ['1', '2'],
      statement: statement('one'),
    }
    await endRescoringPart(store, mine, part)
    expect((await findRescoringRun(store, pool.address, run))?.state).toBe('judging')
    expect(await countRescored(store, mine)).toEqual({ due: 1, done: 1 })
    expect(await nextRescoringPart(store, mine, 10)).toEqual({
      entries: [],
      left: [{ contribution: '3', reason: 'NOT_HELD' }],
    })
    // The other run of the first is open still.
    expect((await nextRescoringPart(store, { ...mine, run: later }, 10)).entries).toHaveLength(1)
    await leaveRescored(store, '4', present, 'BLOB_MISSING')
    const last = { ...part, number: 2, last: true, contributions: ['3', '4'], statement: statement('two') }
    await endRescoringPart(store, mine, last)
    expect((await findRescoringRun(store, pool.address, run))?.state).toBe('signed')
    expect((await findRescoringRun(store, pool.address, later))?.state).toBe('judging')
    expect((await findRescoringRun(store, other, run))?.state).toBe('judging')
  })

  it('has its number in the pool, and is given from a number on, eight at once', async () => {
    expect(await nextRescoringNumber(store, pool.address)).toBe(1)
    for (let number = 1; number <= 10; number++)
      await endRescoringPart(store, mine, {
        poc: present,
        number,
        last: false,
        contributions: [],
        statement: statement(String(number)),
      })
    expect([await nextRescoringNumber(store, pool.address), await nextRescoringNumber(store, other)]).toEqual(
      [11, 1],
    )
    const said = async (from: number, of = pool.address) =>
      (await rescoringStatements(store, of, from)).map((one) => one.statement.body['said'])
    expect(await said(1)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8'])
    expect(await said(9)).toEqual(['9', '10'])
    expect(await said(1, other)).toEqual([])
  })

  it('says of whom was left out for a reason of his own that reason, also where there is a verdict', async () => {
    await judged('1')
    await begin(['1'])
    await second('1')
    await store.run(`update rescored set state = 'left', reason = 'BLOB_MISSING'`)
    expect(await nextRescoringPart(store, mine, 10)).toEqual({
      entries: [],
      left: [{ contribution: '1', reason: 'BLOB_MISSING' }],
    })
  })
})
