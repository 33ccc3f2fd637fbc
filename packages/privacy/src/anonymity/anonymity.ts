import { PrivacyError } from '../errors.js'
import { cellOf, equivalenceClasses, type MicrodataColumns, type MicrodataRow } from './equivalence-class.js'

/** How many people share the quasi-identifiers of each row (Sweeney 2002). */
export interface KAnonymity {
  /** Contributors of the smallest class: the table is k-anonymous for this k. */
  readonly k: number
  readonly classes: number
}

/** How different the sensitive values in each class are (Machanavajjhala et al. 2007). */
export interface LDiversity {
  /** Distinct values in the poorest class. */
  readonly distinct: number
  /** exp(entropy) of the poorest class: at most `distinct`, lower where one value prevails. */
  readonly entropy: number
}

/**
 * The k for which a table is k-anonymous.
 *
 * @param rows - The table.
 * @param columns - Quasi-identifiers and contributor.
 * @returns k and the number of classes.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function kAnonymity(rows: readonly MicrodataRow[], columns: MicrodataColumns): KAnonymity {
  const classes = equivalenceClasses(rows, columns)
  return { k: least(classes.map(({ contributors }) => contributors)), classes: classes.length }
}

/**
 * The l for which a table is l-diverse in a sensitive column.
 *
 * @param rows - The table.
 * @param columns - As for {@link kAnonymity}, and the `sensitive` column.
 * @returns Distinct and entropy l-diversity.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function lDiversity(
  rows: readonly MicrodataRow[],
  columns: MicrodataColumns & { readonly sensitive: string },
): LDiversity {
  const counts = equivalenceClasses(rows, columns).map((one) => [
    ...frequencies(one.rows, columns.sensitive).values(),
  ])
  const entropies = counts.map((values) => {
    const all = values.reduce((sum, value) => sum + value, 0)
    return Math.exp(values.reduce((sum, value) => sum - (value / all) * Math.log(value / all), 0))
  })
  return { distinct: least(counts.map(({ length }) => length)), entropy: least(entropies) }
}

/**
 * Recursive (c, l)-diversity: the smallest c such that in every class the most frequent sensitive value comes less than c times
 * as often as all but the l - 1 most frequent ones together.
 *
 * @param rows - The table.
 * @param columns - As for {@link lDiversity}, and `l` of at least 2.
 * @returns The infimum of c; infinity where a class has fewer than l values.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function recursiveDiversity(
  rows: readonly MicrodataRow[],
  columns: MicrodataColumns & { readonly sensitive: string; readonly l: number },
): number {
  const { l } = columns
  if (!Number.isSafeInteger(l) || l < 2) {
    throw new PrivacyError('PARAMETER_INVALID', 'l', 'l must be a whole number of at least 2.')
  }
  return equivalenceClasses(rows, columns).reduce((worst, one) => {
    const counts = [...frequencies(one.rows, columns.sensitive).values()].sort((a, b) => b - a)
    const rare = counts.slice(l - 1).reduce((sum, count) => sum + count, 0)
    return Math.max(worst, (counts[0] ?? 0) / rare)
  }, 0)
}

/**
 * The t for which a table has t-closeness (Li, Li, Venkatasubramanian 2007): the largest earth mover's distance between the
 * sensitive column in a class and in the whole table.
 *
 * @param rows - The table.
 * @param columns - As for {@link lDiversity}, and `distance`: `equal` for names (all values equally far apart), `ordered` for
 *   numbers (neighbours in the sorted list of values are 1 / (m - 1) apart).
 * @returns t from 0 to 1.
 * @throws PrivacyError `PARAMETER_INVALID`, also when an ordered column holds anything but finite numbers.
 */
export function tCloseness(
  rows: readonly MicrodataRow[],
  columns: MicrodataColumns & { readonly sensitive: string; readonly distance: 'equal' | 'ordered' },
): number {
  const { sensitive, distance } = columns
  const classes = equivalenceClasses(rows, columns)
  const overall = frequencies(rows, sensitive)
  const values = [...overall.keys()]
  if (distance === 'ordered') {
    if (!values.every((value) => typeof value === 'number' && Number.isFinite(value))) {
      throw new PrivacyError(
        'PARAMETER_INVALID',
        'sensitive',
        'An ordered distance needs a column of finite numbers; use equal for names.',
      )
    }
    values.sort((a, b) => Number(a) - Number(b))
  }
  return classes.reduce((worst, one) => {
    const own = frequencies(one.rows, sensitive)
    const gaps = values.map(
      (value) => (own.get(value) ?? 0) / one.rows.length - (overall.get(value) ?? 0) / rows.length,
    )
    return Math.max(worst, distance === 'equal' ? equalDistance(gaps) : orderedDistance(gaps))
  }, 0)
}

function equalDistance(gaps: readonly number[]): number {
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / 2
}

/** What has to be carried past each value, in steps of the sorted list. */
function orderedDistance(gaps: readonly number[]): number {
  if (gaps.length < 2) return 0
  let carried = 0
  let work = 0
  for (const gap of gaps) {
    carried += gap
    work += Math.abs(carried)
  }
  return work / (gaps.length - 1)
}

function frequencies(
  rows: readonly MicrodataRow[],
  column: string,
): Map<string | number | boolean | null, number> {
  const counts = new Map<string | number | boolean | null, number>()
  rows.forEach((row, index) => {
    const value = cellOf(row, column, index)
    counts.set(value, (counts.get(value) ?? 0) + 1)
  })
  return counts
}

function least(values: readonly number[]): number {
  return values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY)
}
