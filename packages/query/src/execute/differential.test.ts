import { platformRandom } from '@sealpool/privacy'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SqlEngine } from '../engine/engine.js'
import { planQuery } from '../plan/plan-query.js'
import { corpus, quantiles } from '../testing/corpus.js'
import { memoryEngine } from '../testing/memory-engine.js'
import { loadReal, plainDuckDb, realPools, realPublic } from '../testing/real-data.js'
import { executePlan } from './execute-plan.js'

let engine: SqlEngine
let duckdb: Awaited<ReturnType<typeof plainDuckDb>>

beforeAll(async () => {
  engine = await memoryEngine()
  await loadReal(engine)
  duckdb = await plainDuckDb()
})
afterAll(async () => {
  await engine?.close()
  duckdb?.close()
})

async function ours(sql: string) {
  const plan = await planQuery({
    sql,
    pools: realPools,
    publicTables: realPublic,
    budget: { epsilon: 8e6, delta: 0 },
  })
  return (await executePlan({ plan, engine, random: platformRandom })).rows
}

const isNumber = (cell: unknown) =>
  cell !== null && typeof cell !== 'boolean' && cell !== '' && Number.isFinite(Number(cell))

/** Averages have three digits beyond those of their column. */
const rounding = 6e-4

/** DuckDB writes moments with a blank and without a zone, and the start of a month as a moment of its day. */
const textOf = (cell: unknown) =>
  String(cell)
    .replace(/^([0-9-]{10})[T ]([0-9:.]+)Z?$/, '$1 $2')
    .replace(/ 00:00:00$/, '')

/** A place to sort by: keys first, numbers coarsely. */
const sortKey = (row: readonly unknown[]) =>
  row.map((cell) => (isNumber(cell) ? Number(cell).toPrecision(4) : textOf(cell))).join('|')

function same(one: unknown, other: unknown, tolerance: number): boolean {
  // Whether a group has any value is not told: a sum of none is 0, where SQL says null.
  if (other === null && isNumber(one)) return Math.abs(Number(one)) < 0.5
  if (!isNumber(one) || !isNumber(other)) return textOf(one) === textOf(other)
  const [left, right] = [Number(one), Number(other)]
  return Math.abs(left - right) <= rounding + tolerance * Math.max(Math.abs(left), Math.abs(right))
}

async function compare(sql: string, tolerance: number) {
  const inOrder = /ORDER BY [^)]*$/.test(sql)
  const [mine, theirs] = [[...(await ours(sql))], [...(await duckdb.query(sql))]]
  if (!inOrder) {
    for (const rows of [mine, theirs]) rows.sort((left, right) => (sortKey(left) < sortKey(right) ? -1 : 1))
  }
  const fits =
    mine.length === theirs.length &&
    mine.every((row, index) => row.every((cell, column) => same(cell, theirs[index]?.[column], tolerance)))
  if (!fits) expect(mine).toEqual(theirs)
  expect(mine.length).toBeGreaterThan(0)
}

describe('the answer without noise', () => {
  it('is told for at least 300 statements over real tables', () => {
    expect(new Set(corpus).size).toBe(corpus.length)
    expect(corpus.length).toBeGreaterThanOrEqual(300)
  })

  it.each(corpus)('is what DuckDB says: %s', async (sql) => {
    await compare(sql, 2e-4)
  })

  it.each(quantiles)('is within a bin of what DuckDB says: %s', async (sql) => {
    await compare(sql, 0.03)
  })
})
