import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SqlEngine } from '../engine/engine.js'
import { QueryError } from '../errors.js'
import { type QueryPlan, releasesOf } from '../plan/plan.js'
import { type ContributionBounds, planQuery } from '../plan/plan-query.js'
import { corpus, quantiles } from '../testing/corpus.js'
import { memoryEngine } from '../testing/memory-engine.js'
import { realPools, realPublic, realRows } from '../testing/real-data.js'
import { type ExactGroup, exactGroups } from './statistics.js'

const newcomer = 1_000_003
const names = ['pay.workers', 'homes.tracts', 'homes.blocks', 'homes.visits'] as const
const tableOf = (name: string) =>
  realPools
    .flatMap(({ policy }) => policy.tables.map((table) => ({ name: `${policy.name}.${table.name}`, table })))
    .find((entry) => entry.name === name)?.table

/**
 * One more contributor, with far more rows than count, whose cells are at the ends of their columns or far beyond them, missing,
 * or mixed.
 */
function extremeRows(name: string, kind: 'lowest' | 'highest' | 'mixed') {
  const columns = tableOf(name)?.columns ?? []
  return Array.from({ length: 40 }, (_, row) => ({
    contributor: newcomer,
    ...Object.fromEntries(
      columns.map((column, place) => {
        const high = kind === 'mixed' ? (row + place) % 2 === 0 : kind === 'highest'
        if (kind === 'mixed' && column.nullable && (row + place) % 5 === 0) return [column.name, null]
        if (column.type === 'date' || column.type === 'timestamp') {
          return [column.name, high ? column.latest : column.earliest]
        }
        if (column.type === 'boolean') return [column.name, high]
        if (column.type === 'text') return [column.name, column.values?.at(high ? -1 : 0)]
        const [least, most] = [column.min ?? 0, column.max ?? 0]
        // Beyond the ends, too: the loader and the plan clamp.
        const value = high ? most : least
        const beyond = row % 7 === 0 ? (high ? 1_000_000 : -1_000_000) : 0
        return [column.name, value + beyond]
      }),
    ),
  }))
}

async function engineWith(kind: 'lowest' | 'highest' | 'mixed' | null): Promise<SqlEngine> {
  const engine = await memoryEngine()
  for (const name of names) {
    const more = kind === null ? [] : extremeRows(name, kind)
    await engine.load({ name, columns: tableOf(name)?.columns ?? [], rows: [...realRows[name], ...more] })
  }
  return engine
}

const size = (value: bigint) => (value < 0n ? -value : value)

/** By how much the numbers of groups differ, summed over the groups of either side. */
function distance(
  one: readonly ExactGroup[],
  other: readonly ExactGroup[],
  numbers: (group: ExactGroup) => readonly bigint[],
): bigint {
  const identity = ({ set, keys }: ExactGroup) => JSON.stringify([set, keys])
  const left = new Map(one.map((group) => [identity(group), numbers(group)]))
  const right = new Map(other.map((group) => [identity(group), numbers(group)]))
  let sum = 0n
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [mine, theirs] = [left.get(key) ?? [], right.get(key) ?? []]
    const length = Math.max(mine.length, theirs.length)
    for (let index = 0; index < length; index += 1) sum += size((mine[index] ?? 0n) - (theirs[index] ?? 0n))
  }
  return sum
}

describe('one more contributor, as extreme as can be', () => {
  const engines: SqlEngine[] = []
  beforeAll(async () => {
    for (const kind of [null, 'lowest', 'highest', 'mixed'] as const) engines.push(await engineWith(kind))
  })
  afterAll(() => Promise.all(engines.map((engine) => engine.close())))

  const plan = async (sql: string, bounds?: ContributionBounds): Promise<QueryPlan | null> => {
    try {
      return await planQuery({
        sql,
        pools: realPools,
        publicTables: realPublic,
        budget: { epsilon: 1, delta: 0 },
        ...(bounds === undefined ? {} : { bounds }),
      })
    } catch (error) {
      if (error instanceof QueryError && error.code === 'BOUNDS_INVALID') return null
      throw error
    }
  }

  const bounded: readonly (ContributionBounds | undefined)[] = [undefined, { groups: 1, rows: 2 }]
  it.each(bounded)(
    'moves no statistic of the corpus further than its sensitivity: %j',
    async (bounds) => {
      let compared = 0
      let reached = 0
      // Exact bounds say something new only of contributors with several rows.
      for (const sql of [...corpus, ...quantiles].filter((text) => !bounds || text.includes('homes.b'))) {
        const made = await plan(sql, bounds)
        if (made === null) continue
        for (const release of releasesOf(made)) {
          const [before, ...after] = await Promise.all(engines.map((engine) => exactGroups(release, engine)))
          for (const groups of after) {
            release.statistics.forEach(({ sensitivity }, position) => {
              const isBins = release.program.statistics[position]?.kind === 'bins'
              const moved = distance(before ?? [], groups, (group) =>
                isBins ? (group.bins.get(position) ?? []) : [group.statistics[position] ?? 0n],
              )
              // A row is in one bin, and moves each score by half of what is stated.
              const most = BigInt(sensitivity) / (isBins ? 2n : 1n)
              expect(moved <= most, `${sql}: ${moved} > ${most} (${position})`).toBe(true)
              compared += 1
              if (moved === most) reached += 1
            })
            // What is seen beside the numbers: which groups there are, and their order.
            expect(groups.map(({ keys }) => keys)).toEqual(before?.map(({ keys }) => keys))
          }
        }
      }
      expect(compared).toBeGreaterThan(300)
      // Some reach it: the rows are as extreme as they should be.
      expect(reached).toBeGreaterThan(30)
    },
    120_000,
  )
})
