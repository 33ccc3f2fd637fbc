import { expect, it } from 'vitest'
import { batchedContributionId } from './batched-contribution.js'

it('gives every entry of every batch a number of its own, above those of the registry and in 18 digits', () => {
  expect(batchedContributionId(1n, 0)).toBe('100000000000001024')
  expect(batchedContributionId(1n, 1023)).toBe('100000000000002047')
  expect(batchedContributionId(2n, 0)).toBe('100000000000002048')
  expect(batchedContributionId(10n ** 14n, 1023)).toHaveLength(18)
})

it.each<[bigint, number]>([
  [0n, 0],
  [1n, -1],
  [1n, 1024],
  [10n ** 14n + 1n, 0],
])('refuses what no chain shows: batch %s, place %s', (batch, index) => {
  expect(() => batchedContributionId(batch, index)).toThrow(
    expect.objectContaining({ code: 'CHAIN_CALL_FAILED' }),
  )
})
