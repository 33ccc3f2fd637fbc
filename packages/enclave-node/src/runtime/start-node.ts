/**
 * Wires the node and keeps it going.
 * @module
 */
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Address, Digest, KeySet } from '@sealpool/crypto'
import { createProcessRuntime } from '@sealpool/sandbox/process'
import { openAuthentication } from '../api/authentication.js'
import { keyBrokerPath } from '../api/key-broker-api.js'
import { nodeApi } from '../api/node-api.js'
import { serveApi } from '../api/serve-api.js'
import { backupSocket, serveBackups } from '../backup/backup-socket.js'
import { backupSource } from '../backup/backup-source.js'
import { takeBackup } from '../backup/take-backup.js'
import { requireRestored } from '../backup/unfinished-restore.js'
import type { ChainPort } from '../chain/chain-port.js'
import { configuredChain } from '../chain/configured-chain.js'
import { liveFolder, tablesFolder } from '../config/data-folders.js'
import { configDigest, type NodeConfig } from '../config/node-config.js'
import type { NodeSecrets } from '../config/secrets.js'
import type { NodeError } from '../errors.js'
import { openEvidence } from '../evidence/node-evidence.js'
import { programWaits } from '../job/execute-program.js'
import { requireNotBehind } from '../job/reserve-job.js'
import { type NodeKeyRing, openKeyRing } from '../key/key-ring.js'
import { useFolder } from '../migration/awaiting-folder.js'
import { handOver } from '../migration/hand-over.js'
import { keysMoved, placeOfKeys } from '../migration/moved-keys.js'
import { platformNow, platformRandom } from '../platform.js'
import { openProgramRuntime } from '../program/open-program-runtime.js'
import { tryRuntimes } from '../program/programs.js'
import { migrate } from '../state/migration.js'
import { storedLedger, verifyLedgers } from '../state/pglite-ledger.js'
import { anyRevoked, revoke } from '../state/revocation-table.js'
import { openSealedStore } from '../state/sealed-store.js'
import type { StateStore } from '../state/state-store.js'
import { wakeJobs } from '../state/wake-jobs.js'
import { isSimulated } from './is-simulated.js'
import { isolationOf } from './isolation-words.js'
import { type NodeLogger, nodeLogger } from './logger.js'
import { type NodeWork, startNodeWork } from './node-work.js'
import { openHeadKeeper, openHeadPeers } from './open-anchors.js'
import { openCatalogue } from './open-catalogue.js'
import { openFederationOf } from './open-federation.js'
import { openHandOffs } from './open-hand-off.js'
import { openKeyBroker } from './open-key-broker.js'
import { openPlatform } from './open-platform.js'
import { openRecords } from './open-records.js'
import { openReplicas } from './open-replicas.js'
import { openState } from './open-state.js'
import { openTrace } from './open-trace.js'
import { openValidation } from './open-validation.js'
import { openWorkingMemory } from './open-working.js'
import { nodeIdentity, requireSameNode } from './same-node.js'
import { servePools } from './serve-pools.js'
import { startPhases } from './start-phases.js'
import { takeOrders } from './take-orders.js'
import { workContexts } from './work-contexts.js'

/** A node that runs. */
export interface RunningNode {
  /** Where its API listens. */
  readonly url: string
  readonly simulated: boolean
  readonly keySet: KeySet
  readonly keySetDigest: Digest
  readonly quoteDigest: Digest
  /** What stands between the node and each kind of foreign code, as its receipts say it. */
  readonly isolation: string
  /** Resolves when the node cannot go on: it has lost its state. The program ends then. */
  readonly failed: Promise<NodeError>
  /** Finishes the present step, then ends everything, child processes included. */
  stop(): Promise<void>
}

/** What the program adds to the settings. */
export interface StartOptions {
  readonly log?: NodeLogger
  /** Opens what approved code runs in; absent: a child process with the isolation of the settings. */
  readonly openRuntime?: typeof createProcessRuntime
}

/** Milliseconds between two pieces of the look at stored rows: it takes about a tenth of the node's time. */
const checkPauseMs = 100
/** After so long without a proof or a refiner its process is exchanged: what it was given is in its memory no more. */
const sandboxRestMs = 2_000

/**
 * Starts a node in this process.
 * @param config - checked settings
 * @param secrets - checked secrets
 * @param options - `log`: where log lines go; default {@link nodeLogger} at level `info`; `openRuntime`: another sandbox
 * @returns the node, once its API listens; it may still wait for its registration (see `/v1/ready`)
 * @throws NodeError `STATE_...`, `KEY_UNREADABLE`, `CHAIN_...`, `CONFIG_POOL_MISMATCH`; SandboxError
 * `RUNTIME_UNAVAILABLE` when the asked isolation cannot be had; PrivacyError `LEDGER_CHAIN_BROKEN`
 */
