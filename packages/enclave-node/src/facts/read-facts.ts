import type { Address, JsonObject, SignedStatement } from '@sealpool/crypto'
import { factsOf } from '../state/facts-table.js'
import type { Sql } from '../state/state-store.js'

/** Facts of one table, as the API gives them. */
export interface SignedFacts {
  readonly number: number
  readonly table: string
  readonly input: JsonObject
  readonly statement: SignedStatement
}

/** @returns what was signed about a pool's tables, oldest first */
export async function readFacts(sql: Sql, pool: Address): Promise<readonly SignedFacts[]> {
  return (await factsOf(sql, pool)).flatMap(({ number, statements }) =>
    (statements ?? []).map((one) => ({ number, ...one })),
  )
}
