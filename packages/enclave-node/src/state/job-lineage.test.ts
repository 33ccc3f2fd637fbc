import type { Digest, SignedStatement } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { chainContribution, pool } from '../testing/job-fixture.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { insertContribution } from './contribution-table.js'
import { readJobLineage } from './job-lineage.js'
import type { Reservation } from './job-table.js'
import { migrate } from './migration.js'
import { openPgliteStore } from './pglite-store.js'
import { insertRefinement } from './refinement-table.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
beforeEach(() =>
  store.run('truncate contributions, contributors, refinements, verdict_batches, merkle_verdicts cascade'),
)

const other = addressOfDigit('d')
const statement = (id: string, more: object = {}) =>
  ({
    statement: { type: 'sealpool/refinement', version: 1, body: { id, ...more } },
  }) as unknown as SignedStatement

/** A refinement of these contributions. */
async function refined(
  id: string,
  contributions: readonly string[],
  { of = pool.address, more = {} }: { of?: typeof other; more?: object } = {},
): Promise<void> {
  await insertRefinement(store, {
    ...{ id, pool: of, schemaId: digestOfDigit('1'), digest: digestOfDigit('2'), parts: [], contributions },
    ...{ rows: 1, statement: statement(id, more) },
  })
}
/** A contribution of its block, judged. */
async function judged(id: string, change = 'block_number = block_number'): Promise<void> {
  await insertContribution(
    store,
    chainContribution({ id, blockNumber: BigInt(id), logIndex: Number(id) % 1_000 }),
  )
  await store.query(
    `update contributions set state = 'refined', verdict_digest = $2, ${change} where id = $1`,
    [id, digestOfDigit('6')],
  )
}
const readOf = (refinements: readonly string[], from = 1) =>
  readJobLineage(
    store,
    { inputs: [{ pool: pool.address, refinements }] } as unknown as Pick<Reservation, 'inputs'>,
    from,
  )
const numbersIn = async (...given: Parameters<typeof readOf>) => {
  const { refinements, next } = await readOf(...given)
  return [refinements.map(({ contributions }) => contributions.map(({ contribution }) => contribution)), next]
}

describe('what a job has read', () => {
  it('is told by refinement, with the blocks of contributions and verdicts', async () => {
    await store.run(
      `insert into verdict_batches (id, pool, entries, statement, state, recorded_block) values (4, 'x', '[]', '{}', 'recorded', 40)`,
    )
    await store.run(
      `insert into merkle_verdicts (batch, pool, root, accepted, verdicts, statement, state, recorded_block)
       values (9, 'x', '0x', 1, '[]', '{}', 'paid', 50)`,
    )
    await judged('5', 'verdict_batch = 4')
    await judged('6', 'merkle_batch = 9, batch_index = 0')
    await judged('7')
    await refined('1', ['5', '6', '7'])
    await store.run('update refinements set recorded_block = 60')
    const known = chainContribution({ id: '5' })
    const line = (contribution: string, judgedBlock: string | null) => ({
      ...{ contribution, blob: known.blobDigest, commitment: known.commitment, verdict: digestOfDigit('6') },
      ...{ block: contribution, judgedBlock },
    })
    expect(await readOf(['1'])).toEqual({
      refinements: [
        {
          pool: pool.address,
          statement: statement('1'),
          block: '60',
          contributions: [line('5', '40'), line('6', '50'), line('7', null)],
        },
      ],
      next: null,
    })
  })

  it('is of all its pools in their order, contributions by number', async () => {
    for (const id of ['2', '10', '9']) await judged(id)
    await refined('1', ['2', '10'])
    await refined('2', ['9'], { of: other })
    await refined('3', ['9'])
    const { refinements } = await readJobLineage(
      store,
      {
        inputs: [
          { pool: other, refinements: ['2'] },
          { pool: pool.address, refinements: ['1'] },
        ],
      } as unknown as Pick<Reservation, 'inputs'>,
      1,
    )
    expect(refinements.map((one) => one.pool)).toEqual([other, pool.address])
    expect(refinements[1]?.contributions.map(({ contribution }) => contribution)).toEqual(['2', '10'])
    expect(refinements[1]?.block).toBeNull()
  })

  it('has no statement of an earlier release, which says how many rows a batch gave', async () => {
    await judged('5')
    await refined('1', ['5'], { more: { rows: { days: 3 }, refused: [] } })
    expect((await readOf(['1'])).refinements).toMatchObject([
      { statement: null, contributions: [{ contribution: '5' }] },
    ])
  })

  it('lacks what was erased since, contributions and whole refinements', async () => {
    await judged('5')
    await refined('1', ['4', '5'])
    expect(await numbersIn(['8', '1'])).toEqual([[['5']], null])
    await store.run('update contributions set verdict_digest = null')
    expect(await numbersIn(['1'])).toEqual([[[]], null])
  })

  it('comes in pages of twenty refinements, each once', async () => {
    const ids = Array.from({ length: 45 }, (_, index) => String(index + 1))
    for (const id of ids) {
      await judged(id)
      await refined(id, [id])
    }
    const pages: unknown[] = []
    for (let from: number | null = 1; from !== null; ) {
      const page = await readOf(ids, from)
      pages.push([from, page.refinements.length])
      from = page.next
    }
    expect(pages).toEqual([
      [1, 20],
      [21, 20],
      [41, 5],
    ])
    expect(await numbersIn(ids, 46)).toEqual([[], null])
    expect(await numbersIn(ids, 0)).toEqual(await numbersIn(ids, 1))
  })

  it('ends a page before it holds more than 2,000 contributions, unless one refinement does', async () => {
    const many = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => String(from + index))
    await refined('1', many(1, 1_500))
    await refined('2', many(2_000, 500))
    await refined('3', many(3_000, 1))
    await refined('4', many(4_000, 3_000))
    const pages: unknown[] = []
    for (let from: number | null = 1; from !== null; ) {
      const { refinements, next } = await readOf(['1', '2', '3', '4'], from)
      pages.push(refinements.map(({ statement: one }) => one?.statement.body['id']))
      from = next
    }
    expect(pages).toEqual([['1', '2'], ['3'], ['4']])
  })
})

it('reads nothing for a job that read nothing', async () => {
  expect(
    await readJobLineage(store, { inputs: [] as readonly { refinements: readonly Digest[] }[] as never }, 1),
  ).toEqual({
    refinements: [],
    next: null,
  })
})
