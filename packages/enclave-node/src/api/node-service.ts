/**
 * What the HTTP API asks of the node. Everything it can answer is listed here: there is no call that returns data of
 * contributors, for anybody.
 * @module
 */
import type { NodeEvidence } from '@sealpool/attest'
import type { JobManifest } from '@sealpool/compute'
import type { Address, Digest, Hex, JsonValue, SignedStatement } from '@sealpool/crypto'
import type { HeadKeeper } from '../anchor/head-keeper.js'
import type { AuditEntry } from '../audit/audit-chain.js'
import type { NodeCatalogue } from '../catalogue/node-catalogue.js'
import type { CredentialDesk } from '../credential/credential-desk.js'
import type { AskedEvidence } from '../evidence/node-evidence.js'
import type { SignedFacts } from '../facts/read-facts.js'
import type { ShareServer } from '../federation/serve-share.js'
import type { HandOffServer } from '../hand-off/serve-hand-off.js'
import type { PlanAnswer, PriceAnswer } from '../job/request-run.js'
import type { ReceiptLog } from '../log/receipt-log.js'
import type { HandOver } from '../migration/hand-over.js'
import type { ToldDeletions } from '../retention/garbage-collector.js'
import type { PublishedPoolKey } from '../runtime/pool-keys.js'
import type { ContributionRow } from '../state/contribution-table.js'
import type { readJobLineage } from '../state/job-lineage.js'
import type { JobRow } from '../state/job-table.js'
import type { AgreementRecord, DisputeRow } from '../state/verdict-agreement-table.js'
import type { ValidationServer } from '../validation/serve-validation.js'

/** A pool as the catalogue shows it. */
export interface PoolView {
  readonly pool: Address
  readonly name: string
  readonly policyDigest: Digest
  readonly policy: JsonValue
  /** Null until the node's key for it stands on the chain. */
  readonly key: PublishedPoolKey | null
}

/** Counts of one pool. */
export interface ContributionCounts {
  readonly states: Readonly<Record<string, number>>
  readonly refused: Readonly<Record<string, number>>
}

/** Budget figures of one pool; public. */
export interface BudgetFigures {
  readonly pool: Address
  readonly epsilonSpent: string
  readonly epsilonTotal: string
  readonly deltaSpent: string
  readonly deltaTotal: string
}

/** Contributions that several nodes judge, as the API sees them. */
export interface ValidationService {
  /** What this node judges for other homes; undefined when its settings do not say so. */
  readonly server: ValidationServer | undefined
  /** What validators have said of a contribution; undefined when none has said anything. */
  wordOn(contribution: string): Promise<
    | {
        readonly agreement: AgreementRecord | undefined
        /** What they agreed on when later proofs judged it again. */
        readonly rescored: readonly AgreementRecord[]
        readonly disputes: readonly DisputeRow[]
      }
    | undefined
  >
  /** Disputes from a number on, a page at a time. */
  disputes(from: number): Promise<readonly DisputeRow[]>
}

/** The node as the API sees it. */
export interface NodeService {
  readonly simulated: boolean
  /** @param asked what besides the quote, of fresh evidence */
  evidence(nonce: Hex | undefined, asked: AskedEvidence): Promise<NodeEvidence>
  pools(): readonly PoolView[]
  /** Pools of this node and of its peers. */
  readonly catalogue: Pick<NodeCatalogue, 'search' | 'similar'>
  contribution(id: string): Promise<ContributionRow | undefined>
  verdict(id: string): Promise<SignedStatement | undefined>
  contributions(pool: Address | undefined): Promise<ContributionCounts>
  /** What was signed about the tables of a pool. */
  facts(pool: Address): Promise<readonly SignedFacts[]>
  /** Signed rescorings of a pool from a number on, oldest first; a page of them. */
  rescorings(pool: Address, from: number): Promise<readonly SignedStatement[]>
  /** Signed verdicts by later proofs on a contribution. */
  rescoredVerdicts(id: string): Promise<readonly SignedStatement[]>
  /** Where consumers present verifiable credentials for pools' access conditions. */
  readonly credentials: CredentialDesk
  /** @param signal whoever asked is gone: it ends, and fails with the signal's reason, where it can stop */
  plan(manifest: JobManifest, signal?: AbortSignal): Promise<PlanAnswer>
  /** What a job would cost, before it is proposed; `signal` as of {@link plan}. */
  price(manifest: JobManifest, signal?: AbortSignal): Promise<PriceAnswer>
  /** Jobs that wait for votes or payment. */
  proposals(options: {
    readonly pool: Address | undefined
    readonly after: string
    readonly limit: number
  }): Promise<readonly JobRow[]>
  /** The manifest of a job, where it can be had. */
  manifest(job: JobRow): Promise<JsonValue | null>
  run(job: string): Promise<JobRow | undefined>
  job(job: string): Promise<JobRow | undefined>
  /** Digests of the verdicts on a job's inputs, by pool. */
  verdicts(job: JobRow): Promise<Readonly<Record<string, readonly Digest[]>>>
  /** What a job has read, from a refinement on; a page of it. */
  lineage(reservation: NonNullable<JobRow['reservation']>, from: number): ReturnType<typeof readJobLineage>
  /** The signed word of the node that ran a job for this one. */
  work(job: string): Promise<SignedStatement | undefined>
  /** What each node that ran a shard of a job has signed, in the order of the shards. */
  works(job: string): Promise<readonly SignedStatement[]>
  /** Jobs that this node runs for others; undefined when its settings do not say so. */
  readonly handOff: HandOffServer | undefined
  /** What the other homes of a job's pools have signed for their shares. */
  shares(job: string): Promise<readonly SignedStatement[] | undefined>
  /** This node's shares of jobs that others coordinate; undefined when its settings do not say so. */
  readonly shareServer: ShareServer | undefined
  /** What several nodes judge; absent: nothing. */
  readonly validation?: ValidationService
  jobs(): Promise<Readonly<Record<string, number>>>
  registeredEvidence(): Promise<NodeEvidence>
  policy(pool: Address): JsonValue | undefined
  /** The log of receipts, and the node's statement on its key. */
  readonly log: ReceiptLog & { readonly statement: SignedStatement }
  /** The audit log from an entry on, with its head signed. */
  audit(from: number): {
    readonly entries: readonly AuditEntry[]
    readonly length: number
    readonly digest: Digest | null
    readonly head: SignedStatement
  }
  /** Signed lists of what was deleted, from a number on, a page at a time, and what is declared. */
  deletions(from: number): Promise<ToldDeletions>
  budgets(): Promise<readonly BudgetFigures[]>
  /** How this node hands its keys to a successor; absent: it hands them to nobody. */
  readonly handOver?: HandOver
  /** Whether it has handed its keys over: it answers what a successor and its verifiers need, and nothing else. */
  keysMoved?(): boolean
  /** Other nodes' heads, of which this one remembers the newest; absent: its settings name no node. */
  readonly headKeeper?: HeadKeeper | undefined
  /** Whether it waits for the word of those who remember its state: it answers what others need of it, and nothing else. */
  unconfirmed?(): boolean
  /** Reasons why the node does not work now; empty when it does. */
  notReady(): readonly string[]
  /** What does not stop it, and its operator should know. */
  notes?(): readonly string[]
  /** Figures about the process itself. */
  figures(): Readonly<Record<string, number>>
}
