import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { farmStrategies, farmTable, measureFarm } from '../testing/measure-farms.js'

const table = farmTable()
/** Farms that no comparison of rows stops; README says so, with their figures. */
const passing = [
  'copies of 50 %, the rest made up',
  'columns renamed, no `items`',
  'pieces of one export, a score that does not look at the rows',
  'a letter with 20 % other words',
  'a hundred honest people',
]

describe('a simulated farm of 100 earns less than 1.2 times one', () => {
  test.each(farmStrategies.filter((strategy) => !passing.includes(strategy)))('%s', (strategy) => {
    const figures = table.find(({ farm }) => farm === strategy)
    expect(figures?.manyWallets).toBeLessThan(1.2)
    expect(figures?.oneWallet).toBeLessThan(1.2)
  })
})

test('the others earn more, and a hundred honest people nearly in full', () => {
  const earned = passing.map((strategy) => table.find(({ farm }) => farm === strategy)?.manyWallets ?? 0)
  for (const each of earned) expect(each).toBeGreaterThan(10)
  expect(earned.at(-1)).toBeGreaterThan(95)
  // All from one wallet: what decay and cap leave.
  for (const { oneWallet } of table) expect(oneWallet).toBeLessThan(5)
})

test('README has these figures', () => {
  const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8')
  const lines = table.map(
    ({ farm, oneWallet, manyWallets }) => `| ${farm} | ${oneWallet.toFixed(2)} | ${manyWallets.toFixed(2)} |`,
  )
  expect(readme).toContain(
    ['| a farm of 100 | one wallet | 100 wallets |', '|---|---|---|', ...lines].join('\n'),
  )
})

test('there is no farm of another name', () => {
  expect(() => measureFarm('constructor')).toThrow(RangeError)
})
