/**
 * Statements of which the chain allows one for each pool and subject. Two that differ are a proof of equivocation, which
 * costs the node its key; a reorganisation that gives a job's number to another job must not lead it there.
 * @module
 */
import { type SignedStatement, statementDigest } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import { textOf } from './column.js'
import type { Sql } from './state-store.js'

/**
 * Notes a statement before it is sent, in the transaction that stores it.
 * @throws NodeError `WOULD_CONTRADICT` when the node signed another one on the same subject: nothing must be sent
 */
export async function claimStatement(tx: Sql, signed: SignedStatement): Promise<void> {
  const { statement, context } = signed
  const kind = `${statement.type}/${statement.version}`
  const digest = statementDigest(statement)
  const pool = context.pool.toLowerCase()
  await tx.query(
    `insert into exclusive_statements (kind, pool, subject, digest) values ($1, $2, $3, $4) on conflict do nothing`,
    [kind, pool, context.subject, digest],
  )
  const [row] = await tx.query(
    'select digest from exclusive_statements where kind = $1 and pool = $2 and subject = $3',
    [kind, pool, context.subject],
  )
  if (row !== undefined && textOf(row, 'digest') === digest) return
  throw new NodeError(
    'WOULD_CONTRADICT',
    `${kind} of ${pool}`,
    'the node has signed another statement on the same subject; a second one would prove equivocation and is not made',
  )
}
