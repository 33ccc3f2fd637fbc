/**
 * A pool's world with a home node and a second one that runs jobs for it, behind a proxy that keeps what goes through.
 * @module
 */
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { loadConfig } from '../cli/load-config.js'
import { parseNodeConfig } from '../config/node-config.js'
import { simulatorFile } from '../evidence/simulator-quote-provider.js'
import { ask, until } from './ask.js'
import { type PoolWorld, poolWorld } from './pool-world.js'
import { worldJobs } from './world-jobs.js'

/** Makes the data folder of the node that runs jobs: one maker of simulated machines for both, which the pools' policies name. */
export async function runnerFolder(world: PoolWorld, name = 'runner'): Promise<string> {
  const data = join(world.folder, name)
  await mkdir(data, { recursive: true })
  await copyFile(join(world.data, simulatorFile), join(data, simulatorFile))
  return data
}

/** Makes settings of both nodes. @param runner address under which the home node knows the other one, and the name of its folder */
export async function handOffSettings(
  world: PoolWorld,
  runner: { readonly url: string; readonly port?: number; readonly name?: string },
) {
  const { config, secrets } = await loadConfig(
    { config: world.config },
    { SEALPOOL_TRANSACTION_KEY: world.transactionKey },
  )
  const data = await runnerFolder(world, runner.name)
  return {
    secrets,
    home: (change: object = {}) =>
      parseNodeConfig({ ...config, handOff: { nodes: [runner.url], patienceSeconds: 30 }, ...change }),
    runner: (change: object = {}) =>
      parseNodeConfig({
        ...config,
        dataDirectory: data,
        pools: [],
        api: { ...config.api, port: runner.port ?? 0, publicUrl: runner.url },
        serveHandOff: { maximumBytes: 10_000_000, maximumJobs: 2 },
        ...change,
      }),
  }
}

/** Makes the world, its contributions not yet in it. */
export async function handOffWorld() {
  const world = await poolWorld({ workers: 6 })
  // Before the deadline of the jobs, which is later by as long as it takes to propose them.
  const expiresAt = Math.floor(Date.now() / 1000) + 40_000
  const handOff = (change: object = {}) => ({
    measurements: [world.measurement],
    expiresAt,
    fallback: 'none',
    ...change,
  })
  const { result, ...jobs } = worldJobs(world)
  return {
    world,
    handOff,
    ...jobs,
    /** Has six workers contribute to both pools. */
    async fill(url: string): Promise<void> {
      const { pay, people } = world.pools
      const workers = [0, 1, 2, 3, 4, 5]
      await world.contribute(url, [
        ...workers.map((worker) => ({ pool: pay, worker, bytes: world.payExport(worker) })),
        ...workers.map((worker) => ({ pool: people, worker, bytes: world.peopleExport(worker) })),
      ])
      await until('all ingested', async () => {
        const { states } = (await ask(`${url}/v1/contributions`)) as { states: Record<string, number> }
        return states['refined'] === 12
      })
    },
    /** What the consumer reads. */
    async answer(url: string, id: bigint): Promise<{ readonly value: unknown; readonly digest: unknown }> {
      const { value, digest } = (await result(url, id)) ?? {}
      return { value, digest }
    },
  }
}

/** The world that {@link handOffWorld} makes. */
export type HandOffWorld = Awaited<ReturnType<typeof handOffWorld>>
