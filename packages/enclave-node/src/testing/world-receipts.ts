/**
 * Receipts of a world's node, as a stranger verifies them.
 * @module
 */
import { type AttestationPolicy, verifyReceipt } from '@sealpool/attest'
import type { Digest, JsonValue } from '@sealpool/crypto'
import { ask } from './ask.js'
import type { PoolWorld } from './pool-world.js'

/** A receipt with all that it is verified from. */
export interface Bundle {
  readonly receipt?: unknown
  readonly evidence: unknown
  readonly policies: Record<string, JsonValue>
  readonly manifest: JsonValue
  readonly plan: JsonValue | null
  readonly verdicts: Record<string, Digest[]>
}

/** What else a receipt is held against, or another receipt. */
export type JudgeOptions = Partial<Parameters<typeof verifyReceipt>[0]>

/** @returns what the node gives of a job's receipt */
export async function receiptOf(url: string, id: bigint): Promise<Bundle> {
  return (await ask(`${url}/v1/jobs/${id}/receipt`)) as Bundle
}

/** Verifies a receipt under the policy that the world's pools attest by. */
export function judgeReceipt(world: PoolWorld, bundle: Bundle, more: JudgeOptions = {}) {
  return verifyReceipt({
    receipt: bundle.receipt,
    evidence: bundle.evidence,
    policies: Object.values(bundle.policies),
    manifest: bundle.manifest,
    ...(bundle.plan === null ? {} : { plan: bundle.plan }),
    verdicts: bundle.verdicts,
    deployment: { chainId: world.deployment.chainId, registry: world.deployment.nodeRegistry },
    trust: world.attestation as AttestationPolicy,
    at: new Date(),
    ...more,
  })
}
