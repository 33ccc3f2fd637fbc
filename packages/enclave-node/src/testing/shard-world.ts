/**
 * A home node with thirty workers in one encrypted file, and nodes that run shards of its jobs, with engines that read the files.
 * @module
 */
import { join } from 'node:path'
import type { JsonObject, JsonValue } from '@sealpool/crypto'
import type { SqlEngine, TableLoad } from '@sealpool/query'
import { createDuckDbEngine } from '@sealpool/query/duckdb'
import { tableOf } from '@sealpool/refine'
import { contributorsOfParquet, writeEncryptedParquet } from '@sealpool/refine/duckdb'
import { NodeError } from '../errors.js'
import type { HandOffHomeOptions } from '../hand-off/hand-off-home.js'
import type { HandOffServer } from '../hand-off/serve-hand-off.js'
import { lastingScope } from '../ingest/served-pool.js'
import type { JobContext } from '../job/job-context.js'
import { openKeyRing } from '../key/key-ring.js'
import { nodeSigner } from '../key/node-signer.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import { transferFolder } from '../runtime/transfer-folder.js'
import {
  handOffFixture,
  handOffManifest,
  handOffPool,
  homeKeys,
  lineTo,
  measurement,
} from './hand-off-fixture.js'
import { engine } from './job-fixture.js'
import { addressOfDigit, digestOfDigit } from './served-pool-fixture.js'

/** How many workers there are. */
export const workers = 30

/** A node that runs shards; tests change how it behaves. */
export interface ShardRunner {
  readonly url: string
  server: HandOffServer
  peer: AttestedPeer
  /** Numbers of the contributors whose rows its engines were given. */
  readonly given: Set<number>
  /** Names of the calls that reached it. */
  readonly calls: string[]
  /** Whether it cannot be reached. */
  away: boolean
  /** Whether its engine fails. */
  fails: boolean
  /** May change what it answers to a call. */
  after: (call: string, body: JsonValue) => Promise<JsonValue>
}

const sectorOf = (contributor: number): string => (contributor % 3 === 0 ? 'a' : 'b')

/** Whose rows are in the files of a table. */
async function peopleIn(table: TableLoad): Promise<readonly number[]> {
  if (!('parquet' in table) || table.parquet.key === undefined) return []
  const { paths, key } = table.parquet
  const found = await Promise.all(paths.map((from) => contributorsOfParquet({ from, columns: 3, key })))
  return found.flatMap((some) => [...some])
}

/** Answers how many workers of each sector it was given, to whatever it is asked. */
function countingEngine(): SqlEngine {
  const people: number[] = []
  const countOf = (sector: string) => String(people.filter((one) => sectorOf(one) === sector).length)
  return engine({
    load: async (table) => {
      people.push(...(await peopleIn(table)))
    },
    query: async () =>
      ['a', 'b'].map((sector, code) => ({ k0: String(code), s0: countOf(sector), s1: countOf(sector) })),
  })
}

/** Makes the nodes. @param count of those that run shards */
export async function shardWorld(count: number) {
  const here = await handOffFixture()
  const engines: JobContext['openEngine'] = (asked) =>
    world.real ? createDuckDbEngine({ ...asked, memoryLimit: '200MB' }) : countingEngine()

  const startRunner = async (index: number): Promise<ShardRunner> => {
    const keys = openKeyRing(new Uint8Array(32).fill(20 + index), digestOfDigit('9'))
    const url = `https://runner-${index}.example`
    const given = new Set<number>()
    const { statementAddress, keySet, keySetDigest } = keys
    const runner: Omit<ShardRunner, 'server'> = {
      url,
      peer: { url, statementAddress, keySet, keySetDigest, measurement, simulated: true },
      given,
      calls: [],
      away: false,
      fails: false,
      after: async (_, body) => body,
    }
    const openEngine: JobContext['openEngine'] = (asked) => {
      const engine = engines(asked)
      return {
        ...engine,
        async load(table) {
          if (runner.fails) throw new Error('the engine fails')
          for (const one of await peopleIn(table)) given.add(one)
          await engine.load(table)
        },
      }
    }
    const server = await here.startRunner({
      keys,
      sign: nodeSigner({ statementKey: keys.statementKey, chainId: 31_337, registry: addressOfDigit('f') }),
      openEngine,
      files: transferFolder(join(here.folder, `served-${index}`)),
    })
    return Object.assign(runner, { server })
  }

  const world = {
    here,
    engines,
    /** Whether engines are DuckDB, and not what counts people alone, which is much faster. */
    real: false,
    runners: [] as ShardRunner[],
    runner(index: number): ShardRunner {
      const found = world.runners[index]
      if (found === undefined) throw new Error('there is no such node')
      return found
    },
    manifest: (change: object = {}) => handOffManifest({ shards: 3, ...change }),
    home: (change: Partial<HandOffHomeOptions> = {}) =>
      here.home({
        nodes: world.runners.map(({ url }) => url),
        attest: async (url) => {
          const runner = world.runners.find((one) => one.url === url)
          if (runner === undefined || runner.away) throw new NodeError('NODE_UNREACHABLE', url, 'no answer')
          return runner.peer
        },
        call: (peer) => async (call) => {
          const runner = world.runners.find((one) => one.url === peer.url)
          if (runner === undefined || runner.away)
            throw new NodeError('NODE_UNREACHABLE', peer.url, 'no answer')
          const name = call.path.slice('/v1/hand-off/'.length)
          runner.calls.push(name)
          const answer = await lineTo(
            runner.server,
            homeKeys.statementAddress,
          )({
            ...call,
            body: call.body as JsonObject,
          })
          return { status: answer.status, body: await runner.after(name, answer.body) }
        },
        ...change,
      }),
    /** Starts everything anew. */
    async reset(): Promise<void> {
      await here.reset()
      world.real = false
      for (const { server } of world.runners) await server.close()
      world.runners = await Promise.all(Array.from({ length: count }, (_, index) => startRunner(index)))
      await writeEncryptedParquet({
        table: tableOf(handOffPool.refiner.schema, 'workers'),
        rows: Array.from({ length: workers }, (_, index) => ({
          contributor: index + 1,
          wage: `${10 + index}.25`,
          sector: sectorOf(index + 1),
        })),
        key: homeKeys.poolSecret('table-storage', lastingScope(handOffPool)),
        path: join(here.folder, 'tables', '1-workers.parquet'),
      })
    },
    async close(): Promise<void> {
      for (const { server } of world.runners) await server.close()
      await here.close()
    },
  }
  return world
}
