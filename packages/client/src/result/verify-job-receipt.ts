import {
  type AttestationPolicy,
  type Check,
  type ReceiptBody,
  type ReceiptDeployment,
  type ReceiptVerdict,
  verifyReceipt,
} from '@sealpool/attest'
import {
  type Address,
  type Digest,
  type JsonObject,
  parseSignedStatement,
  statementDigest,
} from '@sealpool/crypto'
import type { ReceiptBundleAnswer } from '../node-api/messages.js'
import { homeChecks, type RecordedRelease } from './home-checks.js'
import { isOverSeveralPools, type JobHomes, lower } from './job-homes.js'

const chainTitle = 'The chain recorded this receipt as the end of the job'

/** Attest's verdict on a receipt with what the chain says of it. */
export interface JobReceiptVerdict extends ReceiptVerdict {
  /**
   * `verified`: all holds (`ok`). `receipt-verified`: all holds that the receipt alone can show, to somebody whom it gives nothing else; what
   * the result says was not checked and he cannot check it, so that it is not `ok`: the checks that are `not-checked` say which.
   * `not-final`: one of these two, but the chain recorded the receipt in a block that is not final yet, and a
   * reorganisation may take it back: ask again later. `not-verified`: something else does not hold, or was not checked.
   */
  readonly state: 'verified' | 'receipt-verified' | 'not-final' | 'not-verified'
  /** Block in which the chain recorded the receipt; null where that is not known. */
  readonly recordedBlock: bigint | null
  /**
   * Block whose state told of the homes of the job; null where the chain was not asked for them. Another one than `recordedBlock`: the
   * endpoint does not keep that one's state, and homes and keys were judged as they stand since.
   */
  readonly homesBlock: bigint | null
}

/**
 * Verifies a job's receipt bundle as a node gave it, and that its receipt is the one that the chain recorded for the job: a
 * node could answer with another job's receipt, which verifies just as well. A receipt over several pools is also held against what
 * their homes have signed and what the chain shows of them.
 *
 * @param options - the bundle, and what it must agree with
 * @param options.bundle from `NodeApi.jobReceipt`
 * @param options.recorded digest of the receipt that the chain recorded (see `readJobOutcome`); `not-checked`, and so not
 *   ok, when there is none
 * @param options.recordedAt in which block it did, and whether that one is final (see `readJobOutcome`); what is not said to be final is not
 *   ok
 * @param options.job which job the receipt is to be of, by its number and by the manifest that its proposal on the chain names
 *   (`readJobOutcome`). Without it any job's receipt passes that `recorded` names: give it wherever the recording node is not trusted
 * @param options.deployment chain and NodeRegistry that the caller means
 * @param options.trust which node evidence the caller trusts
 * @param options.at the moment of the question
 * @param options.result the opened result, when the job released one
 * @param options.sealedResult the sealed result, when the job released one
 * @param options.recipient who asks; default: the job's consumer. To whom the receipt gives no view of the result, the result cannot be shown:
 *   for him all else is `receipt-verified`
 * @param options.shares what the homes of the job have signed, from `NodeApi.jobShares`; for a receipt over several pools
 * @param options.homes what the chain shows of them, from `readJobHomes`; for a receipt over several pools
 * @param options.released what the chain recorded at the release (see `readJobOutcome`); for a receipt over several pools
 * @returns attest's verdict with its state and one more check, `receipt-on-chain`, and for a receipt over several pools those of its homes, without
 *   which it is not ok; bad documents make it not ok and never throw
 */
