/**
 * What a set of facts is about and what it costs: a function of the settings and of the policy as it may be used now.
 * @module
 */
import { type Digest, digestOf, type JsonObject, type JsonValue } from '@sealpool/crypto'
import type { PolicyColumn } from '@sealpool/privacy'
import type { PoolFacts } from '../config/facts-settings.js'
import type { PlannablePool } from '../ingest/served-pool.js'

/** One table of a set. */
export interface PlannedTable {
  readonly name: string
  readonly columns: readonly PolicyColumn[]
  readonly rowsPerContributor: number
  /** Noise in each count, of one row: what keeps all counts of the table, over all rows of a contributor, within its share. */
  readonly epsilonPerCount: number
}

/** A set of facts. */
export interface FactsPlan {
  readonly tables: readonly PlannedTable[]
  readonly keywords: PoolFacts['keywords']
  /** Fewest people a word is told for. */
  readonly support: number
  readonly charge: { readonly epsilon: number; readonly delta: number }
  readonly digest: Digest
}

/**
 * Plans a set of facts. A row of a contributor changes the number of rows by one, and of each column either the cells without a value or
 * the distinct values, by one at most: with c columns and r rows of a contributor all counts of a table change by r (1 + c) together.
 * @param pool with the policy as restrictions leave it
 * @returns the plan, or null when the policy has no room for it: less for one job than it costs, no table, or so much to count that no
 *   mechanism takes the share of each
 */
export function planFacts({ policy }: PlannablePool, rule: PoolFacts): FactsPlan | null {
  const { privacy, tables } = policy
  const keywords = tables.some(
    ({ name, columns }) =>
      name === rule.keywords?.table &&
      columns.some((column) => column.name === rule.keywords?.column && column.type === 'text'),
  )
    ? rule.keywords
    : null
  const charge = { epsilon: rule.epsilon + (keywords?.epsilon ?? 0), delta: keywords?.delta ?? 0 }
  if (tables.length === 0 || charge.epsilon > privacy.perJob.epsilon || charge.delta > privacy.perJob.delta)
    return null
  if (keywords !== null && !canBeChosen(keywords)) return null
  const planned = tables.map(
    ({ name, columns, rowsPerContributor }): PlannedTable => ({
      name,
      columns,
      rowsPerContributor,
      epsilonPerCount: rule.epsilon / tables.length / (rowsPerContributor * (1 + columns.length)),
    }),
  )
  if (planned.some(({ epsilonPerCount }) => epsilonPerCount < smallest.count)) return null
  const support = Math.max(2, privacy.minimumContributors)
  const digest = digestOf({
    format: 'sealpool/facts-plan',
    version: 1,
    tables: planned.map(({ columns, ...table }) => ({ ...table, columns: columns.map(({ name }) => name) })),
    keywords,
    support,
    charge,
  } as JsonValue)
  return { tables: planned, keywords, support, charge, digest }
}

/** A little more than the mechanisms take at least (1e-4, 1e-9, 1e-18), and less than at most (100): no rounding decides after the charge. */
const smallest = { word: 0.000_11, count: 2e-9, delta: 2e-18 }
const largestOfWord = 99

/** Whether words can be chosen with so much privacy: half of it is shared by the decisions on a person's words. */
function canBeChosen({ epsilon, delta, wordsPerPerson }: NonNullable<PoolFacts['keywords']>): boolean {
  const each = epsilon / 2 / wordsPerPerson
  return each >= smallest.word && each <= largestOfWord && delta / wordsPerPerson >= smallest.delta
}

/** What facts are about: the statement's commitment is the digest of it. */
export interface FactsInput extends JsonObject {
  readonly format: 'sealpool/facts-input'
  readonly version: 1
  readonly pool: string
  readonly policy: string
  readonly table: string
  /** The how-manieth set of the pool, from 1. */
  readonly number: number
  readonly plan: string
  /** Merkle root of the contributions, as in receipts. */
  readonly inputs: string
  readonly contributions: number
}