export async function startNode(
  config: NodeConfig,
  secrets: NodeSecrets,
  options: StartOptions = {},
): Promise<RunningNode> {
  const closers: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const one of closers.reverse()) await one()
    closers.length = 0
  }
  try {
    return await start(config, secrets, options, closers, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function start(
  config: NodeConfig,
  secrets: NodeSecrets,
  options: StartOptions,
  closers: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<RunningNode> {
  const log = options.log ?? nodeLogger({ level: 'info', simulated: isSimulated(config) })
  const phase = startPhases()
  for (const folder of new Set([config.dataDirectory, tablesFolder(config)])) requireRestored(folder)
  const { quotes, keyRelease } = openPlatform(config)
  useFolder(config.dataDirectory)
  const root = await keyRelease.release()
  const keys = openKeyRing(root, configDigest(config))
  const { deployment } = config.chain
  phase('keys')
  const memory = openWorkingMemory(config, keys)
  closers.push(memory.close)
  // The first start makes one empty database for both.
  const { store: durable, lost } = await openState(config, secrets, log, memory.emptyFiles)
  memory.forgetFiles()
  const closeDurable = () => durable.close()
  closers.push(closeDurable)
  phase('lead')
  const backups = backupSource(config, keys)
  let broken: (error: NodeError) => void = () => undefined
  const stateBroken = new Promise<NodeError>((resolve) => {
    broken = resolve
  })
  const store = await openSealedStore({
    durable,
    openWorking: memory.open,
    cipherOf: backups.cipherOf,
    random: platformRandom,
    images: memory.images,
    onImageError: (error) =>
      log.warn({ err: error }, 'the memory was not kept for the next start, which takes longer'),
    checkPause: () => sleep(checkPauseMs, undefined, { ref: false }),
    onLost: broken,
  })
  const opened = store.head()
  // It closes both from here on.
  closers.splice(0, closers.length, () => store.close())
  await migrate(store)
  await verifyLedgers(store)
  phase('state')
  await requireSameNode(store, nodeIdentity(keys, deployment))
  const evidence = await openEvidence({ provider: quotes, keys, store })
  const simulated = evidence.simulated || keyRelease.simulated

  const chain = await configuredChain(config, secrets)
  const leaving = await requireKeys({ store, chain, keys, measurement: evidence.measurement })
  const pools = await servePools(chain, config.pools)
  const ledger = storedLedger(store)
  for (const pool of pools.values()) {
    await ledger.open(pool.address, pool.policy.privacy)
    // An old disk image is recognised before anything is served.
    await requireNotBehind({ store, chain }, pool.address)
  }

  phase('chain')
  const runtime = await (options.openRuntime ?? createProcessRuntime)({
    isolation: config.sandbox.isolation,
    renewAfterMs: sandboxRestMs,
  })
  closers.push(() => runtime.close())
  const programWords = await wordsOfPrograms(config)
  // Their outcomes were in memory alone, and nobody may begin them again: they end at once.
  await wakeJobs(store, programWaits)
  let begun: NodeWork | undefined
  const moved = () => begun?.ended() ?? false
  const { tracer: trace, stop: stopTrace } = openTrace(config, chain, log)
  closers.push(stopTrace)
  const parts = { store, chain, keys, evidence, pools, runtime, programWords, moved, trace }
  // Of jobs of an earlier run, whose keys went with it.
  await rm(liveFolder(config), { recursive: true, force: true })
  const contexts = workContexts(config, secrets, parts)
  const { isListed } = contexts.job
  const anchorParts = { config, chain, keys, sign: contexts.ingest.sign, simulated, store }
  const anchored = await openHeadPeers({ ...anchorParts, opened, pools, isListed, moved }, log)
  const records = await openRecords({ config, store, keys, sign: contexts.ingest.sign, simulated, log })
  closers.push(() => records.close())
  const validation = await openValidation(
    config,
    { ...contexts.ingest, pools, simulated: evidence.simulated, audit: records.audit },
    log,
    { mayWork: () => begun?.mayWork() ?? false, moved },
  )
  const ingest = { ...contexts.ingest, validation: validation.panel }
  const orders = await takeOrders({
    store,
    chain,
    audit: records.audit,
    node: keys.statementAddress,
    pools: [...pools.keys()],
    underWay: () => begun?.underWay() ?? 0,
    now: platformNow,
    directory: config.dataDirectory,
    log,
  })
  closers.push(() => orders.close())
  const incidentStopped = () => orders.incident.current()?.stopped === true
  const stopped = () => incidentStopped() || (begun?.service.keysMoved?.() ?? leaving)
  const { job: ownJob, served } = await openHandOffs(
    config,
    { ...contexts.job, stopped: incidentStopped, ...(anchored && { heads: anchored.heads }) },
    log,
    stopped,
  )
  closers.push(async () => served?.close())
  const { job, shares } = openFederationOf(config, ownJob, log, {
    mayWork: () => begun?.mayWork() ?? false,
    place: () => begun?.place(),
    audit: records.audit,
  })
  let publicUrl = config.api.publicUrl
  const catalogue = openCatalogue({
    config,
    store,
    chain,
    keys,
    sign: contexts.ingest.sign,
    pools,
    measurement: evidence.measurement,
    simulated,
    moved,
    url: () => publicUrl ?? `http://${config.api.host}:${config.api.port}`,
    log,
  })
  const work = startNodeWork({
    ingest,
    job,
    config,
    log,
    simulated,
    records,
    incident: orders.incident,
    catalogue,
    served,
    shares,
    keysMoved: leaving,
    heads: anchored?.heads,
  })
  begun = work
  closers.push(() => work.stop())
  const planned = { chain, pools: [...pools.keys(), ...(job.federation?.pools.keys() ?? [])] }
  const replicas = openReplicas(config, ingest, planned, log, () => work.mayWork())
  closers.push(() => replicas.stop())

  const socket = config.state.kind === 'pglite' ? backupSocket(config.dataDirectory) : undefined
  if (socket !== undefined) {
    const take = () => durable.transaction((tx) => takeBackup(tx, backups))
    closers.push(await serveBackups({ path: socket, take, log }))
  }
  const { host, port, maximumConnections, calls, costlyCalls } = config.api
  const authentication = openAuthentication({
    open: config.api.access === 'open',
    chainId: chain.chainId,
    publicUrl: () => publicUrl ?? `http://${host}:${port}`,
    keySet: keys.keySetDigest,
    privateKey: keys.hpkePrivateKey,
    tokenKey: keys.accessSecret(deployment),
    operators: new Set(config.api.operators),
    sessionSeconds: config.api.sessionSeconds,
    isPeer: (address) => chain.isNodeActive(address),
    isContractSignature: (...asked) => chain.isContractSignature(...asked),
    anyRevoked: (ids) => anyRevoked(store, ids),
    revoke: (id, expires) => revoke(store, id, { expires, now: platformNow() }),
    random: platformRandom,
    now: platformNow,
    audit: records.audit,
  })
  const keyHandOver = handOver({
    config,
    keys,
    root,
    measurement: evidence.measurement,
    simulated,
    store,
    chain,
    stopWork: () => work.endWork(),
    audit: records.audit,
    onRefusal: (why) => log.warn({ why }, 'the keys were not handed over'),
    random: platformRandom,
    now: platformNow,
  })
  const confirmed = () => anchored?.heads.confirmed() ?? true
  const headKeeper = await openHeadKeeper(
    { ...anchorParts, audit: records.audit, mayKeep: () => confirmed() && !moved() },
    log,
  )
  const app = nodeApi(
    {
      ...work.service,
      headKeeper,
      handOver: keyHandOver,
      validation: validation.service,
      figures: () => ({
        ...work.service.figures(),
        ...replicas.figures(),
        ...validation.figures(),
        ...anchored?.heads.figures(),
        ...headKeeper?.figures(),
      }),
    },
    (error) => log.error({ err: error }, 'an API call failed'),
    { calls, costly: costlyCalls },
    () => performance.now(),
    { authentication, origins: config.api.origins },
  )
  const broker = openKeyBroker({ config, keys, chain, simulated, audit: records.audit, log, stopped })
  const fetch: typeof app.fetch = (request, ...more) =>
    (broker !== undefined && new URL(request.url).pathname.startsWith(keyBrokerPath) ? broker : app).fetch(
      request,
      ...more,
    )
  const api = await serveApi({ app: { fetch }, host, port, maximumConnections })
  publicUrl ??= api.url
  closers.push(() => api.close())
  // Who is told attests this node first.
  const telling = anchored?.start()
  closers.push(async () => telling?.stop())
  const epochs = (pool: Address) => work.service.pools().find((one) => one.pool === pool)?.key?.epoch
  const fresh = catalogue.start(epochs)
  closers.push(() => fresh.stop())
  log.info(
    {
      url: api.url,
      keyRelease: keyRelease.name,
      quotes: quotes.name,
      isolation: runtime.isolation,
      statementKey: keys.statementAddress,
      pools: [...pools.values()].map(({ name, address }) => `${name} ${address}`),
      milliseconds: phase('rest'),
    },
    simulated ? 'node listens; SIMULATED: no hardware stands behind it' : 'node listens',
  )
  return {
    url: api.url,
    simulated,
    keySet: keys.keySet,
    keySetDigest: keys.keySetDigest,
    quoteDigest: evidence.quoteDigest,
    isolation: isolationOf(runtime, programWords),
    failed: Promise.race([lost, stateBroken, ...(anchored === undefined ? [] : [anchored.rolledBack])]),
    stop: close,
  }
}

/** @returns what is between programs and the machine; undefined where the settings name no runtime for any */
async function wordsOfPrograms({ programs, sandbox }: NodeConfig): Promise<string | undefined> {
  if (programs === null) return undefined
  return tryRuntimes({ settings: programs, isolation: sandbox.isolation, open: openProgramRuntime })
}

/**
 * @returns whether this node has handed its keys over and must do nothing but that
 * @throws NodeError `KEYS_MOVED` when the registry lists a successor
 */
async function requireKeys(options: {
  readonly store: StateStore
  readonly chain: ChainPort
  readonly keys: NodeKeyRing
  readonly measurement: string
}): Promise<boolean> {
  const { store, chain, keys, measurement } = options
  const record = await chain.node(keys.statementAddress)
  const place = await placeOfKeys(store, { keySetDigest: keys.keySetDigest, measurement, record })
  if (place === 'gone') throw keysMoved()
  return place === 'leaving'
}
