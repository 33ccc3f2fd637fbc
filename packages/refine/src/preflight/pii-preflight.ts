import {
  createPiiDetector,
  type PiiDetector,
  type PiiLocale,
  type PiiType,
  piiLocales,
} from '@sealpool/privacy/pii'
import type { JsonValue } from '@sealpool/sandbox'
import { RefineError } from '../errors.js'
import type { PiiMode, RefinerSchema } from '../schema/table-schema.js'
import { fieldTexts } from './field-texts.js'
import { type MappedExport, mappedExport, type PreflightOptions } from './mapped-export.js'
import type { PreflightExport, PreflightFinding } from './preflight-finding.js'

/** How often each kind was found; kinds that were not are left out. */
export type PiiCounts = Readonly<Partial<Record<PiiType, number>>>

/** Personal data in a column of the pool's tables. */
export interface PiiInColumn {
  /** `table.column`. */
  readonly column: string
  readonly kinds: PiiCounts
  /** What the pool does with it; null: it takes the text as it is. */
  readonly policy: PiiMode | null
}

/** Personal data in a field of the export. */
export interface PiiInField {
  /** Names from the top, with points; what could be a value itself is `…`. */
  readonly field: string
  readonly kinds: PiiCounts
}

/** What `piiPreflight` found: kinds and counts, never what was found. */
export interface PiiFindings extends PreflightFinding {
  readonly columns: readonly PiiInColumn[]
  readonly fields: readonly PiiInField[]
  /** Records that were looked at. */
  readonly records: number
  /** False where there are more, or some could not be mapped. */
  readonly whole: boolean
}

/** What `piiPreflight` takes. */
export interface PiiPreflightOptions extends PreflightOptions {
  /** Languages whose forms are looked for; default all of `@sealpool/privacy/pii`. */
  readonly locales?: readonly PiiLocale[]
  /** Records that are looked at, the first ones; default 20,000. */
  readonly records?: number
}

/**
 * See `piiPreflight` of `./with-platform.ts`, which gives the platform's decompression to it.
 *
 * @param options - see {@link PiiPreflightOptions}
 * @returns the check
 */
export function piiCheck(
  options: PiiPreflightOptions,
): (input: PreflightExport, signal?: AbortSignal) => Promise<PiiFindings> {
  const { locales = piiLocales, records: most = 20_000 } = options
  const mapped = mappedExport(options)
  // Its patterns take longer to make than a small export takes to be read.
  let detector: PiiDetector | undefined
  return async (input, signal) => {
    detector ??= createPiiDetector({ locales })
    const found = detector
    const counts = { columns: new Map<string, KindCounts>(), fields: new Map<string, KindCounts>() }
    let records = 0
    let whole = true
    let stopped: RefineError | undefined
    try {
      for await (const run of mapped.read(input, signal)) {
        const left = { ...run, records: run.records.slice(0, most - run.first) }
        records = left.first + left.records.length
        const kindsOf = remembered(found)
        for (const record of left.records) noteFields(record, kindsOf, counts.fields)
        whole = (await noteColumns(mapped, left, kindsOf, counts.columns)) && whole
        if (left.records.length === run.records.length) continue
        whole = false
        break
      }
    } catch (error) {
      if (!(error instanceof RefineError)) throw error
      stopped = error
    }
    signal?.throwIfAborted()
    const columns = [...counts.columns].map(([column, kinds]) => ({
      column,
      kinds: Object.fromEntries(kinds),
      policy: policyOf(mapped.schema, column),
    }))
    const fields = [...counts.fields].map(([field, kinds]) => ({ field, kinds: Object.fromEntries(kinds) }))
    return findingOf({ columns, fields, records, whole: whole && stopped === undefined }, stopped)
  }
}

type KindCounts = Map<PiiType, number>
type KindsOf = (text: string) => readonly PiiType[]

/** Most texts of one run that are remembered: a column has what its field has. */
const mostRemembered = 5_000

