import { asJson, type JsonObject } from '@sealpool/crypto'
import { discreteLaplace, laplaceScaleFor, type RandomBytes, selectPartition } from '@sealpool/privacy'
import { calendarDay } from '../define/calendar-day.js'
import { PocError } from '../errors.js'

/** What a column holds, as far as all its values agree. */
export type ColumnKind = 'integer' | 'number' | 'date' | 'boolean' | 'text' | 'mixed' | 'empty'

/** Facts about a dataset, computed where its owner cannot change them. */
export interface DatasetFacts {
  readonly rows: number
  readonly columns: readonly {
    readonly name: string
    readonly kind: ColumnKind
    /** Share of rows without a value, 0 to 1 to four decimals. */
    readonly nullRate: number
    /** Distinct values. */
    readonly distinct: number
  }[]
  /** First and last day in the column that was named; null when there is none, and with noise, because each is one person's day. */
  readonly span: { readonly first: string; readonly last: string } | null
  /** Words that enough people use; empty when none were asked for. */
  readonly keywords: readonly { readonly word: string; readonly people: number }[]
  /** How far rows, distinct counts and null rates are from exact: epsilon of the noise in each count, null when exact. */
  readonly noise: { readonly epsilon: number } | null
}

/** What to compute. */
export interface DatasetFactsOptions {
  readonly rows: Iterable<Readonly<Record<string, unknown>>>
  /**
   * Columns that are told, as a schema declares them: nothing of the data decides which. Without it every name that a row has is a column,
   * and with noise none is told, because the name of a member may be data of one person.
   */
  readonly columns?: readonly string[]
  /** Column whose values are days, `YYYY-MM-DD` or longer texts that begin so. */
  readonly dateColumn?: string
  /**
   * Noise of the discrete Laplace distribution in every count, for one person in one row: `epsilon` for each count, `random` bytes that
   * nobody knows. A dataset's own facts are exact without it, which its owner must want. With it, a column's kind is the one with the
   * greatest noisy count, so that one cell does not change it.
   */
  readonly noise?: { readonly epsilon: number; readonly random: RandomBytes }
  readonly keywords?: {
    /** Column with the texts. */
    readonly column: string
    /** Column that says whose a row is; a word counts once for each person. */
    readonly person: string
    /** Fewest people a word is told for. */
    readonly support: number
    /** Most words of one person that count. */
    readonly wordsPerPerson?: number
    /** Privacy of the whole list: which words stand in it, and their counts. */
    readonly epsilon: number
    readonly delta: number
    readonly random: RandomBytes
  }
}

const MOST_COLUMNS = 4096

/**
 * Computes facts of a table in one pass: what an owner claims about a dataset can be held against them. Exact facts hold no value of the
 * data but first and last day, and the names of its columns. With noise there is neither: the columns are those that `columns` declares.
 * Words pass the private selection in either case.
 *
 * @param options see {@link DatasetFactsOptions}
 * @returns the facts; sign them with `signDatasetFacts`
 * @throws PocError `OPTION_INVALID`; PrivacyError for a privacy parameter outside its range
 */
