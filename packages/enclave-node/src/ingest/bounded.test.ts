import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { mapBounded } from './bounded.js'

it('answers in order of the input and never runs more than the limit at once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(3), { maxLength: 30 }),
      fc.integer({ min: 1, max: 8 }),
      async (waits, limit) => {
        let running = 0
        let most = 0
        const results = await mapBounded(waits, limit, async (wait) => {
          running += 1
          most = Math.max(most, running)
          for (let turn = 0; turn < wait; turn++) await Promise.resolve()
          running -= 1
          return wait * 2
        })
        expect(results).toEqual(waits.map((wait) => wait * 2))
        expect(most).toBeLessThanOrEqual(limit)
      },
    ),
  )
})

it('begins nothing more after an error, and throws it', async () => {
  const begun: number[] = []
  const work = mapBounded([0, 1, 2, 3, 4], 2, async (item) => {
    begun.push(item)
    await new Promise((done) => setTimeout(done, 1))
    if (item === 1) throw new Error('one')
  })
  await expect(work).rejects.toThrow('one')
  await new Promise((done) => setTimeout(done, 10))
  expect(begun.length).toBeLessThan(5)
})
