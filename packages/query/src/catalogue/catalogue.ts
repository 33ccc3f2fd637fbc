import type { PoolPolicy } from '@sealpool/privacy'
import { QueryError } from '../errors.js'

export type PolicyTable = PoolPolicy['tables'][number]
export type PolicyColumn = PolicyTable['columns'][number]

/** A pool as the planner sees it: its name, address and policy, and, when known, the tables that hold data. */
export interface PlanPool {
  readonly name: string
  readonly address: string
  readonly policy: PoolPolicy
  /** Names of the tables that have been refined (a public event); when absent, all of them. */
  readonly populated?: readonly string[]
}

/** The integer pseudonym of the contributor in every refined table. */
export const contributorColumn = 'contributor'

/**
 * The rank of a row among the rows of its contributor, drawn when the table is loaded (1 is the first). Keeping ranks
 * up to n keeps at most n rows of each contributor, whatever a statement then filters.
 */
export const rankColumn = 'row_rank'

/** A table that a statement may name. */
export interface CatalogueTable {
  readonly pool: PlanPool
  readonly table: PolicyTable
}

/** Finds tables by pool and name. */
export interface Catalogue {
  readonly pools: readonly PlanPool[]
  find(pool: string, table: string): CatalogueTable | null
}

/**
 * Makes the catalogue of a job's pools.
 *
 * @throws QueryError `POOLS_INVALID` when a name or address occurs twice or no pool is given,
 *   `POLICY_UNSUPPORTED` when a policy's table uses a name that the planner keeps for itself
 */
export function makeCatalogue(pools: readonly PlanPool[]): Catalogue {
  const names = new Set(pools.map((pool) => pool.name))
  const addresses = new Set(pools.map((pool) => pool.address.toLowerCase()))
  if (pools.length === 0 || names.size !== pools.length || addresses.size !== pools.length) {
    throw new QueryError('POOLS_INVALID', 'pools')
  }
  const tables = new Map<string, CatalogueTable>()
  for (const pool of pools) {
    for (const table of pool.policy.tables) {
      const reserved = table.columns.some(({ name }) => [contributorColumn, rankColumn].includes(name))
      if (reserved) throw new QueryError('POLICY_UNSUPPORTED', `pools.${pool.name}.tables.${table.name}`)
      tables.set(JSON.stringify([pool.name, table.name]), { pool, table })
    }
  }
  return { pools, find: (pool, table) => tables.get(JSON.stringify([pool, table])) ?? null }
}

/** Digits after the point that a column is counted in. */
export function columnDecimals(column: {
  readonly type: PolicyColumn['type']
  readonly decimals?: number | undefined
}): number {
  return column.type === 'decimal' ? (column.decimals ?? 2) : 0
}
