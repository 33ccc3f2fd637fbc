/**
 * Wires the node and keeps it going.
 * @module
 */
import type { Address, Digest, KeySet } from '@sealpool/crypto'
import { createDuckDbEngine } from '@sealpool/query/duckdb'
import type { JobRuntime } from '@sealpool/sandbox'
import { createProcessRuntime } from '@sealpool/sandbox/process'
import { openAuthentication } from '../api/authentication.js'
import { nodeApi } from '../api/node-api.js'
import { serveApi } from '../api/serve-api.js'
import { backupSocket, serveBackups } from '../backup/backup-socket.js'
import { backupSource } from '../backup/backup-source.js'
import { takeBackup } from '../backup/take-backup.js'
import { requireRestored } from '../backup/unfinished-restore.js'
import { openBlobStore } from '../blob-store/open-blob-store.js'
import { openContractsChain } from '../chain/contracts-chain.js'
import { tablesFolder } from '../config/data-folders.js'
import { configDigest, type NodeConfig } from '../config/node-config.js'
import type { NodeSecrets } from '../config/secrets.js'
import type { NodeError } from '../errors.js'
import { type EvidenceSource, openEvidence } from '../evidence/node-evidence.js'
import { contentIndexes } from '../ingest/content-indexes.js'
import type { IngestContext } from '../ingest/ingest-context.js'
import type { JobContext } from '../job/job-context.js'
import { jobLock } from '../job/job-lock.js'
import { requireNotBehind } from '../job/reserve-job.js'
import { type NodeKeyRing, openKeyRing } from '../key/key-ring.js'
import { nodeSigner } from '../key/node-signer.js'
import { platformNow, platformRandom } from '../platform.js'
import { migrate } from '../state/migration.js'
import { storedLedger, verifyLedgers } from '../state/pglite-ledger.js'
import { anyRevoked, revoke } from '../state/revocation-table.js'
import { openSealedStore } from '../state/sealed-store.js'
import type { StateStore } from '../state/state-store.js'
import { openWorkingDatabase } from '../state/working-template.js'
import { type NodeLogger, nodeLogger } from './logger.js'
import { startNodeWork } from './node-work.js'
import { openPlatform } from './open-platform.js'
import { openRecords } from './open-records.js'
import { openState } from './open-state.js'
import { partFolder } from './part-folder.js'
import { nodeIdentity, requireSameNode } from './same-node.js'
import { servePools } from './serve-pools.js'

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
}