export function verifyJobReceipt(options: {
  readonly bundle: ReceiptBundleAnswer
  readonly recorded: Digest | undefined
  readonly recordedAt?: { readonly block: bigint; readonly final: boolean } | undefined
  readonly job?: { readonly id: bigint; readonly manifest?: Digest | undefined }
  readonly deployment: ReceiptDeployment
  readonly trust: AttestationPolicy
  readonly at: Date
  readonly result?: Uint8Array
  readonly sealedResult?: Uint8Array
  readonly recipient?: Address | undefined
  readonly shares?: readonly JsonObject[]
  readonly homes?: JobHomes
  readonly released?: RecordedRelease
}): JobReceiptVerdict {
  const { bundle, recorded, recordedAt, homes, deployment, trust, at, result, sealedResult, shares } = options
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
    ...(shares === undefined ? {} : { shares }),
  })
  const ofHomes = checksOfHomes(options, verdict)
  const onChain = chainCheck(options, verdict.body)
  const checks = withoutResult(options, verdict)
  const alone = checks !== verdict.checks
  const open = [...checks, ...ofHomes].filter(({ result }) => result !== 'pass')
  const rest = alone ? open.every(isOfResult) : verdict.ok && open.length === 0
  const ok = rest && !alone && onChain.result === 'pass'
  const waits = rest && recorded !== undefined && onChain.result === 'not-checked'
  const held = alone ? 'receipt-verified' : 'verified'
  return {
    ...verdict,
    ok,
    state: rest && onChain.result === 'pass' ? held : waits ? 'not-final' : 'not-verified',
    recordedBlock: recordedAt?.block ?? null,
    homesBlock: homes?.block ?? null,
    checks: [...checks, ...ofHomes, onChain],
  }
}

/** What only who holds a result, or a view of it, can check. */
const ofResult: readonly string[] = ['result', 'sealed-result']

function isOfResult({ id, result }: Check): boolean {
  return result === 'not-checked' && ofResult.includes(id)
}

/** @returns the checks, of which those of the result say so where nobody can make them for whom the receipt is all that he gets; else the very same */
function withoutResult(
  { recipient }: Parameters<typeof verifyJobReceipt>[0],
  { body, checks }: ReceiptVerdict,
): readonly Check[] {
  if (body === null || body.result === null) return checks
  const { consumer } = body.job
  const asks = lower(recipient ?? consumer)
  const { views } = body.result
  const given =
    views === undefined
      ? asks === lower(consumer)
      : views.some((one) => lower(one.recipient) === asks && one.view.kind !== 'receipt')
  if (given || !checks.some(isOfResult)) return checks
  const detail = `Cannot be checked: the job gives ${asks} the receipt alone.`
  return checks.map((check) => (isOfResult(check) ? { ...check, detail } : check))
}

function checksOfHomes(
  { bundle, shares, homes, released }: Parameters<typeof verifyJobReceipt>[0],
  { body, checks }: ReceiptVerdict,
): readonly Check[] {
  const charge = checks.find(({ id }) => id === 'charge')
  // What is no receipt fails as that.
  if (body === null || charge === undefined || !isOverSeveralPools(body)) return []
  const { signer } = parseSignedStatement(bundle.receipt)
  return homeChecks({ body, signer, shares, charge, homes, released })
}

function chainCheck(
  { bundle: { receipt }, recorded, recordedAt, job }: Parameters<typeof verifyJobReceipt>[0],
  body: ReceiptBody | null,
): Check {
  const named = { id: 'receipt-on-chain', title: chainTitle }
  const no = (detail: string): Check => ({ ...named, result: 'fail', detail })
  if (recorded === undefined) {
    return { ...named, result: 'not-checked', detail: 'The chain has no receipt of this job.' }
  }
  if (!isRecorded(receipt, recorded)) return no('the chain recorded another receipt')
  if (job !== undefined && body !== null) {
    // Any node that the chain lets speak may have recorded it: also an old receipt of a better one, with its old answer.
    if (body.job.id !== job.id.toString()) return no('the chain recorded the receipt of another job')
    if (job.manifest !== undefined && body.job.manifest !== job.manifest)
      return no('the receipt names another manifest than the job’s proposal on the chain')
  }
  if (recordedAt?.final !== true) {
    const where = recordedAt === undefined ? 'The block' : `Block ${recordedAt.block}`
    return { ...named, result: 'not-checked', detail: `${where} in which it did is not final yet.` }
  }
  return { ...named, result: 'pass', detail: recorded }
}

function isRecorded(receipt: JsonObject, recorded: Digest): boolean {
  try {
    return statementDigest(parseSignedStatement(receipt).statement) === recorded
  } catch {
    // Not a statement at all: it is not the one on chain either.
    return false
  }
}
