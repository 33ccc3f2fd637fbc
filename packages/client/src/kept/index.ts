/**
 * Sealing to a pool while its node is not running, by evidence that was kept of an earlier yes.
 *
 * @module
 */
import { platformNow } from '../platform.js'
import { type KeepEvidenceOptions, type KeptEvidence, keepWith } from './keep-evidence.js'
import { type KeptReadiness, type VerifyKeptOptions, verifyWith } from './verify-kept.js'

export type { KeepEvidenceOptions, KeptEvidence } from './keep-evidence.js'
export type { KeptReadiness, VerifyKeptOptions } from './verify-kept.js'

/**
 * Verifies a pool's node as `PoolClient.ready` does, and gives what it answered as one text: with it `verifyKept` can verify the same again while
 * no node answers. There is no secret in it. Keep it where nobody else writes: it is verified whole again, but when it was kept only it says itself.
 *
 * @param options the node, the chain, the pool and its policy
 * @returns the readiness, and the text; without a yes there is none
 * @throws ClientError as `PoolClient.ready`; AttestError `BAD_POLICY`, and for evidence that cannot be read
 */
export function keepEvidence(options: KeepEvidenceOptions): Promise<KeptEvidence> {
  return keepWith({ now: platformNow, ...options })
}

/**
 * Verifies kept evidence whole again, offline, for the moment of the question, and holds it against the chain as it is now: the policy, the
 * node's registration with this very key set, its code, the pool's key and epoch. What it cannot show is that the node runs: the checklist says
 * how old the evidence is (`evidence-kept`) where a fresh one says that it was made just now.
 *
 * @param options what was kept, the caller's rule, the chain, the pool and its policy
 * @returns the checklist; `pool`, to which `prepareContribution` seals, only when all of it passed
 * @throws ClientError `KEPT_INVALID`, and as `PoolClient.ready` of the chain; AttestError `BAD_POLICY`, and for evidence that cannot be read
 */
export function verifyKept(options: VerifyKeptOptions): Promise<KeptReadiness> {
  return verifyWith({ now: platformNow, ...options })
}
