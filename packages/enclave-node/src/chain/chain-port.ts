/**
 * What the node reads from the chain and writes to it. Every write may be repeated: it looks first, and answers null
 * when what it would write stands there already.
 * @module
 */
import type { Address, Digest, Hex, SignedStatement } from '@sealpool/crypto'
import type { ChainContribution } from '../state/contribution-table.js'
import type { ChainJob, JobApproval } from '../state/job-table.js'
import type { Refinement } from '../state/refinement-table.js'
import type { VerdictBatch } from '../state/verdict-table.js'

/** The newest block that the node believes: the chain's head less the confirmations. */
export interface ChainHead {
  readonly number: bigint
  readonly hash: Hex
  /** Unix seconds, the only clock of receipts. */
  readonly timestamp: number
}

/** A pool's rules and key epoch as they stand on the chain. */
export interface ChainPool {
  readonly name: string
  readonly policyDigest: Digest
  readonly pocDigest: Digest
  readonly refinerDigest: Digest
  readonly keyEpoch: {
    readonly epoch: number
    readonly policyDigest: Digest
    readonly keyDigest: Digest
    readonly node: Address
  } | null
}

/** Words of the contract for a job's state. */
export type ChainJobState =
  | 'Proposed'
  | 'Approved'
  | 'Funded'
  | 'Assigned'
  | 'Running'
  | 'Released'
  | 'Settled'
  | 'Refused'
  | 'Failed'
  | 'Cancelled'
  | 'Expired'

/** What happened to a job, as far as the node cares. */
export type ChainJobEvent =
  | { readonly kind: 'proposed'; readonly id: string; readonly job: ChainJob }
  | { readonly kind: 'approved'; readonly id: string; readonly approval: JobApproval }
  | {
      readonly kind: 'released'
      readonly id: string
      readonly node: Address
      /** Heads of the pools' ledgers after the charge. */
      readonly budgetHeads: readonly Digest[]
    }
  | { readonly kind: 'moved'; readonly id: string; readonly state: ChainJobState }
  /** Suspended, resumed and the like: the state stays, a try may now succeed. */
  | { readonly kind: 'touched'; readonly id: string }

/** The chain as the node sees it. */
export interface ChainPort {
  readonly chainId: number
  /** NodeRegistry: where statements are checked. */
  readonly registry: Address
  head(): Promise<ChainHead>
  /** @returns the hash of a block on the chain as it is now, or undefined when there is no such block */
  blockHash(number: bigint): Promise<Hex | undefined>
  /** @returns contributions in blocks `from` to `to`, both included, by block and log index */
  contributions(from: bigint, to: bigint): Promise<readonly ChainContribution[]>
  /** @returns what happened to jobs in blocks `from` to `to`, in the order of the chain */
  jobEvents(from: bigint, to: bigint): Promise<readonly ChainJobEvent[]>
  /**
   * @returns the state of a job at {@link ChainPort.head}, whether a pool has stopped it, and the node that has begun it:
   * like everything that decides, it is believed only under the confirmations
   */
  jobState(id: string): Promise<{
    readonly state: ChainJobState
    readonly suspended: boolean
    readonly node: Address | null
  }>
  pool(address: Address): Promise<ChainPool>
  isNodeActive(statementKey: Address): Promise<boolean>
  publishPoolKey(key: {
    readonly pool: Address
    readonly epoch: number
    readonly policyDigest: Digest
    readonly keyDigest: Digest
    readonly statement: SignedStatement
  }): Promise<Hex | null>
  recordVerdicts(batch: VerdictBatch): Promise<Hex | null>
  recordRefinement(refinement: Refinement): Promise<Hex | null>
  startJob(start: JobStart): Promise<Hex | null>
  releaseJob(release: JobRelease): Promise<Hex | null>
  refuseJob(refusal: JobRefusal): Promise<Hex | null>
  settleJob(id: string): Promise<Hex | null>
}

/** What the contract takes when a node begins a paid job. */
export interface JobStart {
  readonly kind: 'start'
  readonly job: string
  readonly statement: SignedStatement
}

/** What the contract takes to release a job; stored before it is sent. */
export interface JobRelease {
  readonly kind: 'release'
  readonly job: string
  readonly receiptDigest: Digest
  readonly resultDigest: Digest
  /** Head of each pool's ledger after the charge, in the order of the job's pools. */
  readonly budgetHeads: readonly Digest[]
  readonly statement: SignedStatement
}

/** What the contract takes to refuse a paid job; stored before it is sent. */
export interface JobRefusal {
  readonly kind: 'refusal'
  readonly job: string
  /** Reason as text of at most 31 ASCII characters; 32 bytes on the chain. */
  readonly reason: string
  readonly receiptDigest: Digest
  readonly statement: SignedStatement
}
