/**
 * A shard is the part of a job's contributors that one node of several is given.
 * @module
 */
import type { AppraisedGpus } from '@sealpool/attest'
import type { Address, Digest } from '@sealpool/crypto'
import * as z from 'zod'

/** Most nodes that one job is dealt to. */
const maximumShards = 16

/** Which part of a job it is, as a leash names it. */
export const shardPlaceSchema = z
  .strictObject({
    /** From 0 on. */
    index: z.int().min(0),
    /** How many there are. */
    of: z.int().min(2).max(maximumShards),
  })
  .refine(({ index, of }) => index < of, { path: ['index'], message: 'there are fewer shards' })

/** Which part of a job it is. */
export type ShardPlace = z.output<typeof shardPlaceSchema>

/** The node that a shard was given to, and nobody else ever is. */
export interface ShardNode {
  readonly url: string
  /** Its statement key. */
  readonly node: Address
  readonly keySet: Digest
  /** What it had proved of its GPUs, where the manifest demands any. */
  readonly gpu?: AppraisedGpus
}

/** What is remembered and kept on disk of one transfer is named by the job's number, and of one of several by the shard's besides. */
export type Slot = string

/** @returns the slot of a job, or of one of its shards */
export function slotOf(job: string, shard?: Pick<ShardPlace, 'index'>): Slot {
  return shard === undefined ? job : `${job}-${shard.index}`
}

/** @returns the job's number */
export function jobOfSlot(slot: Slot): string {
  return slot.split('-')[0] ?? slot
}

/** @returns as a signed word names it: `1/3` is the first of three */
export function shardText({ index, of }: ShardPlace): string {
  return `${index + 1}/${of}`
}
