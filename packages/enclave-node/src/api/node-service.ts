/**
 * What the HTTP API asks of the node. Everything it can answer is listed here: there is no call that returns data of
 * contributors, for anybody.
 * @module
 */
import type { NodeEvidence } from '@sealpool/attest'
import type { JobManifest } from '@sealpool/compute'
import type { Address, Digest, Hex, JsonValue, SignedStatement } from '@sealpool/crypto'
import type { AuditEntry } from '../audit/audit-chain.js'
import type { PlanAnswer, PriceAnswer } from '../job/request-run.js'
import type { ReceiptLog } from '../log/receipt-log.js'
import type { PublishedPoolKey } from '../runtime/pool-keys.js'
import type { ContributionRow } from '../state/contribution-table.js'
import type { JobRow } from '../state/job-table.js'

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

/** The node as the API sees it. */
export interface NodeService {
  readonly simulated: boolean
  evidence(nonce: Hex | undefined): Promise<NodeEvidence>
  pools(): readonly PoolView[]
  contribution(id: string): Promise<ContributionRow | undefined>
  verdict(id: string): Promise<SignedStatement | undefined>
  contributions(pool: Address | undefined): Promise<ContributionCounts>
  plan(manifest: JobManifest): Promise<PlanAnswer>
  /** What a job would cost, before it is proposed. */
  price(manifest: JobManifest): Promise<PriceAnswer>
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
  budgets(): Promise<readonly BudgetFigures[]>
  /** Reasons why the node does not work now; empty when it does. */
  notReady(): readonly string[]
  /** Figures about the process itself. */
  figures(): Readonly<Record<string, number>>
}
