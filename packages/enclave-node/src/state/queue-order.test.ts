import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { headStart, maximumHeadStart, type QueuedJob, queueOrder } from './queue-order.js'

const job = (id: number, paidBlock: number, ...prices: readonly bigint[]): QueuedJob => ({
  id: String(id),
  begun: 'no',
  paidBlock: BigInt(paidBlock),
  prices,
})

describe('the order of jobs', () => {
  it.each<[string, readonly QueuedJob[], readonly string[]]>([
    ['first paid, first begun, whatever their numbers', [job(9, 5), job(10, 4), job(2, 6)], ['10', '9', '2']],
    ['in one block by number', [job(10, 5), job(9, 5)], ['9', '10']],
    ['who pays more comes before who paid a little earlier', [job(1, 100, 1n), job(2, 101, 8n)], ['2', '1']],
    ['and not before who paid long before', [job(1, 100, 1n), job(2, 107, 8n)], ['1', '2']],
    ['the least that a pool gets counts', [job(1, 100, 2n), job(2, 100, 1n, 10n ** 30n)], ['1', '2']],
    ['a pool that gets nothing buys nothing', [job(1, 100), job(2, 100, 0n)], ['1', '2']],
    [
      'what has begun is ended first',
      [job(1, 1), { ...job(2, 9), begun: 'charged' }, { ...job(3, 8), begun: 'signed' }],
      ['3', '2', '1'],
    ],
  ])('%s', (_name, jobs, order) => {
    expect(queueOrder(jobs)).toEqual(order)
  })

  it('gives two blocks for each doubling, and no more than so many', () => {
    expect([0n, 1n, 2n, 3n, 4n, 2n ** 255n].map((price) => headStart([price]))).toEqual([
      0,
      2,
      4,
      4,
      6,
      maximumHeadStart,
    ])
  })
})

const queued = fc.uniqueArray(
  fc.record({
    id: fc.integer({ min: 1, max: 1_000 }).map(String),
    begun: fc.constantFrom('signed' as const, 'charged' as const, 'no' as const),
    paidBlock: fc.bigInt({ min: 0n, max: 2_000n }),
    prices: fc.array(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), { maxLength: 3 }),
  }),
  { selector: ({ id }) => id, maxLength: 12 },
)

describe('whatever is paid', () => {
  it('nobody waits for what was paid for later than the greatest head start after him', () => {
    fc.assert(
      fc.property(queued, (jobs) => {
        const order = queueOrder(jobs)
        for (const early of jobs)
          for (const late of jobs) {
            if (early.begun !== 'no' || late.begun !== 'no') continue
            if (late.paidBlock - early.paidBlock <= BigInt(maximumHeadStart)) continue
            expect(order.indexOf(early.id)).toBeLessThan(order.indexOf(late.id))
          }
      }),
    )
  })

  it('is in one order, however the jobs are given, and however many others come and go', () => {
    fc.assert(
      fc.property(queued, (jobs) => {
        const order = queueOrder(jobs)
        expect(queueOrder(jobs.toReversed())).toEqual(order)
        const some = jobs.filter((_, place) => place % 2 === 0)
        const left = new Set(some.map(({ id }) => id))
        expect(queueOrder(some)).toEqual(order.filter((id) => left.has(id)))
      }),
    )
  })
})
