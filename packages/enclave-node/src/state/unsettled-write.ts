/**
 * What the node has written to the chain and not yet seen there at a block that it has read. A transaction is mined at the
 * head, above the believed blocks, and may vanish from there without a trace in them: it counts as sent until it was seen
 * under the confirmations.
 * @module
 */
import type { BatchVerdict } from '@sealpool/contracts'
import type { Address, Digest, Hex, SignedStatement } from '@sealpool/crypto'
import { jsonOf, textOf, textOrNull } from './column.js'
import type { Sql, SqlRow } from './state-store.js'
import type { VerdictEntry } from './verdict-table.js'

/** Something that the node wrote, as it can be found on the chain. */
export type ChainWrite =
  | { readonly kind: 'verdicts'; readonly contributions: readonly string[] }
  | {
      readonly kind: 'refinement'
      readonly pool: Address
      readonly schemaId: Digest
      readonly digest: Digest
      readonly statement: SignedStatement
    }
  | { readonly kind: 'erasure'; readonly contribution: string }
  /** A root of verdicts and, when `paid` names any, the payment of these entries. */
  | { readonly kind: 'root'; readonly batch: string; readonly root: Hex; readonly paid: readonly number[] }

/** A write that has not been seen under the confirmations. */
export interface UnsettledWrite {
  /** Number of its row, decimal. */
  readonly id: string
  /** Whether its block is known; it is not when it stood there already as the node was about to send it. */
  readonly located: boolean
  /** Whether nothing of it is still to be sent: only then it settles. */
  readonly complete: boolean
  readonly write: ChainWrite
}

interface Kind {
  readonly table: string
  readonly state: string
  readonly states: readonly string[]
  readonly block: string
  readonly settled: string
  /** State from which it is sent again. */
  readonly again: string
  readonly key: string
  readonly columns: string
  readonly more?: string
  readonly read: (row: SqlRow) => ChainWrite
}

const batchColumns = { state: 'state', block: 'recorded_block', settled: 'settled_block', again: 'signed' }
const kinds: readonly Kind[] = [
  {
    ...batchColumns,
    table: 'verdict_batches',
    states: ['recorded'],
    key: 'id',
    columns: 'entries',
    read: (row) => ({
      kind: 'verdicts',
      contributions: jsonOf<VerdictEntry[]>(row, 'entries').map(({ contributionId }) => contributionId),
    }),
  },
  {
    ...batchColumns,
    table: 'merkle_verdicts',
    states: ['recorded', 'paid'],
    key: 'batch',
    columns: 'root, verdicts',
    // While entries are off the chain, nothing is said about their batch.
    more: `and not exists (select 1 from contributions where merkle_batch = batch and contributions.state = 'detached')`,
    read: (row) => ({
      kind: 'root',
      batch: textOf(row, 'id'),
      root: textOf(row, 'root') as Hex,
      paid:
        textOf(row, 'state') === 'paid'
          ? jsonOf<BatchVerdict[]>(row, 'verdicts').map(({ index }) => index)
          : [],
    }),
  },
  {
    ...batchColumns,
    table: 'refinements',
    states: ['recorded'],
    key: 'id',
    columns: 'pool, schema_id, digest, statement',
    read: (row) => ({
      kind: 'refinement',
      pool: textOf(row, 'pool') as Address,
      schemaId: textOf(row, 'schema_id') as Digest,
      digest: textOf(row, 'digest') as Digest,
      statement: jsonOf<SignedStatement>(row, 'statement'),
    }),
  },
  {
    table: 'contributions',
    state: 'erasure',
    states: ['recorded'],
    block: 'erasure_block',
    settled: 'erasure_settled_block',
    again: 'due',
    key: 'id',
    columns: 'id::text as contribution',
    more: `and contributions.state = 'withdrawn'`,
    read: (row) => ({ kind: 'erasure', contribution: textOf(row, 'contribution') }),
  },
]

/** Kinds of writes, each in a table of its own. */
export const unsettledKinds: readonly ChainWrite['kind'][] = ['verdicts', 'root', 'refinement', 'erasure']

function kindOf(kind: ChainWrite['kind']): Kind {
  const found = kinds[unsettledKinds.indexOf(kind)]
  if (found === undefined) throw new RangeError(`no such kind of write: ${kind}`)
  return found
}

/** How many are looked up at a time. */
const atOnce = 100

/**
 * Writes of one kind that the node should be able to see by now.
 * @param range numbers after `after`; blocks up to `upTo`, which was read
 * @returns at most 100, by number
 */
export async function unsettledWrites(
  sql: Sql,
  kind: ChainWrite['kind'],
  { after, upTo }: { readonly after: string; readonly upTo: bigint },
): Promise<readonly UnsettledWrite[]> {
  const { table, state, states, block, settled, key, columns, more = '', read } = kindOf(kind)
  const rows = await sql.query(
    `select ${key}::text as id, ${block}::text as block, ${state} as state, ${columns} from ${table}
     where ${table}.${state} = any (string_to_array($1, ',')) and ${settled} is null
       and coalesce(${block}, 0) <= $2 and ${table}.${key} > $3 ${more}
     order by ${table}.${key} limit ${atOnce}`,
    [states.join(), upTo.toString(), after],
  )
  return rows.map((row) => ({
    id: textOf(row, 'id'),
    located: textOrNull(row, 'block') !== null,
    complete: textOf(row, 'state') === states.at(-1),
    write: read(row),
  }))
}

/** Notes that a write was seen at a block that was read: only a reorganisation of that block can undo it. */
export async function markSettled(
  sql: Sql,
  kind: ChainWrite['kind'],
  id: string,
  block: bigint,
): Promise<void> {
  const { table, state, states, settled, key } = kindOf(kind)
  await sql.query(`update ${table} set ${settled} = $2 where ${key} = $1 and ${state} = $3`, [
    id,
    block.toString(),
    states.at(-1) ?? null,
  ])
}

/** Puts a write that is not on the chain any more among those that are to be sent. */
export async function markLost(sql: Sql, kind: ChainWrite['kind'], id: string): Promise<void> {
  const { table, state, states, block, key, again } = kindOf(kind)
  await sql.query(
    `update ${table} set ${state} = $2, ${block} = null
     where ${key} = $1 and ${state} = any (string_to_array($3, ','))`,
    [id, again, states.join()],
  )
}
