import { maximumDeletions } from '@sealpool/attest'
import { type Address, type Digest, type JsonObject, statementDigest } from '@sealpool/crypto'
import { type NodeSigner, subjectOf } from '../key/node-signer.js'
import { dropDeletions, insertList, lastList, notedDeletions } from '../state/deletion-table.js'
import { appendToLog } from '../state/receipt-log-table.js'
import type { StateStore } from '../state/state-store.js'

const zeroAddress: Address = `0x${'0'.repeat(40)}`

/**
 * Signs a list of what is gone and stands in none yet, and stores it with its place in the public log, in one transaction: whoever is
 * killed in between signs another one under the same number, and nobody has seen the first.
 * @param at chain time in unix seconds
 * @returns how many deletions are in it; 0 when there was nothing to tell
 */
export async function closeList(options: {
  readonly store: StateStore
  readonly sign: NodeSigner
  readonly keySet: Digest
  readonly at: number
}): Promise<number> {
  const { store, sign, keySet, at } = options
  return store.transaction(async (tx) => {
    const gone = await notedDeletions(tx, 'done', { after: '0', limit: maximumDeletions })
    if (gone.length === 0) return 0
    const before = await lastList(tx)
    const number = (before?.number ?? 0) + 1
    const issued = new Date(at * 1000).toISOString()
    const entries = gone.map(({ id: _, ...deletion }): JsonObject => ({ ...deletion }))
    const statement = sign({
      type: 'sealpool/deletions',
      body: { number, previous: before?.digest ?? null, at: issued, keySet, entries },
      pool: zeroAddress,
      subject: subjectOf(number),
      nonce: '0',
    })
    const digest = statementDigest(statement.statement)
    await insertList(tx, { number, digest, statement })
    await appendToLog(tx, { kind: 'deletion', digest, number: String(number), issued })
    await dropDeletions(
      tx,
      gone.map(({ id }) => id),
    )
    return gone.length
  })
}
