import type { ChainPort } from '../chain/chain-port.js'
import { getCursor } from '../state/meta-table.js'
import type { StateStore } from '../state/state-store.js'
import {
  markLost,
  markSettled,
  type UnsettledWrite,
  unsettledKinds,
  unsettledWrites,
} from '../state/unsettled-write.js'
import { sumOfEach } from './each.js'

/** What settling needs. */
export interface SettleContext {
  readonly store: StateStore
  readonly chain: Pick<ChainPort, 'chainId' | 'registry' | 'blockHash' | 'stands'>
}

/**
 * Looks for what the node has sent, once the blocks in which it was mined are read: what is there is settled, what a
 * reorganisation within the confirmations has taken away is to be sent again. What is sent again although it stands is
 * recognised by its writer, and the contracts take nothing twice. Must not run while the chain is being read.
 * @param after hash of the block up to which everything was settled before; undefined at start
 * @returns how many are to be sent again, and the hash of the block up to which all is settled now
 */
export async function settleWrites(
  { store, chain }: SettleContext,
  after: string | undefined,
): Promise<{ readonly lost: number; readonly upTo: string | undefined }> {
  const cursor = await getCursor(store, `${chain.chainId}:${chain.registry}`)
  if (cursor === undefined || cursor.blockHash === after) return { lost: 0, upTo: after }
  const { blockNumber, blockHash } = cursor
  const lost = await sumOfEach(unsettledKinds, async (kind) => {
    let gone = 0
    let last = '-1'
    for (;;) {
      const writes = await unsettledWrites(store, kind, { after: last, upTo: blockNumber })
      gone += await sumOfEach(writes, async (unsettled) => {
        const found = await look(chain, unsettled, blockNumber)
        // Read from another chain than the one that the cursor follows: the next step notices it and undoes the block.
        if ((await chain.blockHash(blockNumber)) !== blockHash) return 0
        if (found === 'settled') await markSettled(store, kind, unsettled.id, blockNumber)
        if (found !== 'lost') return 0
        await markLost(store, kind, unsettled.id)
        return 1
      })
      const end = writes.at(-1)?.id
      if (end === undefined) return gone
      last = end
    }
  })
  return { lost, upTo: blockHash }
}

async function look(
  chain: Pick<ChainPort, 'stands'>,
  { located, complete, write }: UnsettledWrite,
  block: bigint,
): Promise<'settled' | 'waits' | 'lost'> {
  if (await chain.stands(write, block)) return complete ? 'settled' : 'waits'
  // Nobody knows in which block it is: it may be in one that is not read yet.
  if (!located && (await chain.stands(write, null))) return 'waits'
  return 'lost'
}
