/**
 * Jobs of programs over the one pool of `job-fixture`: its policy lets any program run, and runtimes and clock are the test's.
 * @module
 */
import { type Digest, type JsonObject, type JsonValue, platformRandom, sha256Digest } from '@sealpool/crypto'
import { parsePoolPolicy } from '@sealpool/privacy'
import type { Job, JobRuntime, RunResult } from '@sealpool/sandbox'
import type { ProgramSettings } from '../config/program-settings.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { openPrograms } from '../program/programs.js'
import { storedLedger } from '../state/pglite-ledger.js'
import type { StateStore } from '../state/state-store.js'
import { engine, type jobFixture, manifest, pool } from './job-fixture.js'

const policyJson = {
  ...pool.policy,
  code: { ...pool.policy.code, computations: ['program'], programs: 'voted' },
  // Far too much for real people: with four workers, less would drown every answer.
  privacy: { ...pool.policy.privacy, epsilon: 100, perJob: { epsilon: 20, delta: 2.5e-7 } },
} as unknown as JsonValue

/** The pool of `job-fixture` under a policy that lets programs run; the digest is the one that the fixture's chain has a key for. */
export const programPool: ServedPool = { ...pool, policy: parsePoolPolicy(policyJson) }

/** The code of a job that nothing is asked of but to be there. */
export const someCode = new TextEncoder().encode('globalThis.sealpool = { main: () => ({}) }')

/** A job of a program: the wage of each worker. @param change of its parameters */
export function programManifest(change: JsonObject = {}): JsonValue {
  const parameters = {
    runtime: 'quickjs',
    code: sha256Digest(someCode),
    entry: 'main',
    tables: [{ table: 'workers', columns: ['wage'], rows: 1 }],
    argument: null,
    split: { kind: 'contributors', atMost: 4 },
    outputs: [{ name: 'wage', min: 0, max: 100 }],
    limits: { memoryBytes: 16_777_216, timeMs: 1_000, steps: 1_000 },
    ...change,
  }
  const compute = { computation: 'program', parameters }
  return manifest({ kind: 'compute', query: null, compute, privacy: { epsilon: 20, delta: 0 } })
}

/** An engine with four workers, who earn 10, 20, 30 and 40. */
export const workers = () =>
  engine({
    query: async () =>
      [1, 2, 3, 4].map((contributor) => ({ contributor, row_rank: '1', c0: `${contributor}0.00` })),
  })

/** The wage that a run is given. */
export function wageOf({ input }: Pick<Job, 'input'>): number {
  const { contributors } = input as {
    contributors: { tables: { workers: { wage: number }[] } }[]
  }
  return contributors[0]?.tables.workers[0]?.wage ?? Number.NaN
}

/** Answers each run with its worker's wage. */
export const wages = (job: Job): RunResult => ({ ok: true, output: { wage: wageOf(job) }, logs: [] })

/** Programs whose runs the test answers, on a clock that it moves; with `clock.moves`, waiting moves it too. */
export function fakePrograms(
  world: ReturnType<typeof jobFixture>,
  answer: (job: Job) => RunResult | Promise<RunResult> = wages,
  settings: ProgramSettings = { runtimes: ['quickjs'], children: 1 },
) {
  const clock = { now: 5_000, moves: false }
  const open = { runtimes: 0, jobs: [] as Job[] }
  const runtime = (): JobRuntime => {
    open.runtimes += 1
    return {
      name: 'fake',
      isolation: 'none',
      async run(job) {
        open.jobs.push(job)
        return answer(job)
      },
      async close() {
        open.runtimes -= 1
      },
    }
  }
  const programs = openPrograms({
    settings,
    isolation: 'best',
    blobStore: { get: (...asked) => world.blobs.get(...asked) },
    open: async () => runtime(),
    clock: () => clock.now,
    random: platformRandom,
    async wait(milliseconds) {
      const until = clock.now + milliseconds
      if (clock.moves) clock.now = Math.max(clock.now, until)
    },
  })
  return { clock, open, programs }
}

/** Opens the pool's budget under the policy of {@link programPool}, after a reset. */
export async function openProgramBudget(store: StateStore): Promise<void> {
  await store.run('truncate ledger')
  await storedLedger(store).open(programPool.address, programPool.policy.privacy)
}

/** Digest of {@link someCode}. */
export const someDigest: Digest = sha256Digest(someCode)
