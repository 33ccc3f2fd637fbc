/**
 * Verdicts on contributions that came in Merkle batches. The chain takes one root for a batch and pays its entries with
 * proofs, so a batch is told to the chain when every entry of it is judged or taken back.
 * @module
 */
import type { BatchEntry, BatchVerdict } from '@sealpool/contracts'
import { type Address, type Digest, digestToHex, type Hex, type SignedStatement } from '@sealpool/crypto'
import { integerOf, jsonOf, textOf } from './column.js'
import type { Sql, SqlRow } from './state-store.js'
import { whyWaiting } from './why-waiting.js'
import type { SentTransaction } from './withdrawal.js'

/** The signed verdicts on one batch. */
export interface MerkleVerdicts {
  /** Decimal. */
  readonly batch: string
  readonly pool: Address
  readonly root: Hex
  /** The accepted entries, owners side by side: the leaves of the tree in their order. */
  readonly verdicts: readonly BatchVerdict[]
  readonly statement: SignedStatement
}

/** A judged entry of a batch. */
export interface JudgedEntry {
  readonly index: number
  readonly owner: Address
  readonly score: number
  readonly verdictDigest: Digest
}

/**
 * @returns batches of a pool whose entries are all decided and that have no root yet, by number
 */
export async function decidedBatches(sql: Sql, pool: Address): Promise<readonly string[]> {
  const rows = await sql.query(
    `select merkle_batch::text as batch from contributions
     where pool = $1 and merkle_batch in
         (select merkle_batch from contributions
          where pool = $1 and state in ('judged', 'withdrawn') and merkle_batch is not null)
       and not exists (select 1 from merkle_verdicts where batch = merkle_batch)
     group by merkle_batch having bool_and(state in ('judged', 'withdrawn')) order by merkle_batch`,
    [pool.toLowerCase()],
  )
  return rows.map((row) => textOf(row, 'batch'))
}

/** @returns the accepted entries of a batch */
export async function acceptedEntries(sql: Sql, batch: string): Promise<readonly JudgedEntry[]> {
  const rows = await sql.query(
    `select batch_index, owner, score, verdict_digest from contributions
     where merkle_batch = $1 and state = 'judged' and reason is null order by owner, batch_index`,
    [batch],
  )
  return rows.map((row) => ({
    index: integerOf(row, 'batch_index'),
    owner: textOf(row, 'owner') as Address,
    score: integerOf(row, 'score'),
    verdictDigest: textOf(row, 'verdict_digest') as Digest,
  }))
}

/** @returns all entries of a batch as their owners signed them, by place */
export async function entriesOfBatch(sql: Sql, batch: string): Promise<readonly BatchEntry[]> {
  const rows = await sql.query(
    `select owner, blob_digest, commitment, consent_digest from contributions
     where merkle_batch = $1 order by batch_index`,
    [batch],
  )
  return rows.map((row) => ({
    owner: textOf(row, 'owner') as Address,
    blobDigest: digestToHex(textOf(row, 'blob_digest') as Digest),
    commitment: digestToHex(textOf(row, 'commitment') as Digest),
    consentDigest: textOf(row, 'consent_digest') as Hex,
  }))
}

/** Stores the verdicts on a batch before they are sent. */
export async function insertMerkleVerdicts(tx: Sql, verdicts: MerkleVerdicts): Promise<void> {
  await tx.query(
    `insert into merkle_verdicts (batch, pool, root, accepted, verdicts, statement, state)
     values ($1, $2, $3, $4, $5, $6, 'signed')`,
    [
      verdicts.batch,
      verdicts.pool.toLowerCase(),
      verdicts.root,
      verdicts.verdicts.length,
      JSON.stringify(verdicts.verdicts),
      JSON.stringify(verdicts.statement),
    ],
  )
}

/** @returns the verdicts in a state, by batch */
export async function merkleVerdictsIn(
  sql: Sql,
  state: 'signed' | 'recorded',
): Promise<readonly MerkleVerdicts[]> {
  const rows = await sql.query(
    // While entries are off the chain, nothing is said about their batch.
    `select batch::text, pool, root, verdicts, statement from merkle_verdicts where state = $1
       and not exists (select 1 from contributions where merkle_batch = batch and state = 'detached') order by merkle_verdicts.batch`,
    [state],
  )
  return rows.map(read)
}

function read(row: SqlRow): MerkleVerdicts {
  return {
    batch: textOf(row, 'batch'),
    pool: textOf(row, 'pool') as Address,
    root: textOf(row, 'root') as Hex,
    verdicts: jsonOf<BatchVerdict[]>(row, 'verdicts'),
    statement: jsonOf<SignedStatement>(row, 'statement'),
  }
}

/** Ends the entries of a batch whose number another batch had when the node signed its verdicts. */
export async function refuseBatch(
  tx: Sql,
  batch: string,
  why: { readonly reason: string; readonly reasonText: string },
): Promise<void> {
  await tx.query(
    `update contributions set state = 'refused', reason = $2, reason_text = $3
     where merkle_batch = $1 and state = 'judged'`,
    [batch, why.reason, why.reasonText],
  )
}

/** Notes that a batch's root stands on the chain: its entries go on, whether or not they are paid already. */
export async function markRootRecorded(tx: Sql, batch: string, sent: SentTransaction | null): Promise<void> {
  await tx.query(
    `update merkle_verdicts set state = 'recorded', recorded_block = $2, settled_block = null where batch = $1`,
    [batch, sent?.block.toString() ?? null],
  )
  await tx.query(
    `update contributions set state = case when reason is null then 'recorded' else 'refused' end,
     ${whyWaiting('reason is null')}
     where merkle_batch = $1 and state = 'judged'`,
    [batch],
  )
}

/**
 * Notes that the accepted entries of a batch are paid.
 * @param block of the last payment, behind the root's; null when the node found them paid
 */
export async function markEntriesPaid(sql: Sql, batch: string, block: bigint | null): Promise<void> {
  await sql.query(
    `update merkle_verdicts set state = 'paid', recorded_block = $2, settled_block = null where batch = $1`,
    [batch, block?.toString() ?? null],
  )
}
