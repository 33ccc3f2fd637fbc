/**
 * What a node does all the time: follow the chain, ingest, run jobs; and what it can say about itself.
 * @module
 */
import type { Address, JsonValue } from '@sealpool/crypto'
import type { NodeService } from '../api/node-service.js'
import { followChain } from '../chain/follow-chain.js'
import { inOrder } from '../chain/in-order.js'
import type { NodeConfig } from '../config/node-config.js'
import { sumOfEach } from '../ingest/each.js'
import { eraseWithdrawn } from '../ingest/erase-withdrawn.js'
import type { IngestContext } from '../ingest/ingest-context.js'
import { judgeBatch } from '../ingest/judge-batch.js'
import { recordMerkleVerdicts, signMerkleVerdicts } from '../ingest/merkle-verdicts.js'
import { recordVerdicts } from '../ingest/record-verdicts.js'
import { recordRefinements, refineNext } from '../ingest/refine-batch.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { settleWrites } from '../ingest/settle-writes.js'
import type { JobContext } from '../job/job-context.js'
import { loadManifest } from '../job/load-manifest.js'
import { previewPlan, previewPrice, requestRun } from '../job/request-run.js'
import { requireNotBehind } from '../job/reserve-job.js'
import { advanceJob } from '../job/run-job.js'
import { countContributions, findContribution } from '../state/contribution-table.js'
import { countJobs, delayJob, findJob, jobsIn, openProposals } from '../state/job-table.js'
import { storedLedger } from '../state/pglite-ledger.js'
import { findVerdict } from '../state/verdict-table.js'
import { errorFields, type NodeLogger } from './logger.js'
import { startLoop } from './loop.js'
import type { NodeRecords } from './open-records.js'
import { ensurePoolKey, type PublishedPoolKey } from './pool-keys.js'

/** Running work. */
export interface NodeWork {
  readonly service: NodeService
  stop(): Promise<void>
}

/** What work needs. */
export interface NodeWorkOptions {
  readonly ingest: IngestContext
  readonly job: JobContext
  readonly config: NodeConfig
  readonly log: NodeLogger
  readonly simulated: boolean
  readonly records: Pick<NodeRecords, 'log' | 'readAudit'>
}

