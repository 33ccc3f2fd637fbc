import type { SqlEngine } from '../engine/engine.js'
import { QueryError } from '../errors.js'
import type { QueryPlan } from '../plan/plan.js'
import { keyName, printDuckDb, statisticName } from '../print/duckdb.js'

/** Position of a group in the product of the keys' public values, the last key counting fastest. */
export function groupIndex(plan: Pick<QueryPlan, 'keys'>, codes: readonly number[]): number {
  return plan.keys.reduce((index, key, position) => index * key.values.length + (codes[position] ?? 0), 0)
}

/** The codes of a group, from its position. */
export function groupCodes(plan: Pick<QueryPlan, 'keys'>, index: number): readonly number[] {
  const codes: number[] = []
  let rest = index
  for (const key of [...plan.keys].reverse()) {
    codes.unshift(rest % key.values.length)
    rest = Math.floor(rest / key.values.length)
  }
  return codes
}

/**
 * Runs a plan's program: the exact statistics of every group, groups without rows included. This is what noise must
 * be added to; it never leaves this package.
 *
 * @returns for each group, the statistics in the plan's order
 * @throws QueryError `ENGINE_ANSWER_INVALID` and what the engine throws
 */
export async function exactStatistics(plan: QueryPlan, engine: SqlEngine): Promise<readonly bigint[][]> {
  const { sql, tables } = printDuckDb(plan.program)
  const rows = await engine.query(sql, { tables })
  const groups = Array.from({ length: plan.groups }, () => plan.statistics.map(() => 0n))
  const seen = new Set<number>()
  for (const row of rows) {
    const codes = plan.keys.map((key, position) => {
      const code = Number(integerCell(row[keyName(position)]))
      if (code < 0 || code >= key.values.length) throw new QueryError('ENGINE_ANSWER_INVALID', 'keys')
      return code
    })
    const index = groupIndex(plan, codes)
    if (seen.has(index)) throw new QueryError('ENGINE_ANSWER_INVALID', 'keys')
    seen.add(index)
    groups[index] = plan.statistics.map((_, position) => integerCell(row[statisticName(position)]))
  }
  return groups
}

function integerCell(cell: unknown): bigint {
  if (typeof cell !== 'string' || !/^-?[0-9]{1,39}$/.test(cell)) {
    throw new QueryError('ENGINE_ANSWER_INVALID', 'statistics')
  }
  return BigInt(cell)
}
