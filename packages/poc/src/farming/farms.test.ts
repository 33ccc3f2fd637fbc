import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { farmStrategies, farmTable, measureFarm } from '../testing/measure-farms.js'

const table = farmTable()
/** Farms that are new in part: README says so, with their figures. */
const partlyNew = [
  'copies of 50 %, the rest made up',
  'a letter with 20 % other words',
  'a letter with 50 % other words',
]
/** No farms. */
const honest = farmStrategies.filter((strategy) => strategy.startsWith('a hundred honest'))
/** Of whom two in five have less than a typical contribution. */
const uneven = 'a hundred honest people of 10 to 90 days'
/** Nothing is typical yet. */
const first = 'the same pieces, before anybody else came'
const passing = [...partlyNew, first, ...honest]
const earnedBy = (strategy: string) => table.find(({ farm }) => farm === strategy)?.manyWallets

describe('a simulated farm of 100 earns less than 1.2 times one', () => {
  test.each(farmStrategies.filter((strategy) => !passing.includes(strategy)))('%s', (strategy) => {
    const figures = table.find(({ farm }) => farm === strategy)
    expect(figures?.manyWallets).toBeLessThan(1.2)
    expect(figures?.oneWallet).toBeLessThan(1.2)
  })
})

test('what is half made up earns more than one, and less than its new half is worth: 49.5 of 99 copies', () => {
  for (const strategy of partlyNew) expect(earnedBy(strategy)).toBeGreaterThan(1.2)
  expect(earnedBy('copies of 50 %, the rest made up')).toBeLessThan(1 + 99 / 2)
})

test('pieces that come first are whole ones, for nothing else is typical', () => {
  expect(earnedBy(first)).toBeGreaterThan(90)
})

test('a hundred honest people earn nearly in full', () => {
  expect(honest).toHaveLength(5)
  for (const strategy of honest) expect(earnedBy(strategy)).toBeGreaterThan(strategy === uneven ? 80 : 98)
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
