import { type Digest, digestOf } from '@sealpool/crypto'

/** What a job may touch: a grant names its digest, a job declares it, and a node holds the job's plan to it. */
export interface QueryScope {
  /** As the manifest names it. */
  readonly purpose: string
  readonly pools: readonly {
    readonly address: string
    readonly tables: readonly {
      readonly name: string
      /** Every column that is reached in any clause, and no other; none when rows are only counted. */
      readonly columns: readonly string[]
    }[]
  }[]
}

/**
 * Digest of a scope: SHA-256 of its canonical JSON, pools, tables and columns sorted, each once, addresses in lower case. Scopes
 * are compared as a whole: a job that reaches fewer columns than a grant names has another scope.
 *
 * @param scope - what a job touches
 * @returns digest, as grants, permits and proposals carry it (`digestToHex`)
 */
export function scopeDigest({ purpose, pools }: QueryScope): Digest {
  const sorted = (names: readonly string[]): string[] => [...new Set(names)].sort()
  const tablesOf = (address: string) =>
    pools.flatMap((pool) => (pool.address.toLowerCase() === address ? pool.tables : []))
  return digestOf({
    format: 'sealpool/query-scope',
    version: 1,
    purpose,
    pools: sorted(pools.map(({ address }) => address.toLowerCase())).map((address) => {
      const tables = tablesOf(address)
      return {
        address,
        tables: sorted(tables.map(({ name }) => name)).map((name) => ({
          name,
          columns: sorted(tables.flatMap((table) => (table.name === name ? table.columns : []))),
        })),
      }
    }),
  })
}
