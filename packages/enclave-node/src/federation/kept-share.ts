/**
 * What a home remembers of a share that it has computed, and the node that coordinated of those that it was given: in the sealed
 * state. A home's share is kept as long as its job may be asked for, so that whoever asks again gets the same numbers.
 * @module
 */
import { type Digest, decodeBase64Url, encodeBase64Url, type SignedStatement } from '@sealpool/crypto'
import { requireInputs } from '../job/execute-job.js'
import { JobRefusal } from '../job/job-refusal.js'
import { findJob, type JobRow } from '../state/job-table.js'
import { deleteMeta, getMeta, metaKeys, setMeta } from '../state/meta-table.js'
import type { Sql, StateStore } from '../state/state-store.js'
import { keepVerdictLists, readVerdictLists } from '../state/verdict-list-table.js'
import { keptShareBody } from './share-statement.js'

const keyOf = (job: string): string => `share ${job}`
const givenKeyOf = (job: string): string => `given-shares ${job}`
const takenKeyOf = (job: string): string => `taken-shares ${job}`
/** Shares that are remembered of one number: of more homes than settings can name. */
const takenLimit = 100

/** @returns the bytes of a share that was computed under a charge; undefined when there is none */
export async function readShare(sql: Sql, job: string, charge: string): Promise<Uint8Array | undefined> {
  const text = await getMeta(sql, keyOf(job))
  if (text === undefined) return undefined
  const kept = JSON.parse(text) as { readonly charge: string; readonly bytes: string }
  // A reorganisation may give the number to another job.
  return kept.charge === charge ? decodeBase64Url(kept.bytes) : undefined
}

/** Remembers a share. */
export function keepShare(sql: Sql, job: string, charge: string, bytes: Uint8Array): Promise<void> {
  return setMeta(sql, keyOf(job), JSON.stringify({ charge, bytes: encodeBase64Url(bytes) }))
}

/** Forgets the shares of jobs that are over on the chain or gone from it, and those of which an owner took something back. */
export async function tidyShares(store: StateStore): Promise<void> {
  for (const prefix of [keyOf(''), takenKeyOf('')]) {
    for (const key of await metaKeys(store, prefix)) {
      const job = await findJob(store, key.slice(prefix.length))
      const open = job !== undefined && !job.detached && ['seen', 'waiting', 'running'].includes(job.state)
      const needed = open && (prefix !== keyOf('') || (await hasInputs(store, job)))
      if (!needed) await deleteMeta(store, key)
    }
  }
}

async function hasInputs(store: StateStore, { reservation }: JobRow): Promise<boolean> {
  if (reservation === null) return false
  try {
    await requireInputs(store, reservation)
    return true
  } catch (error) {
    if (error instanceof JobRefusal) return false
    throw error
  }
}

/** Remembers what other homes have signed for their shares, as the receipt of a job names it: no other job's that had its number. */
export function keepGivenShares(sql: Sql, job: string, given: readonly SignedStatement[]): Promise<void> {
  const key = givenKeyOf(job)
  return given.length === 0 ? deleteMeta(sql, key) : setMeta(sql, key, JSON.stringify(given))
}

/** @returns what other homes have signed; undefined when no other home had a share */
export async function readGivenShares(
  sql: Sql,
  job: string,
): Promise<readonly SignedStatement[] | undefined> {
  const text = await getMeta(sql, givenKeyOf(job))
  return text === undefined ? undefined : (JSON.parse(text) as SignedStatement[])
}

/** What another home has signed for a share that this node was given, and the digests of the verdicts that it names. */
export interface TakenShare {
  readonly statement: SignedStatement
  readonly verdicts: Readonly<Record<string, readonly Digest[]>>
}

/** As it is stored; the release before this one wrote the digests of the verdicts themselves. */
type KeptTaken =
  | { readonly statement: SignedStatement; readonly lists: Readonly<Record<string, Digest>> }
  | TakenShare

/**
 * Remembers that another home has charged, whether the job comes to an end or not; its numbers are not kept. What it signed for another
 * job of this number, which a reorganisation may bring back, stays beside it.
 */
export async function keepTakenShare(store: StateStore, job: string, taken: TakenShare): Promise<void> {
  const about = aboutOf(taken)
  await store.transaction(async (tx) => {
    const others = (await keptTaken(tx, job)).filter((other) => aboutOf(other) !== about)
    // Named, not written out: while one home waits, the others are asked again every few seconds.
    const kept: KeptTaken = { statement: taken.statement, lists: await keepVerdictLists(tx, taken.verdicts) }
    await setMeta(tx, takenKeyOf(job), JSON.stringify([...others.slice(-takenLimit + 1), kept]))
  })
}

/** By whom, and for what: one share of it counts. */
function aboutOf({ statement }: Pick<TakenShare, 'statement'>): string {
  const { manifest, plan, coordinatorKeys } = keptShareBody(statement)
  return [statement.signer, manifest, plan, coordinatorKeys].join(' ')
}

/** Forgets what homes have signed for a job, because the chain holds something else. */
export function forgetTakenShares(sql: Sql, job: string): Promise<void> {
  return deleteMeta(sql, takenKeyOf(job))
}

/** @returns what other homes have signed so far for a job that has not ended; a number that another job has had may show that one's */
export async function readTakenShares(sql: Sql, job: string): Promise<readonly TakenShare[]> {
  const all: TakenShare[] = []
  for (const kept of await keptTaken(sql, job)) {
    const verdicts = 'lists' in kept ? await readVerdictLists(sql, kept.lists) : kept.verdicts
    all.push({ statement: kept.statement, verdicts })
  }
  return all
}

async function keptTaken(sql: Sql, job: string): Promise<readonly KeptTaken[]> {
  const text = await getMeta(sql, takenKeyOf(job))
  return text === undefined ? [] : (JSON.parse(text) as KeptTaken[])
}
