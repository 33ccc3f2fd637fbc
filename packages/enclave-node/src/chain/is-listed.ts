import type { NodeKeyRing } from '../key/key-ring.js'
import type { ChainPort } from './chain-port.js'

/**
 * Whether this very node speaks for its statement key: the registry's record is active and holds the key set that the node has now.
 * Of all that ever have the key (older settings, the code before an upgrade), the chain so names one.
 * @param keys of this node
 */
export async function isListed(chain: Pick<ChainPort, 'node'>, keys: NodeKeyRing): Promise<boolean> {
  const record = await chain.node(keys.statementAddress)
  return record?.active === true && record.keySetDigest === keys.keySetDigest
}
