import type { JsonObject, JsonValue } from '@sealpool/crypto'
import { keyedFingerprint } from '@sealpool/privacy'
import { ComputeError } from '../errors.js'
import { momentOf } from './moment-of.js'
import type { ProgramColumn, ProgramPlan } from './plan-program.js'

/** A row of one table, as an engine gives it. */
export interface ProgramRow {
  readonly contributor: number | bigint | string
  /** The row's number among the contributor's in this table, from 1 (`row_rank`). Whole numbers may be decimal text. */
  readonly rank: number | bigint | string
  /** By column. Numbers may be decimal text; moments are ISO text, or days and microseconds since 1970. */
  readonly values: { readonly [column: string]: unknown }
}

/** Rows by table: every table of the plan, in any order. */
export type ProgramRows = { readonly [table: string]: readonly ProgramRow[] }

/** What one run is about: its contributors, in a keyed order and without their names. */
export type ProgramBlock = readonly Contributor[]

interface Contributor {
  /** Keyed fingerprint of the contributor's name: it says where he falls, and nothing about him. */
  readonly print: string
  readonly rows: Map<string, RankedRow[]>
}

interface RankedRow {
  readonly rank: number
  readonly values: JsonObject
}

/**
 * Divides contributors among runs. Where somebody falls depends on his name and the key alone, never on anybody else or on what the rows
 * say; with the cap of `contributors`, others decide only whether he is run at all.
 *
 * @param plan - Of the program.
 * @param rows - Rows of its tables; those past the plan's number for a contributor are left out.
 * @param order - 32 secret bytes, the same whenever the same job runs again.
 * @returns One block for each run, in an order by the key. Nobody is in two of them.
 * @throws ComputeError `ROWS_INVALID` for a missing table, contributor or rank, or a short key.
 */
export function programBlocks(
  plan: ProgramPlan,
  rows: ProgramRows,
  order: Uint8Array,
): readonly ProgramBlock[] {
  if (order.length !== 32) throw invalid('order', 'Give 32 secret bytes, derived for this job alone.')
  const contributors = contributorsOf(plan, rows, order).sort((a, b) => (a.print < b.print ? -1 : 1))
  const { split } = plan
  if (split.kind === 'contributors') return contributors.slice(0, split.atMost).map((one) => [one])
  const blocks = Array.from({ length: split.blocks }, (): Contributor[] => [])
  for (const one of contributors) {
    // The order goes by the first digits; the block by the last 128 bits.
    blocks[Number(BigInt(`0x${one.print.slice(32)}`) % BigInt(split.blocks))]?.push(one)
  }
  return blocks.filter((block) => block.length >= split.least)
}

/**
 * The JSON that a run is given.
 *
 * @param plan - Of the program.
 * @param block - The run's contributors.
 * @returns `{ argument, contributors: [{ tables: { name: [{ column: value }] } }] }`.
 */
export function programInput(plan: ProgramPlan, block: ProgramBlock): JsonValue {
  return {
    argument: plan.program.argument,
    contributors: block.map(({ rows }) => ({
      tables: Object.fromEntries(
        plan.tables.map(({ table, rows: most }) => [table, firstRows(rows.get(table) ?? [], most)]),
      ),
    })),
  }
}

function contributorsOf(plan: ProgramPlan, rows: ProgramRows, order: Uint8Array): Contributor[] {
  const known = new Map<string, Contributor>()
  for (const { table, rows: most } of plan.tables) {
    if (!Object.hasOwn(rows, table))
      throw invalid(`rows.${table}`, 'Give the rows of every table of the plan.')
    const columns = plan.columns.filter((column) => column.table === table)
    for (const [index, row] of (rows[table] ?? []).entries()) {
      const place = `rows.${table}[${index}]`
      const rank = rankOf(row.rank, place)
      if (rank > most) continue
      const name = nameOf(row.contributor, place)
      let contributor = known.get(name)
      if (contributor === undefined) {
        contributor = {
          print: keyedFingerprint({ key: order, domain: 'program', data: name }),
          rows: new Map(),
        }
        known.set(name, contributor)
      }
      const listed = contributor.rows.get(table)
      const ranked = { rank, values: valuesOf(row.values, columns) }
      if (listed === undefined) contributor.rows.set(table, [ranked])
      else listed.push(ranked)
    }
  }
  return [...known.values()]
}

/** By rank; rows of one rank, which no engine gives, by what they say, so that an engine's order never shows. */
function firstRows(rows: readonly RankedRow[], most: number): readonly JsonObject[] {
  const text = ({ values }: RankedRow): string => JSON.stringify(values)
  return [...rows]
    .sort((a, b) => a.rank - b.rank || (text(a) < text(b) ? -1 : 1))
    .slice(0, most)
    .map(({ values }) => values)
}

function valuesOf(values: ProgramRow['values'], columns: readonly ProgramColumn[]): JsonObject {
  return Object.fromEntries(columns.map(({ column, type }) => [column, cellOf(values[column], type)]))
}

/** Numbers as doubles, moments as ISO text; what is not of the column's type is missing. */
function cellOf(value: unknown, type: ProgramColumn['type']): JsonValue {
  if (type === 'integer' || type === 'decimal') {
    const written = typeof value === 'bigint' || (typeof value === 'string' && value.trim() !== '')
    const number = written ? Number(value) : value
    return typeof number === 'number' && Number.isFinite(number) ? number : null
  }
  if (type === 'date' || type === 'timestamp') return momentOf(value, type)
  if (type === 'boolean') return typeof value === 'boolean' ? value : null
  return typeof value === 'string' ? value : null
}

function nameOf(contributor: unknown, place: string): string {
  if (
    typeof contributor === 'string' ||
    typeof contributor === 'bigint' ||
    Number.isSafeInteger(contributor)
  ) {
    return String(contributor)
  }
  throw invalid(
    `${place}.contributor`,
    'Every row needs its contributor: without it nobody can be counted once.',
  )
}

function rankOf(rank: unknown, place: string): number {
  const number = typeof rank === 'string' && !/^[1-9][0-9]{0,15}$/.test(rank) ? Number.NaN : Number(rank)
  if (Number.isSafeInteger(number) && number >= 1) return number
  throw invalid(`${place}.rank`, 'Every row needs its number among the rows of its contributor, from 1.')
}

function invalid(place: string, message: string): ComputeError {
  return new ComputeError('ROWS_INVALID', place, message)
}
