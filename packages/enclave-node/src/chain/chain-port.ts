/**
 * What the node reads from the chain and writes to it. Every write may be repeated: it looks first, and answers null
 * when what it would write stands there already.
 * @module
 */
import type { AccessCondition, AccessReading, AccessSubject } from '@sealpool/contracts'
import type { Address, Digest, Hex, SignedStatement } from '@sealpool/crypto'
import type { BudgetAnchor } from '../state/budget-anchor.js'
import type { ChainContribution } from '../state/contribution-table.js'
import type { ChainJob, JobApproval } from '../state/job-table.js'
import type { MerkleVerdicts } from '../state/merkle-verdict-table.js'
import type { Refinement } from '../state/refinement-table.js'
import type { ChainWrite } from '../state/unsettled-write.js'
import type { VerdictBatch } from '../state/verdict-table.js'
import type { ChainWithdrawal, Erasure, SentTransaction } from '../state/withdrawal.js'

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
  /** Digests of what the policy was narrowed by since, oldest first: every use must meet all of them. */
  readonly restrictions: readonly Digest[]
  /** Unix seconds until which nothing may start; 0 when the pool is not paused. */
  readonly pausedUntil: number
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
export type ChainJobEvent = ChainJobFact & {
  /** Block of the event. */
  readonly block: bigint
  /** Index of the log in its block. */
  readonly position: number
}

/** {@link ChainJobEvent} without its place. */
export type ChainJobFact =
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
  /** The job was handed to a node, or taken from one that lost it. */
  | { readonly kind: 'handed'; readonly id: string; readonly to: Address }
  | { readonly kind: 'lost'; readonly id: string; readonly node: Address }
  /** Suspended, resumed and the like: the state stays, a try may now succeed. */
  | { readonly kind: 'touched'; readonly id: string }

/** How a job stands under the confirmations. */
export interface ChainJobStanding {
  readonly state: ChainJobState
  /** A contributor has stopped it, and its pool has not decided. */
  readonly suspended: boolean
  /** The node that has begun it, or to which the lot gave it. */
  readonly node: Address | null
  /** A lot decides which node runs it. */
  readonly drawn: boolean
}

/** What a job was proposed as: it never changes. */
export interface ChainJobTerms {
  readonly manifestDigest: Digest
  readonly consumer: Address
  readonly pools: readonly Address[]
  /** Unix seconds: a job that has no answer by then is over. */
  readonly deadline: number
}

/** What a job's proposal says of its manifest besides the digest, which grants and pools may demand; null: nothing. */
export interface ChainJobDeclaration {
  /** Digest of the code that runs. */
  readonly code: Digest | null
  /** Digest of tables, columns and purpose. */
  readonly scope: Digest | null
}

/** A node as the registry knows it. */
export interface ChainNode {
  readonly keySetDigest: Digest
  /** One number for what it was measured to run. */
  readonly measurement: Hex
  /** Whether its statements count: registered, not expired, not revoked, its measurement allowed. */
  readonly active: boolean
}

/** Conditions, and for whom they are judged. */
export interface AccessQuery extends AccessSubject {
  readonly conditions: readonly AccessCondition[]
}

/** The newest budget head of a pool that stands on the chain. */
export interface AnchoredHead {
  /** Version of the ledger's entry. */
  readonly sequence: number
  readonly head: Digest
}

