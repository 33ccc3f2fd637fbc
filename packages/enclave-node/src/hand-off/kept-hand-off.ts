/**
 * What the home node remembers of a job that it has handed off, of a dealt one for each shard: in its sealed state, so that a killed node
 * goes on where it was and no disk that was put back names another node.
 * @module
 */
import type { AppraisedGpus } from '@sealpool/attest'
import { gpuLimitNames } from '@sealpool/attest/platform-evidence'
import type { Address, Digest, SignedStatement } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import { deleteMeta, getMeta, metaKeys, setMeta } from '../state/meta-table.js'
import type { Sql } from '../state/state-store.js'
import { type TransferFile, transferFileSchema } from './leash.js'
import { secretText } from './secret-text.js'
import { jobOfSlot, type ShardNode, type Slot } from './shard.js'

/** A transfer that the running node has begun. */
export interface BegunTransfer {
  readonly id: string
  readonly url: string
  /** Statement key of the running node. */
  readonly node: Address
  readonly keySet: Digest
  /** File 0 is the sealed leash. */
  readonly files: readonly TransferFile[]
}

/** A transfer that was given up, of which its node may not know it yet. */
export type LeftTransfer = Pick<BegunTransfer, 'id' | 'url' | 'keySet'>

/** How far a job's hand-off has come. */
export interface KeptHandOff {
  /** How many nodes were given up so far; decides which one is next. */
  readonly attempt: number
  /** Unix seconds at which it became the present node's turn. */
  readonly turnAt: number
  /** Unix seconds at which the running node was last reached. */
  readonly reachedAt: number
  /** Id of the key that the keys of this transfer follow from: every transfer has its own, and none is ever stored. */
  readonly key: Digest
  /** Tables under the transfer's own key, ready to be sent; null until they are. */
  readonly parts: readonly TransferFile[] | null
  readonly transfer: BegunTransfer | null
  /** The last ones that were given up: their nodes are told when the hand-off ends. */
  readonly left: readonly LeftTransfer[]
  /** Of a shard: the node that it was dealt to, and nobody else ever is. */
  readonly shard?: ShardNode
  /** Of a shard: its node has given its share under this key, and its signed word is kept. */
  readonly given?: true
}

/** What was read: `key` is null of an older note, which names none, so that nothing of it goes on. */
export type ReadHandOff = Omit<KeptHandOff, 'key'> & { readonly key: Digest | null }

const keyOf = (slot: Slot): string => `hand-off ${slot}`
const workKeyOf = (slot: Slot): string => `hand-off-work ${slot}`

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/) as z.ZodType<Digest>
const address = z.string().regex(/^0x[0-9a-f]{40}$/) as z.ZodType<Address>
const leftSchema = z.strictObject({ id: z.string(), url: z.string(), keySet: digest })
const transferSchema = leftSchema.extend({
  node: address,
  files: z.array(transferFileSchema),
})
const olderSchema = z.strictObject({
  attempt: z.int().nonnegative(),
  reachedAt: z.int(),
  parts: z.array(transferFileSchema).nullable(),
  transfer: transferSchema.nullable(),
})
const gpuSchema: z.ZodType<AppraisedGpus> = z.strictObject({
  confidentialComputing: z.literal('on'),
  developerTools: z.literal('off'),
  devices: z.int().min(1),
  policy: digest,
  limits: z.array(z.enum(gpuLimitNames)),
})
const keptSchema = olderSchema.extend({
  turnAt: z.int(),
  key: digest,
  left: z.array(leftSchema),
  shard: z.exactOptional(
    z.strictObject({ url: z.string(), node: address, keySet: digest, gpu: z.exactOptional(gpuSchema) }),
  ),
  given: z.exactOptional(z.literal(true)),
})
/** The release before this one kept what a transfer's keys followed from in the note itself. */
const secretSchema = keptSchema.omit({ key: true }).extend({ secret: secretText })

/**
 * @returns what is remembered; undefined for what was not handed off, or whose hand-off is over
 * @throws NodeError `STATE_UNREADABLE` when the note has another form
 */
