import type { DstackAgent } from '../evidence/dstack-agent.js'
import type { KeyRelease } from './key-release.js'

/** Path and purpose of the root secret; another path would be another node. */
const path = 'sealpool/node-root/1'
const purpose = 'node-root'

/**
 * Key release by dstack's key management: it gives an application's key to machines that attest as that application, and
 * the guest agent derives the root secret from it. Whoever may upgrade the application (its owner on dstack's contracts) may
 * have its keys: pools should accept such a node only under a measurement that they have read.
 * @returns the adapter
 */
export function dstackKeyRelease(agent: DstackAgent): KeyRelease {
  return { name: 'dstack', simulated: false, release: () => agent.key(path, purpose) }
}
