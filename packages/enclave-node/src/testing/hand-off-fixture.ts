/**
 * A home node with one pool of four workers and a node that runs its jobs, on one chain of which only jobs are seen, in one process
 * and without a network: what tests of hand-offs share.
 * @module
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type JobManifest, manifestDigest, parseJobManifest } from '@sealpool/compute'
import {
  type Address,
  type Digest,
  digestOf,
  type Hex,
  type JsonObject,
  type JsonValue,
  platformRandom,
} from '@sealpool/crypto'
import { parsePoolPolicy } from '@sealpool/privacy'
import type { TableLoad } from '@sealpool/query'
import { tableOf } from '@sealpool/refine'
import { writeEncryptedParquet } from '@sealpool/refine/duckdb'
import { Hono } from 'hono'
import { type ApiEnv, answersOf } from '../api/api-context.js'
import { handOffRoutes } from '../api/hand-off-routes.js'
import type { ChainJobStanding, ChainJobTerms, ChainNode, ChainPort } from '../chain/chain-port.js'
import { NodeError } from '../errors.js'
import { type HandOffHomeOptions, openHandOffHome } from '../hand-off/hand-off-home.js'
import type { HandOffVisit } from '../hand-off/hand-off-visit.js'
import { type HandOffServer, type ServeHandOffOptions, serveHandOff } from '../hand-off/serve-hand-off.js'
import { lastingScope, type ServedPool } from '../ingest/served-pool.js'
import { jobMaterial } from '../job/execute-job.js'
import type { JobContext } from '../job/job-context.js'
import { planJob } from '../job/plan-job.js'
import { openKeyRing } from '../key/key-ring.js'
import { nodeSigner } from '../key/node-signer.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import type { PeerLine } from '../peer/call-peer.js'
import { transferFolder } from '../runtime/transfer-folder.js'
import { findJob, insertJob, type JobRow, type Reservation } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { engine, jobFixture, manifest as plainManifest, pool as plainPool } from './job-fixture.js'
import { addressOfDigit, digestOfDigit } from './served-pool-fixture.js'

export const runnerUrl = 'https://runner.example'
export const measurement: Hex = `0x${'ab'.repeat(32)}`
const registry = addressOfDigit('f')
export const homeKeys = openKeyRing(new Uint8Array(32).fill(7), digestOfDigit('9'))
export const runnerKeys = openKeyRing(new Uint8Array(32).fill(8), digestOfDigit('9'))

const columns = {
  wage: { type: 'decimal', decimals: 2, description: 'Wage.' },
  sector: { type: 'text', description: 'Sector.' },
} as const
const schema = {
  id: 'x',
  version: '1.0.0',
  source: 'json',
  tables: { workers: { description: 'Workers.', columns } },
  notes: [],
} as const

/** The pool's policy as its digest stands on the chain. */
export const policyJson = {
  ...(JSON.parse(JSON.stringify(plainPool.policy)) as JsonObject),
  attestation: {
    format: 'sealpool/attestation-policy',
    version: 1,
    roots: ['intel'],
    allowSimulator: false,
    acceptedTcbStatuses: ['UpToDate'],
    acceptedAdvisories: [],
    measurements: [],
    allowDebug: false,
    maximumAgeSeconds: 86_400,
  },
} as JsonObject
export const handOffPool: ServedPool = {
  ...plainPool,
  policy: parsePoolPolicy(policyJson),
  policyDigest: digestOf(policyJson),
  refiner: { ...plainPool.refiner, schema: schema as unknown as ServedPool['refiner']['schema'] },
}

/** A manifest that allows a hand-off. @param change of `handOff` */
export function handOffManifest(change: object = {}, more: object = {}): JobManifest {
  return parseJobManifest(
    plainManifest({
      handOff: { measurements: [measurement], expiresAt: 1_800_000_000, fallback: 'none', ...change },
      ...more,
    }),
  )
}

/** What goes over the line in one call; tests change or count it. */
export interface LineCall {
  readonly path: string
  readonly body: JsonObject
}

