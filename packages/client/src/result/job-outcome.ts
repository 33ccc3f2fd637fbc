import { type Deployment, type Finality, getJobEvents } from '@sealpool/contracts'
import { type Digest, hexToDigest } from '@sealpool/crypto'
import type { Client } from 'viem'
import { defaultFinality, readFinality } from '../finality.js'

/** What the chain recorded as the end of a job, under the statement of an active node. */
export type JobOutcome = {
  /** Block in which it was recorded. */
  readonly blockNumber: bigint
  /** Whether that block is final; else a reorganisation may still take the end back. */
  readonly final: boolean
  /** The manifest that the job's proposal names; undefined where the endpoint does not show the proposal. */
  readonly manifest: Digest | undefined
} & (
  | {
      readonly kind: 'released'
      readonly receipt: Digest
      readonly result: Digest
      /** Heads of the pools' budgets after the job, in the order of its pools. */
      readonly budgetHeads: readonly Digest[]
    }
  | { readonly kind: 'refused'; readonly receipt: Digest }
)

/**
 * Reads how a job ended from the job board's events.
 *
 * @param chain - a viem client
 * @param options - which job
 * @param options.deployment whose job board
 * @param options.jobId the job's number on chain
 * @param options.finality how final a block must be to count as such; default one confirmation
 * @returns the outcome, or undefined while there is none
 * @throws ContractsError `CHAIN_UNREACHABLE`
 */
export async function readJobOutcome(
  chain: Client,
  options: { readonly deployment: Deployment; readonly jobId: bigint; readonly finality?: Finality },
): Promise<JobOutcome | undefined> {
  const isFinal = await readFinality(chain, options.finality ?? defaultFinality)
  let outcome: JobOutcome | undefined
  let manifest: Digest | undefined
  for (const event of await getJobEvents(chain, options)) {
    const { blockNumber } = event
    const final = isFinal(blockNumber)
    if (event.name === 'JobProposed') manifest = hexToDigest(event.args.manifestDigest)
    if (event.name === 'JobReleased') {
      const { receiptDigest, resultDigest, budgetHeads } = event.args
      outcome = {
        kind: 'released',
        blockNumber,
        final,
        manifest,
        receipt: hexToDigest(receiptDigest),
        result: hexToDigest(resultDigest),
        budgetHeads: budgetHeads.map(hexToDigest),
      }
    }
    if (event.name === 'JobRefused') {
      const receipt = hexToDigest(event.args.receiptDigest)
      outcome = { kind: 'refused', blockNumber, final, manifest, receipt }
    }
  }
  return outcome
}
