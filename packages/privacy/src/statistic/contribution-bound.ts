import { PrivacyError } from '../errors.js'

/** One row of a contributor. */
export interface ContributedRow {
  /** Whose row it is; the unit that differential privacy protects. */
  readonly contributor: string
  /** Fixed-point integer, in the statistic's units. Statistics that only count do not need it. */
  readonly value?: bigint
  /** Group of the row, for histograms. */
  readonly group?: string
}

/** How much of one contributor a statistic sees. */
export interface ContributionBound {
  /** Rows of one contributor that count, the first ones in the given order; from 1 to 1,000,000. */
  readonly rowsPerContributor: number
  /** Different groups of one contributor that count, the first ones; from 1 to 1,000,000. Default: no group is left out. */
  readonly groupsPerContributor?: number
}

/**
 * Keeps at most so many rows, and groups, of each contributor. What is kept of one contributor depends on nobody else's rows,
 * so a contributor who leaves takes away at most that much.
 *
 * @param rows - Rows in any order; a contributor's own order decides which of them count.
 * @param bound - The bound.
 * @returns The kept rows, in the given order.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function boundContributions(
  rows: Iterable<ContributedRow>,
  bound: ContributionBound,
): ContributedRow[] {
  checkWhole(bound.rowsPerContributor, 'rowsPerContributor')
  if (bound.groupsPerContributor !== undefined) checkWhole(bound.groupsPerContributor, 'groupsPerContributor')
  const seen = new Map<string, { rows: number; readonly groups: Set<string> }>()
  const kept: ContributedRow[] = []
  for (const row of rows) {
    if (row.value !== undefined && typeof row.value !== 'bigint') {
      throw new PrivacyError(
        'PARAMETER_INVALID',
        'rows',
        'Values of rows are integers in fixed point, as bigint.',
      )
    }
    const own = seen.get(row.contributor) ?? { rows: 0, groups: new Set<string>() }
    seen.set(row.contributor, own)
    if (own.rows >= bound.rowsPerContributor) continue
    if (bound.groupsPerContributor !== undefined && row.group !== undefined && !own.groups.has(row.group)) {
      if (own.groups.size >= bound.groupsPerContributor) continue
      own.groups.add(row.group)
    }
    own.rows++
    kept.push(row)
  }
  return kept
}

/**
 * Insists on a whole number between 1 and 1,000,000.
 *
 * @param value - Number to check.
 * @param place - Name to give in the error.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function checkWhole(value: number, place: string): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= 1_000_000) return
  throw new PrivacyError(
    'PARAMETER_INVALID',
    place,
    `${place} must be a whole number between 1 and 1,000,000.`,
  )
}
