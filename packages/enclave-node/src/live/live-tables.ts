/**
 * The tables of live pools, made for one job and gone with it: fetched from the owners' stores, encrypted under a key that lies in memory alone.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import { type NamedTable, type Row, tableOf } from '@sealpool/refine'
import { inOrder } from '../chain/in-order.js'
import { mapBounded } from '../ingest/bounded.js'
import type { PartStore } from '../ingest/ingest-context.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { JobPutOff, JobRefusal } from '../job/job-refusal.js'
import type { PlannedJob } from '../job/planned-job.js'
import type { JobKey, JobKeys } from '../key/job-keys.js'
import type { RefinedInput } from '../state/contribution-table.js'
import { findJob, type JobRow, type Reservation } from '../state/job-table.js'
import { type LiveCopy, type LiveLook, liveCopiesOf, noteLooks } from '../state/live-copy-table.js'
import type { TablePart } from '../state/refinement-table.js'
import { readVerdictList } from '../state/verdict-list-table.js'
import { type RowsContext, rowsOf } from './rows-of.js'

/** What a job has of one live pool. */
export interface LiveSet {
  /** The contributions that were had, by id. */
  readonly inputs: readonly RefinedInput[]
  /** How many accepted ones were not to be had. */
  readonly leftOut: number
  readonly parts: readonly TablePart[]
  /** Opens the parts, until it is destroyed. */
  readonly key: JobKey
}

/** Live pools of one job, by address. */
export type LiveSets = ReadonlyMap<Address, LiveSet>

/** Tables of live pools, by job. */
export interface LiveTables {
  /**
   * Fetches what a job reads of live pools: anew before it is reserved, afterwards what is reserved and not at hand any more.
   * @throws JobPutOff `SOURCES_AWAY` while a store does not give what was reserved, JobRefusal `SOURCES_AWAY` when that lasts
   */
  gather(job: JobRow, planned: PlannedJob): Promise<LiveSets>
  /** @returns what was fetched for a job, destroyed or not; undefined when nothing was, or the job has ended */
  of(job: string): LiveSets | undefined
  /** Destroys keys and files of a job, of which is still known what it had; one that has none is no error. */
  destroy(job: string): Promise<void>
  /** Destroys keys and files of a job, and forgets it. */
  end(job: string): Promise<void>
  /** Where the parts of a job lie. */
  readonly parts: Pick<PartStore, 'paths'>
  figures(): Readonly<Record<string, number>>
}

/** What live tables are made with. */
export interface LiveTablesContext extends RowsContext {
  readonly parts: Pick<PartStore, 'write' | 'remove' | 'paths'>
  /** Unix seconds. */
  readonly now: () => number
  /** Milliseconds that only grow. */
  readonly clock: () => number
  readonly jobKeys: Pick<JobKeys, 'draw' | 'destroy'>
}

/** Rows that are in memory before they are written. */
const rowsAtOnce = 20_000
/** How often a job that has lost its tables asks for them before it ends. */
const mostTries = 10

/** What a job has, and whether it is destroyed already. */
interface Held {
  readonly sets: Map<Address, LiveSet>
  readonly pools: ServedPool[]
  over: boolean
}

