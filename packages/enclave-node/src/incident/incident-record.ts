/**
 * What the node remembers of an incident, in its sealed state: it survives a stop, and a restored backup.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import { getMeta, setMeta } from '../state/meta-table.js'
import type { Sql } from '../state/state-store.js'

/**
 * What has happened: the code or its platform has a flaw that nobody is known to have used; somebody was inside the code that ran; a
 * key of a pool is in other hands.
 */
export const incidentKinds = ['vulnerable', 'workload', 'key'] as const
/** One of {@link incidentKinds}. */
export type IncidentKind = (typeof incidentKinds)[number]

const recordSchema = z.strictObject({
  /** All that has happened, as it became known: one does not end another. */
  kinds: z.array(z.enum(incidentKinds)).min(1),
  /** Unix seconds by the node's clock. */
  openedAt: z.int().nonnegative(),
  /** The node judges, refines, runs and releases nothing. */
  stopped: z.boolean(),
  /** By pool, the first key epoch that is not given up. */
  epochs: z.record(z.string(), z.int().min(2).max(4_294_967_295)),
})

/** An open incident. */
export type IncidentRecord = z.output<typeof recordSchema>

/** As it was written when an incident had one kind: whoever upgrades because of it starts the new code on this note. */
const olderSchema = recordSchema
  .omit({ kinds: true })
  .extend({ kind: z.enum(incidentKinds) })
  .transform(({ kind, ...rest }): IncidentRecord => ({ kinds: [kind], ...rest }))

const recordKey = 'incident'
/** Outlives the incident: a stolen key stays stolen. */
const epochsKey = 'given-up epochs'
const epochsSchema = recordSchema.shape.epochs

/** By pool, the first key epoch that no incident has given up. */
export type FirstEpochs = z.output<typeof epochsSchema>

/** @returns what incidents have given up so far, ended ones included. @throws NodeError `STATE_UNREADABLE` */
export async function readFirstEpochs(sql: Sql): Promise<FirstEpochs> {
  const text = await getMeta(sql, epochsKey)
  const read = epochsSchema.safeParse(text === undefined ? {} : JSON.parse(text))
  if (read.success) return read.data
  throw new NodeError('STATE_UNREADABLE', 'incident', 'the note on given-up epochs has another form')
}

/** @param epochs replaces what was there */
export async function writeFirstEpochs(sql: Sql, epochs: FirstEpochs): Promise<void> {
  await setMeta(sql, epochsKey, JSON.stringify(epochs))
}

/** @returns the open incident, null when there is none. @throws NodeError `STATE_UNREADABLE` */
export async function readIncident(sql: Sql): Promise<IncidentRecord | null> {
  const text = await getMeta(sql, recordKey)
  if (text === undefined) return null
  const read = z.union([recordSchema, olderSchema, z.null()]).safeParse(JSON.parse(text))
  if (read.success) return read.data
  throw new NodeError('STATE_UNREADABLE', 'incident', 'the note on an incident has another form')
}

/** @param record null ends it */
export async function writeIncident(sql: Sql, record: IncidentRecord | null): Promise<void> {
  await setMeta(sql, recordKey, JSON.stringify(record))
}

/** The first epoch of a pool that an incident has not given up; 1 when it gave up none. */
export function firstEpochOf(record: IncidentRecord | null, pool: Address): number {
  return (record !== null && Object.hasOwn(record.epochs, pool) ? record.epochs[pool] : undefined) ?? 1
}
