import type { PoolPolicy } from '@sealpool/privacy'
import { QueryError } from '../errors.js'
import { unitsOf } from '../type/moment-text.js'

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

/** The contributor's other name in statements, unless a table has a column of that name. */
export const walletColumn = 'wallet'

/** A table that is nobody's data, such as a list of countries. Its rows stand in every plan that reads it. */
export interface PublicTable {
  /** What stands before the point: `pub` in `pub.countries`. No pool may have this name. */
  readonly schema: string
  readonly name: string
  readonly columns: readonly {
    readonly name: string
    readonly type: 'integer' | 'decimal' | 'text' | 'boolean' | 'date' | 'timestamp'
    /** Digits after the point of a decimal column, 2 when absent. */
    readonly decimals?: number
  }[]
  /** At most 1000 rows with a cell for each column; dates and timestamps in ISO form. */
  readonly rows: readonly (readonly (string | number | boolean | null)[])[]
}

/** Most rows of a public table: they are written into the plan. */
const mostPublicRows = 1000

/** A table that a statement may name. */
export interface CatalogueTable {
  readonly pool: PlanPool
  readonly table: PolicyTable
}

/** Finds tables by pool and name. */
export interface Catalogue {
  readonly pools: readonly PlanPool[]
  readonly publicTables: readonly PublicTable[]
  find(pool: string, table: string): CatalogueTable | null
  findPublic(schema: string, table: string): PublicTable | null
}

/**
 * Makes the catalogue of a job's pools.
 *
 * @throws QueryError `POOLS_INVALID` when a name or address occurs twice or no pool is given,
 *   `POLICY_UNSUPPORTED` when a policy's table uses a name that the planner keeps for itself,
 *   `PUBLIC_TABLE_INVALID` for a public table under a pool's name, or whose rows do not fit its columns
 */
export function makeCatalogue(
  pools: readonly PlanPool[],
  publicTables: readonly PublicTable[] = [],
): Catalogue {
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
  for (const table of publicTables) checkPublicTable(table, names, publicTables)
  return {
    pools,
    publicTables,
    find: (pool, table) => tables.get(JSON.stringify([pool, table])) ?? null,
    findPublic: (schema, name) =>
      publicTables.find((table) => table.schema === schema && table.name === name) ?? null,
  }
}

function checkPublicTable(table: PublicTable, pools: ReadonlySet<string>, all: readonly PublicTable[]): void {
  const { schema, name, columns, rows } = table
  const named = [schema, name, ...columns.map((column) => column.name)]
  const same = all.filter((other) => other.schema === schema && other.name === name)
  const distinct = new Set(columns.map((column) => column.name)).size === columns.length
  const reserved = columns.some((column) => column.name === contributorColumn || column.name === walletColumn)
  const fits = (cell: unknown, type: string): boolean =>
    cell === null ||
    (type === 'text'
      ? typeof cell === 'string'
      : type === 'date' || type === 'timestamp'
        ? typeof cell === 'string' && unitsOf(type, cell) !== null
        : type === 'boolean'
          ? typeof cell === 'boolean'
          : typeof cell === 'number' && Number.isFinite(cell) && Math.abs(cell) < 2 ** 53)
  const valid =
    !pools.has(schema) &&
    same.length === 1 &&
    distinct &&
    !reserved &&
    named.every((text) => /^[a-z][a-z0-9_]{0,62}$/.test(text)) &&
    columns.length > 0 &&
    rows.length > 0 &&
    rows.length <= mostPublicRows &&
    rows.every(
      (row) =>
        row.length === columns.length && row.every((cell, index) => fits(cell, columns[index]?.type ?? '')),
    )
  if (!valid) throw new QueryError('PUBLIC_TABLE_INVALID', `publicTables.${schema}.${name}`)
}

/** Digits after the point that a column is counted in. */
export function columnDecimals(column: {
  readonly type: PolicyColumn['type']
  readonly decimals?: number | undefined
}): number {
  return column.type === 'decimal' ? (column.decimals ?? 2) : 0
}
