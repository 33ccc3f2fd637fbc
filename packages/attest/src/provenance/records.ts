import type { Address, Digest, JsonObject } from '@sealpool/crypto'
import {
  digestText,
  either,
  flag,
  hexText,
  integer,
  isoText,
  list,
  type Reader,
  record,
  type Schema,
  ShapeError,
  schema,
  text,
} from '../shape/shape.js'

/** A contribution as the chain has it. */
export type ContributionRecord = {
  /** Id in the registry. */
  contribution: string
  /** SHA-256 of the sealed bytes. */
  blob: Digest
  /** Salted commitment to what was sealed: the source, of which nobody else learns anything. */
  commitment: Digest
  /** Time of its block, ISO in UTC. */
  at: string
}

/** A verdict of a proof of contribution. */
export type VerdictRecord = {
  /** The verdict's JSON, or its digest where no more is known (the chain has no more): then its step names no code. */
  verdict: JsonObject | Digest
  /** When it was recorded, ISO in UTC. */
  at: string
}

/** A refinement: a node's signed word on the rows that it made of contributions. */
export type RefinementRecord = {
  /** The signed statement `sealpool/refinement`, as JSON. */
  statement: unknown
  /** Ids of the contributions that are in its rows, in the order of its root. */
  contributions: string[]
  /** When it was recorded, ISO in UTC. */
  at: string
}

/** What a chain of provenance is made of besides the receipt. */
export type ProvenanceRecords = {
  /** By pool address in lower case; in the order of the receipt's inputs, which is by id in number. */
  contributions: Readonly<Record<string, readonly ContributionRecord[]>>
  /** The same for the verdicts on them. */
  verdicts: Readonly<Record<string, readonly VerdictRecord[]>>
  /** Of all pools, in any order. */
  refinements: readonly RefinementRecord[]
  /** Signed words of other nodes that the receipt names (`sealpool/work`, `sealpool/share`), as JSON. */
  parents: readonly unknown[]
}

const most = 1_000_000
const id = /* @__PURE__ */ text({ min: 1, max: 200 })
const anything: Reader<unknown> = (value) => value
const anyObject: Reader<JsonObject> = (value, place) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ShapeError(place, 'expected an object')
  return value as JsonObject
}

/** An object of lists by pool. */
function byPool<T>(entry: Reader<T>): Reader<Readonly<Record<string, readonly T[]>>> {
  const pool = hexText(20)
  const entries = list(entry, { max: most })
  return (value, place) => {
    const given = Object.entries(anyObject(value, place))
    if (given.length > 100) throw new ShapeError(place, 'expected at most 100 pools')
    return Object.fromEntries(
      given.map(([name, one]) => [pool(name, place), entries(one, `${place}.${name}`)]),
    )
  }
}

/** Schema of {@link ProvenanceRecords}; unknown fields are refused. */
export const provenanceRecordsSchema: Schema<ProvenanceRecords> = /* @__PURE__ */ (() =>
  schema(
    'BAD_RECEIPT',
    'records',
    'Not records of provenance',
    record<ProvenanceRecords>({
      contributions: byPool(
        record<ContributionRecord>({
          contribution: id,
          blob: digestText,
          commitment: digestText,
          at: isoText('time'),
        }),
      ),
      verdicts: byPool(
        record<VerdictRecord>({ verdict: either(digestText, anyObject), at: isoText('time') }),
      ),
      refinements: list(
        record<RefinementRecord>({
          statement: anything,
          contributions: list(id, { max: most }),
          at: isoText('time'),
        }),
        { max: 100_000 },
      ),
      parents: list(anything, { max: 101 }),
    }),
  ))()

/** What is read of a verdict; its digest covers all of it. */
export const verdictPartSchema: Schema<{
  contribution: string
  pool: Address
  poc: Digest
  valid: boolean
}> = /* @__PURE__ */ (() =>
  schema(
    'BAD_RECEIPT',
    'verdict',
    'Not a verdict',
    record<{ contribution: string; pool: Address; poc: Digest; valid: boolean }>(
      {
        contribution: id,
        pool: text<Address>({ pattern: /^0x[0-9a-fA-F]{40}$/, what: '0x and 40 hexadecimal digits' }),
        poc: digestText,
        valid: flag,
      },
      'drop',
    ),
  ))()

/** What a `sealpool/refinement` says, as far as a chain needs it. */
export type RefinementPart = {
  pool: Address
  policy: Digest
  refiner: Digest
  schema: Digest
  /** Digest of the rows. */
  content: Digest
  contributions: { count: number; root: `0x${string}` }
}

/** Schema of {@link RefinementPart}. */
export const refinementPartSchema: Schema<RefinementPart> = /* @__PURE__ */ (() =>
  schema(
    'BAD_RECEIPT',
    'refinement',
    'Not a refinement',
    record<RefinementPart>(
      {
        pool: text<Address>({ pattern: /^0x[0-9a-fA-F]{40}$/, what: '0x and 40 hexadecimal digits' }),
        policy: digestText,
        refiner: digestText,
        schema: digestText,
        content: digestText,
        contributions: record<RefinementPart['contributions']>({ count: integer(0), root: hexText(32) }),
      },
      'drop',
    ),
  ))()
