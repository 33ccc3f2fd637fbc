import { describe, expect, test } from 'vitest'
import { checkRow } from '../job/check-row.js'
import { contributorRows, contributorsTable, rowRanks } from './contributors.js'

const key = new Uint8Array(32).fill(1)
const address = (digit: string) => `0x${digit.repeat(40)}`
const contributors = ['1', '2', '3'].map((digit, contributor) => ({ contributor, address: address(digit) }))

describe('contributorRows', () => {
  test('are rows of their table, stable, and unrelated between pools', () => {
    const rows = contributorRows({ key, contributors })
    for (const [index, { contributor, ...row }] of rows.entries()) {
      expect(checkRow(contributorsTable, row, Number(contributor), index)).toEqual({ contributor, ...row })
    }
    expect(contributorRows({ key, contributors: contributors.slice(1) })).toEqual(rows.slice(1))
    const upper = [{ contributor: 0, address: `0x${'A'.repeat(40)}` }]
    const lower = [{ contributor: 0, address: `0x${'a'.repeat(40)}` }]
    expect(contributorRows({ key, contributors: upper })).toEqual(
      contributorRows({ key, contributors: lower }),
    )
    const other = contributorRows({ key: new Uint8Array(32).fill(2), contributors })
    for (const [index, row] of rows.entries()) {
      expect(other[index]?.['pseudonym']).not.toBe(row['pseudonym'])
      expect(other[index]?.['rank']).not.toBe(row['rank'])
      expect(String(row['pseudonym'])).not.toContain('1111')
    }
  })

  test.each([
    ['one wallet twice', [contributors[0], { contributor: 9, address: address('1') }]],
    ['one surrogate twice', [contributors[0], { contributor: 0, address: address('9') }]],
    ['a surrogate that is none', [{ contributor: -1, address: address('1') }]],
  ])('%s is refused', (_, list) => {
    expect(() => contributorRows({ key, contributors: list as typeof contributors })).toThrow(/surrogate/)
  })
})

test('row ranks go by key, table, contributor and number, and continue over batches', () => {
  const ranks = rowRanks({ key, table: 't', contributor: 1, count: 6 })
  expect(new Set(ranks).size).toBe(6)
  expect([
    ...rowRanks({ key, table: 't', contributor: 1, count: 4 }),
    ...rowRanks({ key, table: 't', contributor: 1, first: 4, count: 2 }),
  ]).toEqual(ranks)
  expect(rowRanks({ key, table: 'u', contributor: 1, count: 6 })).not.toEqual(ranks)
  expect(rowRanks({ key, table: 't', contributor: 2, count: 6 })).not.toEqual(ranks)
  expect(ranks.every((rank) => Number.isSafeInteger(rank) && rank >= 0)).toBe(true)
})