export function datasetFacts(options: DatasetFactsOptions): DatasetFacts {
  const columns = new Map<
    string,
    { kinds: Map<ColumnKind, number>; present: number; distinct: Set<unknown> }
  >()
  const declared = options.columns === undefined ? undefined : new Set(options.columns)
  const empty = () => ({ kinds: new Map<ColumnKind, number>(), present: 0, distinct: new Set<unknown>() })
  for (const name of declared ?? []) columns.set(name, empty())
  let rows = 0
  let first: string | undefined
  let last: string | undefined
  const words = new Map<string, Set<string>>()
  for (const row of options.rows) {
    rows++
    for (const [name, value] of Object.entries(row)) {
      if (declared === undefined ? options.noise !== undefined : !declared.has(name)) continue
      let column = columns.get(name)
      if (column === undefined) {
        if (columns.size >= MOST_COLUMNS) {
          throw new PocError('OPTION_INVALID', 'rows', `a table has at most ${MOST_COLUMNS} columns`)
        }
        column = empty()
        columns.set(name, column)
      }
      if (value === null || value === undefined || value === '') continue
      column.present++
      const kind = kindOf(value)
      column.kinds.set(kind, (column.kinds.get(kind) ?? 0) + 1)
      column.distinct.add(typeof value === 'object' ? JSON.stringify(value) : value)
    }
    const day = dayOf(options.dateColumn === undefined ? undefined : own(row, options.dateColumn))
    if (day !== undefined) {
      if (first === undefined || day < first) first = day
      if (last === undefined || day > last) last = day
    }
    if (options.keywords !== undefined) collectWords(row, options.keywords, words)
  }
  const noisy = noiseOf(options.noise)
  const total = noisy(rows)
  return {
    rows: total,
    columns: [...columns]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { kinds, present, distinct }]) => ({
        name,
        kind: options.noise === undefined ? commonKind(kinds) : majorityKind(kinds, noisy),
        nullRate: rate(noisy(rows - present), total),
        distinct: noisy(distinct.size),
      })),
    span: first === undefined || last === undefined || options.noise !== undefined ? null : { first, last },
    keywords: options.keywords === undefined ? [] : chooseWords(words, options.keywords),
    noise: options.noise === undefined ? null : { epsilon: options.noise.epsilon },
  }
}

function own(row: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(row, name) ? row[name] : undefined
}

function noiseOf(noise: DatasetFactsOptions['noise']): (count: number) => number {
  if (noise === undefined) return (count) => count
  const { scale } = laplaceScaleFor({ epsilon: noise.epsilon, sensitivity: 1n })
  return (count) => Math.max(0, count + Number(discreteLaplace({ scale, random: noise.random })))
}

function rate(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.min(1, Math.round((part / whole) * 10_000) / 10_000)
}

function kindOf(value: unknown): ColumnKind {
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  if (typeof value !== 'string') return 'text'
  if (/^-?\d{1,15}$/.test(value)) return 'integer'
  if (/^-?\d{1,15}\.\d{1,15}$/.test(value)) return 'number'
  return dayOf(value) === undefined ? 'text' : 'date'
}

const KINDS = ['integer', 'number', 'date', 'boolean', 'text'] as const

/** The kind of most values, by noisy counts of all kinds, those that do not occur as well. */
function majorityKind(kinds: ReadonlyMap<ColumnKind, number>, noisy: (count: number) => number): ColumnKind {
  const counts = KINDS.map((kind) => [kind, noisy(kinds.get(kind) ?? 0)] as const)
  const most = Math.max(...counts.map(([, count]) => count))
  return most === 0 ? 'empty' : (counts.find(([, count]) => count === most)?.[0] ?? 'empty')
}

function commonKind(kinds: ReadonlyMap<ColumnKind, number>): ColumnKind {
  const [only] = kinds.keys()
  if (only === undefined) return 'empty'
  if (kinds.size === 1) return only
  return kinds.size === 2 && kinds.has('integer') && kinds.has('number') ? 'number' : 'mixed'
}

function dayOf(value: unknown): string | undefined {
  return typeof value === 'string' ? calendarDay(value)?.text : undefined
}

const WORDS_PER_PERSON = 20

function collectWords(
  row: Readonly<Record<string, unknown>>,
  { column, person, wordsPerPerson = WORDS_PER_PERSON }: NonNullable<DatasetFactsOptions['keywords']>,
  words: Map<string, Set<string>>,
): void {
  const text = own(row, column)
  const whose = own(row, person)
  if (typeof text !== 'string' || (typeof whose !== 'string' && typeof whose !== 'number')) return
  const name = String(whose)
  const known = words.get(name) ?? new Set()
  for (const word of text.split(/[^\p{L}\p{N}]+/u)) {
    if (known.size >= wordsPerPerson) break
    if (word.length >= 3) known.add(word.replace(/[A-Z]+/g, (part) => part.toLowerCase()))
  }
  words.set(name, known)
}

