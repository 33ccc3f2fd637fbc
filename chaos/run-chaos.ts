/**
 * The whole run: sets a stage, injects faults, lets everything come to its end, and checks what must hold.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { availableParallelism, loadavg } from 'node:os'
import { decodeBase64Url, hpkeIdentity, openBytes } from '@sealpool/crypto'
import { postgresPrograms, startPostgres } from '../packages/enclave-node/src/testing/postgresql-server.js'
import type { ChaosArguments, FaultName } from './arguments.js'
import type { Leak } from './canary-scan.js'
import { noCoreFile, noOrphan, stopsInGoodOrder } from './end-checks.js'
import { blobFault } from './fault/blob.js'
import { clockFault } from './fault/clock.js'
import { diskFault } from './fault/disk.js'
import { escapesFault } from './fault/escapes.js'
import { httpFault } from './fault/http.js'
import { killFault } from './fault/kill.js'
import { nodesFault } from './fault/nodes.js'
import { leaderFault, postgresFault } from './fault/postgres.js'
import { reorganisedBlockMs, reorgFault } from './fault/reorg.js'
import { rpcFault } from './fault/rpc.js'
import type { FaultReport } from './fault-report.js'
import { allFacts, chainFacts, storeFacts } from './gather-facts.js'
import { checkInvariants, type InvariantResult } from './invariants.js'
import { knownFaults } from './known.js'
import { track } from './process-list.js'
import { type RunReport, type SceneReport, spreadOf } from './report.js'
import { openScene, type Scene, type SceneOptions } from './scene.js'
import { seededRandom } from './seeded-random.js'
import { type Soak, soak, steepestMegabytesPerMinute } from './soak.js'

type Say = (line: string) => void

/** Runs what was asked for. @param folder everything that the run writes lies in it */
export async function runChaos(
  options: ChaosArguments & { readonly folder: string; readonly say: Say },
): Promise<RunReport> {
  const began = performance.now()
  const loadBefore = loadavg()[0] ?? 0
  const scenes: SceneReport[] = []
  const notDone: string[] = []
  const embedded = options.faults.filter((name) => name !== 'postgres' && name !== 'reorg')
  if (embedded.length > 0 || options.minutes > 0) {
    scenes.push(await embeddedScene(options, embedded))
  }
  if (options.faults.includes('reorg')) scenes.push(await reorganisedScene(options))
  if (options.faults.includes('postgres')) {
    const scene = await postgresScene(options)
    if (scene === null) notDone.push('PostgreSQL: it is not installed here')
    else scenes.push(scene)
  }
  return {
    date: new Date().toISOString(),
    commit: commitOf(),
    seed: options.seed,
    machine: { cores: availableParallelism(), loadBefore, loadAfter: loadavg()[0] ?? 0 },
    seconds: (performance.now() - began) / 1000,
    scenes,
    notDone,
    known: knownFaults.map(({ text }) => text),
  }
}

type RunOptions = ChaosArguments & { readonly folder: string; readonly say: Say }

async function embeddedScene(options: RunOptions, faults: readonly FaultName[]): Promise<SceneReport> {
  const { say, short } = options
  const scene = await prepared({ random: seededRandom(options.seed), say })
  return judged(scene, 'embedded', options, async () => {
    const plays: Record<Exclude<FaultName, 'postgres' | 'reorg'>, () => Promise<FaultReport>> = {
      kill: () => killFault(scene, { kills: options.kills, minutes: options.killMinutes, say }),
      rpc: () => rpcFault(scene, { seconds: short ? 0.7 : 4, say }),
      blob: () => blobFault(scene, { seconds: short ? 0.5 : 4, say }),
      clock: () => clockFault(scene, { count: short ? 2 : 4, say }),
      http: () => httpFault(scene, { say }),
      disk: () => diskFault(scene, { seconds: short ? 1.5 : 5, count: short ? 1 : 2, say }),
      nodes: () => nodesFault(scene, { races: short ? 1 : 5, say }),
      escapes: () => escapesFault(scene, { count: short ? 40 : 1_000, say }),
    }
    const reports: FaultReport[] = []
    let curve: Soak | null = null
    if (options.minutes > 0) {
      curve = await soak(scene, { minutes: options.minutes, say })
      // Jobs may have piled up: the faults after it begin on a node that has nothing left to do.
      reports.push(await withDrain(scene, options, soakReport(curve)))
    }
    for (const name of faults) {
      if (name === 'postgres' || name === 'reorg') continue
      reports.push(await withDrain(scene, options, await play(name, plays[name])))
    }
    return { reports, curve, reorganised: false }
  })
}

/**
 * Reorganisations have a chain of their own: they weaken what can be asked of the ledgers, and anvil 1.7.1 loses its state when more than
 * some blocks are taken off a chain of thousands.
 */
async function reorganisedScene(options: RunOptions): Promise<SceneReport> {
  const { say, short } = options
  const scene = await prepared({
    random: seededRandom(options.seed + 2),
    say,
    blockEveryMs: reorganisedBlockMs,
  })
  return judged(scene, 'reorganised', options, async () => {
    const report = await play('reorg', () => reorgFault(scene, { count: short ? 3 : 24, say }))
    return { reports: [await withDrain(scene, options, report)], curve: null, reorganised: true }
  })
}

/** A fault that throws is a breach like any other: the rest is still checked. */
async function play(name: string, run: () => Promise<FaultReport>): Promise<FaultReport> {
  try {
    return await run()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { fault: name, injected: 0, notes: [], breaches: [`it could not be injected whole: ${message}`] }
  }
}

