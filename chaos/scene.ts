/**
 * One stage for faults: a chain, two endpoints that lead to it, a blob store, a node, a workload; and what is noticed while
 * it all runs.
 * @module
 */
import { mkdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeHex, platformRandom } from '@sealpool/crypto'
import { type PoolWorld, poolWorld, type WorldPool } from '../packages/enclave-node/src/testing/pool-world.js'
import { descendants } from '../packages/enclave-node/src/testing/processes.js'
import { type BlobProxy, startBlobProxy } from './blob-proxy.js'
import { type CanaryScan, canaryScan, type Leak } from './canary-scan.js'
import { foundHostilePool } from './hostile-pool.js'
import { listen } from './listen.js'
import { type Mining, mineBlocks } from './mining.js'
import { type NodeProcess, startNodeProcess } from './node-process.js'
import { residentBytes, wordsOf } from './process-list.js'
import { type RpcProxy, startRpcProxy } from './rpc-proxy.js'
import type { SeededRandom } from './seeded-random.js'
import { makeWorkload, type Workload, workerCount } from './workload.js'

/** Confirmations that the node waits for: reorganisations are shallower and deeper. */
export const confirmations = 2
const usualBlockMs = 150

/** How long the node took from its start. Milliseconds. */
export interface Recovery {
  readonly listens: number
  readonly ready: number
}

/** Memory of the node at a moment: milliseconds since the scene began, bytes. */
export interface MemorySample {
  readonly at: number
  readonly process: number
  readonly bytes: number
}

/** A stage. */
export interface Scene {
  readonly world: PoolWorld
  readonly hostile: WorldPool
  readonly chain: readonly [RpcProxy, RpcProxy]
  readonly blobs: BlobProxy
  readonly mining: Mining
  readonly workload: Workload
  readonly random: SeededRandom
  readonly scan: CanaryScan
  /** Text that stands in every contribution. */
  readonly marker: string
  readonly folders: { readonly logs: string }
  readonly secrets: Readonly<Record<string, string>>
  readonly recoveries: Recovery[]
  readonly memory: MemorySample[]
  /** What was seen where it must not be, while it ran. */
  readonly leaks: Leak[]
  /** Processes that outlived the node that had started them. */
  readonly orphans: number[]
  readonly traffic: { bytes: number; commandLines: number }
  /** The node that runs now. */
  node(): NodeProcess
  /** Starts the program, without waiting for it. */
  launch(config?: string): NodeProcess
  /** Waits until the node listens and says that it is ready. */
  ready(timeoutMs?: number): Promise<Recovery>
  kill(): Promise<void>
  stop(): Promise<number | NodeJS.Signals>
  /** Moves the node's clock by seconds. */
  setClock(seconds: number): Promise<void>
  /** Asks the node; what it answers is looked at like all traffic. */
  ask(path: string): Promise<unknown>
  /**
   * Waits until everything that was sent has come to its end, or nothing of it gets on for so long.
   * @returns what has not come to its end, in words; undefined when all has
   */
  workLeftAfter(timeoutMs: number): Promise<string | undefined>
  /** Takes back every fault. */
  calm(): Promise<void>
  /** Ends everything. @param options.keep leaves the folder */
  close(options: { readonly keep: boolean }): Promise<void>
}

/** What differs between scenes. */
export interface SceneOptions {
  readonly random: SeededRandom
  readonly say: (line: string) => void
  /** Changes the settings, for example where the state lies. */
  readonly settings?: (settings: Record<string, unknown>) => Record<string, unknown>
  /** Milliseconds between blocks; default 150. */
  readonly blockEveryMs?: number
  /** `SEALPOOL_DATABASE_URL`. */
  readonly secrets?: Readonly<Record<string, string>>
}

/** A machine with other work needs longer: as long as the node gets on it is waited for, but no longer than so many times. */
const mostWaits = 6

