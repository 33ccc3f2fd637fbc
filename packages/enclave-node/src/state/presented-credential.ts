/**
 * Which credentials a wallet has presented, for which pools, until when: no more than that and the holder's key by its thumbprint is kept,
 * and nothing of what they say.
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

/** A presentation that counts. */
export interface NotedPresentation extends PresentedCredential {
  /** Unix seconds. */
  readonly until: number
  /** Thumbprint of the holder's key. */
  readonly holder: string
}

const prefix = 'presented credential '
/** Most presentations that are kept at a time for one pool: what its issuers hand out takes no other pool's room. */
const maximumKept = 20_000

function prefixOf({ pool, condition }: Pick<PresentedCredential, 'pool' | 'condition'>): string {
  return `${prefix}${pool} ${condition} `
}

/** @returns unix seconds until which a presentation counts; 0 when there was none */
export async function presentedUntil(sql: Sql, credential: PresentedCredential): Promise<number> {
  const [until = '0'] = (await getMeta(sql, prefixOf(credential) + credential.wallet))?.split(' ') ?? []
  return Number(until)
}

/**
 * Forgets presentations that are over.
 * @param now unix seconds
 * @returns how many
 */
export async function forgetPresented(sql: Sql, now: number): Promise<number> {
  // What other names hold is no number, and is not read as one.
  const gone = await sql.query(
    `delete from meta
     where case when starts_with(key, $1) then split_part(value, ' ', 1)::bigint <= $2 else false end returning key`,
    [prefix, now],
  )
  return gone.length
}

/**
 * Notes presentations, all of them or none, and forgets those that are over. An earlier one of the same wallet is replaced, also where
 * it counted for longer: what is presented last is what is known last. A holder's key is one wallet's at a time: whoever presents for
 * another one takes it from the first, so that one credential lets in one, and nobody fills the room with one.
 * @param options `now`: unix seconds; `capacity`: most that are kept for a pool
 * @returns whether there was room
 */
export async function notePresented(
  store: StateStore,
  presented: readonly NotedPresentation[],
  options: { readonly now: number; readonly capacity?: number },
): Promise<boolean> {
  const { now, capacity = maximumKept } = options
  const full = new Error('no room')
  const note = async (tx: Sql): Promise<void> => {
    // What other names hold is no number, and is not read as one.
    await tx.query(
      `delete from meta
       where case when starts_with(key, $1) then split_part(value, ' ', 1)::bigint <= $2 else false end`,
      [prefix, now],
    )
    for (const one of presented) {
      await tx.query(`delete from meta where starts_with(key, $1) and split_part(value, ' ', 2) = $2`, [
        prefixOf(one),
        one.holder,
      ])
    }
    for (const one of presented) await setMeta(tx, prefixOf(one) + one.wallet, `${one.until} ${one.holder}`)
    for (const pool of new Set(presented.map((one) => one.pool))) {
      const [row] = await tx.query('select count(*)::integer as kept from meta where starts_with(key, $1)', [
        `${prefix}${pool} `,
      ])
      if (row !== undefined && integerOf(row, 'kept') > capacity) throw full
    }
  }
  try {
    await store.transaction(note)
    return true
  } catch (error) {
    // Nothing of it was done: what counted before counts still.
    if (error === full) return false
    throw error
  }
}
