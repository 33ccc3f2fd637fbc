/**
 * Computes the facts of one table from its encrypted files, in an engine of their own, which does the counting: of the cells only
 * beginnings of the keyword column come into the node's process.
 * @module
 */
import { type ColumnKind, type DatasetFacts, datasetFacts } from '@sealpool/poc'
import { discreteLaplace, laplaceScaleFor, type RandomBytes } from '@sealpool/privacy'
import type { Row, SqlEngine } from '@sealpool/query'
import { JobRefusal } from '../job/job-refusal.js'
import type { FactsPlan, PlannedTable } from './facts-plan.js'

/** Rows that one answer of the engine has, about. */
const rowsAtOnce = 20_000
/** Words are looked for in so many characters of a cell. */
const charactersOfCell = 512

/** The kinds of columns as the policy says them: public, so that no noise is spent on them. */
const kinds = {
  integer: 'integer',
  decimal: 'number',
  text: 'text',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'date',
} as const satisfies Record<string, ColumnKind>

/** A table that is loaded, and what is told of it. */
export interface FactsQuestion {
  readonly engine: Pick<SqlEngine, 'query'>
  /** Name under which the engine has it. */
  readonly name: string
  readonly table: PlannedTable
  readonly plan: FactsPlan
  /** About how many rows there are at most. */
  readonly rows: number
  /** Noise of the counts, and of the words: what one takes changes nothing of the other. */
  readonly noise: { readonly counts: RandomBytes; readonly words: RandomBytes }
}

/**
 * Counts what is in a table: at most so many rows of each contributor as its policy says, with noise in every count.
 * @returns facts with noise; a column's kind is the policy's
 * @throws JobRefusal `EXECUTION_FAILED` when the engine's answer is none
 */
export async function computeFacts(asked: FactsQuestion): Promise<DatasetFacts> {
  const { engine, name, table, noise } = asked
  const { scale } = laplaceScaleFor({ epsilon: table.epsilonPerCount, sensitivity: 1n })
  const noisy = (count: number) =>
    Math.max(0, count + Number(discreteLaplace({ scale, random: noise.counts })))
  const count = async (...counts: string[]): Promise<number[]> => {
    const [row] = await engine.query(
      `SELECT ${counts.map((one, index) => `CAST(${one} AS VARCHAR) AS n${index}`).join(', ')} FROM ${name} AS t0 WHERE t0.row_rank <= ${table.rowsPerContributor}`,
      { tables: [name] },
    )
    return counts.map((_, index) => countIn(row?.[`n${index}`]))
  }
  const [rows = 0] = await count('count(*)')
  const total = noisy(rows)
  const columns: DatasetFacts['columns'][number][] = []
  for (const column of [...table.columns].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const cell = `CAST(t0.${column.name} AS VARCHAR)`
    const among = (value: string) => `CASE WHEN ${cell} <> '' THEN ${value} END`
    // Hashes, so that long texts take no more memory than short ones.
    const [present = 0, distinct = 0] = await count(
      `count(${among('1')})`,
      `count(DISTINCT ${among(`hash(${cell})`)})`,
    )
    columns.push({
      name: column.name,
      kind: kinds[column.type],
      nullRate: rate(noisy(rows - present), total),
      distinct: noisy(distinct),
    })
  }
  return {
    rows: total,
    columns,
    span: null,
    keywords: await keywordsOf(asked),
    noise: { epsilon: table.epsilonPerCount },
  }
}

async function keywordsOf({ engine, name, table, plan, rows, noise }: FactsQuestion) {
  const { keywords, support } = plan
  if (keywords === null || keywords.table !== table.name) return []
  const slices = Math.max(1, Math.ceil(rows / rowsAtOnce))
  const texts: Row[] = []
  for (let slice = 0; slice < slices; slice++) {
    // Of a contributor the first words count: without an order they would be others each time.
    const part = await engine.query(
      `SELECT CAST(t0.contributor AS VARCHAR) AS contributor, substr(t0.${keywords.column}, 1, ${charactersOfCell}) AS words FROM ${name} AS t0 WHERE t0.row_rank <= ${table.rowsPerContributor} AND t0.contributor % ${slices} = ${slice} ORDER BY t0.contributor, t0.row_rank`,
      { tables: [name] },
    )
    for (const row of part) texts.push(row)
  }
  const { wordsPerPerson, epsilon, delta } = keywords
  return datasetFacts({
    rows: texts,
    columns: [],
    keywords: {
      column: 'words',
      person: 'contributor',
      support,
      wordsPerPerson,
      epsilon,
      delta,
      random: noise.words,
    },
  }).keywords
}

/** Nothing that is no count may pass for zero. */
function countIn(value: unknown): number {
  if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value)
  throw JobRefusal.of('EXECUTION_FAILED')
}

function rate(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.min(1, Math.round((part / whole) * 10_000) / 10_000)
}
