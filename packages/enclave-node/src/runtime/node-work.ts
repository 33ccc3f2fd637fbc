/**
 * What a node does all the time: follow the chain, ingest, run jobs; and what it can say about itself.
 * @module
 */
import { setTimeout } from 'node:timers/promises'
import type { Address, JsonValue } from '@sealpool/crypto'
import type { HeadPeers } from '../anchor/head-peers.js'
import type { NodeService } from '../api/node-service.js'
import type { NodeCatalogue } from '../catalogue/node-catalogue.js'
import { type FollowStep, followChain } from '../chain/follow-chain.js'
import { inOrder } from '../chain/in-order.js'
import type { NodeConfig } from '../config/node-config.js'
import { readFacts } from '../facts/read-facts.js'
import { readHomesWord } from '../federation/homes-word.js'
import { tidyShares } from '../federation/kept-share.js'
import type { ShareServer } from '../federation/serve-share.js'
import { readWorkOf, readWorksOf } from '../hand-off/kept-hand-off.js'
import type { HandOffServer } from '../hand-off/serve-hand-off.js'
import { handOffTidier } from '../hand-off/tidy-hand-offs.js'
import type { NodeIncident } from '../incident/node-incident.js'
import { sumOfEach } from '../ingest/each.js'
import { eraseWithdrawn } from '../ingest/erase-withdrawn.js'
import type { IngestContext } from '../ingest/ingest-context.js'
import { recordMerkleVerdicts } from '../ingest/merkle-verdicts.js'
import { recordVerdicts } from '../ingest/record-verdicts.js'
import { recordRefinements } from '../ingest/refine-batch.js'
import { settleWrites } from '../ingest/settle-writes.js'
import type { JobContext } from '../job/job-context.js'
import { manifestOf } from '../job/load-manifest.js'
import { previewPlan, previewPrice, requestRun } from '../job/request-run.js'
import { keysMoved as keysMovedError, noteListed, placeOfKeys } from '../migration/moved-keys.js'
import { garbageCollector } from '../retention/garbage-collector.js'
import { countContributions, findContribution } from '../state/contribution-table.js'
import { readJobLineage } from '../state/job-lineage.js'
import { countJobs, findJob, openProposals } from '../state/job-table.js'
import { pacedCounts } from '../state/paced-counts.js'
import { storedLedger } from '../state/pglite-ledger.js'
import { rescoredVerdicts, rescoringStatements } from '../state/rescoring-table.js'
import { readVerdictLists } from '../state/verdict-list-table.js'
import { findVerdict } from '../state/verdict-table.js'
import { attemptJob } from './attempt-job.js'
import { factsRounds } from './facts-round.js'
import { jobRounds } from './job-rounds.js'
import type { NodeLogger } from './logger.js'
import { startLoop } from './loop.js'
import { notReady } from './not-ready.js'
import { openCredentialDesk } from './open-credential-desk.js'
import type { NodeRecords } from './open-records.js'
import { poolIngest } from './pool-ingest.js'
import { ensurePoolKey, type PublishedPoolKey } from './pool-keys.js'
import { signsOfLife } from './signs-of-life.js'

/** Running work. */
export interface NodeWork {
  readonly service: NodeService
  /** Ends all work for good, because the keys go elsewhere; it resolves when the present step is done and nothing is signed any more. */
  endWork(): Promise<void>
  /** Whether jobs may be worked on: the keys are its own, it is listed, nothing is stopped, and the chain was read to its head. */
  mayWork(): boolean
  /** A place among the jobs that run at once, for another home's job; undefined when all are taken. */
  place(): (() => void) | undefined
  /** Whether {@link endWork} has resolved, now or before a restart. */
  ended(): boolean
  stop(): Promise<void>
  /** Rounds of ingest, jobs and jobs of other nodes that are under way. */
  underWay(): number
}

