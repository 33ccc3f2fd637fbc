/**
 * Holds what another home says that it charged against the chain.
 * @module
 */
import type { ChainPort } from '../chain/chain-port.js'
import { NodeError } from '../errors.js'
import { JobPutOff } from '../job/job-refusal.js'
import type { ShareBody } from './share-statement.js'

/**
 * A charge that the chain does not show, or shows no more after a reorganisation, could be taken back with a disk.
 * @throws JobPutOff `HOME_WAITS` until it stands under the confirmations; NodeError `SHARE_REFUSED` when another one does
 */
export async function requireAnchoredCharge(
  chain: Pick<ChainPort, 'anchors' | 'anchoredHead'>,
  { pools }: Pick<ShareBody, 'pools'>,
): Promise<void> {
  if (!chain.anchors) return
  for (const { pool, budget } of pools) {
    const anchored = await chain.anchoredHead(pool)
    const { version, head } = budget.after
    if (anchored === null || anchored.sequence < version) {
      const text = 'the charge of another home waits for its confirmations on the chain'
      throw new JobPutOff('HOME_WAITS', text, undefined, 2)
    }
    if (anchored.sequence === version && anchored.head !== head)
      throw new NodeError('SHARE_REFUSED', `pool ${pool}`, 'the chain holds another charge of its home')
  }
}
