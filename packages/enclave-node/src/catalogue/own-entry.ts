/**
 * The entry of a pool that this node serves.
 * @module
 */
import type { Address, Hex } from '@sealpool/crypto'
import type { ServedPool } from '../ingest/served-pool.js'
import { type CatalogueEntry, maximumEntrySeconds } from './catalogue-entry.js'

/** What the entry of a pool is made of, besides the pool itself. */
export interface OwnFacts {
  readonly node: Address
  readonly url: string
  readonly epoch: number
  readonly measurement: Hex
  readonly simulated: boolean
  /** Contributions in the tables. */
  readonly refined: number
  readonly newestBlock: string | null
  /** Unix seconds. */
  readonly now: number
}

/** @returns the entry: nothing in it but what the policy, the schema and the chain say in public, and a rounded number */
export function ownEntry(pool: ServedPool, facts: OwnFacts): CatalogueEntry {
  const { policy, refiner } = pool
  const smallest = policy.privacy.minimumContributors
  const { refined, now, ...rest } = facts
  return {
    pool: pool.address,
    ...rest,
    name: policy.name,
    description: policy.description.slice(0, 2_000),
    purposes: policy.purposes.slice(0, 100),
    policy: pool.policyDigest,
    schema: pool.schemaId,
    tables: policy.tables.map((table) => {
      const made = refiner.schema.tables[table.name]
      return {
        name: table.name,
        description: (made?.description ?? '').slice(0, 2_000),
        // The columns that may be asked for; others of the schema are nobody's business.
        columns: table.columns.map(({ name, type }) => {
          const column = made?.columns[name]
          const unit = column !== undefined && 'unit' in column ? column.unit : undefined
          return {
            name,
            type,
            unit: unit === undefined ? null : unit.slice(0, 200),
            description: (column?.description ?? '').slice(0, 2_000),
          }
        }),
      }
    }),
    contributions: Math.floor(refined / smallest) * smallest,
    ...(pool.keep === 'live' ? { keep: 'live' as const } : {}),
    price: policy.economics.price,
    poolTokenBurn: policy.economics.poolTokenBurn,
    issuedAt: now,
    expiresAt: now + maximumEntrySeconds,
  }
}
