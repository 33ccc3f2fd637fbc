/**
 * A job whose contributors are dealt to several nodes: each is given the rows of its own under keys of its own, and gives back what they
 * add to the plan. This node adds the shares up, and adds noise, once. No other node is ever given more than one shard.
 * @module
 */
import { executeShares, type PlanShare, QueryError } from '@sealpool/query'
import type { ExecutedJob } from '../job/execute-job.js'
import { noiseStream } from '../job/job-noise.js'
import { JobPutOff, JobRefusal } from '../job/job-refusal.js'
import { jsonObject } from '../json-object.js'
import { dealContributors } from './deal-contributors.js'
import { type runnerSearch, waitsForNodes } from './find-runner.js'
import type { HandOffHomeOptions } from './hand-off-home.js'
import type { HandOffFacts } from './hand-off-statements.js'
import type { handOffTurns } from './hand-off-turns.js'
import type { HandOffVisit } from './hand-off-visit.js'
import { isHandOffKept, keepHandOff, readHandOff } from './kept-hand-off.js'
import { contributorsOf } from './make-leash.js'
import type { Reached } from './runner-lines.js'
import { type ShardPlace, slotOf } from './shard.js'
import { signsOfLife } from './signs-of-life.js'
import { failJob, type TransferVisits } from './transfer-visits.js'

/** What visiting shards needs besides what handing off does. */
export interface ShardVisitsOptions extends HandOffHomeOptions {
  readonly transfers: TransferVisits
  readonly search: ReturnType<typeof runnerSearch>
  readonly turns: ReturnType<typeof handOffTurns>
}

/** Visits to the nodes of a dealt job. */
export interface ShardVisits {
  /**
   * Goes on with all shards of a job as far as they go now.
   * @param of how many there are
   * @returns the answer, once every shard has given its share
   * @throws JobPutOff `HANDED_OFF`, `HAND_OFF_WAITS`; JobRefusal `EXECUTION_FAILED` when a node says that it failed: what is remembered of
   * each shard is left for the receipt
   */
  visit(asked: HandOffVisit, of: number): Promise<ExecutedJob>
  /** @throws JobPutOff `HAND_OFF_WAITS` when fewer nodes than shards can be attested now */
  requireNodes(asked: Pick<HandOffVisit, 'manifest' | 'planned'>, of: number): Promise<void>
  /** Forgets the shares and the deal of a job. */
  forget(job: string): void
}

/** A share that a node gave. */
interface HeldShare {
  readonly share: PlanShare
  readonly facts: HandOffFacts
}

/** What is in memory of a dealt job: a process that is started anew has its shards given anew. */
interface DealtJob {
  deal: Promise<ReadonlyMap<number, number>> | undefined
  readonly shares: Map<number, HeldShare>
}

/** Opens visits to nodes of dealt jobs. */
export function shardVisits(options: ShardVisitsOptions): ShardVisits {
  const { store, files, nodes, keys, transfers, search, turns } = options
  const dealt = new Map<string, DealtJob>()
  const beats = signsOfLife(options)

  /** As many nodes as shards, each another one, and none of them this one. */
  const find = async (
    asked: Pick<HandOffVisit, 'manifest' | 'planned'>,
    of: number,
  ): Promise<readonly Reached[]> => {
    const { found, cause } = await search.several(nodes, asked, of, [keys.statementAddress])
    if (found.length < of) throw waitsForNodes(cause)
    return found
  }

  const dealOf = (
    job: DealtJob,
    { material }: HandOffVisit,
    of: number,
  ): Promise<ReadonlyMap<number, number>> => {
    const deal =
      job.deal ??
      contributorsOf(files, material).then((all) => dealContributors(all, of, material.deal, options.giveWay))
    job.deal = deal
    // Whoever waits for it is told; the next visit begins anew.
    deal.catch(() => {
      job.deal = undefined
    })
    return deal
  }

  /** Which node has which shard stands in the sealed state before any of them is given anything. */
  const assign = async (asked: HandOffVisit, of: number): Promise<void> => {
    const found = await find(asked, of)
    await store.transaction(async (tx) => {
      for (const [index, { peer }] of found.entries()) {
        const slot = slotOf(asked.job.id, { index })
        const { url, statementAddress: node, keySetDigest: keySet, gpu } = peer
        const shard = { url, node, keySet, ...(gpu === undefined ? {} : { gpu }) }
        await keepHandOff(tx, slot, turns.first(slot, shard))
      }
    })
  }

  const visitShard = async (asked: HandOffVisit, place: ShardPlace, job: DealtJob): Promise<HeldShare> => {
    const held = job.shares.get(place.index)
    const kept = await readHandOff(store, slotOf(asked.job.id, place)).catch(failJob)
    // Whose it is cannot be told any more: whoever was asked now may have another one.
    if (kept?.shard === undefined) throw JobRefusal.of('EXECUTION_FAILED')
    if (held !== undefined) return held
    const deal = () => dealOf(job, asked, place.of)
    // Signs of life are the whole job's.
    const beat = async () => undefined
    const { outcome, facts } = await transfers.visit({ ...asked, beat, shard: { ...place, deal } })
    // An answer is given for a whole job alone.
    if (outcome.kind !== 'share') throw new RangeError('a share was accepted that is none')
    const share = { share: outcome.share, facts }
    job.shares.set(place.index, share)
    return share
  }

  return {
    async visit(asked, of) {
      const { id } = asked.job
      const begun = await isHandOffKept(store, id)
      await beats.whenDue(id, asked.beat, begun)
      if (!begun) await assign(asked, of)
      const job = dealt.get(id) ?? { deal: undefined, shares: new Map<number, HeldShare>() }
      dealt.set(id, job)
      // Side by side: a silent node holds up no other.
      const visits = await Promise.allSettled(
        Array.from({ length: of }, (_, index) => visitShard(asked, { index, of }, job)),
      )
      const failures = visits.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []))
      if (failures.length > 0) throw mostTelling(failures)
      const shares = visits.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      const answer = await answerOf(asked, shares)
      return { answer, handOff: null, shards: shares.map(({ facts }) => facts) }
    },
    async requireNodes(asked, of) {
      await find(asked, of)
    },
    forget(job) {
      dealt.delete(job)
      beats.forget(job)
    },
  }
}

/** Adds up, and adds noise: the seed is the one with which this node would have run the job itself. */
async function answerOf({ planned, material }: HandOffVisit, shares: readonly HeldShare[]) {
  const { query: plan } = planned
  // A manifest with shards is a query's.
  if (plan === undefined) throw JobRefusal.of('EXECUTION_FAILED')
  try {
    const answer = await executeShares({
      plan,
      shares: shares.map(({ share }) => share),
      contributors: 'disjoint',
      random: noiseStream(material.noise),
    })
    return jsonObject(answer)
  } catch (error) {
    if (error instanceof QueryError) throw JobRefusal.of('EXECUTION_FAILED', error)
    throw error
  }
}

/** What went wrong here, then that a node has failed, then that one is waited for: the one that is looked at again soonest. */
function mostTelling(failures: readonly unknown[]): unknown {
  const own = failures.find((one) => !(one instanceof JobPutOff) && !(one instanceof JobRefusal))
  const refusal = failures.find((one) => one instanceof JobRefusal)
  const putOffs = failures.filter((one): one is JobPutOff => one instanceof JobPutOff)
  const soonest = putOffs.reduce<JobPutOff | undefined>((first, one) => {
    if (one.retryAfter === undefined) return first ?? one
    return first?.retryAfter === undefined || one.retryAfter < first.retryAfter ? one : first
  }, undefined)
  return own ?? refusal ?? soonest
}
