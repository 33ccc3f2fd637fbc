import type { Sql } from './state-store.js'

/**
 * Lets jobs that wait for a reason be tried at once: what they waited for was in the memory of a node that was stopped.
 * @param reason as it stands in their rows
 */
export async function wakeJobs(sql: Sql, reason: string): Promise<void> {
  await sql.query(`update jobs set retry_at = 0 where state = 'waiting' and reason = $1`, [reason])
}