/** Starts the loops. */
export function startNodeWork(options: NodeWorkOptions): NodeWork {
  const { ingest, job, config, log, simulated } = options
  const { store, chain, keys } = ingest
  const poolKeys = new Map<Address, PublishedPoolKey>()
  const poolReasons = new Map<Address, string>()
  const following = inOrder()
  let registered = false
  let caughtUp = false
  let settledUpTo: string | undefined

  const follow = (): Promise<boolean> =>
    following(async () => {
      const step = await followChain({
        store,
        chain,
        pools: new Set(job.pools.keys()),
        self: keys.statementAddress,
        firstBlock: BigInt(config.chain.deployment.blockNumber),
        blocksPerRead: config.chain.blocksPerRead,
      })
      if (step.contributions > 0 || step.jobs > 0) log.info(step, 'read the chain')
      if (step.undone > 0) {
        caughtUp = false
        log.warn(step, 'the chain was reorganised: what the lost blocks said is undone')
      } else if (step.blocks === 0) caughtUp = true
      return step.blocks > 0 || step.undone > 0
    })

  /** Looks for what was sent, unless everything up to the last block that was read is settled. */
  const settle = (): Promise<number> =>
    following(async () => {
      const { lost, upTo } = await settleWrites(ingest, settledUpTo)
      settledUpTo = upTo
      if (lost > 0) log.warn({ lost }, 'a reorganisation took away what this node had sent: it is sent again')
      return lost
    })

  const publishKeys = async (): Promise<void> => {
    for (const pool of job.pools.values()) {
      const state = await ensurePoolKey({ store, chain, keys, sign: ingest.sign }, pool, (key) =>
        poolKeys.set(pool.address, key),
      )
      if (state.kind === 'published') {
        poolKeys.set(pool.address, state.key)
        poolReasons.delete(pool.address)
        if (state.fresh) log.info({ pool: pool.name, epoch: state.key.epoch }, 'published the pool key')
      } else {
        poolKeys.delete(pool.address)
        poolReasons.set(
          pool.address,
          state.kind === 'policy-changed'
            ? `pool ${pool.name} has another policy on the chain than in the settings`
            : `the key of pool ${pool.name} belongs to another node`,
        )
      }
    }
  }

  const ingestRound = async (): Promise<boolean> => {
    const active = await chain.isNodeActive(keys.statementAddress)
    if (active !== registered)
      log.info({ registered: active }, active ? 'registered' : 'waiting for registration')
    registered = active
    const read = await follow()
    // After a reorganisation nothing is sent before the chain was read to its head again.
    if (read && !caughtUp) return true
    if (!registered) return false
    if (poolKeys.size < job.pools.size || read) await publishKeys()
    // What cannot be sent, and what is wrong with one pool, must not hold up the rest.
    const done = await sumOfEach(
      [
        settle,
        () => recordVerdicts(ingest),
        () => recordMerkleVerdicts(ingest),
        () => recordRefinements(ingest),
        () => eraseWithdrawn(ingest, job.pools),
        ...[...job.pools.values()]
          .filter(({ address }) => poolKeys.has(address))
          .map((pool) => () => ingestPool(pool)),
      ],
      (step) => step(),
    )
    return done > 0 || read
  }

  const ingestPool = async (pool: ServedPool): Promise<number> => {
    const judged = await judgeBatch(ingest, pool)
    if (judged > 0) await recordVerdicts(ingest)
    if ((await signMerkleVerdicts(ingest, pool)) > 0) await recordMerkleVerdicts(ingest)
    // Refined in few large parts: when nothing more is waiting to be judged.
    const refined = judged === 0 ? await refineNext(ingest, pool) : 0
    if (refined > 0) await recordRefinements(ingest)
    if (judged > 0 || refined > 0) log.info({ pool: pool.name, judged, refined }, 'ingested')
    return judged + refined
  }

  const jobRound = async (): Promise<boolean> => {
    // Before the chain was read to its head, a charge that this disk has forgotten could not be noticed.
    if (!registered || !caughtUp) return false
    for (const pool of job.pools.keys()) await requireNotBehind(job, pool)
    const states = ['waiting', 'running', 'charged', 'released', 'refusing'] as const
    let moved = false
    for (const { id, state, attempts } of await jobsIn(store, states, ingest.now())) {
      try {
        const after = await advanceJob(job, id)
        moved ||= after?.state !== state
        log.info({ job: id, from: state, to: after?.state, reason: after?.reason ?? undefined }, 'job moved')
      } catch (error) {
        // One job that fails must not hold up the others; it is tried again where it stands.
        log.error({ err: error, job: id }, 'job failed')
        await delayJob(store, id, {
          reason: 'TRIED_AGAIN',
          reasonText: 'the last attempt failed; it is tried again',
          at: ingest.now() + Math.min(2 ** Math.min(attempts, 8), 300),
        })
      }
    }
    return moved
  }

  const loops = {
    ingest: startLoop({ name: 'ingest', pollMs: config.chain.pollMs, log, round: ingestRound }),
    jobs: startLoop({ name: 'jobs', pollMs: config.chain.pollMs, log, round: jobRound }),
  }
  const catchUp = async (): Promise<void> => {
    while (await follow());
  }

  // As it was given: the digest on the chain is over this text.
  const policyOf = (pool: Address): JsonValue | undefined =>
    config.pools.find(({ address }) => address === pool)?.policy
  const service: NodeService = {
    simulated,
    evidence: (nonce) => (nonce === undefined ? job.evidence.registered() : job.evidence.fresh(nonce)),
    registeredEvidence: () => job.evidence.registered(),
    pools: () =>
      [...job.pools.values()].map((pool) => ({
        pool: pool.address,
        name: pool.name,
        policyDigest: pool.policyDigest,
        policy: policyOf(pool.address) ?? null,
        key: poolKeys.get(pool.address) ?? null,
      })),
    policy: policyOf,
    contribution: (id) => findContribution(store, id),
    verdict: (id) => findVerdict(store, id),
    contributions: (pool) => countContributions(store, pool),
    plan: (manifest) => previewPlan(job, manifest),
    price: (manifest) => previewPrice(job, manifest),
    proposals: (asked) => openProposals(store, asked),
    async manifest(row) {
      if (row.manifest !== null) return row.manifest
      try {
        return (await loadManifest(job, row)) as unknown as JsonValue
      } catch {
        // Its proposer decides where it lies, and whether it can be had.
        return null
      }
    },
    log: options.records.log,
    audit: (from) => options.records.readAudit(from),
    async run(id) {
      await catchUp()
      const row = await requestRun(job, id)
      loops.jobs.wake()
      return row
    },
    job: (id) => findJob(store, id),
    jobs: () => countJobs(store),
    budgets: () =>
      Promise.all(
        [...job.pools.keys()].map(async (pool) => {
          const { state } = await storedLedger(store).head(pool)
          return { pool, ...state }
        }),
      ),
    notReady() {
      const reasons = registered ? [] : ['the node is not registered on the chain']
      reasons.push(...poolReasons.values())
      if (registered && poolReasons.size === 0 && poolKeys.size < job.pools.size) {
        reasons.push('the pool keys are not on the chain yet')
      }
      for (const [name, loop] of Object.entries(loops)) {
        const error = loop.lastError()
        if (error !== undefined)
          reasons.push(`${name}: the last round failed (${errorFields(error)['code'] ?? 'see the log'})`)
      }
      return reasons
    },
    figures: () => ({
      process_resident_bytes: process.memoryUsage.rss(),
      process_uptime_seconds: Math.floor(process.uptime()),
    }),
  }
  return {
    service,
    async stop() {
      await Promise.all([loops.ingest.stop(), loops.jobs.stop()])
    },
  }
}
