import type { PublicValue } from '../bind/key.js'
import type { Row, SqlEngine } from '../engine/engine.js'
import { mergeRows } from '../engine/merge-rows.js'
import { QueryError } from '../errors.js'
import type { ReleasePlan } from '../plan/plan.js'
import type { Program } from '../plan/program.js'
import { printClickHouse } from '../print/clickhouse.js'
import { printDuckDb } from '../print/duckdb.js'
import { printPostgreSql } from '../print/postgresql.js'
import {
  binName,
  keyName,
  type Part,
  type PrintedStatement,
  statisticName,
  valueName,
} from '../print/statement.js'
import { toNumber } from '../type/decimal.js'
import { storedRange } from '../type/moment.js'
import { momentText } from '../type/moment-text.js'

const printers: Readonly<Record<SqlEngine['dialect'], (program: Program, part: Part) => PrintedStatement>> = {
  duckdb: printDuckDb,
  postgresql: printPostgreSql,
  clickhouse: printClickHouse,
}

/** The exact numbers of a group. This is what noise must be added to; it leaves this package as a share only, see `share.ts`. */
export interface ExactGroup {
  /** Position of the grouping set. */
  readonly set: number
  /** A value for each key of the release; null for keys that the set has not. */
  readonly keys: readonly PublicValue[]
  /** One integer for each statistic; 0 where the statistic is of bins. */
  readonly statistics: readonly bigint[]
  /** Counts of bins, for statistics of bins. */
  readonly bins: ReadonlyMap<number, readonly bigint[]>
}

/** Number of public groups of a grouping set; 0 when a key of it is open. */
export function publicGroups(release: Pick<ReleasePlan, 'keys'>, set: readonly number[]): number {
  return set.reduce((product, key) => product * (release.keys[key]?.values?.length ?? 0), 1)
}

/**
 * Runs a release's program: the exact statistics of every public group, groups without rows included, and of the groups
 * that the data has where keys are open.
 *
 * @throws QueryError `ENGINE_ANSWER_INVALID` and what the engine throws
 */
export async function exactGroups(release: ReleasePlan, engine: SqlEngine): Promise<readonly ExactGroup[]> {
  const print = printers[engine.dialect]
  const slices = Math.max(1, engine.slices ?? 1)
  const ask = async (part: Part): Promise<readonly Row[]> => {
    if (slices === 1) {
      const { sql, tables } = print(release.program, part)
      return engine.query(sql, { tables })
    }
    const parts: (readonly Row[])[] = []
    for (let index = 0; index < slices; index += 1) {
      const { sql, tables } = print(release.program, { ...part, slice: { of: slices, index } })
      parts.push(await engine.query(sql, { tables }))
    }
    return mergeRows(parts)
  }
  const parted = slices > 1 || (engine.shards ?? 1) > 1
  const groups: ExactGroup[] = []
  for (const [position, set] of release.sets.entries()) {
    const found = readGroups(release, position, set, await ask({ set }))
    for (const [index, statistic] of release.program.statistics.entries()) {
      if ((statistic.kind === 'distinct' || statistic.kind === 'distinct-sum') && parted) {
        const rows = await ask({ set, values: index })
        readValues(release, set, rows, { position: index, adds: statistic.kind === 'distinct-sum' }, found)
      }
      if (statistic.kind !== 'bins') continue
      const rows = await ask({ set, bins: index })
      readBins(release, set, rows, { statistic: index, bins: statistic.bins }, found)
    }
    groups.push(...inOrder(release, position, set, found))
  }
  return groups
}

type Draft = ExactGroup & { readonly bins: Map<number, readonly bigint[]> }

function readGroups(
  release: ReleasePlan,
  position: number,
  set: readonly number[],
  rows: readonly Readonly<Record<string, unknown>>[],
): Map<string, Draft> {
  const found = new Map<string, Draft>()
  for (const row of rows) {
    const keys = readKeys(release, set, row)
    const identity = JSON.stringify(keys)
    if (found.has(identity)) throw new QueryError('ENGINE_ANSWER_INVALID', 'keys')
    const statistics = release.program.statistics.map((statistic, index) =>
      statistic.kind === 'bins' ? 0n : integerCell(row[statisticName(index)]),
    )
    found.set(identity, { set: position, keys, statistics, bins: new Map() })
  }
  return found
}