/** Sets the stage and starts the node on it. */
export async function openScene(options: SceneOptions): Promise<Scene> {
  const { random, say, blockEveryMs = usualBlockMs } = options
  const marker = `CANARY-${encodeHex(platformRandom(12)).slice(2)}`
  const world = await poolWorld({
    workers: workerCount,
    ingest: { batchSize: 5, refinementSize: 25, missingBlobTries: 1_000, missingBlobWaitSeconds: 0 },
  })
  const hostile = await foundHostilePool(world)
  const logs = join(world.folder, 'logs')
  mkdirSync(logs)
  const scan = canaryScan([
    { what: 'contribution', text: marker },
    { what: 'transaction key', text: world.transactionKey.slice(2) },
  ])
  const leaks: Leak[] = []
  const traffic = { bytes: 0, commandLines: 0 }
  const look =
    (place: string) =>
    (body: Buffer): void => {
      traffic.bytes += body.length
      leaks.push(...scan.bytes(place, body))
    }
  const target = world.devnet.rpcUrl
  const chain = [
    await startRpcProxy({ target, onTraffic: look('traffic to the first endpoint') }),
    await startRpcProxy({ target, onTraffic: look('traffic to the second endpoint') }),
  ] as const
  const blobs = await startBlobProxy({ blobs: world.blobs, onTraffic: look('traffic of the blob store') })
  const mining = mineBlocks(target, blockEveryMs)
  const given = JSON.parse(await readFile(world.config, 'utf8')) as Record<string, unknown>
  const settings: Record<string, unknown> = {
    ...given,
    chain: {
      ...(given['chain'] as object),
      rpcUrl: chain[0].url,
      crossCheckRpcUrl: chain[1].url,
      maximumLagBlocks: 3,
      timeoutMs: 2_000,
      confirmations,
    },
    blobStore: { kind: 'http', url: blobs.url },
    sandbox: { isolation: 'best', proof: { timeMs: 1_000, memoryBytes: 32_000_000 } },
  }
  await writeFile(world.config, JSON.stringify(options.settings?.(settings) ?? settings))
  const secrets = { SEALPOOL_TRANSACTION_KEY: world.transactionKey, ...options.secrets }

  // Contributors learn the pool keys once; they can go on while the node is down.
  let pools = '{}'
  const directory = await listen(createServer((_, response) => response.end(pools)))
  const workload = makeWorkload({ world, served: () => directory.url, marker, random })

  const clockFile = join(world.folder, 'clock')
  const recoveries: Recovery[] = []
  const memory: MemorySample[] = []
  const orphans: number[] = []
  const began = performance.now()
  const start = (config: string): NodeProcess =>
    startNodeProcess({ config, secrets, logFile: join(logs, 'node.log'), clockFile })
  let node = start(world.config)
  let closed = false

  const watch = async (): Promise<void> => {
    while (!closed) {
      // The one of now: while it is looked at, a fault may put another one in its place.
      const { pid: own, isRunning } = node
      if (isRunning()) {
        memory.push({
          at: performance.now() - began,
          process: own,
          bytes: await residentBytes(own),
        })
        const { words: program } = await wordsOf(own)
        traffic.commandLines += 1
        leaks.push(...scan.bytes(`command line of process ${own}`, program))
        for (const pid of await descendants(own)) {
          const { words, environment } = await wordsOf(pid)
          traffic.commandLines += 1
          leaks.push(...scan.bytes(`command line of process ${pid}`, words))
          // What the program itself was started with is in its own environment; its children must not have it. A child that still
          // has the command line of the program has not begun yet: it is the program, between fork and exec.
          if (!words.equals(program)) leaks.push(...scan.bytes(`environment of process ${pid}`, environment))
        }
      }
      await sleep(250)
    }
  }
  const launch = (config = world.config): NodeProcess => {
    node = start(config)
    return node
  }
  const ask = async (path: string): Promise<unknown> => {
    const response = await fetch(`${await node.url}${path}`, { signal: AbortSignal.timeout(10_000) })
    const body = Buffer.from(await response.arrayBuffer())
    look(`answer to ${path.replace(/\d+/g, 'N')}`)(body)
    return path === '/v1/metrics' ? body.toString('utf8') : JSON.parse(body.toString('utf8'))
  }
  const ready = async (timeoutMs = 120_000): Promise<Recovery> => {
    const { startedAt } = node
    const late = sleep(timeoutMs).then(() => {
      throw new Error(`the node does not listen after ${timeoutMs} ms`)
    })
    // When the node has listened in time nobody waits for it any more.
    late.catch(() => undefined)
    await Promise.race([node.url, late])
    const listens = performance.now() - startedAt
    for (;;) {
      const answer = (await ask('/v1/ready').catch(() => ({}))) as { ready?: boolean; reasons?: string[] }
      if (answer.ready === true) break
      if (performance.now() - startedAt > timeoutMs) {
        throw new Error(`the node is not ready after ${timeoutMs} ms: ${answer.reasons?.join('; ')}`)
      }
      await sleep(20)
    }
    return { listens, ready: performance.now() - startedAt }
  }
  /** What is not done yet, in words; undefined when all is. */
  const workLeft = async (): Promise<string | undefined> => {
    const { states } = (await ask('/v1/contributions')) as { states: Record<string, number> }
    const done = (states['refined'] ?? 0) + (states['refused'] ?? 0)
    const under = ['seen', 'judged', 'recorded'].some((name) => (states[name] ?? 0) > 0)
    if (under || done < workload.sent.length)
      return `contributions ${JSON.stringify(states)} of ${workload.sent.length} that were sent`
    const { states: jobs } = (await ask('/v1/jobs')) as { states: Record<string, number> }
    const ended = ['settled', 'refused', 'closed'].reduce((sum, name) => sum + (jobs[name] ?? 0), 0)
    const open = ['waiting', 'running', 'charged', 'released', 'refusing'].some(
      (name) => (jobs[name] ?? 0) > 0,
    )
    return open || ended < workload.paid.length
      ? `jobs ${JSON.stringify(jobs)} of ${workload.paid.length} that were paid`
      : undefined
  }

  await world.register(await node.url)
  const first = await ready()
  say(`the node is ready ${Math.round(first.ready)} ms after its first start, registration included`)
  pools = JSON.stringify(await ask('/v1/pools'))
  const watching = watch()

  const scene: Scene = {
    world,
    hostile,
    chain,
    blobs,
    mining,
    workload,
    random,
    scan,
    marker,
    folders: { logs },
    secrets,
    recoveries,
    memory,
    leaks,
    orphans,
    traffic,
    node: () => node,
    launch,
    ready,
    async kill() {
      orphans.push(...(await node.kill()))
    },
    async stop() {
      const { code, stayed } = await node.stop()
      orphans.push(...stayed)
      return code
    },
    setClock: (seconds) => writeFile(clockFile, String(seconds)),
    ask,
    async workLeftAfter(timeoutMs) {
      const last = performance.now() + mostWaits * timeoutMs
      let end = performance.now() + timeoutMs
      let quiet = 0
      let left: string | undefined
      while (performance.now() < Math.min(end, last)) {
        // Twice in a row, some blocks apart: what was read last may be under its confirmations still.
        const now = await workLeft().catch(() => 'the node does not answer')
        if (now !== left) end = performance.now() + timeoutMs
        left = now
        quiet = left === undefined ? quiet + 1 : 0
        if (quiet >= 2) return undefined
        await sleep(blockEveryMs * (confirmations + 1))
      }
      return left ?? 'done for one look only'
    },
    async calm() {
      for (const endpoint of chain) endpoint.set('pass')
      blobs.set('pass')
      mining.every(null)
      await scene.setClock(0)
    },
    async close({ keep }) {
      closed = true
      await watching
      if (node.isRunning()) await node.kill()
      await mining.stop()
      for (const one of [...chain, blobs, directory]) await one.close()
      await (keep ? world.devnet.stop() : world.close())
    },
  }
  return scene
}
