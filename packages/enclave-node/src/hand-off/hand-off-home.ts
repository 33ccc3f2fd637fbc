/**
 * The node that keeps the pools and has a job run elsewhere: by one node that is given everything, or by several that are given the rows
 * of some contributors each. Budget, charge, release and receipt stay here.
 * @module
 */
import type { ExecutedJob } from '../job/execute-job.js'
import type { JobContext } from '../job/job-context.js'
import { JobRefusal } from '../job/job-refusal.js'
import { runnerSearch, waitsForNodes } from './find-runner.js'
import { HandOffRefusal } from './hand-off-refusal.js'
import { handOffTurns } from './hand-off-turns.js'
import type { HandOffVisit } from './hand-off-visit.js'
import { keptSlots } from './kept-hand-off.js'
import { type RunnerLinesOptions, runnerLines } from './runner-lines.js'
import { shardVisits } from './shard-visits.js'
import type { TransferFiles } from './transfer-files.js'
import { transferVisits } from './transfer-visits.js'

/** Jobs that other nodes run for this one. */
export interface HandOffHome {
  /** To how many nodes a job can be dealt at most: as many as the settings name. */
  readonly mostShards: number
  /** Whether the settings have rules by which GPUs of other nodes are judged. */
  readonly judgesGpus: boolean
  /**
   * Goes on with a job's hand-off as far as it goes now.
   * @returns the answer; or that this node is to run the job itself, since nobody did in time and the manifest allows it
   * @throws JobPutOff `HANDED_OFF`, `HAND_OFF_WAITS`; JobRefusal `EXECUTION_FAILED`, `TOO_FEW_CONTRIBUTORS_AFTER_NOISE`
   */
  visit(asked: HandOffVisit): Promise<ExecutedJob | 'home'>
  /** Removes what lies here of a job's hand-off, and lets the other nodes be: its keys are destroyed, see `destroyJobKeys`. */
  removeFiles(job: string): Promise<void>
  /** Ends a job's hand-off: what other nodes have of it is destroyed there, as far as they can be reached, and here. */
  end(job: string): Promise<void>
  /**
   * Sees to it that there are the nodes that a job needs, before it costs anything.
   * @throws JobPutOff `HAND_OFF_WAITS` when fewer that the manifest names can be attested now
   */
  requireRunner(asked: Pick<HandOffVisit, 'manifest' | 'planned'>): Promise<void>
}

/** What handing off needs. */
export interface HandOffHomeOptions
  extends RunnerLinesOptions,
    Pick<JobContext, 'store' | 'chain' | 'blobStore' | 'keys' | 'jobKeys' | 'sign' | 'random' | 'now'> {
  /** Seconds for which a node that has begun may be silent before the next one is tried. */
  readonly patienceSeconds: number
  /** Seconds after which a node that has begun, and still has no answer, loses its turn to another one. */
  readonly turnSeconds: number
  /** Seconds that one visit may send for; other jobs wait meanwhile. */
  readonly sendSeconds: number
  readonly heartbeatSeconds: number
  readonly files: TransferFiles
  /** Resolves when nodes that may run a job, and have not answered, are waited for no longer. */
  readonly enough: () => Promise<void>
  /** Lets others have their turn in the middle of long work. */
  readonly giveWay: () => Promise<void>
  readonly onError: (error: unknown) => void
}

/** Opens hand-offs of this node. */
export function openHandOffHome(options: HandOffHomeOptions): HandOffHome {
  const { store, chain, jobKeys, files, nodes } = options
  const turns = handOffTurns(options)
  const lines = runnerLines(options)
  const search = runnerSearch({ ...options, reach: (url, asked) => lines.reach(url, asked, false) })
  const transfers = transferVisits({ ...options, lines, search, turns })
  const shards = shardVisits({ ...options, transfers, search, turns })

  const end = async (job: string): Promise<void> => {
    shards.forget(job)
    jobKeys.end(job, 'hand-off')
    await Promise.all((await keptSlots(store, job)).map((slot) => transfers.end(slot)))
  }

  return {
    mostShards: nodes.length,
    judgesGpus: options.gpu !== undefined,
    async visit(asked) {
      const { handOff } = asked.manifest
      if (handOff === undefined) return 'home'
      const { shards: of, expiresAt, fallback } = handOff
      const over = (await chain.head()).timestamp >= expiresAt
      if (over && fallback === 'none') {
        // What is remembered of shards names in the receipt who was lost.
        if (of === undefined) await end(asked.job.id)
        throw JobRefusal.of('EXECUTION_FAILED', new HandOffRefusal('LEASH_EXPIRED'))
      }
      if (of !== undefined) return shards.visit(asked, of)
      if (over) {
        await end(asked.job.id)
        return 'home'
      }
      const { outcome, facts } = await transfers.visit(asked)
      // A share is given for a shard alone.
      if (outcome.kind !== 'answer') throw new RangeError('an answer was accepted that is none')
      return { answer: outcome.answer, handOff: facts }
    },
    async removeFiles(job) {
      await Promise.all([job, ...(await keptSlots(store, job))].map((slot) => files.remove(slot)))
    },
    end,
    async requireRunner({ manifest, planned }) {
      const { shards: of } = manifest.handOff ?? {}
      if (of !== undefined) return shards.requireNodes({ manifest, planned }, of)
      const found = await search.one(nodes, { manifest, planned })
      if (found.url === undefined) throw waitsForNodes(found.cause)
    },
  }
}
