import type { Address } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import { getMeta, setMeta } from '../state/meta-table.js'
import type { StateStore } from '../state/state-store.js'

/** Which node on which contracts a state belongs to. */
export function nodeIdentity(
  keys: NodeKeyRing,
  { chainId, nodeRegistry }: { readonly chainId: number; readonly nodeRegistry: Address },
): string {
  return `${keys.statementAddress} on ${chainId}:${nodeRegistry}`
}

/**
 * A data directory belongs to one node on one deployment: another key or chain would mix two histories.
 * @param mine {@link nodeIdentity}
 * @throws NodeError `STATE_OF_ANOTHER_NODE`
 */
export async function requireSameNode(store: StateStore, mine: string): Promise<void> {
  const kept = await getMeta(store, 'node')
  if (kept === undefined) await setMeta(store, 'node', mine)
  else if (kept !== mine) {
    throw new NodeError(
      'STATE_OF_ANOTHER_NODE',
      'data directory',
      'it belongs to a node with another key or on other contracts; choose another data directory',
    )
  }
}
