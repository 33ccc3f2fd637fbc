/**
 * Whose turn a handed-off job is, and under which key: every transfer has its own, in memory alone, so that a transfer whose key went
 * with an earlier process begins anew.
 * @module
 */
import type { JobContext } from '../job/job-context.js'
import type { JobKey } from '../key/job-keys.js'
import { type KeptHandOff, type ReadHandOff, readHandOff } from './kept-hand-off.js'
import { jobOfSlot, type ShardNode, type Slot } from './shard.js'

/** Transfers that were given up and are remembered for their end: more nodes than settings name. */
const maximumLeft = 20

/** @param context `now`: unix seconds */
export function handOffTurns({ store, jobKeys, now }: Pick<JobContext, 'store' | 'jobKeys' | 'now'>) {
  const anew = (slot: Slot, read: ReadHandOff): KeptHandOff => {
    const { transfer, given: _, ...kept } = read
    const left = transfer === null ? [] : [{ id: transfer.id, url: transfer.url, keySet: transfer.keySet }]
    return {
      ...kept,
      key: jobKeys.draw(jobOfSlot(slot), 'hand-off').id,
      parts: null,
      transfer: null,
      left: [...kept.left, ...left].slice(-maximumLeft),
    }
  }
  /** Whoever had a transfer has its keys: the next one is under others. */
  const withoutTransfer = (slot: Slot, kept: KeptHandOff): KeptHandOff => {
    if (kept.transfer === null) return kept
    // Other shards of the job have theirs.
    const key = jobKeys.find(jobOfSlot(slot), kept.key)
    if (key !== undefined) jobKeys.destroy(key)
    return anew(slot, kept)
  }
  return {
    /** The first turn of a job, or of a shard, which one node alone is given. */
    first: (slot: Slot, shard?: ShardNode): KeptHandOff => ({
      attempt: 0,
      turnAt: now(),
      reachedAt: now(),
      key: jobKeys.draw(jobOfSlot(slot), 'hand-off').id,
      parts: null,
      transfer: null,
      left: [],
      ...(shard === undefined ? {} : { shard }),
    }),
    /** @returns how far a transfer has come; begun anew where its key is gone; undefined where nothing is remembered */
    async remembered(slot: Slot): Promise<KeptHandOff | undefined> {
      const read = await readHandOff(store, slot)
      if (read === undefined) return undefined
      const { key } = read
      return key !== null && jobKeys.find(jobOfSlot(slot), key) !== undefined
        ? { ...read, key }
        : anew(slot, read)
    },
    withoutTransfer,
    /** It is the next node's turn. */
    giveUp: (slot: Slot, kept: KeptHandOff): KeptHandOff => ({
      ...withoutTransfer(slot, kept),
      attempt: kept.attempt + 1,
      turnAt: now(),
      reachedAt: now(),
    }),
    /**
     * The key of a turn.
     * @throws RangeError when it was destroyed: nobody goes on with a turn whose key is gone
     */
    keyOf(slot: Slot, { key }: Pick<KeptHandOff, 'key'>): JobKey {
      const found = jobKeys.find(jobOfSlot(slot), key)
      if (found === undefined) throw new RangeError('the key of a hand-off is destroyed')
      return found
    },
  }
}
