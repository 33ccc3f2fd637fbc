/**
 * Whose turn a handed-off job is, and under which key: every transfer has its own, in memory alone, so that a transfer whose key went
 * with an earlier process begins anew.
 * @module
 */
import type { JobContext } from '../job/job-context.js'
import type { JobKey } from '../key/job-keys.js'
import { type KeptHandOff, type ReadHandOff, readHandOff } from './kept-hand-off.js'

/** Transfers that were given up and are remembered for their end: more nodes than settings name. */
const maximumLeft = 20

/** @param context `now`: unix seconds */
export function handOffTurns({ store, jobKeys, now }: Pick<JobContext, 'store' | 'jobKeys' | 'now'>) {
  const anew = (job: string, read: ReadHandOff): KeptHandOff => {
    const { transfer, ...kept } = read
    const left = transfer === null ? [] : [{ id: transfer.id, url: transfer.url, keySet: transfer.keySet }]
    return {
      ...kept,
      key: jobKeys.draw(job, 'hand-off').id,
      parts: null,
      transfer: null,
      left: [...kept.left, ...left].slice(-maximumLeft),
    }
  }
  /** Whoever had a transfer has its keys: the next one is under others. */
  const withoutTransfer = (job: string, kept: KeptHandOff): KeptHandOff => {
    if (kept.transfer === null) return kept
    jobKeys.end(job, 'hand-off')
    return anew(job, kept)
  }
  return {
    /** The first turn of a job. */
    first: (job: string): KeptHandOff => ({
      attempt: 0,
      turnAt: now(),
      reachedAt: now(),
      key: jobKeys.draw(job, 'hand-off').id,
      parts: null,
      transfer: null,
      left: [],
    }),
    /** @returns how far a job has come; begun anew where its key is gone; undefined where nothing is remembered */
    async remembered(job: string): Promise<KeptHandOff | undefined> {
      const read = await readHandOff(store, job)
      if (read === undefined) return undefined
      const { key } = read
      return key !== null && jobKeys.find(job, key) !== undefined ? { ...read, key } : anew(job, read)
    },
    withoutTransfer,
    /** It is the next node's turn. */
    giveUp: (job: string, kept: KeptHandOff): KeptHandOff => ({
      ...withoutTransfer(job, kept),
      attempt: kept.attempt + 1,
      turnAt: now(),
      reachedAt: now(),
    }),
    /**
     * The key of a turn.
     * @throws RangeError when it was destroyed: nobody goes on with a turn whose key is gone
     */
    keyOf(job: string, { key }: Pick<KeptHandOff, 'key'>): JobKey {
      const found = jobKeys.find(job, key)
      if (found === undefined) throw new RangeError('the key of a hand-off is destroyed')
      return found
    },
  }
}