export async function readHandOff(sql: Sql, slot: Slot): Promise<ReadHandOff | undefined> {
  const text = await getMeta(sql, keyOf(slot))
  if (text === undefined) return undefined
  const value = jsonIn(text)
  const kept = keptSchema.safeParse(value)
  if (kept.success) return kept.data
  const stored = secretSchema.safeParse(value)
  if (stored.success) {
    const { secret: _, ...note } = stored.data
    return { ...note, key: null }
  }
  const older = olderSchema.safeParse(value)
  if (!older.success)
    throw new NodeError('STATE_UNREADABLE', `job ${slot}`, 'the note on its hand-off has another form')
  return { ...older.data, turnAt: older.data.reachedAt, key: null, left: [] }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @returns the job's own slot and those of its shards of which anything is remembered, readable or not, in the order of the shards */
export async function keptSlots(sql: Sql, job: string): Promise<readonly Slot[]> {
  const own = (await getMeta(sql, keyOf(job))) === undefined ? [] : [job]
  return [...own, ...(await shardSlots(sql, keyOf(job)))]
}

/** Texts sort the tenth shard before the second. */
async function shardSlots(sql: Sql, key: string): Promise<readonly Slot[]> {
  const job = key.slice(key.indexOf(' ') + 1)
  const slots = (await metaKeys(sql, `${key}-`)).map((one) => one.slice(key.length - job.length))
  const indexOf = (slot: Slot) => Number(slot.slice(job.length + 1))
  return slots.sort((one, other) => indexOf(one) - indexOf(other))
}

/** @returns whether anything is remembered of a job's hand-off, readable or not */
export async function isHandOffKept(sql: Sql, job: string): Promise<boolean> {
  return (await keptSlots(sql, job)).length > 0
}

/** @returns jobs of which a hand-off is remembered */
export async function handedOffJobs(sql: Sql): Promise<readonly string[]> {
  const slots = (await metaKeys(sql, keyOf(''))).map((key) => key.slice(keyOf('').length))
  return [...new Set(slots.map(jobOfSlot))]
}

/** Remembers. */
export async function keepHandOff(sql: Sql, slot: Slot, kept: KeptHandOff): Promise<void> {
  await setMeta(sql, keyOf(slot), JSON.stringify(kept))
  // A shard that is given anew has no share yet: the word on an earlier one is no word on what the job is made of.
  if (kept.shard !== undefined && kept.given === undefined) await deleteMeta(sql, workKeyOf(slot))
}

/** Forgets a hand-off that is over. */
export function forgetHandOff(sql: Sql, slot: Slot): Promise<void> {
  return deleteMeta(sql, keyOf(slot))
}

/** Keeps the running node's signed word, which the job's receipt names. */
export function keepWork(sql: Sql, slot: Slot, work: SignedStatement): Promise<void> {
  return setMeta(sql, workKeyOf(slot), JSON.stringify(work))
}

/** @returns the running node's signed word on a job or a shard; undefined when this node ran it, or it is not over */
export async function readWorkOf(sql: Sql, slot: Slot): Promise<SignedStatement | undefined> {
  const text = await getMeta(sql, workKeyOf(slot))
  return text === undefined ? undefined : (JSON.parse(text) as SignedStatement)
}

/** @returns the signed words of the nodes to which a job was dealt, in the order of their shards; without those of lost ones */
export async function readWorksOf(sql: Sql, job: string): Promise<readonly SignedStatement[]> {
  const works = (await shardSlots(sql, workKeyOf(job))).map((slot) => readWorkOf(sql, slot))
  return (await Promise.all(works)).flatMap((work) => work ?? [])
}

/** A node to which a shard was dealt. */
export interface DealtShard extends Pick<ShardNode, 'node' | 'keySet' | 'gpu'> {
  /** Its signed word; null when it has given no share yet. */
  readonly work: SignedStatement | null
}

/**
 * @returns the nodes to which a job was dealt, in the order of their shards; none when it was not, what is remembered is over, or a note is
 * damaged, so that who had what cannot be told
 */
export async function dealtShards(sql: Sql, job: string): Promise<readonly DealtShard[]> {
  const shards: DealtShard[] = []
  for (const slot of await shardSlots(sql, keyOf(job))) {
    const kept = await readHandOff(sql, slot).catch(unreadable)
    if (kept?.shard === undefined) return []
    const work = kept.given === true ? await readWorkOf(sql, slot) : undefined
    const { keySet, url: _, ...dealt } = kept.shard
    shards.push({ ...dealt, keySet: kept.transfer?.keySet ?? keySet, work: work ?? null })
  }
  return shards
}

/** A damaged note fails its job, and holds up no refusal. */
function unreadable(error: unknown): undefined {
  if (!isDamagedNote(error)) throw error
}

/** @returns whether a note was read that has another form: who has what cannot be told from it */
export function isDamagedNote(error: unknown): boolean {
  return error instanceof NodeError && error.code === 'STATE_UNREADABLE'
}
