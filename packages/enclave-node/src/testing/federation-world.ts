/**
 * A pool's world with three home nodes, each with a pool, behind proxies that keep what goes through; and settings of a fourth node
 * that runs other code.
 * @module
 */
import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openResult } from '@sealpool/client'
import {
  type Digest,
  decodeBase64Url,
  deriveKeyPair,
  type JsonObject,
  type JsonValue,
  platformRandom,
} from '@sealpool/crypto'
import { loadConfig } from '../cli/load-config.js'
import { parseNodeConfig } from '../config/node-config.js'
import { simulatorFile } from '../evidence/simulator-quote-provider.js'
import { nodeLogger } from '../runtime/logger.js'
import { type RunningNode, startNode } from '../runtime/start-node.js'
import { ask, until } from './ask.js'
import { poolWorld, type WorldPool } from './pool-world.js'
import { type RecordingProxy, recordingProxy } from './recording-proxy.js'
import { type ShownJob, worldManifest } from './world-jobs.js'

const log = nodeLogger({ level: process.env['SEALPOOL_TEST_LOG'] ?? 'silent', simulated: true })

/** Workers of each pool: three are in all of them, the others in one. */
const workersOf: Partial<Record<WorldPool['name'], readonly number[]>> = {
  pay: [0, 1, 2, 3, 4, 5],
  people: [0, 1, 2, 6, 7, 8],
  rural: [0, 1, 2, 9, 10, 11],
}

/** One home: its pool, its node and the proxy before it. */
export interface WorldHome {
  readonly pool: WorldPool
  readonly proxy: RecordingProxy
  node: RunningNode
  /** Starts it anew, on the same folder. */
  start(): Promise<void>
}

/** Makes the world: three registered homes whose pools are full. */
export async function federationWorld() {
  const world = await poolWorld({ workers: 12, rural: true })
  if (world.rural === undefined) throw new Error('the world has three pools')
  const pools = [world.pools.pay, world.pools.people, world.rural]
  const { config, secrets } = await loadConfig(
    { config: world.config },
    { SEALPOOL_TRANSACTION_KEY: world.transactionKey },
  )
  const consumer = deriveKeyPair(platformRandom(32))
  const proxies = await Promise.all(pools.map(() => recordingProxy()))
  const json = async (name: string): Promise<JsonObject> =>
    JSON.parse(await readFile(join(world.folder, `${name}.json`), 'utf8')) as JsonObject
  /** Settings of the home of a pool. @param place of the pool, in the order of the homes */
  const settings = async (place: number, name: string, change: object = {}) => {
    const data = join(world.folder, name)
    await mkdir(data, { recursive: true })
    await copyFile(join(world.data, simulatorFile), join(data, simulatorFile))
    const own = pools[place]
    if (own === undefined) throw new RangeError('there are three pools')
    const { name: code, pool: address } = own
    return parseNodeConfig({
      ...config,
      dataDirectory: data,
      instance: name,
      api: { ...config.api, port: 0, publicUrl: proxies[place]?.url ?? null },
      pools: [
        {
          address,
          policy: own.policy,
          poc: await json(`${code}-poc`),
          refiner: await json(`${code}-refiner`),
        },
      ],
      federation: {
        nodes: proxies.flatMap(({ url }, other) => (other === place ? [] : [url])),
        pools: pools
          .filter((_, other) => other !== place)
          .map((other) => ({ address: other.pool, policy: other.policy })),
        patienceSeconds: 600,
      },
      ...change,
    })
  }
  const accounts = world.devnet.accounts.map(({ privateKey }) => privateKey)
  const secretsOf = (place: number) => {
    const transactionKey = accounts[place + 4]
    if (transactionKey === undefined) throw new Error('the devnet has too few accounts')
    return { ...secrets, transactionKey }
  }
  const ready = (url: string): Promise<void> =>
    until('ready', async () => ((await ask(`${url}/v1/ready`)) as { ready: boolean }).ready)
  const homes = await Promise.all(
    pools.map(async (pool, place): Promise<WorldHome> => {
      const proxy = proxies[place]
      if (proxy === undefined) throw new RangeError('every home has a proxy')
      const run = async () => {
        const node = await startNode(await settings(place, `home-${place}`), secretsOf(place), { log })
        proxy.target = node.url
        return node
      }
      const home: WorldHome = {
        pool,
        proxy,
        node: await run(),
        async start() {
          home.node = await run()
          await ready(home.node.url)
        },
      }
      return home
    }),
  )
  for (const home of homes) {
    const { pool } = home
    await world.register(home.node.url)
    await ready(home.node.url)
    const workers = workersOf[pool.name] ?? []
    await world.contribute(
      home.node.url,
      workers.map((worker) => ({
        pool,
        worker,
        bytes: pool.name === 'pay' ? world.payExport(worker) : world.peopleExport(worker),
      })),
    )
  }
  for (const { node } of homes) {
    await until('all ingested', async () => {
      const { states } = (await ask(`${node.url}/v1/contributions`)) as { states: Record<string, number> }
      return states['refined'] === 6
    })
  }
  let salt = 0
  const manifest = (change: JsonObject = {}): JsonValue =>
    worldManifest(world, consumer.publicKey, {
      pools: pools.map(({ pool, name }) => ({ address: pool, name })),
      query: {
        sql: `SELECT count(*) AS n FROM (SELECT 1 AS one FROM pay.workers UNION ALL SELECT 1 FROM people.persons
          UNION ALL SELECT 1 FROM rural.persons) AS u`,
      },
      privacy: { epsilon: 12, delta: 0 },
      salt: `abcdefghijklmnop${salt++}`,
      ...change,
    })
  const job = async (home: WorldHome, id: bigint) => (await ask(`${home.node.url}/v1/jobs/${id}`)) as ShownJob
  return {
    world,
    homes,
    settings,
    secretsOf,
    chain: config.chain,
    manifest,
    job,
    log,
    /** Proposes, has every pool approve and pays. @param voters the pools that vote */
    async paid(given: JsonValue = manifest(), voters: readonly WorldPool[] = pools): Promise<bigint> {
      const id = await world.propose(given, pools)
      await world.approve(id, voters)
      await world.pay(id)
      return id
    },
    async ended(home: WorldHome, id: bigint, state: string): Promise<ShownJob> {
      await until(`job ${id} ${state}`, async () => (await job(home, id)).state === state)
      return job(home, id)
    },
    /** What the consumer reads. */
    async answer(home: WorldHome, id: bigint) {
      const { sealed, resultDigest } = (await ask(`${home.node.url}/v1/jobs/${id}/result`)) as {
        readonly sealed: string
        readonly resultDigest: Digest
      }
      const opened = await openResult({
        sealed: decodeBase64Url(sealed),
        privateKey: consumer.privateKey,
        expectedDigest: resultDigest,
      })
      return opened.value as { readonly rows: readonly (readonly number[])[] }
    },
    async close() {
      for (const { node } of homes) await node.stop()
      for (const proxy of proxies) await proxy.close()
      await world.close()
    },
  }
}

/** The world that {@link federationWorld} makes. */
export type FederationWorld = Awaited<ReturnType<typeof federationWorld>>
