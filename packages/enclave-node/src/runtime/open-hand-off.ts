/**
 * Opens the two sides of hand-offs as far as the settings ask for them.
 * @module
 */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Address, JsonObject } from '@sealpool/crypto'
import { handOffFolder, servedHandOffFolder } from '../config/data-folders.js'
import type { NodeConfig } from '../config/node-config.js'
import { type HandOffHome, openHandOffHome } from '../hand-off/hand-off-home.js'
import { handedOffJobs } from '../hand-off/kept-hand-off.js'
import { type HandOffServer, serveHandOff } from '../hand-off/serve-hand-off.js'
import { jobOfSlot } from '../hand-off/shard.js'
import type { JobContext } from '../job/job-context.js'
import { attestPeer } from '../peer/attest-peer.js'
import { openPeer } from '../peer/call-peer.js'
import type { NodeLogger } from './logger.js'
import { transferFolder } from './transfer-folder.js'

/** Milliseconds that another node may take for one call. */
const peerTimeoutMs = 60_000
/** Milliseconds for which a job waits for nodes that might run it; others wait for its worker meanwhile. */
const searchMs = 10_000

/** @returns what jobs work with, the nodes that may run them included; and what runs jobs for others, if the settings say so */
export async function openHandOffs(
  config: NodeConfig,
  job: JobContext,
  log: NodeLogger,
  stopped: () => boolean,
): Promise<{ readonly job: JobContext; readonly served: HandOffServer | undefined }> {
  if (config.handOff !== null) await removeForgotten(job, handOffFolder(config))
  const home = openHome(config, job, log)
  const served = await openServed(config, job, log, stopped)
  return { job: home === undefined ? job : { ...job, handOff: home }, served }
}

/** A folder of which nothing is remembered was left behind by a kill: the job begins anew. */
async function removeForgotten({ store }: Pick<JobContext, 'store'>, folder: string): Promise<void> {
  const kept = new Set(await handedOffJobs(store))
  const there = await readdir(folder).catch(() => [])
  for (const slot of there)
    if (!kept.has(jobOfSlot(slot))) await rm(join(folder, slot), { recursive: true, force: true })
}

/** @returns what has jobs run elsewhere; undefined when the settings name nobody */
function openHome(config: NodeConfig, job: JobContext, log: NodeLogger): HandOffHome | undefined {
  if (config.handOff === null) return undefined
  const { chain, keys, evidence, random, now } = job
  return openHandOffHome({
    ...job,
    ...config.handOff,
    heartbeatSeconds: config.chain.heartbeatSeconds,
    files: transferFolder(handOffFolder(config)),
    enough: () => setTimeout(searchMs, undefined, { ref: false }),
    giveWay: () => setImmediate(),
    // As they were given: the digests on the chain are over these texts.
    policies: new Map<Address, JsonObject>(
      config.pools.map(({ address, policy }) => [address, policy as JsonObject]),
    ),
    attest: (url, evidencePolicy, gpus) =>
      attestPeer({
        url,
        chain,
        evidencePolicy,
        gpus,
        simulated: evidence.simulated,
        random,
        now,
        timeoutMs: peerTimeoutMs,
      }),
    call: (peer) =>
      openPeer(peer, {
        chainId: chain.chainId,
        statementKey: keys.statementKey,
        random,
        now,
        timeoutMs: peerTimeoutMs,
      }),
    onError: (error) => log.warn({ err: error }, 'a hand-off did not go on'),
  })
}

/** @returns what runs jobs for others; undefined when the settings do not say so */
async function openServed(
  config: NodeConfig,
  job: JobContext,
  log: NodeLogger,
  stopped: () => boolean,
): Promise<HandOffServer | undefined> {
  if (config.serveHandOff === null) return undefined
  return serveHandOff({
    ...job,
    ...config.serveHandOff,
    stopped,
    files: transferFolder(servedHandOffFolder(config)),
    onError: (error) => log.warn({ err: error }, 'a job of another node did not go on'),
  })
}