/** Makes the two nodes; the home node's store is in memory. */
export async function handOffFixture() {
  const store = await openPgliteStore({ directory: 'memory' })
  await migrate(store)
  const folder = await mkdtemp(join(tmpdir(), 'sealpool-hand-off-'))
  const clock = { seconds: 1_700_000_000 }
  const jobs = jobFixture(store)
  const standing: ChainJobStanding = {
    state: 'Running',
    suspended: false,
    node: homeKeys.statementAddress,
    drawn: false,
  }
  const chain = {
    chainId: 31_337,
    registry,
    time: 1_700_000_000,
    standing,
    terms: new Map<string, ChainJobTerms>(),
    shownPolicy: handOffPool.policyDigest,
    restrictions: [] as Digest[],
    runner: { keySetDigest: runnerKeys.keySetDigest, measurement, active: true } as ChainNode | null,
    head: async () => ({ number: 9n, hash: `0x${'0'.repeat(64)}` as const, timestamp: chain.time }),
    jobState: async () => chain.standing,
    jobTerms: async (id: string) => {
      const terms = chain.terms.get(id)
      if (terms === undefined) throw new NodeError('CHAIN_CALL_FAILED', `job ${id}`, 'there is none')
      return terms
    },
    pool: async () => ({ policyDigest: chain.shownPolicy, restrictions: chain.restrictions }),
    node: async () => chain.runner,
  }
  const port = chain as unknown as ChainPort
  const evidence = (digit: string) => ({
    simulated: true,
    quoteDigest: digestOfDigit(digit),
    measurement,
    registered: async () => {
      throw new Error('not asked here')
    },
    fresh: async () => {
      throw new Error('not asked here')
    },
  })
  /** Tables that engines were given, in order. */
  const loaded: TableLoad[] = []
  const openEngine: JobContext['openEngine'] = () =>
    engine({
      load: async (table) => {
        // As it is now: its key is overwritten later.
        loaded.push(structuredClone(table))
      },
    })
  const errors: unknown[] = []
  const onError = (error: unknown): void => {
    errors.push(error)
  }
  const tables = join(folder, 'tables')
  const context = jobs.context(openEngine, {
    chain: port,
    keys: homeKeys,
    sign: nodeSigner({ statementKey: homeKeys.statementKey, chainId: 31_337, registry }),
    evidence: evidence('8'),
    pools: new Map([[handOffPool.address, handOffPool]]),
    parts: {
      write: async () => {
        throw new Error('not asked here')
      },
      list: () => {
        throw new Error('nobody lists')
      },
      remove: async () => undefined,
      paths: (_, parts) => parts.map(({ file }) => join(tables, file)),
    },
    now: () => clock.seconds,
  })

  const runnerSign = nodeSigner({ statementKey: runnerKeys.statementKey, chainId: 31_337, registry })
  /** Starts the node that runs jobs; its transfers die with it. */
  const startRunner = (change: Partial<ServeHandOffOptions> = {}): Promise<HandOffServer> =>
    serveHandOff({
      chain: port,
      keys: runnerKeys,
      sign: runnerSign,
      evidence: evidence('7'),
      isolation: 'SQL engine: process',
      openEngine,
      random: platformRandom,
      files: transferFolder(join(folder, 'served')),
      maximumBytes: 1_000_000,
      maximumJobs: 2,
      idleSeconds: 900,
      receiveSeconds: 21_600,
      now: () => clock.seconds,
      stopped: () => false,
      onError,
      ...change,
    })
  const peer: AttestedPeer = {
    url: runnerUrl,
    statementAddress: runnerKeys.statementAddress,
    keySet: runnerKeys.keySet,
    keySetDigest: runnerKeys.keySetDigest,
    measurement,
    simulated: true,
  }
  const world = {
    store,
    folder,
    clock,
    chain,
    context,
    loaded,
    errors,
    calls: [] as LineCall[],
    attested: [] as string[],
    peer,
    /** Under which statement key the home side comes. */
    caller: homeKeys.statementAddress,
    runner: await startRunner(),
    startRunner,
    runnerSign,
    /** Called before each call; may change it, answer it (`status`), or throw. */
    before: async (
      call: LineCall,
    ): Promise<LineCall | { readonly status: number; readonly body: JsonValue }> => call,
    /** May change what the runner answers. */
    after: async (_call: LineCall, body: JsonValue): Promise<JsonValue> => body,
    attest: async (_url: string): Promise<AttestedPeer> => world.peer,
    /** The home side, which remembers nothing of the one before but keys and state; without the keys (`jobKeys`), as after a restart. */
    home: (change: Partial<HandOffHomeOptions> = {}) =>
      openHandOffHome({
        ...context,
        nodes: [runnerUrl],
        patienceSeconds: 600,
        turnSeconds: 21_600,
        sendSeconds: 20,
        heartbeatSeconds: 900,
        files: transferFolder(join(folder, 'home')),
        enough: () => new Promise(() => undefined),
        giveWay: () => setImmediate(),
        policies: new Map([[handOffPool.address, policyJson]]),
        attest: async (url) => {
          world.attested.push(url)
          return world.attest(url)
        },
        call: () => line,
        onError,
        ...change,
      }),
    /** Puts a job on the chain and gives what a visit asks. */
    async visit(manifest: JobManifest = handOffManifest(), id = '1'): Promise<HandOffVisit> {
      const job = await world.putOnChain(manifest, id)
      const planned = await planJob(manifest, [handOffPool])
      const material = await jobMaterial(context, planned, reservation)
      return { job, manifest, planned, material, beat: async () => undefined }
    },
    /** Puts a job on the chain in place of what has its number there. */
    async putOnChain(manifest: JobManifest, id = '1'): Promise<JobRow> {
      const digest = manifestDigest(manifest)
      const terms = {
        manifestDigest: digest,
        consumer: manifest.consumer.address,
        pools: [handOffPool.address],
        deadline: 1_900_000_000,
      }
      chain.terms.set(id, terms)
      await insertJob(store, {
        id,
        consumer: terms.consumer,
        manifestDigest: digest,
        locator: 'x',
        pools: terms.pools,
      })
      const job = await findJob(store, id)
      if (job === undefined) throw new Error('the job was not stored')
      return { ...job, manifestDigest: digest }
    },
    /** Visits until there is an answer, or something else than a wait. */
    async finish(home: ReturnType<typeof openHandOffHome>, asked: HandOffVisit) {
      for (let round = 0; round < 2_000; round += 1) {
        try {
          return await home.visit(asked)
        } catch (error) {
          if (!(error instanceof Error) || error.name !== 'JobPutOff') throw error
          await new Promise((done) => setTimeout(done, 5))
        }
      }
      throw new Error('no answer after 2,000 visits')
    },
    /** Empty state and folders, four workers in one encrypted file, a fresh runner. */
    async reset(): Promise<void> {
      await world.runner.close()
      await jobs.reset()
      context.jobKeys.forget('1')
      await store.run(`delete from meta where key like 'hand-off%'`)
      await rm(folder, { recursive: true, force: true })
      await mkdir(tables, { recursive: true })
      await writeEncryptedParquet({
        table: tableOf(schema as never, 'workers'),
        rows: [1, 2, 3, 4].map((contributor) => ({
          contributor,
          wage: '10.00',
          sector: contributor % 2 ? 'a' : 'b',
        })),
        key: homeKeys.poolSecret('table-storage', lastingScope(handOffPool)),
        path: join(tables, '1-workers.parquet'),
      })
      clock.seconds = 1_700_000_000
      Object.assign(chain, {
        time: 1_700_000_000,
        standing,
        shownPolicy: handOffPool.policyDigest,
        restrictions: [],
        runner: { keySetDigest: runnerKeys.keySetDigest, measurement, active: true },
      })
      chain.terms.clear()
      for (const list of [loaded, errors, world.calls, world.attested]) list.length = 0
      Object.assign(world, {
        peer,
        caller: homeKeys.statementAddress,
        before: async (call: LineCall) => call,
        after: async (_: LineCall, body: JsonValue) => body,
        attest: async () => world.peer,
        runner: await startRunner(),
      })
    },
    async close(): Promise<void> {
      await world.runner.close()
      await store.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
  const reservation: Reservation = {
    charge: '1',
    planDigest: digestOfDigit('0'),
    inputs: [
      {
        pool: handOffPool.address,
        root: digestOfDigit('1'),
        count: 4,
        contributors: 4,
        verdictList: digestOfDigit('2'),
        refinements: ['1'],
      },
    ],
    versions: [],
  }
  /** The runner's real routes, without HTTP around them. */
  const line: PeerLine = async ({ method, path, body }) => {
    const call = { path, body: body as JsonObject }
    const given = await world.before(call)
    if ('status' in given) return { status: given.status, body: given.body }
    world.calls.push(given)
    const answer = await lineTo(world.runner, world.caller)({ method, path, body: given.body })
    return { status: answer.status, body: await world.after(given, answer.body) }
  }
  return world
}

/** The world that {@link handOffFixture} makes. */
export type HandOffFixture = Awaited<ReturnType<typeof handOffFixture>>

/** @returns a line to the real routes of a node that runs jobs, without HTTP around them */
export function lineTo(server: HandOffServer, caller: Address): PeerLine {
  return async ({ method, path, body }) => {
    const given = { method, body: JSON.stringify(body) }
    const response = await routes(server, caller).request(path, given)
    return { status: response.status, body: (await response.json()) as JsonValue }
  }
}

/** The calls of a hand-off alone; access control is tested where all calls are. */
function routes(server: HandOffServer, caller: Address) {
  const app = new Hono<ApiEnv>()
  app.use(async (context, next) => {
    context.set('capability', { head: { address: caller } } as never)
    await next()
  })
  handOffRoutes(app, server, answersOf(true))
  return app
}
