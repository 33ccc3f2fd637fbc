import type { Address, Client } from 'viem'
import { type BatchEvent, getBatches } from '../action/batch.js'
import {
  type ContributionEvent,
  type EventQuery,
  getContributions,
  getVerdicts,
  type VerdictRecord,
} from '../action/contribution.js'
import type { Finality } from '../action/finality.js'
import { getJobEvents, type JobEvent } from '../action/job-read.js'
import type { BlockRange } from '../action/logs.js'
import { toContractsError } from '../action/transaction.js'
import type { Deployment } from '../deploy/deployment.js'
import type { ContractsError } from '../errors.js'
import { followEvents, type PlacedEvent, type Step } from './follow-events.js'

/** What every watching action takes. */
export interface WatchOptions<Event> {
  readonly deployment: Deployment
  /** How final a block must be before its events are given; default the newest block, whose events may be removed again. */
  readonly finality?: Finality
  /** Default: from now on. */
  readonly fromBlock?: bigint
  /** Milliseconds between looks at the chain; default the client's. */
  readonly pollingInterval?: number
  /** Default 5,000. */
  readonly blocksPerRequest?: bigint
  /** New events, oldest first. The next look waits for a promise that it returns. */
  readonly onEvents: (events: readonly Event[], blockNumber: bigint) => void | Promise<void>
  /** Events that a reorganisation took away, newest first, before what came instead. */
  readonly onRemoved?: (events: readonly Event[]) => void | Promise<void>
  /** What went wrong; watching goes on. A callback that throws is told of here, too: what it was given is not given again. */
  readonly onError?: (error: ContractsError) => void
}

/** Ends a watch: no callback begins after it. */
export type Unwatch = () => void

/**
 * Watches what happens to jobs, of one job when `jobId` is given.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - callbacks and range, see {@link WatchOptions}; `jobId`: only of this job, default all
 * @returns What ends the watch.
 * @example
 * const unwatch = watchJobs(client, { deployment, finality: { confirmations: 3 }, onEvents: (events) => console.log(events) })
 */
export function watchJobs(
  client: Client,
  args: WatchOptions<JobEvent> & { readonly jobId?: bigint },
): Unwatch {
  const only = args.jobId === undefined ? {} : { jobId: args.jobId }
  return watch(client, 'watchJobs', args, (range) => getJobEvents(client, { ...range, ...only }))
}

/**
 * Watches contributions that come one by one, of one pool when `pool` is given. See {@link watchBatches} for the others.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - callbacks and range, see {@link WatchOptions}; `pool`: only of this pool, default all
 * @returns what ends the watch
 */
export function watchContributions(
  client: Client,
  args: WatchOptions<ContributionEvent> & { readonly pool?: Address },
): Unwatch {
  return watch(client, 'watchContributions', args, (range) =>
    getContributions(client, { ...range, ...ofPool(args) }),
  )
}

/**
 * Watches recorded verdicts on contributions, of one pool when `pool` is given.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - callbacks and range, see {@link WatchOptions}; `pool`: only of this pool, default all
 * @returns what ends the watch
 */
export function watchVerdicts(
  client: Client,
  args: WatchOptions<VerdictRecord> & { readonly pool?: Address },
): Unwatch {
  return watch(client, 'watchVerdicts', args, (range) => getVerdicts(client, { ...range, ...ofPool(args) }))
}

/**
 * Watches Merkle batches of contributions.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - callbacks and range, see {@link WatchOptions}
 * @returns what ends the watch
 */
export function watchBatches(client: Client, args: WatchOptions<BatchEvent>): Unwatch {
  return watch(client, 'watchBatches', args, (range) => getBatches(client, range))
}

const nothing: Step<never> = { removed: [], events: [], blockNumber: 0n }

function ofPool({ pool }: { readonly pool?: Address }) {
  return pool === undefined ? {} : { pool }
}

function watch<Event extends PlacedEvent>(
  client: Client,
  place: string,
  args: WatchOptions<Event>,
  read: (query: EventQuery) => Promise<readonly Event[]>,
): Unwatch {
  const { deployment, onEvents, onRemoved, onError } = args
  const pages = args.blocksPerRequest === undefined ? {} : { blocksPerRequest: args.blocksPerRequest }
  const follower = followEvents<Event>(client, {
    read: (range: BlockRange) => read({ deployment, ...range, ...pages }),
    ...(args.finality === undefined ? {} : { finality: args.finality }),
    ...(args.fromBlock === undefined ? {} : { fromBlock: args.fromBlock }),
  })
  let ended = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const attempt = async (action: () => unknown) => {
    if (ended) return
    try {
      await action()
    } catch (error) {
      if (!ended) onError?.(toContractsError(place, error))
    }
  }
  const look = async () => {
    let step: Step<Event> | null = null
    await attempt(async () => {
      step = await follower.step()
    })
    const { removed, events, blockNumber } = (step ?? nothing) as Step<Event>
    if (removed.length > 0) await attempt(() => onRemoved?.(removed))
    if (events.length > 0) await attempt(() => onEvents(events, blockNumber))
    if (!ended) timer = setTimeout(look, args.pollingInterval ?? client.pollingInterval)
  }
  void look()
  return () => {
    ended = true
    clearTimeout(timer)
  }
}