function chooseWords(
  words: ReadonlyMap<string, ReadonlySet<string>>,
  options: NonNullable<DatasetFactsOptions['keywords']>,
): DatasetFacts['keywords'] {
  const { support, wordsPerPerson = WORDS_PER_PERSON, epsilon, delta, random } = options
  if (!Number.isSafeInteger(support) || support < 2) {
    throw new PocError(
      'OPTION_INVALID',
      'keywords.support',
      'a word needs the support of two people at least',
    )
  }
  if (!Number.isSafeInteger(wordsPerPerson) || wordsPerPerson < 1 || wordsPerPerson > 1000) {
    throw new PocError('OPTION_INVALID', 'keywords.wordsPerPerson', 'expected a whole number from 1 to 1,000')
  }
  const people = new Map<string, number>()
  for (const own of words.values()) for (const word of own) people.set(word, (people.get(word) ?? 0) + 1)
  // One person is in as many counts as words: half of the budget chooses the words, half goes into their counts.
  const each = epsilon / 2 / wordsPerPerson
  const { scale } = laplaceScaleFor({ epsilon: each, sensitivity: 1n })
  const chosen: { word: string; people: number }[] = []
  for (const [word, count] of [...people].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const keep = selectPartition({
      contributors: count,
      minimumContributors: support,
      epsilon: each,
      delta: delta / wordsPerPerson,
      random,
    })
    if (keep)
      chosen.push({ word, people: Math.max(support, count + Number(discreteLaplace({ scale, random }))) })
  }
  return chosen
}

/** What an owner says about a dataset. */
export interface DatasetClaim {
  readonly rows?: number
  readonly columns?: readonly string[]
  readonly span?: { readonly first: string; readonly last: string }
}

/** A claim held against the facts. */
export interface ClaimComparison {
  readonly holds: boolean
  readonly differences: readonly {
    readonly fact: string
    readonly claimed: unknown
    readonly found: unknown
  }[]
}

/**
 * Holds a claim against computed facts. Noisy row counts are given room of six times the noise's scale, so with an epsilon of 0.005 a claim
 * that is 1,000 rows too high holds. A claim about what noisy facts do not tell (the span, undeclared columns) does not hold.
 *
 * @param options `claim` and `facts`
 * @returns whether it holds, and each difference with both figures
 */
export function compareClaim(options: {
  readonly claim: DatasetClaim
  readonly facts: DatasetFacts
}): ClaimComparison {
  const { claim, facts } = options
  const differences: { fact: string; claimed: unknown; found: unknown }[] = []
  const room = facts.noise === null ? 0 : 6 / facts.noise.epsilon
  if (claim.rows !== undefined && !(Math.abs(claim.rows - facts.rows) <= room)) {
    differences.push({ fact: 'rows', claimed: claim.rows, found: facts.rows })
  }
  const found = facts.columns.map(({ name }) => name)
  const claimed = claim.columns === undefined ? undefined : [...claim.columns].sort()
  if (claimed !== undefined && JSON.stringify(claimed) !== JSON.stringify(found)) {
    differences.push({ fact: 'columns', claimed, found })
  }
  if (claim.span !== undefined) {
    for (const end of ['first', 'last'] as const) {
      const real = facts.span?.[end] ?? null
      if (claim.span[end] !== real)
        differences.push({ fact: `span.${end}`, claimed: claim.span[end], found: real })
    }
  }
  return { holds: differences.length === 0, differences }
}

/** Facts as the body of a signed statement. */
export function datasetFactsBody(facts: DatasetFacts): JsonObject {
  return asJson(facts)
}
