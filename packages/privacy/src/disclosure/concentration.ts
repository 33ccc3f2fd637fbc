import { PrivacyError } from '../errors.js'
import type { Rational } from '../mechanism/rational.js'

/** Rules for a total of few owners: how much of it one of them, or a few together, may make up. */
export interface ConcentrationRules {
  /** Least number of distinct contributors. */
  readonly minimumContributors: number
  /** (n, k)-dominance: the n largest may make up at most `share` of the total. */
  readonly dominance?: { readonly largest: number; readonly share: Rational }
  /**
   * p-percent: the second largest, knowing its own value and the total, must not be able to estimate the largest to within this
   * share of it.
   */
  readonly percent?: Rational
}

/** Why a total may not be shown. */
export type ConcentrationBreach = 'too-few-contributors' | 'dominance' | 'p-percent'

/**
 * Checks a total against the rules of statistical offices for magnitude tables (Hundepool et al., Statistical Disclosure
 * Control, 2012, chapter 4). Exact on integers; of negative values the magnitude counts.
 *
 * These rules protect one owner from the others within one table. They are no differential privacy: two totals that differ by one
 * owner still tell that owner's value, so they come on top of noise and budgets, never instead.
 *
 * @param amounts - What each contributor adds to the total, one entry for each contributor.
 * @param rules - The rules.
 * @returns All rules that are broken; an empty list means that the total may be shown.
 * @throws PrivacyError `PARAMETER_INVALID`.
 * @example
 * ```ts
 * import { concentrationBreaches } from '@sealpool/privacy/disclosure'
 * const rules = { minimumContributors: 3, dominance: { largest: 1, share: { numerator: 3n, denominator: 4n } } }
 * console.assert(concentrationBreaches([900n, 50n, 30n, 20n], rules)[0] === 'dominance')
 * ```
 */
export function concentrationBreaches(
  amounts: readonly bigint[],
  rules: ConcentrationRules,
): ConcentrationBreach[] {
  checkRules(rules)
  const sorted = amounts
    .map((amount) => (amount < 0n ? -amount : amount))
    .sort((a, b) => (a > b ? -1 : a < b ? 1 : 0))
  const sum = (parts: readonly bigint[]): bigint => parts.reduce((total, part) => total + part, 0n)
  const total = sum(sorted)
  const breaches: ConcentrationBreach[] = []
  if (sorted.length < rules.minimumContributors) breaches.push('too-few-contributors')
  const { dominance, percent } = rules
  if (dominance !== undefined) {
    const top = sum(sorted.slice(0, dominance.largest))
    if (top * dominance.share.denominator > total * dominance.share.numerator) breaches.push('dominance')
  }
  if (percent !== undefined) {
    const [first = 0n] = sorted
    const rest = sum(sorted.slice(2))
    if (first > 0n && rest * percent.denominator < first * percent.numerator) breaches.push('p-percent')
  }
  return breaches
}

/** A cell of a table: a group with what each contributor adds to it. */
export interface MagnitudeCell {
  readonly group: string
  /** One entry for each contributor. */
  readonly amounts: readonly { readonly contributor: string; readonly amount: bigint }[]
}

/** A table of totals with the cells that must not be shown merged into one remainder. */
export interface SuppressedTable {
  readonly cells: readonly { readonly group: string; readonly total: bigint }[]
  /** The cells that are not shown, together; null when all are shown or even together they would break the rules. */
  readonly remainder: bigint | null
  /** Number of cells that are not shown. */
  readonly suppressed: number
}

/**
 * Totals by group under the rules. Cells that break a rule are merged into a remainder, with the next smallest cells added until the
 * remainder keeps the rules itself, since whoever knows the grand total gets it by subtraction.
 *
 * @param cells - The table, one dimension.
 * @param rules - The rules.
 * @returns What may be shown, sorted by group.
 * @throws PrivacyError `PARAMETER_INVALID`, also when a contributor is listed twice in a cell.
 */
export function suppressTable(cells: readonly MagnitudeCell[], rules: ConcentrationRules): SuppressedTable {
  checkRules(rules)
  cells.forEach(({ amounts }, index) => {
    if (new Set(amounts.map(({ contributor }) => contributor)).size === amounts.length) return
    throw new PrivacyError(
      'PARAMETER_INVALID',
      `cells[${index}].amounts`,
      'A contributor is listed twice in a cell. Add up its rows first.',
    )
  })
  const totalOf = (cell: MagnitudeCell): bigint => cell.amounts.reduce((sum, { amount }) => sum + amount, 0n)
  const breaks = (parts: readonly MagnitudeCell[]): boolean => {
    const own = new Map<string, bigint>()
    for (const { contributor, amount } of parts.flatMap(({ amounts }) => amounts)) {
      own.set(contributor, (own.get(contributor) ?? 0n) + amount)
    }
    return concentrationBreaches([...own.values()], rules).length > 0
  }
  const hidden = cells.filter((cell) => breaks([cell]))
  const shown = cells
    .filter((cell) => !hidden.includes(cell))
    .sort((a, b) => a.amounts.length - b.amounts.length || (a.group < b.group ? -1 : 1))
  while (hidden.length > 0 && breaks(hidden) && shown.length > 0) hidden.push(...shown.splice(0, 1))
  return {
    cells: shown
      .map((cell) => ({ group: cell.group, total: totalOf(cell) }))
      .sort((a, b) => (a.group < b.group ? -1 : 1)),
    remainder:
      hidden.length === 0 || breaks(hidden) ? null : hidden.reduce((sum, cell) => sum + totalOf(cell), 0n),
    suppressed: hidden.length,
  }
}

function checkRules({ minimumContributors, dominance, percent }: ConcentrationRules): void {
  const refuse = (place: string, message: string): never => {
    throw new PrivacyError('PARAMETER_INVALID', place, message)
  }
  if (!Number.isSafeInteger(minimumContributors) || minimumContributors < 1) {
    refuse('minimumContributors', 'minimumContributors must be a whole number of at least 1.')
  }
  if (dominance !== undefined && (!Number.isSafeInteger(dominance.largest) || dominance.largest < 1)) {
    refuse('dominance.largest', 'The number of largest contributors must be a whole number of at least 1.')
  }
  for (const [place, share] of [
    ['dominance.share', dominance?.share],
    ['percent', percent],
  ] as const) {
    if (share !== undefined && !(share.numerator > 0n && share.numerator < share.denominator)) {
      refuse(place, `${place} must lie strictly between 0 and 1.`)
    }
  }
}
