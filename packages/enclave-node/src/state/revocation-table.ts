import type { Sql, StateStore } from './state-store.js'

/** @returns whether any of these ids was revoked */
export async function anyRevoked(sql: Sql, ids: readonly string[]): Promise<boolean> {
  const rows = await sql.query(
    `select 1 from revoked_tokens where id = any (string_to_array($1, ',')) limit 1`,
    [ids.join(',')],
  )
  return rows.length > 0
}

/**
 * Revokes an id until it is worth nothing anyway, and forgets those that are.
 * @param options `expires`: unix seconds at which the token ends; `now`: unix seconds
 */
export async function revoke(
  store: StateStore,
  id: string,
  options: { readonly expires: number; readonly now: number },
): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.query('delete from revoked_tokens where expires < $1', [options.now])
    await tx.query(
      `insert into revoked_tokens (id, expires) values ($1, $2)
       on conflict (id) do update set expires = greatest(revoked_tokens.expires, excluded.expires)`,
      [id, options.expires],
    )
  })
}
