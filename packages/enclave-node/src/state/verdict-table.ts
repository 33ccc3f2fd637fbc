import type { Address, Digest, SignedStatement } from '@sealpool/crypto'
import { jsonOf, textOf } from './column.js'
import type { Sql } from './state-store.js'
import type { SentTransaction } from './withdrawal.js'

/** One line of a verdict batch, as the chain takes it. */
export interface VerdictEntry {
  readonly contributionId: string
  /** 0 to 10000. */
  readonly score: number
  readonly refused: boolean
  readonly verdictDigest: Digest
}

/** A signed batch of verdicts; sent to the chain as it stands, however often the node is restarted. */
export interface VerdictBatch {
  readonly id: string
  readonly pool: Address
  readonly entries: readonly VerdictEntry[]
  readonly statement: SignedStatement
}

/** Stores a contribution's signed verdict. */
export async function insertVerdict(
  tx: Sql,
  verdict: { readonly contribution: string; readonly digest: Digest; readonly statement: SignedStatement },
): Promise<void> {
  await tx.query(
    `insert into verdicts (contribution, digest, statement) values ($1, $2, $3)
     on conflict (contribution) do update set digest = excluded.digest, statement = excluded.statement`,
    [verdict.contribution, verdict.digest, JSON.stringify(verdict.statement)],
  )
}

/** @returns the signed verdict on a contribution, or undefined */
export async function findVerdict(sql: Sql, contribution: string): Promise<SignedStatement | undefined> {
  const [row] = await sql.query('select statement from verdicts where contribution = $1', [contribution])
  return row === undefined ? undefined : jsonOf<SignedStatement>(row, 'statement')
}

/** Stores a signed batch before it is sent. */
export async function insertVerdictBatch(tx: Sql, batch: VerdictBatch): Promise<void> {
  await tx.query(
    `insert into verdict_batches (id, pool, entries, statement, state) values ($1, $2, $3, $4, 'signed')`,
    [batch.id, batch.pool.toLowerCase(), JSON.stringify(batch.entries), JSON.stringify(batch.statement)],
  )
}

/** @returns the number for the next batch */
export async function nextBatchId(sql: Sql): Promise<string> {
  const [row] = await sql.query('select (coalesce(max(id), 0) + 1)::text as id from verdict_batches')
  return row === undefined ? '1' : textOf(row, 'id')
}

/** @returns the batches that are signed but not known to stand on the chain, oldest first */
export async function unrecordedBatches(sql: Sql): Promise<readonly VerdictBatch[]> {
  const rows = await sql.query(
    `select id::text, pool, entries, statement from verdict_batches where state = 'signed' order by verdict_batches.id`,
  )
  return rows.map((row) => ({
    id: textOf(row, 'id'),
    pool: textOf(row, 'pool') as Address,
    entries: jsonOf<VerdictEntry[]>(row, 'entries'),
    statement: jsonOf<SignedStatement>(row, 'statement'),
  }))
}

/** Notes that a batch stands on the chain. */
export async function markVerdictBatchRecorded(
  tx: Sql,
  id: string,
  sent: SentTransaction | null,
): Promise<void> {
  await tx.query(
    `update verdict_batches set state = 'recorded', transaction = $2, recorded_block = $3, settled_block = null where id = $1`,
    [id, sent?.hash ?? null, sent?.block.toString() ?? null],
  )
}

/** Whether every entry of a batch is still of the contribution that it was signed for. */
export async function isCurrentBatch(sql: Sql, batch: VerdictBatch): Promise<boolean> {
  return (await entriesOf(sql, batch)).length === batch.entries.length
}

/** The entries of a batch whose contributions are still its own, and neither withdrawn nor gone. */
async function entriesOf(sql: Sql, batch: VerdictBatch): Promise<readonly VerdictEntry[]> {
  const rows = await sql.query(
    `select id::text from contributions where verdict_batch = $1 and state not in ('withdrawn', 'detached')`,
    [batch.id],
  )
  const own = new Set(rows.map((row) => textOf(row, 'id')))
  return batch.entries.filter(({ contributionId }) => own.has(contributionId))
}

/**
 * Gives up a batch that the chain does not take, because contributions in it were withdrawn or are gone.
 * @returns the entries that go into another batch, oldest first
 */
export async function replaceVerdictBatch(tx: Sql, batch: VerdictBatch): Promise<readonly VerdictEntry[]> {
  await tx.query(`update verdict_batches set state = 'replaced' where id = $1`, [batch.id])
  return entriesOf(tx, batch)
}

/** Takes back {@link replaceVerdictBatch}: the batch is to be sent after all. */
export async function keepVerdictBatch(tx: Sql, batch: VerdictBatch): Promise<void> {
  await tx.query(`update verdict_batches set state = 'signed' where id = $1`, [batch.id])
}

/** Moves entries from a batch that was given up into the one that replaces it. */
export async function moveToBatch(tx: Sql, entries: readonly VerdictEntry[], batch: string): Promise<void> {
  await tx.query(
    `update contributions set verdict_batch = $2 where id = any (string_to_array($1, ',')::bigint[])`,
    [entries.map(({ contributionId }) => contributionId).join(','), batch],
  )
}

/** @returns which contribution holds a fingerprint in a pool, or undefined */
export async function fingerprintHolder(
  sql: Sql,
  pool: Address,
  fingerprint: string,
): Promise<string | undefined> {
  const [row] = await sql.query(
    // One that was withdrawn, or whose block is gone, holds nothing: its owner may contribute the same again.
    `select contribution::text as contribution from fingerprints
       join contributions on contributions.id = fingerprints.contribution
     where fingerprints.pool = $1 and fingerprint = $2 and state not in ('withdrawn', 'detached')`,
    [pool.toLowerCase(), fingerprint],
  )
  return row === undefined ? undefined : textOf(row, 'contribution')
}

/** Claims a fingerprint for an accepted contribution. */
export async function claimFingerprint(
  tx: Sql,
  pool: Address,
  fingerprint: string,
  contribution: string,
): Promise<void> {
  await tx.query(
    `insert into fingerprints (pool, fingerprint, contribution) values ($1, $2, $3)
     on conflict (pool, fingerprint) do update set contribution = excluded.contribution`,
    [pool.toLowerCase(), fingerprint, contribution],
  )
}
