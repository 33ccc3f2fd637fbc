import { expect, it } from 'vitest'
import { sumOfEach } from './each.js'

it('does all and sums up', async () => {
  expect(await sumOfEach([1, 2, 3], async (item) => item)).toBe(6)
  expect(await sumOfEach([], async () => 1)).toBe(0)
})

it('tries the others when one fails, and then fails with the first error', async () => {
  const tried: number[] = []
  const work = async (item: number): Promise<number> => {
    tried.push(item)
    if (item % 2 === 0) throw new Error(`no ${item}`)
    return 1
  }
  await expect(sumOfEach([1, 2, 3, 4, 5], work)).rejects.toThrow('no 2')
  expect(tried).toEqual([1, 2, 3, 4, 5])
})