/**
 * Starts a node in this process.
 * @param config - checked settings
 * @param secrets - checked secrets
 * @param options - `log`: where log lines go; default {@link nodeLogger} at level `info`
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
  const phase = phases()
  for (const folder of new Set([config.dataDirectory, tablesFolder(config)])) requireRestored(folder)
  const { quotes, keyRelease } = openPlatform(config)
  const keys = openKeyRing(await keyRelease.release(), configDigest(config))
  const { deployment } = config.chain
  phase('keys')
  // Before the node leads its group, so that a standby has it ready when its time comes.
  const opening = openWorkingDatabase({
    directory: config.dataDirectory,
    key: keys.templateSecret(deployment),
  })
  const working = opening.then(({ store }) => store)
  let empty: Promise<Uint8Array<ArrayBuffer> | undefined> | undefined = opening.then((opened) => opened.empty)
  for (const one of [working, empty]) one.catch(() => undefined)
  const closeWorking = async () => (await working).close()
  closers.push(closeWorking)
  // The first start makes one empty database for both.
  const { store: durable, lost } = await openState(config, secrets, log, async () => empty)
  // 40 MB that nobody needs again.
  empty = undefined
  const closeDurable = () => durable.close()
  closers.push(closeDurable)
  phase('lead')
  const backups = backupSource(config, keys)
  const store = await openSealedStore({
    durable,
    openWorking: () => working,
    cipherOf: backups.cipherOf,
    random: platformRandom,
  })
  // It closes both from here on.
  closers.splice(0, closers.length, () => store.close())
  await migrate(store)
  await verifyLedgers(store)
  phase('state')
  await requireSameNode(store, nodeIdentity(keys, deployment))
  const evidence = await openEvidence({ provider: quotes, keys, store })
  const simulated = evidence.simulated || keyRelease.simulated

  const chain = await openContractsChain({
    rpcUrl: config.chain.rpcUrl,
    crossCheckRpcUrl: config.chain.crossCheckRpcUrl,
    anchors: config.chain.anchors,
    maximumAgeSeconds: config.chain.maximumHeadAgeSeconds,
    maximumLagBlocks: config.chain.maximumLagBlocks,
    timeoutMs: config.chain.timeoutMs,
    now: platformNow,
    deployment: { ...deployment, blockNumber: BigInt(deployment.blockNumber) },
    confirmations: config.chain.confirmations,
    pollMs: config.chain.pollMs,
    transactionKey: secrets.transactionKey,
  })
  const pools = await servePools(chain, config.pools)
  const ledger = storedLedger(store)
  for (const pool of pools.values()) {
    await ledger.open(pool.address, pool.policy.privacy)
    // An old disk image is recognised before anything is served.
    await requireNotBehind({ store, chain }, pool.address)
  }

  phase('chain')
  const runtime = await createProcessRuntime({ isolation: config.sandbox.isolation })
  closers.push(() => runtime.close())
  const contexts = contextsOf(config, secrets, { store, chain, keys, evidence, pools, runtime }, log)
  const records = await openRecords({ config, store, keys, sign: contexts.ingest.sign, simulated, log })
  closers.push(() => records.close())
  const work = startNodeWork({ ...contexts, config, log, simulated, records })
  closers.push(() => work.stop())

  const socket = config.state.kind === 'pglite' ? backupSocket(config.dataDirectory) : undefined
  if (socket !== undefined) {
    const take = () => durable.transaction((tx) => takeBackup(tx, backups))
    closers.push(await serveBackups({ path: socket, take, log }))
  }
  const { host, port, maximumConnections, calls, costlyCalls } = config.api
  let publicUrl = config.api.publicUrl
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
  const app = nodeApi(
    work.service,
    (error) => log.error({ err: error }, 'an API call failed'),
    { calls, costly: costlyCalls },
    () => performance.now(),
    { authentication, origins: config.api.origins },
  )
  const api = await serveApi({ app, host, port, maximumConnections })
  publicUrl ??= api.url
  closers.push(() => api.close())
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
    isolation: isolationOf(runtime),
    failed: lost,
    stop: close,
  }
}

function contextsOf(
  config: NodeConfig,
  secrets: NodeSecrets,
  parts: {
    readonly store: StateStore
    readonly chain: IngestContext['chain']
    readonly keys: NodeKeyRing
    readonly evidence: EvidenceSource
    readonly pools: JobContext['pools']
    readonly runtime: JobRuntime
  },
  log: NodeLogger,
): { readonly ingest: IngestContext; readonly job: JobContext } {
  const { store, chain, keys, runtime } = parts
  const sign = nodeSigner({
    statementKey: keys.statementKey,
    chainId: chain.chainId,
    registry: chain.registry.toLowerCase() as Address,
  })
  const shared = {
    store,
    chain,
    keys,
    sign,
    blobStore: openBlobStore(config, secrets),
    parts: partFolder(tablesFolder(config)),
    now: platformNow,
  }
  return {
    ingest: {
      ...shared,
      runtime,
      contents: contentIndexes(),
      limits: { proof: config.sandbox.proof, refiner: config.sandbox.refiner },
      settings: config.ingest,
    },
    job: {
      ...shared,
      lock: jobLock(),
      evidence: parts.evidence,
      pools: parts.pools,
      openEngine: ({ pseudonymKey }) =>
        createDuckDbEngine({
          pseudonymKey,
          memoryLimit: `${Math.floor(config.engine.memoryBytes / 1_000_000)}MB`,
          timeoutMs: config.engine.timeoutMs,
        }),
      isolation: isolationOf(runtime),
      keepAlive: everyNowAndThen(config.chain.heartbeatSeconds * 1000, log),
      random: platformRandom,
    },
  }
}

/** @returns notes how long each part of the start took, and gives all of them */
function phases(): (name: string) => Readonly<Record<string, number>> {
  const taken: Record<string, number> = {}
  let since = performance.now()
  return (name) => {
    const now = performance.now()
    taken[name] = Math.round(now - since)
    since = now
    return taken
  }
}

/** Whether the settings ask for anything that only stands in for hardware; the log says so from its first line. */
function isSimulated({ evidence, keyRelease }: NodeConfig): boolean {
  return evidence.provider === 'simulator' || ['development', 'sealed'].includes(keyRelease.adapter)
}

/** Repeats work on a timer. One that fails is logged and comes again; a silent hour would cost the node the job. */
function everyNowAndThen(intervalMs: number, log: NodeLogger): JobContext['keepAlive'] {
  return (beat) => {
    const timer = setInterval(() => {
      beat().catch((error: unknown) => log.warn({ err: error }, 'a sign of life was not sent'))
    }, intervalMs)
    return () => clearInterval(timer)
  }
}

/**
 * What stands between the node and each kind of foreign code, in words for receipts. The built-in computations are the
 * node's own code, measured with it, and run in its process.
 */
function isolationOf(runtime: JobRuntime): string {
  return `proofs and refiners: ${runtime.isolation}; SQL engine: process; built-in computations: none`
}
