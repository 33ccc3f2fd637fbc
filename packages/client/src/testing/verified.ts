import { asJson } from '@sealpool/crypto'
import { type VerifiedPool, verifyPool } from '../verify/verified-pool.js'
import { at, deployment, node, nonce, policy, pool } from './simulated-pool.js'

/** The fixture's pool, really verified; as a live one where that is asked. */
export function verifiedPool(keep: VerifiedPool['keep'] = 'escrow'): VerifiedPool {
  const live = keep === 'live' ? asJson(node.liveStatement()) : null
  const { pool: verified, checks } = verifyPool({
    policy,
    pool,
    chainId: deployment.chainId,
    nodeRegistry: deployment.nodeRegistry,
    served: { ...node.answer(), live },
    evidence: node.evidence(),
    nonce,
    chain: node.facts(),
    at,
  })
  if (verified === undefined) throw new Error(`the fixture does not verify: ${JSON.stringify(checks)}`)
  return verified
}
