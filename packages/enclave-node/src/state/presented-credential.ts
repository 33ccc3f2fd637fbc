/**
 * Which credentials a wallet has presented, for which pools, until when: no more than that is kept, and nothing of what they say.
 * @module
 */
import type { Address, Digest } from '@sealpool/crypto'
import { integerOf } from './column.js'
import { getMeta, setMeta } from './meta-table.js'
import type { Sql, StateStore } from './state-store.js'

/** Whose presentation it is, and what it met. */
export interface PresentedCredential {
  readonly wallet: Address
  readonly pool: Address
  /** Digest of the condition. */
  readonly condition: Digest
}

const prefix = 'presented credential '
/** Most presentations that are kept at a time: whoever has one credential may present it for any number of wallets. */
const maximumKept = 20_000

function nameOf({ wallet, pool, condition }: PresentedCredential): string {
  return `${prefix}${wallet} ${pool} ${condition}`
}

/** @returns unix seconds until which a presentation counts; 0 when there was none */
export async function presentedUntil(sql: Sql, credential: PresentedCredential): Promise<number> {
  return Number((await getMeta(sql, nameOf(credential))) ?? 0)
}

/**
 * Notes presentations, all of them or none, and forgets those that are over. An earlier one of the same wallet is replaced, also where
 * it counted for longer: what is presented last is what is known last.
 * @param options `now`: unix seconds; `capacity`: most that are kept
 * @returns whether there was room
 */
export async function notePresented(
  store: StateStore,
  presented: readonly (PresentedCredential & { readonly until: number })[],
  options: { readonly now: number; readonly capacity?: number },
): Promise<boolean> {
  const { now, capacity = maximumKept } = options
  return store.transaction(async (tx) => {
    // What other names hold is no number, and is not read as one.
    await tx.query(
      'delete from meta where case when starts_with(key, $1) then value::bigint <= $2 else false end',
      [prefix, now],
    )
    const [row] = await tx.query('select count(*)::integer as kept from meta where starts_with(key, $1)', [
      prefix,
    ])
    if ((row === undefined ? 0 : integerOf(row, 'kept')) + presented.length > capacity) return false
    for (const one of presented) await setMeta(tx, nameOf(one), String(one.until))
    return true
  })
}
