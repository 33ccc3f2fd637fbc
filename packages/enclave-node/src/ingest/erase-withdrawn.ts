/**
 * Destroys what the node holds of contributions that their owners took back, and says so on the chain.
 * @module
 */
import { erasureContext } from '@sealpool/contracts'
import type { Address } from '@sealpool/crypto'
import { removeOrphans } from '../retention/orphaned-files.js'
import { forgetContent, withdrawnWithContent } from '../state/content-table.js'
import { noteDeletion } from '../state/deletion-table.js'
import { keepsFingerprint } from '../state/earlier-rewards.js'
import {
  dueErasures,
  forgetContribution,
  givenUpRefinements,
  markErased,
  noteFilesRemoved,
} from '../state/withdrawal.js'
import { sumOfEach } from './each.js'
import type { IngestContext } from './ingest-context.js'
import type { ServedPool } from './served-pool.js'

/**
 * Removes the files of given-up refinements, and those of attempts that came to none, then the verdicts, fingerprints, prints and accounts of withdrawn contributions, then records
 * each erasure with a signed statement, which names what is kept so that nothing is rewarded twice. What it proves is who said so: a signature cannot show that bytes are gone.
 * @param pools served pools by address
 * @returns how many steps were taken
 */
export async function eraseWithdrawn(
  context: IngestContext,
  pools: ReadonlyMap<Address, ServedPool>,
): Promise<number> {
  const { store, chain, parts } = context
  const removed = await sumOfEach(await givenUpRefinements(store), async (refinement) => {
    const pool = pools.get(refinement.pool)
    if (pool === undefined) return 0
    await parts.remove(pool, refinement.parts)
    await store.transaction(async (tx) => {
      await noteFilesRemoved(tx, refinement.id)
      // Not by the names of its files: a table's file is there when there are rows for it.
      const object = `refinement ${refinement.id}`
      const rows = { kind: 'rows', pool: pool.address, object, digest: null } as const
      await noteDeletion(tx, { ...rows, reason: pool.keep === 'live' ? 'live' : 'superseded' }, 'done')
    })
    return 1
  })
  // Of entries of Merkle batches the chain is told nothing; what they are compared by goes all the same.
  const forgotten = await sumOfEach(await withdrawnWithContent(store), async (id) => {
    await store.transaction((tx) => forgetContent(tx, id))
    return 1
  })
  const due = await dueErasures(store)
  // A refinement that its owner took it back from while it was made, or that a stop cut short, has left files with rows of it that nothing names.
  await sumOfEach([...new Set(due.map(({ pool }) => pool))], async (address) => {
    const pool = pools.get(address)
    if (pool !== undefined) await removeOrphans(context, pool)
    return 0
  })
  const erased = await sumOfEach(due, async ({ id, pool }) => {
    if (!pools.has(pool)) return 0
    await store.transaction((tx) => forgetContribution(tx, id))
    const kept = await keepsFingerprint(store, id)
    const statement = context.sign({
      type: 'sealpool/erasure',
      body: {
        contribution: id,
        erased: ['rows', 'verdict', ...(kept ? [] : ['fingerprint']), 'prints', 'account'],
        // So that the same content is not rewarded again.
        ...(kept ? { kept: ['fingerprint'] } : {}),
      },
      ...erasureContext({
        deployment: context.sign.deployment,
        nonce: 0n,
        pool,
        contributionId: BigInt(id),
      }),
    })
    await markErased(store, id, await chain.recordErasure({ contribution: id, pool, statement }))
    return 1
  })
  return removed + forgotten + erased
}
