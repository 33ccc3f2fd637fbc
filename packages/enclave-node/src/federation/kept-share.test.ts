import type { SignedStatement } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { insertJob, type Reservation } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { insertRefinement } from '../state/refinement-table.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { readHomesWord } from './homes-word.js'
import { keepRefusedBy } from './kept-refusal.js'
import {
  keepGivenShares,
  keepShare,
  keepTakenShare,
  readGivenShares,
  readShare,
  readTakenShares,
  tidyShares,
} from './kept-share.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
beforeEach(() => store.run('truncate meta, jobs, refinements cascade'))

const pool = addressOfDigit('a')
const bytes = Uint8Array.of(1, 2, 3)
const signed = (signer: string) => ({ signer, statement: {} }) as SignedStatement
const taken = (signer: string, digit = '1') => ({
  statement: signed(signer),
  verdicts: { [pool]: [digestOfDigit(digit)] },
})

/** A job with what was reserved for it. @param refinements that its inputs were refined in */
async function job(
  id: string,
  state: string,
  { refinements = [], detached = false }: { refinements?: readonly string[] | null; detached?: boolean } = {},
): Promise<void> {
  await insertJob(store, {
    ...{ id, consumer: addressOfDigit('e'), manifestDigest: digestOfDigit('2'), locator: 'x', pools: [pool] },
  })
  const inputs = [
    {
      pool,
      root: digestOfDigit('1'),
      count: 0,
      contributors: 0,
      verdictList: digestOfDigit('9'),
      refinements: refinements ?? [],
    },
  ]
  const reservation: Reservation = { charge: id, planDigest: digestOfDigit('0'), inputs, versions: [] }
  await store.query('update jobs set state = $2, detached = $3, reservation = $4 where id = $1', [
    id,
    state,
    detached,
    refinements === null ? null : JSON.stringify(reservation),
  ])
}
const refinement = (id: string) =>
  insertRefinement(store, {
    ...{ id, pool, schemaId: digestOfDigit('4'), digest: digestOfDigit('5'), parts: [], contributions: [] },
    ...{ rows: 1, statement: {} as SignedStatement },
  })
/** Which jobs have kept what after a round of tidying. */
async function leftOf(ids: readonly string[]): Promise<readonly string[]> {
  for (const id of ids) {
    await keepShare(store, id, id, bytes)
    await keepTakenShare(store, id, taken('0xa'))
  }
  await tidyShares(store)
  const left: string[] = []
  for (const id of ids) {
    if ((await readShare(store, id, id)) !== undefined) left.push(`${id} own`)
    if ((await readTakenShares(store, id)).length > 0) left.push(`${id} taken`)
  }
  return left
}

describe('a share that was computed', () => {
  it('is read under the charge that it was computed under alone', async () => {
    expect(await readShare(store, '1', 'x')).toBeUndefined()
    await keepShare(store, '1', 'x', bytes)
    expect(await readShare(store, '1', 'x')).toEqual(bytes)
    // A reorganisation may give the number to another job.
    expect(await readShare(store, '1', 'y')).toBeUndefined()
    expect(await readShare(store, '11', 'x')).toBeUndefined()
  })

  it('stays while its job may be asked for, and so does what others have given', async () => {
    const open = ['seen', 'waiting', 'running']
    for (const [index, state] of open.entries()) await job(String(index + 1), state)
    const over = ['charged', 'released', 'settled', 'refusing', 'refused', 'closed']
    for (const [index, state] of over.entries()) await job(String(index + 4), state)
    const all = [...open, ...over].map((_, index) => String(index + 1))
    expect(await leftOf(all)).toEqual(['1', '2', '3'].flatMap((id) => [`${id} own`, `${id} taken`]))
  })

  it('goes with a job that is unknown, or gone from the chain', async () => {
    await job('1', 'running', { detached: true })
    expect(await leftOf(['1', '2'])).toEqual([])
  })

  it('goes when an owner has taken something of it back, or nothing is reserved; what others have signed stays', async () => {
    await refinement('7')
    await job('1', 'running', { refinements: ['7'] })
    await job('2', 'running', { refinements: ['7', '8'] })
    await job('3', 'running', { refinements: null })
    expect(await leftOf(['1', '2', '3'])).toEqual(['1 own', '1 taken', '2 taken', '3 taken'])
    await store.query(`update refinements set state = 'superseded'`)
    expect(await leftOf(['1'])).toEqual(['1 taken'])
  })

  it('stays when the state cannot be read', async () => {
    await job('1', 'running', { refinements: ['7'] })
    await keepShare(store, '1', '1', bytes)
    const broken = new Error('disk full')
    const query: typeof store.query = (sql, values) =>
      sql.includes('from refinements') ? Promise.reject(broken) : store.query(sql, values)
    await expect(tidyShares({ ...store, query })).rejects.toBe(broken)
    expect(await readShare(store, '1', '1')).toEqual(bytes)
  })
})

describe('what homes have signed', () => {
  it('for a job that has not ended is one word of each, the newest', async () => {
    expect(await readTakenShares(store, '1')).toEqual([])
    await keepTakenShare(store, '1', taken('0xa'))
    await keepTakenShare(store, '1', taken('0xb'))
    await keepTakenShare(store, '1', taken('0xa', '2'))
    expect(await readTakenShares(store, '1')).toEqual([taken('0xb'), taken('0xa', '2')])
  })

  it('and stands in a receipt is that receipt’s, and nothing where no home gave any', async () => {
    expect(await readGivenShares(store, '1')).toBeUndefined()
    await keepGivenShares(store, '1', [signed('0xa')])
    expect(await readGivenShares(store, '1')).toEqual([signed('0xa')])
    expect(await readHomesWord(store, '1')).toEqual([signed('0xa')])
    await keepGivenShares(store, '1', [])
    expect(await readGivenShares(store, '1')).toBeUndefined()
    expect(await readHomesWord(store, '1')).toBeUndefined()
    await keepRefusedBy(store, '1', signed('0xb'))
    expect(await readHomesWord(store, '1')).toEqual([signed('0xb')])
    await keepGivenShares(store, '1', [signed('0xa')])
    expect(await readHomesWord(store, '1')).toEqual([signed('0xa'), signed('0xb')])
  })
})
