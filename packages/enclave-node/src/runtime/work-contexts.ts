/**
 * What ingest and jobs work with, made of the parts that a start has opened.
 * @module
 */
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Address } from '@sealpool/crypto'
import { createDuckDbEngine } from '@sealpool/query/duckdb'
import type { JobRuntime } from '@sealpool/sandbox'
import { openBlobStore } from '../blob-store/open-blob-store.js'
import { inOrder } from '../chain/in-order.js'
import { isListed } from '../chain/is-listed.js'
import { liveFolder, tablesFolder } from '../config/data-folders.js'
import type { NodeConfig } from '../config/node-config.js'
import type { NodeSecrets } from '../config/secrets.js'
import type { EvidenceSource } from '../evidence/node-evidence.js'
import { contentIndexes } from '../ingest/content-indexes.js'
import type { IngestContext } from '../ingest/ingest-context.js'
import type { JobContext } from '../job/job-context.js'
import { jobLock } from '../job/job-lock.js'
import { jobKeys } from '../key/job-keys.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import { nodeSigner } from '../key/node-signer.js'
import { liveTables } from '../live/live-tables.js'
import { ownCopies } from '../own-copy/own-copies.js'
import { platformNow, platformRandom } from '../platform.js'
import { openProgramRuntime } from '../program/open-program-runtime.js'
import { openPrograms } from '../program/programs.js'
import type { StateStore } from '../state/state-store.js'
import type { Tracer } from '../trace/tracer.js'
import { isolationOf } from './isolation-words.js'
import { partFolder } from './part-folder.js'

/** The contexts of ingest and of jobs; both share store, chain, keys and blobs. */
export function workContexts(
  config: NodeConfig,
  secrets: NodeSecrets,
  parts: {
    readonly store: StateStore
    readonly chain: IngestContext['chain']
    readonly keys: NodeKeyRing
    readonly evidence: EvidenceSource
    readonly pools: JobContext['pools']
    readonly runtime: JobRuntime
    /** What is between programs and the machine, in words for receipts; absent: the settings name no runtime for any. */
    readonly programWords: string | undefined
    /** True once the keys are with a successor: nothing is signed any more. */
    readonly moved: () => boolean
    readonly trace: Tracer | undefined
  },
): { readonly ingest: IngestContext; readonly job: JobContext } {
  const { store, chain, keys, runtime } = parts
  const sign = nodeSigner({
    statementKey: keys.statementKey,
    chainId: chain.chainId,
    registry: chain.registry.toLowerCase() as Address,
    moved: parts.moved,
  })
  const shared = {
    store,
    chain,
    keys,
    sign,
    blobStore: openBlobStore(config, secrets),
    ownCopies: ownCopies(config.ownCopies),
    parts: partFolder(tablesFolder(config)),
    now: platformNow,
  }
  const ofJobs = jobKeys(platformRandom)
  const limits = { proof: config.sandbox.proof, refiner: config.sandbox.refiner }
  const settings = { ...config.ingest, ownCopies: config.ownCopies }
  return {
    ingest: {
      ...shared,
      runtime,
      contents: contentIndexes(),
      limits,
      settings,
      giveWay: () => setImmediate(),
      trace: parts.trace,
    },
    job: {
      ...shared,
      isListed: () => isListed(chain, keys),
      lock: jobLock(),
      anchoring: inOrder(),
      jobKeys: ofJobs,
      evidence: parts.evidence,
      trace: parts.trace,
      pools: parts.pools,
      live: liveTables({
        ...shared,
        runtime,
        limits,
        settings,
        parts: partFolder(liveFolder(config)),
        clock: () => performance.now(),
        jobKeys: ofJobs,
      }),
      openEngine: ({ pseudonymKey }) =>
        createDuckDbEngine({
          pseudonymKey,
          memoryLimit: `${Math.floor(config.engine.memoryBytes / 1_000_000)}MB`,
          timeoutMs: config.engine.timeoutMs,
        }),
      isolation: isolationOf(runtime, parts.programWords),
      programs: programsOf(config, shared.blobStore),
      random: platformRandom,
    },
  }
}

/** Absent: every job of a program is refused. */
function programsOf(config: NodeConfig, blobStore: JobContext['blobStore']): JobContext['programs'] {
  if (config.programs === null) return undefined
  return openPrograms({
    settings: config.programs,
    isolation: config.sandbox.isolation,
    blobStore,
    open: openProgramRuntime,
    clock: () => performance.now(),
    random: platformRandom,
    async wait(milliseconds, signal) {
      // It rejects for nothing but the signal.
      await setTimeout(milliseconds, undefined, { signal }).catch(() => undefined)
    },
  })
}
