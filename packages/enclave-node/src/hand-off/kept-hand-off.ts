/**
 * What the home node remembers of a job that it has handed off: in its sealed state, so that a killed node goes on where it was and
 * no disk that was put back names another node.
 * @module
 */
import type { Address, Digest, SignedStatement } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import { deleteMeta, getMeta, metaKeys, setMeta } from '../state/meta-table.js'
import type { Sql } from '../state/state-store.js'
import { type TransferFile, transferFileSchema } from './leash.js'
import { secretText } from './secret-text.js'

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
}

/** What was read: `key` is null of an older note, which names none, so that nothing of it goes on. */
export type ReadHandOff = Omit<KeptHandOff, 'key'> & { readonly key: Digest | null }

const keyOf = (job: string): string => `hand-off ${job}`
const workKeyOf = (job: string): string => `hand-off-work ${job}`

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/) as z.ZodType<Digest>
const leftSchema = z.strictObject({ id: z.string(), url: z.string(), keySet: digest })
const transferSchema = leftSchema.extend({
  node: z.string().regex(/^0x[0-9a-f]{40}$/) as z.ZodType<Address>,
  files: z.array(transferFileSchema),
})
const olderSchema = z.strictObject({
  attempt: z.int().nonnegative(),
  reachedAt: z.int(),
  parts: z.array(transferFileSchema).nullable(),
  transfer: transferSchema.nullable(),
})
const keptSchema = olderSchema.extend({
  turnAt: z.int(),
  key: digest,
  left: z.array(leftSchema),
})
/** The release before this one kept what a transfer's keys followed from in the note itself. */
const secretSchema = keptSchema.omit({ key: true }).extend({ secret: secretText })

/**
 * @returns what is remembered; undefined for a job that was not handed off, or whose hand-off is over
 * @throws NodeError `STATE_UNREADABLE` when the note has another form
 */
export async function readHandOff(sql: Sql, job: string): Promise<ReadHandOff | undefined> {
  const text = await getMeta(sql, keyOf(job))
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
    throw new NodeError('STATE_UNREADABLE', `job ${job}`, 'the note on its hand-off has another form')
  return { ...older.data, turnAt: older.data.reachedAt, key: null, left: [] }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @returns whether anything is remembered of a job's hand-off, readable or not */
export async function isHandOffKept(sql: Sql, job: string): Promise<boolean> {
  return (await getMeta(sql, keyOf(job))) !== undefined
}

/** @returns jobs of which a hand-off is remembered */
export async function handedOffJobs(sql: Sql): Promise<readonly string[]> {
  return (await metaKeys(sql, keyOf(''))).map((key) => key.slice(keyOf('').length))
}

/** Remembers. */
export function keepHandOff(sql: Sql, job: string, kept: KeptHandOff): Promise<void> {
  return setMeta(sql, keyOf(job), JSON.stringify(kept))
}

/** Forgets a hand-off that is over. */
export function forgetHandOff(sql: Sql, job: string): Promise<void> {
  return deleteMeta(sql, keyOf(job))
}

/** Keeps the running node's signed word, which the job's receipt names. */
export function keepWork(sql: Sql, job: string, work: SignedStatement): Promise<void> {
  return setMeta(sql, workKeyOf(job), JSON.stringify(work))
}

/** @returns the running node's signed word on a job; undefined when this node ran it, or it is not over */
export async function readWorkOf(sql: Sql, job: string): Promise<SignedStatement | undefined> {
  const text = await getMeta(sql, workKeyOf(job))
  return text === undefined ? undefined : (JSON.parse(text) as SignedStatement)
}