function readBins(
  release: ReleasePlan,
  set: readonly number[],
  rows: readonly Readonly<Record<string, unknown>>[],
  { statistic, bins }: { readonly statistic: number; readonly bins: number },
  found: ReadonlyMap<string, Draft>,
): void {
  const counts = new Map<string, bigint[]>()
  for (const row of rows) {
    const identity = JSON.stringify(readKeys(release, set, row))
    const bin = Number(integerCell(row[binName]))
    const known = counts.get(identity) ?? Array.from({ length: bins }, () => 0n)
    if (bin < 0 || bin >= bins || known[bin] !== 0n) throw new QueryError('ENGINE_ANSWER_INVALID', 'bins')
    known[bin] = integerCell(row[statisticName(0)])
    counts.set(identity, known)
  }
  for (const [identity, group] of found) {
    const known = counts.get(identity)
    if (known !== undefined) group.bins.set(statistic, known)
  }
}

/** Distinct values of all shards and slices: each row is one, and is counted, or added up when `adds`. */
function readValues(
  release: ReleasePlan,
  set: readonly number[],
  rows: readonly Readonly<Record<string, unknown>>[],
  statistic: { readonly position: number; readonly adds: boolean },
  found: Map<string, Draft>,
): void {
  const totals = new Map<string, bigint>()
  for (const row of rows) {
    const identity = JSON.stringify(readKeys(release, set, row))
    const one = statistic.adds ? integerCell(row[valueName]) : 1n
    totals.set(identity, (totals.get(identity) ?? 0n) + one)
  }
  for (const [identity, group] of found) {
    const statistics = group.statistics.map((value, position) =>
      position === statistic.position ? (totals.get(identity) ?? 0n) : value,
    )
    found.set(identity, { ...group, statistics })
  }
}

/** The key values of an answer's row: public ones by their code, open ones as they are. */
function readKeys(
  release: ReleasePlan,
  set: readonly number[],
  row: Readonly<Record<string, unknown>>,
): readonly PublicValue[] {
  return release.keys.map(({ values }, position) => {
    if (!set.includes(position)) return null
    const cell = row[keyName(position)]
    const program = release.program.keys[position]
    if (values === null && program !== undefined && 'open' in program) {
      if (program.open === 'number') {
        const units = integerCell(cell)
        if (program.moment === undefined) return toNumber(units, program.decimals)
        return storableText(program.moment, units)
      }
      if (typeof cell !== 'string') throw new QueryError('ENGINE_ANSWER_INVALID', 'keys')
      return cell
    }
    const code = Number(integerCell(cell))
    const value = values?.[code]
    if (value === undefined) throw new QueryError('ENGINE_ANSWER_INVALID', 'keys')
    return value
  })
}

/** All public groups in the order of their values, the last key counting fastest; open ones sorted by their keys. */
function inOrder(
  release: ReleasePlan,
  position: number,
  set: readonly number[],
  found: ReadonlyMap<string, Draft>,
): readonly ExactGroup[] {
  const open = set.some((key) => release.keys[key]?.values === null)
  if (open) {
    return [...found.keys()].sort().flatMap((identity) => found.get(identity) ?? [])
  }
  const statistics = release.program.statistics.map(() => 0n)
  return Array.from({ length: publicGroups(release, set) }, (_, index): ExactGroup => {
    const keys = keysOf(release, set, index)
    return found.get(JSON.stringify(keys)) ?? { set: position, keys, statistics, bins: new Map() }
  })
}

/** Keys of a set's public group at a position, the last key counting fastest. */
export function keysOf(release: ReleasePlan, set: readonly number[], index: number): readonly PublicValue[] {
  const keys: PublicValue[] = release.keys.map(() => null)
  let rest = index
  for (const key of [...set].reverse()) {
    const values = release.keys[key]?.values ?? [null]
    keys[key] = values[rest % values.length] ?? null
    rest = Math.floor(rest / values.length)
  }
  return keys
}

/** A moment of the data, which an engine must have kept within the calendar. */
function storableText(type: 'date' | 'timestamp', units: bigint): string {
  const { low, high } = storedRange({ type }) ?? { low: 0n, high: 0n }
  if (units < low || units > high) throw new QueryError('ENGINE_ANSWER_INVALID', 'keys')
  return momentText(type, units)
}

function integerCell(cell: unknown): bigint {
  if (typeof cell !== 'string' || !/^-?[0-9]{1,60}$/.test(cell)) {
    throw new QueryError('ENGINE_ANSWER_INVALID', 'statistics')
  }
  return BigInt(cell)
}
