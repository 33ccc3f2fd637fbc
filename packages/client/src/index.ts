/**
 * What an app calls: verify before sending, contribute, follow, fetch results, verify receipts.
 *
 * @module
 */
import { platformRandom } from '@sealpool/crypto'
import { type Contributor, contributor, type PoolClientOptions, type PoolClientPorts } from './contributor.js'
import { nodeApi } from './node-api/node-api.js'
import { platformNow, platformWait } from './platform.js'
import { type PoolClient, poolClient } from './pool-client.js'

export type { Present, PresentationChallenge, ShownCredential } from './access/present-credential.js'
export type { Contributed, ContributeOptions } from './contribute/contribute.js'
export { type ContributionJournal, memoryJournal, storageJournal } from './contribute/contribution-journal.js'
export {
  mediaTypePreflight,
  type PreflightCheck,
  type PreflightFinding,
  sizePreflight,
} from './contribute/preflight.js'
export {
  type ContributionInput,
  type PreparedContribution,
  prepareContribution,
} from './contribute/prepare-contribution.js'
export {
  type ContributionProgress,
  type ContributionStep,
  contributionSteps,
  type OnContributionProgress,
} from './contribute/progress.js'
export { walletAccount } from './contribute/wallet-account.js'
export type { Contributor, PoolClientOptions } from './contributor.js'
export { ClientError, type ClientErrorCode } from './errors.js'
export type { GovernanceCalls } from './governance/governance-calls.js'
export type { DataUse } from './history/who-used-my-data.js'
export { type AccessCheck, type CheckAccessOptions, checkAccess } from './job/check-access.js'
export type { AskedJob, JobCalls, ProposedJob, ProposeOptions } from './job/job-calls.js'
export {
  type ComputeRequest,
  type JobRequest,
  jobManifest,
  type QueryRequest,
  type ViewsRequest,
} from './job/job-request.js'
export {
  type ContributionCounts,
  type ContributionStatus,
  contributionCountsSchema,
  contributionStatusSchema,
  evidenceAnswerSchema,
  type JobStatus,
  jobResultSchema,
  jobStatusSchema,
  type PlanAnswer,
  type PresentedConditions,
  planAnswerSchema,
  type ReceiptBundleAnswer,
  receiptBundleSchema,
  refusalAnswerSchema,
  type ServedPoolAnswer,
  servedPoolsSchema,
} from './node-api/messages.js'
export { type NodeApi, type NodeApiOptions, nodeApi } from './node-api/node-api.js'
export { type AnswerSchema, ShapeProblem } from './node-api/shape.js'
export type { PoolClient } from './pool-client.js'
export type { RecordedRelease } from './result/home-checks.js'
export { type JobHomes, readJobHomes } from './result/job-homes.js'
export { type JobOutcome, readJobOutcome } from './result/job-outcome.js'
export { type OpenedResult, openResult } from './result/open-result.js'
export { type JobReceiptVerdict, verifyJobReceipt } from './result/verify-job-receipt.js'
export * from './store/index.js'
export { type ChainFacts, readChainFacts } from './verify/chain-facts.js'
export type { GpuJudge, JudgedGpus, ShownGpus } from './verify/gpu-judge.js'
export type { LogAnswer, MeasurementLog } from './verify/measurement-log.js'
export type { SummaryLine } from './verify/readiness-summary.js'
export {
  type KeyedPoolAnswer,
  type Readiness,
  type VerifiedPool,
  verifyPool,
} from './verify/verified-pool.js'

/**
 * An app's view of one pool.
 *
 * @param options - chain, contracts, policy, node and store
 * @returns the client
 * @throws ClientError `OPTION_INVALID`
 * @example
 * ```ts no-run
 * const client = createPoolClient({ chain, deployment, pool, policy, nodeUrl, blobStore })
 * const { ok, checks } = await client.ready()
 * if (!ok) throw new Error(checks.filter(({ result }) => result !== 'pass').map(({ title }) => title).join('; '))
 * const prepared = await client.prepareContribution(account, input)
 * ```
 */
export function createPoolClient(options: PoolClientOptions): PoolClient {
  return poolClient(options, portsOf(options))
}

/**
 * The contributor's part of {@link createPoolClient}, for pages that do nothing else: verify, contribute, withdraw, claim.
 *
 * @param options - chain, contracts, policy, node and store
 * @returns the client
 * @throws ClientError `OPTION_INVALID`
 */
export function createContributor(options: PoolClientOptions): Contributor {
  const { verified: _inside, ...client } = contributor(options, portsOf(options))
  return client
}

function portsOf(options: PoolClientOptions): PoolClientPorts {
  return {
    nodeApi,
    random: options.random ?? platformRandom,
    now: options.now ?? platformNow,
    wait: platformWait,
  }
}
