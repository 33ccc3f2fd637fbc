import type { Sql } from './state-store.js'

/** Reason for what the node holds no more: its owner took it back, its time is over, or its block is gone. */
export const NOT_HELD = 'NOT_HELD'

/** Destroys what later proofs said of a contribution. What was signed for stays signed; what was not is left out. */
export async function forgetRescored(tx: Sql, contribution: string): Promise<void> {
  await tx.query('delete from rescored_verdicts where contribution = $1', [contribution])
  await tx.query(
    `update rescored set state = 'left', reason = $2 where contribution = $1 and state in ('due', 'judged')`,
    [contribution, NOT_HELD],
  )
}
