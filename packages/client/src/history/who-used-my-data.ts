import type { AttestationPolicy, ReceiptVerdict } from '@sealpool/attest'
import {
  type Deployment,
  type Finality,
  getContributions,
  getJobEvents,
  getVerdicts,
} from '@sealpool/contracts'
import { type Address, type Digest, type Hex, hexToDigest } from '@sealpool/crypto'
import { type Client, isAddressEqual } from 'viem'
import { defaultFinality, readFinality } from '../finality.js'
import type { ReceiptBundleAnswer } from '../node-api/messages.js'
import { verifyJobReceipt } from '../result/verify-job-receipt.js'
import { untilAborted } from '../until-aborted.js'

/** One job that was released over the pool, and whether it worked on a contributor's data. */
export interface DataUse {
  readonly jobId: bigint
  readonly consumer: Address
  readonly manifestDigest: Digest
  /** Digests that the chain recorded. */
  readonly receipt: Digest
  readonly result: Digest
  /** Block in which the result was released. */
  readonly blockNumber: bigint
  readonly transactionHash: Hex
  /**
   * `yes`, `no`: by the list of inputs of a receipt that verifies and that the chain recorded; `unknown`: the node does not
   * give the receipt, or it does not verify; `not-final`: the block of the release may still be replaced, and the receipt was not looked at.
   */
  readonly used: 'yes' | 'no' | 'unknown' | 'not-final'
  /** Which of the owner's contributions. */
  readonly contributions: readonly bigint[]
  /** What the job is for, by the manifest that the receipt names; only when it verified. */
  readonly title: string | null
  readonly purpose: string | null
  /**
   * How many contributions a live pool left out of the job because their owners' stores did not give them; null for a pool that keeps
   * copies, and where the receipt is not known. Where `used` is `no` and this is not 0, look whether your own store was reachable then.
   */
  readonly leftOut: number | null
  /** Why `unknown` or `not-final`. */
  readonly reason: string | null
}

/** What must hold of a receipt before its list of inputs counts. The result is not the contributor's to see. */
const needed = [
  'receipt-form',
  'evidence',
  'trust',
  'key-set',
  'receipt-key-set',
  'receipt-quote',
  'signature',
  'context',
  'manifest',
  'verdicts',
  'receipt-on-chain',
]

/**
 * Finds the released jobs of a pool and tells of each whether it worked on an owner's contributions: the chain has the verdict
 * on each contribution and the receipt of each job, the receipt names the verdicts of all its inputs.
 *
 * @param options.owner whose data
 * @param options.receiptOf asks the node for a receipt bundle; undefined when it has none
 * @param options.finality how final the block of a release must be; default one confirmation
 * @param options.trust which node evidence is trusted
 * @param options.signal stops between receipts, and the waiting for one, with its own reason
 * @returns the jobs, oldest first
 * @throws ContractsError `CHAIN_UNREACHABLE`; the signal's reason
 */
export async function whoUsedMyData(options: {
  readonly chain: Client
  readonly deployment: Deployment
  readonly pool: Address
  readonly owner: Address
  readonly receiptOf: (jobId: bigint) => Promise<ReceiptBundleAnswer | undefined>
  readonly finality?: Finality
  readonly trust: AttestationPolicy
  readonly at: Date
  readonly signal?: AbortSignal | undefined
}): Promise<readonly DataUse[]> {
  const { chain, deployment, pool, owner, trust, at } = options
  const isFinal = await readFinality(chain, options.finality ?? defaultFinality)
  const [contributions, verdicts, events] = await Promise.all([
    getContributions(chain, { deployment, pool }),
    getVerdicts(chain, { deployment, pool }),
    getJobEvents(chain, { deployment }),
  ])
  const own = new Set(contributions.filter((one) => isAddressEqual(one.owner, owner)).map(({ id }) => id))
  const idOf = new Map(
    verdicts
      .filter(({ id, refused }) => own.has(id) && !refused)
      .map(({ id, verdictDigest }) => [hexToDigest(verdictDigest), id]),
  )
  const proposals = new Map(
    events.flatMap((event) => (event.name === 'JobProposed' ? [[event.id, event] as const] : [])),
  )
  const uses: DataUse[] = []
  for (const released of events) {
    options.signal?.throwIfAborted()
    if (released.name !== 'JobReleased') continue
    const proposed = proposals.get(released.id)
    if (proposed === undefined || !proposed.args.pools.some((one) => isAddressEqual(one, pool))) continue
    const receipt = hexToDigest(released.args.receiptDigest)
    const manifestDigest = hexToDigest(proposed.args.manifestDigest)
    const known = {
      jobId: released.id,
      consumer: proposed.args.consumer,
      manifestDigest,
      receipt,
      result: hexToDigest(released.args.resultDigest),
      blockNumber: released.blockNumber,
      transactionHash: released.transactionHash,
    }
    const unknown = { used: 'unknown', contributions: [], title: null, purpose: null, leftOut: null } as const
    if (!isFinal(released.blockNumber)) {
      uses.push({
        ...known,
        ...unknown,
        used: 'not-final',
        reason: 'the block of its release is not final yet',
      })
      continue
    }
    const bundle = await untilAborted(options.receiptOf(released.id), options.signal)
    if (bundle === undefined) {
      uses.push({ ...known, ...unknown, reason: 'the node does not give the receipt' })
      continue
    }
    const verdict = verifyJobReceipt({
      bundle,
      recorded: receipt,
      recordedAt: { block: released.blockNumber, final: true },
      deployment: { chainId: deployment.chainId, registry: deployment.nodeRegistry },
      trust,
      at,
    })
    const problem = problemOf(verdict, released.id, manifestDigest)
    if (problem !== undefined) {
      uses.push({ ...known, ...unknown, reason: problem })
      continue
    }
    const inputs = bundle.verdicts[pool.toLowerCase()] ?? []
    const inReceipt = verdict.body?.pools.find((one) => isAddressEqual(one.pool, pool))
    const used = inputs.flatMap((digest) => idOf.get(digest) ?? [])
    const text = (name: string) => {
      const value = bundle.manifest?.[name]
      return typeof value === 'string' ? value : null
    }
    uses.push({
      ...known,
      used: used.length > 0 ? 'yes' : 'no',
      contributions: used,
      title: text('title'),
      purpose: text('purpose'),
      leftOut: inReceipt?.live?.leftOut ?? null,
      reason: null,
    })
  }
  return uses
}

function problemOf(verdict: ReceiptVerdict, jobId: bigint, manifestDigest: Digest): string | undefined {
  const failed = verdict.checks.find(({ id, result }) => needed.includes(id) && result !== 'pass')
  if (failed !== undefined) return `${failed.title}: ${failed.detail}`
  if (verdict.body?.job.id !== jobId.toString()) return 'the receipt is about another job'
  if (verdict.body.job.manifest !== manifestDigest) return 'the receipt names another manifest than the chain'
  return undefined
}
