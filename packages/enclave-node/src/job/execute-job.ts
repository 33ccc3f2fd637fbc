import type { JobManifest } from '@sealpool/compute'
import type { JsonValue } from '@sealpool/crypto'
import type { GivenShare } from '../federation/federation.js'
import type { HandOffFacts } from '../hand-off/hand-off-statements.js'
import { lastingScope } from '../ingest/served-pool.js'
import type { LiveSet, LiveSets, LiveTables } from '../live/live-tables.js'
import type { ProgramRunner } from '../program/program-runs.js'
import type { JobRow, Reservation } from '../state/job-table.js'
import { countUsable } from '../state/live-copy-table.js'
import { poolRefinements, type Refinement } from '../state/refinement-table.js'
import type { Sql } from '../state/state-store.js'
import { readVerdictList } from '../state/verdict-list-table.js'
import { traced } from '../trace/tracer.js'
import { executeProgram } from './execute-program.js'
import type { JobContext } from './job-context.js'
import { noiseStream } from './job-noise.js'
import { JobRefusal } from './job-refusal.js'
import { type JobSecretOptions, jobSecret } from './job-secret.js'
import type { PlannedJob } from './planned-job.js'
import { type ReadTable, readTables, runOnEngine, tableLoad } from './run-on-engine.js'

/**
 * Sees to it that everything that was reserved for a job is still there to be read.
 * @throws JobRefusal `EXECUTION_FAILED` when an owner took something of it back: other inputs would give another answer
 * under the same charge
 */
export async function requireInputs(sql: Sql, { inputs }: Reservation): Promise<void> {
  for (const { pool, refinements, leftOut, verdictList, count } of inputs) {
    if (leftOut !== undefined) {
      const verdicts = await readVerdictList(sql, verdictList)
      if ((await countUsable(sql, pool, verdicts)) !== count) throw JobRefusal.of('EXECUTION_FAILED')
      continue
    }
    const kept = new Set((await poolRefinements(sql, pool)).map(({ id }) => id))
    if (!refinements.every((id) => kept.has(id))) throw JobRefusal.of('EXECUTION_FAILED')
  }
}

/** A table with the encrypted files that were reserved of it. */
export interface ReservedTable extends ReadTable {
  readonly paths: readonly string[]
  /** Opens them. */
  readonly key: Uint8Array
}

/** What a job runs on: the same however often, and wherever, it is run. */
export interface JobMaterial {
  readonly tables: readonly ReservedTable[]
  /** Seed of the noise, 32 bytes. */
  readonly noise: Uint8Array
  /** Key of the pseudonyms in the engine, 32 bytes. */
  readonly pseudonyms: Uint8Array
  /** Key by which contributors are dealt to several nodes, 32 bytes. */
  readonly deal: Uint8Array
  /** This home's part of the noise's seed, where the pools of the job have several homes; 32 bytes. */
  readonly share: Uint8Array
}

/**
 * Gathers what was reserved for a job.
 * @param live what was fetched of its live pools
 * @throws JobRefusal `EXECUTION_FAILED`, see {@link requireInputs}
 */