function remembered(detector: PiiDetector): KindsOf {
  const known = new Map<string, readonly PiiType[]>()
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    const kinds = detector.find(text).map(({ type }) => type)
    if (known.size < mostRemembered) known.set(text, kinds)
    return kinds
  }
}

function count(into: Map<string, KindCounts>, name: string, kinds: readonly PiiType[]): void {
  if (kinds.length === 0) return
  const own = into.get(name) ?? new Map<PiiType, number>()
  into.set(name, own)
  for (const kind of kinds) own.set(kind, (own.get(kind) ?? 0) + 1)
}

/** Most fields that are told apart. */
const mostFields = 200

function noteFields(record: JsonValue, kindsOf: KindsOf, into: Map<string, KindCounts>): void {
  for (const [name, text] of fieldTexts(record))
    count(into, into.has(name) || into.size < mostFields ? name : '…', kindsOf(text))
}

/** @returns false where the mapping fails on the run, which the check of the schema tells */
async function noteColumns(
  { schema, map }: MappedExport,
  run: Parameters<MappedExport['map']>[0],
  kindsOf: KindsOf,
  into: Map<string, KindCounts>,
): Promise<boolean> {
  try {
    for (const [table, rows] of Object.entries(await map(run))) {
      if (!Object.hasOwn(schema.tables, table)) return false
      const names = Object.entries(schema.tables[table]?.columns ?? {}).flatMap(([name, { type, values }]) =>
        type === 'text' && values === undefined ? [name] : [],
      )
      for (const row of rows) {
        if (typeof row !== 'object' || row === null) return false
        for (const name of names) {
          const value = Object.hasOwn(row, name)
            ? (row as Readonly<Record<string, unknown>>)[name]
            : undefined
          if (typeof value === 'string') count(into, `${table}.${name}`, kindsOf(value))
        }
      }
    }
    return true
  } catch (error) {
    if (error instanceof RefineError) return false
    throw error
  }
}

function policyOf(schema: RefinerSchema, place: string): PiiMode | null {
  const [table = '', column = ''] = place.split('.')
  return schema.tables[table]?.columns[column]?.pii ?? null
}

const becomes: Readonly<Record<PiiMode, string>> = {
  refuse: 'the pool refuses the contribution for it',
  drop: 'the pool’s node leaves it out of the tables',
  mask: 'the pool’s node masks its letters and digits',
  hash: 'the pool’s node puts a keyed hash in its place',
  token: 'the pool’s node puts a number in its place',
  generalise: 'the pool’s node makes it coarser',
}

function findingOf(
  found: Pick<PiiFindings, 'columns' | 'fields' | 'records' | 'whole'>,
  stopped: RefineError | undefined,
): PiiFindings {
  const { columns, fields, records, whole } = found
  const lines = [
    ...columns.map(
      ({ column, kinds, policy }) =>
        `column ${column}: ${textOf(kinds)}; ${policy === null ? 'the pool takes the text as it is' : becomes[policy]}`,
    ),
    ...fields.map(
      ({ field, kinds }) => `field ${field}: ${textOf(kinds)}; the sealed file holds it as it is`,
    ),
  ]
  if (lines.length === 0) lines.push(`nothing of a known form in ${records} records`)
  if (stopped !== undefined) lines.push(`the export could not be read (${stopped.code} at ${stopped.place})`)
  else if (!whole) lines.push(`not all could be looked at: ${records} records were`)
  const fails = stopped !== undefined || columns.some(({ policy }) => policy === 'refuse')
  const warns = columns.length > 0 || fields.length > 0 || !whole
  return {
    id: 'personal-data',
    title: 'Personal data in the export',
    result: fails ? 'fail' : warns ? 'warn' : 'pass',
    detail: lines.join('\n'),
    ...found,
  }
}

function textOf(kinds: PiiCounts): string {
  return Object.entries(kinds)
    .map(([kind, times]) => `${kind} (${times})`)
    .join(', ')
}
