import {
  type AttestationPolicy,
  type Check,
  type ReceiptDeployment,
  type ReceiptVerdict,
  verifyReceipt,
} from '@sealpool/attest'
import { type Digest, type JsonObject, parseSignedStatement, statementDigest } from '@sealpool/crypto'
import type { ReceiptBundleAnswer } from '../node-api/messages.js'

const chainTitle = 'The chain recorded this receipt as the end of the job'

/**
 * Verifies a job's receipt bundle as a node gave it, and that its receipt is the one that the chain recorded for the job: a
 * node could answer with another job's receipt, which verifies just as well.
 *
 * @param options - the bundle, and what it must agree with
 * @param options.bundle from `NodeApi.jobReceipt`
 * @param options.recorded digest of the receipt that the chain recorded (see `readJobOutcome`); `not-checked`, and so not
 *   ok, when there is none
 * @param options.deployment chain and NodeRegistry that the caller means
 * @param options.trust which node evidence the caller trusts
 * @param options.at the moment of the question
 * @param options.result the opened result, when the job released one
 * @param options.sealedResult the sealed result, when the job released one
 * @returns attest's verdict with one more check, `receipt-on-chain`; bad documents make it not ok and never throw
 */
export function verifyJobReceipt(options: {
  readonly bundle: ReceiptBundleAnswer
  readonly recorded: Digest | undefined
  readonly deployment: ReceiptDeployment
  readonly trust: AttestationPolicy
  readonly at: Date
  readonly result?: Uint8Array
  readonly sealedResult?: Uint8Array
}): ReceiptVerdict {
  const { bundle, recorded, deployment, trust, at, result, sealedResult } = options
  const verdict = verifyReceipt({
    receipt: bundle.receipt,
    evidence: bundle.evidence,
    // Two pools may have one policy; the verdict wants each document once.
    policies: [
      ...new Map(Object.values(bundle.policies).map((policy) => [JSON.stringify(policy), policy])).values(),
    ],
    verdicts: bundle.verdicts,
    deployment,
    trust,
    at,
    ...(bundle.manifest === null ? {} : { manifest: bundle.manifest }),
    ...(bundle.plan === null ? {} : { plan: bundle.plan }),
    ...(result === undefined ? {} : { result }),
    ...(sealedResult === undefined ? {} : { sealedResult }),
  })
  const onChain = chainCheck(bundle.receipt, recorded)
  return {
    ...verdict,
    ok: verdict.ok && onChain.result === 'pass',
    checks: [...verdict.checks, onChain],
  }
}

function chainCheck(receipt: JsonObject, recorded: Digest | undefined): Check {
  const named = { id: 'receipt-on-chain', title: chainTitle }
  if (recorded === undefined) {
    return { ...named, result: 'not-checked', detail: 'The chain has no receipt of this job.' }
  }
  try {
    const same = statementDigest(parseSignedStatement(receipt).statement) === recorded
    if (same) return { ...named, result: 'pass', detail: recorded }
  } catch {
    // Not a statement at all: it is not the one on chain either.
  }
  return { ...named, result: 'fail', detail: 'the chain recorded another receipt' }
}