/** Opens an empty one: what an earlier run of the node has left has lost its keys. */
export function liveTables(context: LiveTablesContext): LiveTables {
  const { store, parts, settings, clock } = context
  const kept = new Map<string, Held>()
  const tries = new Map<string, number>()
  const gathering = new Set<string>()
  let fetched = 0
  let leftOut = 0
  let written = 0

  const destroySet = async (pool: ServedPool, set: Pick<LiveSet, 'key' | 'parts'>): Promise<void> => {
    context.jobKeys.destroy(set.key)
    await parts.remove(pool, set.parts)
  }

  const destroyHeld = async (held: Held | undefined): Promise<void> => {
    if (held === undefined) return
    held.over = true
    for (const pool of held.pools) {
      const set = held.sets.get(pool.address)
      if (set !== undefined) await destroySet(pool, set)
    }
  }

  const end = async (job: string): Promise<void> => {
    tries.delete(job)
    const held = kept.get(job)
    kept.delete(job)
    await destroyHeld(held)
  }

  /** Jobs that the chain has ended meanwhile. */
  const endOver = async (): Promise<void> => {
    for (const job of new Set([...kept.keys(), ...tries.keys()])) {
      if (gathering.has(job)) continue
      const state = (await findJob(store, job))?.state
      if (state !== 'waiting' && state !== 'running') await end(job)
    }
  }

  /** Fetches all that is asked for of one pool, until the time is over. */
  const fetchPool = async (
    job: string,
    pool: ServedPool,
    copies: readonly LiveCopy[],
    until: number,
  ): Promise<LiveSet> => {
    const key = context.jobKeys.draw(job, 'live-tables')
    const made: TablePart[] = []
    const looks: LiveLook[] = []
    const inputs: RefinedInput[] = []
    let waiting = new Map<string, Row[]>()
    let count = 0
    const writing = inOrder()
    /** The key is destroyed: nothing may be written any more. */
    let over = false
    /** Takes what waits at once, so that others go on beside the writing. */
    const flush = (): Promise<void> => {
      const taken = waiting
      waiting = new Map()
      count = 0
      return writing(async () => {
        for (const [name, rows] of taken) {
          if (rows.length === 0 || over) continue
          const table: NamedTable = tableOf(pool.refiner.schema, name)
          written += 1
          made.push(await parts.write({ pool, refinement: `${job}-${written}`, table, rows, key: key.bytes }))
        }
      })
    }
    try {
      await mapBounded(
        copies,
        settings.ownCopies.atOnce,
        async ({ contribution, verdictDigest, rows: expected }) => {
          const { id, owner, contributor, blobDigest, commitment } = contribution
          const got = clock() < until ? await rowsOf(context, pool, contribution) : undefined
          // The file is what the chain says, and its rows are what they were: else it counts as one that is not there.
          const found = got?.kind === 'rows' && got.digest === expected
          looks.push({ contribution: id, found })
          if (!found) return
          inputs.push({ id, owner, contributor, blobDigest, commitment, verdictDigest })
          for (const [name, rows] of Object.entries(got.tables)) {
            const into = waiting.get(name) ?? []
            for (const row of rows) into.push(row)
            waiting.set(name, into)
            count += rows.length
          }
          if (count >= rowsAtOnce) await flush()
        },
      )
      await flush()
    } catch (error) {
      await writing(async () => {
        over = true
        await destroySet(pool, { key, parts: made })
      })
      throw error
    }
    await store.transaction((tx) => noteLooks(tx, pool.address, looks, context.now()))
    fetched += inputs.length
    leftOut += looks.length - inputs.length
    // The chain's numbers, as every other list of inputs has them.
    inputs.sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1))
    return { inputs, leftOut: looks.length - inputs.length, parts: made, key }
  }

  const gatherAll = async (
    job: JobRow,
    planned: PlannedJob,
    wanted: (pool: ServedPool) => Promise<readonly LiveCopy[] | undefined>,
  ): Promise<Map<Address, LiveSet>> => {
    await end(job.id)
    const until = clock() + settings.ownCopies.jobSeconds * 1_000
    const held: Held = { sets: new Map(), pools: [], over: false }
    const { sets, pools } = held
    kept.set(job.id, held)
    for (const { pool } of planned.charges) {
      const copies = await wanted(pool)
      if (copies === undefined) continue
      const set = await fetchPool(job.id, pool, copies, until)
      pools.push(pool)
      sets.set(pool.address, set)
    }
    return sets
  }

  /** What a charged job has reserved, and nothing else: another set would be another answer under the same charge. */
  const gatherReserved = async (
    job: JobRow,
    planned: PlannedJob,
    { inputs }: Reservation,
  ): Promise<LiveSets> => {
    const held = kept.get(job.id)
    const reserved = inputs.filter((one) => one.leftOut !== undefined)
    if (held?.over === false && reserved.every(({ pool }) => held.sets.has(pool))) return held.sets
    const tried = (tries.get(job.id) ?? 0) + 1
    const missing: Address[] = []
    const sets = await gatherAll(job, planned, async (pool) => {
      const input = reserved.find((one) => one.pool === pool.address)
      if (input === undefined) return undefined
      const verdicts = new Set(await readVerdictList(store, input.verdictList))
      return (await liveCopiesOf(store, pool.address)).filter(({ verdictDigest }) =>
        verdicts.has(verdictDigest),
      )
    })
    for (const { pool, count, leftOut: before } of reserved) {
      const set = sets.get(pool)
      if (set === undefined || set.inputs.length !== count) missing.push(pool)
      // What the charge says of it, not what was missed now.
      else sets.set(pool, { ...set, leftOut: before ?? 0 })
    }
    if (missing.length === 0) return sets
    await end(job.id)
    if (tried >= mostTries) throw JobRefusal.of('SOURCES_AWAY')
    tries.set(job.id, tried)
    throw new JobPutOff(
      'SOURCES_AWAY',
      'the node was restarted, and the owners’ stores do not give all that the job has reserved; they are asked again',
    )
  }

  return {
    async gather(job, planned) {
      await endOver()
      gathering.add(job.id)
      try {
        if (job.reservation !== null) return await gatherReserved(job, planned, job.reservation)
        return await gatherAll(job, planned, async (pool) =>
          pool.keep === 'live' ? liveCopiesOf(store, pool.address) : undefined,
        )
      } finally {
        gathering.delete(job.id)
      }
    },
    of: (job) => kept.get(job)?.sets,
    destroy: (job) => destroyHeld(kept.get(job)),
    end,
    parts,
    figures: () => ({ live_fetched: fetched, live_left_out: leftOut, live_jobs: kept.size }),
  }
}