/** What work needs. */
export interface NodeWorkOptions {
  readonly ingest: IngestContext
  readonly job: JobContext
  readonly config: NodeConfig
  readonly log: NodeLogger
  readonly simulated: boolean
  readonly records: Pick<NodeRecords, 'audit' | 'log' | 'readAudit'>
  /** Jobs that this node runs for others. */
  readonly served?: HandOffServer | undefined
  /** Shares of jobs that other homes coordinate. */
  readonly shares?: ShareServer | undefined
  readonly catalogue: NodeCatalogue
  readonly incident: Pick<NodeIncident, 'current' | 'firstEpoch' | 'reasons'>
  /** Nodes that remember how far this one has come; absent: the settings name none. */
  readonly heads?: Pick<HeadPeers, 'confirmed' | 'reasons' | 'notes'> | undefined
  /** It has handed its keys over and waits until its successor is listed: nothing is begun. */
  readonly keysMoved?: boolean
}

/** Milliseconds that a round of ingest waits for hand-offs to be ended elsewhere. */
const tidyMs = 10_000

/** Starts the loops. */
export function startNodeWork(options: NodeWorkOptions): NodeWork {
  const { ingest, job, config, log, simulated, incident, heads } = options
  const { store, chain, keys } = ingest
  const poolKeys = new Map<Address, PublishedPoolKey>()
  /** Pools whose key stands on the chain; the API knows a key from the moment that it is sent. */
  const published = new Set<Address>()
  const poolReasons = new Map<Address, string>()
  const following = inOrder()
  let registered = false
  let handedOver = options.keysMoved ?? false
  let ended = handedOver
  /** As the newest block says it: a reorganisation may take it back. */
  let successorListed = false
  const keysMoved = (): boolean => handedOver || successorListed
  /** On an older state than others have seen nothing is begun. */
  const confirmed = (): boolean => heads?.confirmed() ?? true
  let caughtUp = false
  let ingesting = 0
  let settledUpTo: string | undefined

  const follow = (): Promise<FollowStep> =>
    following(async () => {
      const step = await followChain({
        store,
        chain,
        pools: new Set(job.pools.keys()),
        ...(job.federation === undefined ? {} : { others: new Set(job.federation.pools.keys()) }),
        self: keys.statementAddress,
        firstBlock: BigInt(config.chain.deployment.blockNumber),
        blocksPerRead: config.chain.blocksPerRead,
      })
      if (step.contributions > 0 || step.jobs > 0) log.info(step, 'read the chain')
      if (step.undone > 0) {
        caughtUp = false
        log.warn(step, 'the chain was reorganised: what the lost blocks said is undone')
      } else if (step.atHead) caughtUp = true
      return step
    })
  const isNews = ({ blocks, undone }: FollowStep): boolean => blocks > 0 || undone > 0

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
      const ring = { store, chain, keys, sign: ingest.sign }
      const state = await ensurePoolKey(ring, pool, incident.firstEpoch(pool.address), (key) => {
        published.delete(pool.address)
        poolKeys.set(pool.address, key)
      })
      if (state.kind === 'published') {
        published.add(pool.address)
        poolKeys.set(pool.address, state.key)
        poolReasons.delete(pool.address)
        if (state.fresh) log.info({ pool: pool.name, epoch: state.key.epoch }, 'published the pool key')
      } else {
        published.delete(pool.address)
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

  /** Whether the registry lists this very node; when it lists a successor, this one ends. */
  const standing = async (): Promise<boolean> => {
    const record = await chain.node(keys.statementAddress)
    const active = record?.active === true && record.keySetDigest === keys.keySetDigest
    if (active && !registered) await noteListed(store, keys.keySetDigest)
    const { measurement } = job.evidence
    const own = { keySetDigest: keys.keySetDigest, measurement, record }
    const gone = !active && record !== null && (await placeOfKeys(store, own)) === 'gone'
    if (gone && !successorListed)
      log.error({ err: keysMovedError() }, 'the registry lists a successor of this node')
    successorListed = gone
    return active
  }

  const tidier = handOffTidier({
    context: job,
    enough: () => setTimeout(tidyMs, undefined, { ref: false }),
    onError: (id, error) => log.warn({ err: error, job: id }, 'a hand-off was not ended; it is tried again'),
  })

  const collector = garbageCollector({
    ingest,
    pools: job.pools,
    retention: config.retention,
    onError: ({ object }, error) => log.warn({ err: error, object }, 'not deleted; it is tried again'),
  })

  const countedIngest = async (): Promise<boolean> => {
    // One that only reads the chain is no work.
    ingesting = incident.current()?.stopped === true ? 0 : 1
    return ingestRound().finally(() => {
      ingesting = 0
    })
  }

  const ingestRound = async (): Promise<boolean> => {
    if (handedOver) return false
    const active = await standing()
    if (successorListed) return false
    if (active !== registered)
      log.info({ registered: active }, active ? 'registered' : 'waiting for registration')
    registered = active
    if (!confirmed()) return false
    const step = await follow()
    const read = isNews(step)
    // After a reorganisation nothing is sent before the chain was read to its head again, nor while blocks move so fast that nothing can be read.
    if (!caughtUp) return read
    if (!registered) return false
    if (published.size < job.pools.size || read || keysGivenUp()) await publishKeys()
    // What came during the step waits for the next poll: a fast chain would leave the loop no rest.
    const more = read && !step.atHead
    if (incident.current()?.stopped === true) return more
    // What cannot be sent, and what is wrong with one pool, must not hold up the rest.
    const done = await sumOfEach(
      [
        settle,
        () => recordVerdicts(ingest),
        () => recordMerkleVerdicts(ingest),
        () => recordRefinements(ingest),
        async () => {
          // Copies that another node has go before an erasure is signed.
          await tidier.tidy()
          if (job.federation !== undefined) await tidyShares(store)
          return eraseWithdrawn(ingest, job.pools)
        },
        collector.collect,
        ...[...job.pools.values()]
          .filter(({ address }) => published.has(address))
          .map((pool) => () => pooling.step(pool)),
      ],
      (step) => step(),
    )
    return done > 0 || more
  }

  /** An incident has given up a key that this node has not followed by another yet. */
  const keysGivenUp = (): boolean =>
    [...poolKeys].some(([pool, { epoch }]) => epoch < incident.firstEpoch(pool))

  const pooling = poolIngest({
    ingest,
    audit: options.records.audit,
    log,
    firstEpoch: incident.firstEpoch,
    presentEpoch: (pool) => poolKeys.get(pool)?.epoch ?? 0,
    onSwitched: collector.wake,
  })

  // Before the chain was read to its head, a charge that this disk has forgotten could not be noticed.
  const mayWork = (): boolean =>
    !keysMoved() && registered && caughtUp && confirmed() && incident.current()?.stopped !== true

  const running = jobRounds({
    job,
    engine: config.engine,
    mayWork,
    work: (id) => attemptJob({ job, id, log, now: ingest.now }),
    freed: () => loops.jobs.wake(),
  })

  const living = signsOfLife({
    job,
    seconds: config.chain.heartbeatSeconds,
    mayWork,
    onError: (id, error) => log.warn({ err: error, job: id }, 'a sign of life was not sent'),
  })

  const telling = factsRounds({ job, audit: options.records.audit, log, mayWork })
  const factsRound = (): Promise<boolean> =>
    telling.round([...job.pools.values()].filter(({ address }) => published.has(address)))

  /** What is over is destroyed whether anybody asks or not. */
  const sweep = async (): Promise<boolean> => {
    await options.served?.sweep()
    return false
  }
  const loops = {
    ingest: startLoop({ name: 'ingest', pollMs: config.chain.pollMs, log, round: countedIngest }),
    jobs: startLoop({ name: 'jobs', pollMs: config.chain.pollMs, log, round: running.round }),
    life: startLoop({ name: 'life', pollMs: config.chain.pollMs, log, round: living }),
    ...([...job.pools.values()].every(({ facts }) => facts === null)
      ? {}
      : { facts: startLoop({ name: 'facts', pollMs: 10 * config.chain.pollMs, log, round: factsRound }) }),
    ...(options.served === undefined
      ? {}
      : { served: startLoop({ name: 'served', pollMs: config.chain.pollMs, log, round: sweep }) }),
  }

  // As it was given: the digest on the chain is over this text.
  const policyOf = (pool: Address): JsonValue | undefined =>
    [...config.pools, ...(config.federation?.pools ?? [])].find(({ address }) => address === pool)?.policy
  const service: NodeService = {
    simulated,
    evidence: (nonce, asked) =>
      nonce === undefined ? job.evidence.registered() : job.evidence.fresh(nonce, asked),
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
    catalogue: options.catalogue,
    contribution: (id) => findContribution(store, id),
    verdict: (id) => findVerdict(store, id),
    contributions: pacedCounts({
      count: (pool) => countContributions(store, pool),
      now: () => performance.now(),
    }),
    facts: (pool) => readFacts(store, pool),
    rescorings: (pool, from) => rescoringStatements(store, pool, from),
    rescoredVerdicts: (id) => rescoredVerdicts(store, id),
    credentials: openCredentialDesk(job),
    plan: (manifest, signal) => previewPlan(job, manifest, signal),
    price: (manifest, signal) => previewPrice(job, manifest, signal),
    proposals: (asked) => openProposals(store, asked),
    manifest: (row) => manifestOf(job, row),
    log: options.records.log,
    audit: (from) => options.records.readAudit(from),
    deletions: collector.read,
    async run(id) {
      let step: FollowStep
      do step = await follow()
      while (isNews(step) && !step.atHead)
      const row = await requestRun(job, id)
      loops.jobs.wake()
      return row
    },
    job: (id) => findJob(store, id),
    verdicts: ({ inputs }) => readVerdictLists(store, inputs ?? {}),
    lineage: (reservation, from) => readJobLineage(store, reservation, from),
    work: (id) => readWorkOf(store, id),
    works: (id) => readWorksOf(store, id),
    handOff: options.served,
    shares: (id) => readHomesWord(store, id),
    shareServer: options.shares,
    jobs: () => countJobs(store),
    budgets: () =>
      Promise.all(
        [...job.pools.keys()].map(async (pool) => {
          const { state } = await storedLedger(store).head(pool)
          return { pool, ...state }
        }),
      ),
    keysMoved,
    unconfirmed: () => !confirmed(),
    notes: () => heads?.notes() ?? [],
    notReady: () =>
      keysMoved()
        ? ['KEYS_MOVED: this node has handed its keys to a successor']
        : notReady({
            registered,
            reasons: [...(heads?.reasons() ?? []), ...incident.reasons(), ...poolReasons.values()],
            differing: pooling.differing(),
            unpublished: poolReasons.size === 0 && published.size < job.pools.size,
            loops,
          }),
    figures: () => ({
      process_resident_bytes: process.memoryUsage.rss(),
      process_uptime_seconds: Math.floor(process.uptime()),
      verdicts_differing: pooling.differing(),
      ...collector.figures(),
      ...job.live?.figures(),
      ...options.served?.figures(),
    }),
  }
  const stop = async (): Promise<void> => {
    // They may have an hour to go: the next start ends their jobs (`program/one-process`).
    await job.programs?.stop()
    await Promise.all(Object.values(loops).map((loop) => loop.stop()))
    await running.ended()
    await tidier.ended()
  }
  return {
    service,
    async endWork() {
      handedOver = true
      await Promise.all([stop(), options.served?.close()])
      ended = true
    },
    mayWork,
    place: running.place,
    ended: () => ended,
    stop,
    underWay: () =>
      ingesting +
      telling.underWay() +
      running.underWay() +
      (options.served?.figures()['hand_offs_open'] ?? 0),
  }
}
