/**
 * What is remembered of refusals of shares: by the home that refused, and by the node that coordinates.
 * @module
 */
import { type SignedStatement, statementDigest } from '@sealpool/crypto'
import { deleteMeta, getMeta, setMeta } from '../state/meta-table.js'
import type { Sql } from '../state/state-store.js'

const keyOf = (job: string): string => `share-refusals ${job}`

/** Refusals of one job that a home logs: an honest node never asks for so many, and each one is kept for good. */
export const maximumRefusals = 16

/** @returns what homes have signed to refuse their shares of a job: at a home its own, at the node that coordinates the other homes' */
export async function readRefusals(sql: Sql, job: string): Promise<readonly SignedStatement[]> {
  const text = await getMeta(sql, keyOf(job))
  return text === undefined ? [] : (JSON.parse(text) as SignedStatement[])
}

/** Remembers the refusal of another home that a job's receipt names: it alone, or none. */
export function keepRefusedBy(sql: Sql, job: string, refusal: SignedStatement | undefined): Promise<void> {
  return refusal === undefined ? deleteMeta(sql, keyOf(job)) : keepRefusals(sql, job, [refusal])
}

function keepRefusals(sql: Sql, job: string, refusals: readonly SignedStatement[]): Promise<void> {
  return setMeta(sql, keyOf(job), JSON.stringify(refusals))
}

/**
 * Remembers a refusal of this home, after it stands in its log: who asks the same again is told the same. The caller holds the lock
 * of the job.
 * @param log puts it into the log
 * @returns the refusal as it stands in the log; undefined when there are too many of the job
 */
export async function logRefusal(
  sql: Sql,
  job: string,
  statement: SignedStatement,
  log: () => void,
): Promise<SignedStatement | undefined> {
  const before = await readRefusals(sql, job)
  const same = before.find((one) => isSame(one, statement))
  if (same !== undefined) return same
  if (before.length >= maximumRefusals) return undefined
  log()
  await keepRefusals(sql, job, [...before, statement])
  return statement
}

/** Whether two refusals differ in nothing but when they were signed. */
function isSame(one: SignedStatement, other: SignedStatement): boolean {
  const timeless = ({ statement }: SignedStatement) =>
    statementDigest({ ...statement, body: { ...statement.body, issuedAt: '' } })
  return one.signer === other.signer && timeless(one) === timeless(other)
}