/** The chain as the node sees it. */
export interface ChainPort {
  readonly chainId: number
  /** NodeRegistry: where statements are checked. */
  readonly registry: Address
  /** Whether budget heads are anchored: the settings name the contract. */
  readonly anchors: boolean
  head(): Promise<ChainHead>
  /** @returns the hash of a block on the chain as it is now, or undefined when there is no such block */
  blockHash(number: bigint): Promise<Hex | undefined>
  /** @returns the time of a block in unix seconds. @throws NodeError `CHAIN_CALL_FAILED` when the endpoint does not have it */
  blockTime(hash: Hex): Promise<number>
  /** @returns contributions in blocks `from` to `to`, both included, by block and log index, entries of batches included */
  contributions(from: bigint, to: bigint): Promise<readonly ChainContribution[]>
  /** @returns what owners took back in blocks `from` to `to` */
  withdrawals(from: bigint, to: bigint): Promise<readonly ChainWithdrawal[]>
  /** @returns what happened to jobs in blocks `from` to `to`, in the order of the chain */
  jobEvents(from: bigint, to: bigint): Promise<readonly ChainJobEvent[]>
  /** @returns how a job stands at {@link ChainPort.head}: like everything that decides, under the confirmations */
  jobState(id: string): Promise<ChainJobStanding>
  /** @returns what a job was proposed as, under the confirmations */
  jobTerms(id: string): Promise<ChainJobTerms>
  /** @returns what a job's proposal declares, under the confirmations */
  jobDeclaration(id: string): Promise<ChainJobDeclaration>
  pool(address: Address): Promise<ChainPool>
  /** @returns whether what the node wrote stands in the state after a block; null: after the newest one */
  stands(write: ChainWrite, block: bigint | null): Promise<boolean>
  isNodeActive(statementKey: Address): Promise<boolean>
  /** @returns what the registry holds under a statement key at the newest block; null when it never registered */
  node(statementKey: Address): Promise<ChainNode | null>
  /**
   * Whether code may run as a node: past its time lock under the confirmations, and not withdrawn at the newest block. So a
   * permission counts late and its end at once.
   */
  measurementAllowed(measurement: Hex): Promise<boolean>
  /**
   * Asks a contract wallet whether a signature is its own (ERC-1271), under the confirmations.
   * @param hash 32 bytes that were signed
   * @returns false as well when there is no contract at the address, or it fails
   */
  isContractSignature(wallet: Address, hash: Hex, signature: Hex): Promise<boolean>
  /**
   * Reads what access conditions hang on, all of them at one block under the confirmations.
   * @throws NodeError `CHAIN_DISAGREES`, `CHAIN_STALE`; ContractsError `CHAIN_UNREACHABLE`: then nothing is decided
   */
  access(asked: AccessQuery): Promise<readonly AccessReading[]>
  /** @returns the newest budget head under the confirmations; null when none was anchored, or nothing is anchored at all */
  anchoredHead(pool: Address): Promise<AnchoredHead | null>
  publishPoolKey(key: {
    readonly pool: Address
    readonly epoch: number
    readonly policyDigest: Digest
    readonly keyDigest: Digest
    readonly statement: SignedStatement
  }): Promise<SentTransaction | null>
  /** @throws NodeError `ENTRIES_GONE` when an entry's contribution was withdrawn or is not there: the batch is of no use */
  recordVerdicts(batch: VerdictBatch): Promise<SentTransaction | null>
  /** Records the root of the verdicts on a Merkle batch. */
  recordVerdictRoot(verdicts: MerkleVerdicts): Promise<SentTransaction | null>
  /**
   * Has the accepted entries of a Merkle batch rewarded that were not yet, and that were not withdrawn.
   * @returns the block of the last payment; null when nothing was left to pay
   */
  payVerdicts(verdicts: MerkleVerdicts): Promise<bigint | null>
  recordRefinement(refinement: Refinement): Promise<SentTransaction | null>
  recordErasure(erasure: Erasure): Promise<SentTransaction | null>
  anchorBudget(anchor: BudgetAnchor): Promise<SentTransaction | null>
  /** Has the lot decide which node runs a drawn job. @returns whether it has been decided */
  assignJob(id: string): Promise<boolean>
  /** Takes a job from a node that is silent. @returns whether it was taken */
  requeueJob(id: string): Promise<boolean>
  startJob(start: JobStart): Promise<SentTransaction | null>
  /** Says that the node is still at a job. */
  heartbeat(beat: JobHeartbeat): Promise<void>
  /** Says what a job came to. The same transaction settles it where the chain takes both at once, which costs less. */
  releaseJob(release: JobRelease): Promise<SentTransaction | null>
  refuseJob(refusal: JobRefusal): Promise<SentTransaction | null>
  /** Settles a job that was released and is not settled yet. */
  settleJob(id: string): Promise<SentTransaction | null>
}

/** A sign of life for a job that runs. */
export interface JobHeartbeat {
  readonly job: string
  /** Signs for the time that the contract will accept: that of the newest block, in unix seconds. */
  readonly sign: (time: number) => SignedStatement
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
