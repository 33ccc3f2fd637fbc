/**
 * Jobs over pools of several home nodes: what the node that coordinates one asks of the others.
 * @module
 */
import type { Address, Digest, SignedStatement } from '@sealpool/crypto'
import type { PlanShare } from '@sealpool/query'
import type { PlannablePool } from '../ingest/served-pool.js'
import type { PlannedJob } from '../job/planned-job.js'
import type { JobRow } from '../state/job-table.js'
import type { ShareBody } from './share-statement.js'

/** One job over pools of several homes. */
export interface SharedJob {
  readonly job: JobRow
  /** Over all its pools; this node's own pools have their tables, the others only policies. */
  readonly planned: PlannedJob<PlannablePool>
}

/** What another home gave for a job, verified. */
export interface GivenShare {
  readonly body: ShareBody
  readonly statement: SignedStatement
  readonly share: PlanShare
  /** The home's part of the noise's seed, 32 bytes. */
  readonly noise: Uint8Array
  /** Digests of the verdicts on what it read, by pool. */
  readonly verdicts: Readonly<Record<string, readonly Digest[]>>
}

/** The other homes, to the node that coordinates. */
export interface Federation {
  /** Their pools by address, as the settings give them. */
  readonly pools: ReadonlyMap<Address, PlannablePool>
  /**
   * Has every other home look at a job before anything is charged anywhere.
   * @throws JobRefusal with a home's reason, `HOME_NOT_ATTESTED`, `HOME_SILENT`; `HOME_REFUSED`; JobPutOff `HOME_SILENT`,
   * `HOME_WAITS`, `HOME_DIFFERS`
   */
  look(shared: SharedJob): Promise<void>
  /**
   * Has every other home charge its pools, and takes their shares: all of them, or none.
   * @param beat a sign of life for the chain
   * @throws as {@link Federation.look}
   */
  gather(shared: SharedJob, beat: () => Promise<void>): Promise<readonly GivenShare[]>
}