export async function jobMaterial(
  context: Pick<JobContext, 'store' | 'keys' | 'parts'>,
  planned: PlannedJob,
  reservation: Reservation,
  live?: Pick<LiveTables, 'parts'> & { readonly sets: LiveSets | undefined },
): Promise<JobMaterial> {
  await requireInputs(context.store, reservation)
  const refinements = new Map<string, readonly Refinement[]>()
  const fetched = new Map<string, LiveSet>()
  for (const { pool } of planned.charges) {
    const input = reservation.inputs.find((one) => one.pool === pool.address)
    const reserved = input?.refinements ?? []
    if (input?.leftOut !== undefined) {
      const set = live?.sets?.get(pool.address)
      // Without them the job would run on nothing, or on something else than its charge says.
      if (set?.inputs.length !== input.count) throw JobRefusal.of('EXECUTION_FAILED')
      fetched.set(pool.address, set)
      continue
    }
    const kept = await poolRefinements(context.store, pool.address)
    refinements.set(
      pool.address,
      kept.filter(({ id }) => reserved.includes(id)),
    )
  }
  const secrets: JobSecretOptions = {
    keys: context.keys,
    planned,
    contributions: new Map([
      ...[...refinements].map(([pool, ones]) => [pool, ones.flatMap((one) => one.contributions)] as const),
      ...[...fetched].map(([pool, { inputs }]) => [pool, inputs.map(({ id }) => id)] as const),
    ]),
  }
  return {
    tables: readTables(planned).map((table) => {
      const set = fetched.get(table.pool.address)
      if (set !== undefined && live !== undefined) {
        const own = set.parts.filter((part) => part.table === table.table)
        return { ...table, paths: live.parts.paths(table.pool, own), key: set.key.bytes }
      }
      const parts = (refinements.get(table.pool.address) ?? []).flatMap((refinement) =>
        refinement.parts.filter((part) => part.table === table.table),
      )
      return {
        ...table,
        paths: context.parts.paths(table.pool, parts),
        key: context.keys.poolSecret('table-storage', lastingScope(table.pool)),
      }
    }),
    noise: jobSecret('job-noise', secrets),
    pseudonyms: jobSecret('job-pseudonyms', secrets),
    deal: jobSecret('job-deal', secrets),
    share: jobSecret('job-share', secrets),
  }
}

/** An answer, and who gave it when that was not this node. */
export interface ExecutedJob {
  readonly answer: JsonValue
  readonly handOff: HandOffFacts | null
  /** The nodes that ran a shard of it each, in the order of the shards. */
  readonly shards?: readonly HandOffFacts[]
  /** What other homes gave, where the pools of the job have several. */
  readonly given?: readonly GivenShare[]
}

/**
 * Runs a planned job on what was reserved for it: here, or on another attested node when its manifest says so.
 * @param asked `beat`: a sign of life for the chain, called while another node works
 * @returns the answer, already private; it must not leave before its charge is stored
 * @throws JobRefusal `EXECUTION_FAILED`, `TOO_FEW_CONTRIBUTORS_AFTER_NOISE`, see {@link runOnEngine}; JobPutOff `HANDED_OFF`,
 * `HAND_OFF_WAITS` while another node has the job or is looked for
 */
export async function executeJob(
  context: JobContext,
  planned: PlannedJob,
  reservation: Reservation,
  asked?: { readonly job: JobRow; readonly manifest: JobManifest; readonly beat: () => Promise<void> },
): Promise<ExecutedJob> {
  const sets = asked === undefined ? undefined : context.live?.of(asked.job.id)
  const live = context.live === undefined ? undefined : { parts: context.live.parts, sets }
  const material = await jobMaterial(context, planned, reservation, live)
  if (asked?.manifest.handOff !== undefined) {
    if (context.handOff === undefined && asked.manifest.handOff.fallback === 'none') {
      throw JobRefusal.of('EXECUTION_FAILED')
    }
    const { handOff, trace } = context
    const about = { job: asked.job.id, manifest: asked.job.manifestDigest }
    const handed =
      handOff &&
      (await traced(trace, 'job.visit', about, () => handOff.visit({ ...asked, planned, material })))
    if (handed !== undefined && handed !== 'home') return handed
  }
  const onEngine = (runner?: ProgramRunner) =>
    runOnEngine({
      ...(runner === undefined ? {} : { runner }),
      openEngine: context.openEngine,
      planned,
      tables: material.tables.map((table) => tableLoad(table, { paths: table.paths, key: table.key })),
      pseudonymKey: material.pseudonyms,
      noise: noiseStream(material.noise),
    })
  const { program } = planned
  const answer = await (program === undefined || asked === undefined
    ? onEngine()
    : executeProgram(context, { id: asked.job.id, charge: reservation.charge, program }, onEngine)
  ).finally(() => {
    // They follow from the root and can be made again: there is no need for them to lie about meanwhile.
    for (const secret of [material.noise, material.pseudonyms, material.deal, material.share]) secret.fill(0)
  })
  return { answer, handOff: null }
}