async function withDrain(scene: Scene, options: RunOptions, report: FaultReport): Promise<FaultReport> {
  await scene.calm()
  const limit = options.short ? 120_000 : 300_000
  const left = await scene.workLeftAfter(limit)
  if (left === undefined) return report
  const breach = `the work was not done afterwards, nor got on for ${limit / 1000} s: ${left}`
  return { ...report, breaches: [...report.breaches, breach] }
}

async function postgresScene(options: RunOptions): Promise<SceneReport | null> {
  const { say, short } = options
  if (postgresPrograms === undefined) return null
  const server = await startPostgres(postgresPrograms, track)
  try {
    const url = await server.database('chaos')
    const scene = await prepared({
      random: seededRandom(options.seed + 1),
      say,
      settings: (settings) => ({
        ...settings,
        state: { kind: 'postgresql', group: 'chaos', tablesDirectory: 'tables' },
      }),
      secrets: { SEALPOOL_DATABASE_URL: url },
    })
    return await judged(scene, 'postgresql', options, async () => {
      const restarts = await play('postgres', () =>
        postgresFault(scene, server, { restarts: short ? 2 : 20, say }),
      )
      const reports = [await withDrain(scene, options, restarts)]
      const kills = await play('leader', () => leaderFault(scene, { kills: short ? 1 : 6, say }))
      reports.push(await withDrain(scene, options, kills))
      return { reports, curve: null, reorganised: false }
    })
  } finally {
    await server.stop({ keep: options.keep })
  }
}

/** A stage with rows in its pools and a job approved, so that there is work at once. */
async function prepared(options: SceneOptions): Promise<Scene> {
  const scene = await openScene(options)
  await scene.workload.contributeFirst()
  const left = await scene.workLeftAfter(120_000)
  if (left !== undefined) throw new Error(`the first contributions were not done in 120 s: ${left}`)
  await scene.workload.openJobs()
  options.say('the pools have their first rows, and a job is approved')
  return scene
}

async function judged(
  scene: Scene,
  state: SceneReport['state'],
  options: RunOptions,
  work: () => Promise<{
    readonly reports: readonly FaultReport[]
    readonly curve: Soak | null
    readonly reorganised: boolean
  }>,
): Promise<SceneReport> {
  try {
    const { reports, curve, reorganised } = await work()
    await scene.calm()
    await scene.workLeftAfter(options.short ? 120_000 : 300_000)
    const results = await openResults(scene)
    await scene.ask('/v1/metrics')
    const code = await scene.stop()
    const facts = allFacts({
      sent: scene.workload.sent,
      paid: scene.workload.paid,
      reorganised,
      chain: await chainFacts(scene.world),
      store: await storeFacts({ config: scene.world.config, secrets: scene.secrets }),
    })
    const onDisk = await scene.scan.folder(options.folder)
    const invariants: InvariantResult[] = [
      ...checkInvariants(facts),
      results,
      leaks('no canary on disk or in logs (files)', onDisk.files, onDisk.leaks),
      leaks(
        'no canary in traffic and metrics (kB)',
        Math.round(scene.traffic.bytes / 1000),
        scene.leaks.filter(({ place }) => !place.includes(' of process ')),
      ),
      leaks(
        'no canary in command lines and children',
        scene.traffic.commandLines,
        scene.leaks.filter(({ place }) => place.includes(' of process ')),
      ),
      await noCoreFile(options.folder),
      noOrphan(scene.recoveries.length + 1, scene.orphans),
      stopsInGoodOrder(code),
    ]
    return {
      state,
      contributions: scene.workload.sent.length,
      jobs: scene.workload.paid.length,
      faults: reports,
      invariants,
      recovery: {
        listens: spreadOf(scene.recoveries.map(({ listens }) => listens)),
        ready: spreadOf(scene.recoveries.map(({ ready }) => ready)),
      },
      soak: curve,
    }
  } finally {
    await scene.close({ keep: options.keep })
  }
}

/** Every settled job's answer can be fetched and opened by its consumer. */
async function openResults(scene: Scene): Promise<InvariantResult> {
  const breaches: string[] = []
  let checked = 0
  for (const id of scene.workload.paid) {
    const { state } = (await scene.ask(`/v1/jobs/${id}`)) as { state: string }
    if (state !== 'settled') continue
    checked += 1
    try {
      const { sealed } = (await scene.ask(`/v1/jobs/${id}/result`)) as { sealed: string }
      await openBytes(decodeBase64Url(sealed), {
        identities: [hpkeIdentity({ privateKey: scene.workload.resultPrivateKey })],
      })
    } catch (error) {
      breaches.push(
        `the answer of job ${id} does not open: ${error instanceof Error ? error.message : error}`,
      )
    }
  }
  return { name: 'every answer opens for its consumer', checked, breaches }
}

function leaks(name: string, checked: number, found: readonly Leak[]): InvariantResult {
  const told = new Set(found.map(({ what, encoding, place }) => `${what} (${encoding}) in ${place}`))
  return { name, checked, breaches: [...told] }
}

function soakReport(curve: Soak): FaultReport {
  const steep = curve.megabytesPerMinute > steepestMegabytesPerMinute
  // Below ten minutes the first growth of the heap is most of the curve.
  const counts = curve.minutes >= 10
  return {
    fault: 'soak (minutes)',
    injected: curve.minutes,
    notes: [],
    breaches: steep && counts ? [`memory grows by ${curve.megabytesPerMinute.toFixed(1)} MB per minute`] : [],
  }
}

function commitOf(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: new URL('..', import.meta.url),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}
