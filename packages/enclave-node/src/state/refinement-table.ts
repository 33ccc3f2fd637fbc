import type { Address, Digest, SignedStatement } from '@sealpool/crypto'
import { integerOf, jsonOf, textOf } from './column.js'
import type { Sql, SqlRow } from './state-store.js'
import type { SentTransaction } from './withdrawal.js'

/** One encrypted Parquet file of one table. */
export interface TablePart {
  readonly table: string
  /** File name inside the pool's parts folder. */
  readonly file: string
  readonly rows: number
}

/** A batch of refined contributions: the files, and the signed statement about them. */
export interface Refinement {
  readonly id: string
  readonly pool: Address
  readonly schemaId: Digest
  /** Digest of the tables' canonical content. */
  readonly digest: Digest
  readonly parts: readonly TablePart[]
  /** Ids of the contributions whose rows are in it. */
  readonly contributions: readonly string[]
  readonly rows: number
  readonly statement: SignedStatement
}

function read(row: SqlRow): Refinement {
  return {
    id: textOf(row, 'id'),
    pool: textOf(row, 'pool') as Address,
    schemaId: textOf(row, 'schema_id') as Digest,
    digest: textOf(row, 'digest') as Digest,
    parts: jsonOf<TablePart[]>(row, 'parts'),
    contributions: jsonOf<string[]>(row, 'contributions'),
    rows: integerOf(row, 'rows'),
    statement: jsonOf<SignedStatement>(row, 'statement'),
  }
}

const columns = 'id::text, pool, schema_id, digest, parts, contributions, rows, statement'

/** @returns the number for the next refinement */
export async function nextRefinementId(sql: Sql): Promise<string> {
  const [row] = await sql.query('select (coalesce(max(id), 0) + 1)::text as id from refinements')
  return row === undefined ? '1' : textOf(row, 'id')
}

/** Stores a refinement whose files are written. */
export async function insertRefinement(tx: Sql, refinement: Refinement): Promise<void> {
  await tx.query(
    `insert into refinements (id, pool, schema_id, digest, parts, contributions, rows, statement, state)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'signed')`,
    [
      refinement.id,
      refinement.pool.toLowerCase(),
      refinement.schemaId,
      refinement.digest,
      JSON.stringify(refinement.parts),
      JSON.stringify(refinement.contributions),
      refinement.rows,
      JSON.stringify(refinement.statement),
    ],
  )
}

/** @returns the refinements that are not known to stand on the chain, oldest first */
export async function unrecordedRefinements(sql: Sql): Promise<readonly Refinement[]> {
  return (
    await sql.query(`select ${columns} from refinements where state = 'signed' order by refinements.id`)
  ).map(read)
}

/** Notes that a refinement stands on the chain. */
export async function markRefinementRecorded(
  tx: Sql,
  id: string,
  sent: SentTransaction | null,
): Promise<void> {
  await tx.query(
    `update refinements set state = 'recorded', transaction = $2, recorded_block = $3, settled_block = null
     where id = $1 and state = 'signed'`,
    [id, sent?.hash ?? null, sent?.block.toString() ?? null],
  )
}

/** @returns the refinements that a pool's tables consist of, oldest first */
export async function poolRefinements(sql: Sql, pool: Address): Promise<readonly Refinement[]> {
  const rows = await sql.query(
    `select ${columns} from refinements where pool = $1 and state <> 'superseded' order by refinements.id`,
    [pool.toLowerCase()],
  )
  return rows.map(read)
}
