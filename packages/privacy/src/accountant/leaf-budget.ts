import { PrivacyError } from '../errors.js'
import { fromUnits } from './amount.js'
import { type BudgetTotals, type Charge, chargeUnits, createFilter } from './filter.js'

/** Contributors `from` up to the next run's `from` (or the table's end) have all spent the same. */
interface LeafRun {
  readonly from: number
  readonly primarySpent: string
  readonly deltaSpent: string
}

/** The contributors of one table, numbered in the order in which they joined. */
interface TableLeaves {
  readonly leaves: number
  readonly runs: readonly LeafRun[]
}

/**
 * What every single leaf, one contributor's data in one table, has spent: plain JSON. Contributors who joined between the same
 * two charges share an entry, so that the state grows with charges, not with people, and is cut off at `mostRuns`.
 */
export interface LeafBudget {
  readonly totals: BudgetTotals
  readonly primaryTotal: string
  readonly deltaTotal: string
  readonly mostRuns: number
  readonly tables: Readonly<Record<string, TableLeaves>>
}

/** Contributors `from` (inclusive) to `to` (exclusive) of a table. */
export interface LeafRange {
  readonly table: string
  readonly from: number
  readonly to: number
}

/**
 * A fresh budget for the leaves of a pool: every leaf has the same lifetime totals. A privacy filter for each contributor: their
 * costs depend on when they joined and on the charges, never on anybody's data, so each one's loss stays within the totals
 * although charges are chosen adaptively (individual filters: Feldman, Zrnic 2021; the rate is that of `createFilter`).
 *
 * @param totals - Accounting and totals of each leaf.
 * @param options - `mostRuns`: entries that are kept over all tables, 4096 by default (about 0.3 MB as JSON). Past that,
 *   neighbours are merged and count as having spent what the one who spent more did.
 * @returns A budget without tables.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function createLeafBudget(
  totals: BudgetTotals,
  options: { readonly mostRuns?: number } = {},
): LeafBudget {
  const { primaryTotal, deltaTotal, accounting, epsilon, delta } = createFilter(totals)
  const { mostRuns = 4096 } = options
  if (!Number.isSafeInteger(mostRuns) || mostRuns < 1) {
    throw new PrivacyError('PARAMETER_INVALID', 'mostRuns', 'mostRuns must be a whole number of at least 1.')
  }
  return { totals: { accounting, epsilon, delta }, primaryTotal, deltaTotal, mostRuns, tables: {} }
}

/**
 * Adds contributors to a table; they have spent nothing yet. A contributor who is known already must not be added again: the
 * unit is the contributor, not the row.
 *
 * @param budget - Not changed.
 * @param options - `table` and how many `contributors`.
 * @returns The budget afterwards and the first new contributor's number.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function admitLeaves(
  budget: LeafBudget,
  options: { readonly table: string; readonly contributors: number },
): { readonly budget: LeafBudget; readonly first: number } {
  const { table, contributors } = options
  const known = tableOf(budget, table)
  const leaves = known.leaves + contributors
  if (!Number.isSafeInteger(leaves) || !Number.isSafeInteger(contributors) || contributors < 1) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'contributors',
      'Admit a whole number of contributors, at least 1.',
    )
  }
  const runs = joined([...known.runs, { from: known.leaves, primarySpent: '0', deltaSpent: '0' }])
  return { budget: compacted(withTable(budget, table, { leaves, runs })), first: known.leaves }
}

/**
 * Charges a release to every leaf that it reads.
 *
 * @param budget - Not changed.
 * @param options - `charge`; `tables`: those that the release reads, each once, all of their contributors; `exhausted`: what
 *   to do with contributors who cannot pay: `refuse` the charge (the default), or `leave-out`, which charges the others; the
 *   caller must then run on the `paid` ranges only.
 * @returns The budget afterwards and who paid.
 * @throws PrivacyError `BUDGET_EXHAUSTED` when nobody, or under `refuse` not everybody, can pay; `PARAMETER_INVALID`.
 */
export function chargeLeaves(
  budget: LeafBudget,
  options: {
    readonly charge: Charge
    readonly tables: readonly string[]
    readonly exhausted?: 'refuse' | 'leave-out'
  },
): { readonly budget: LeafBudget; readonly paid: readonly LeafRange[] } {
  const units = chargeUnits(budget.totals.accounting, options.charge)
  const names = [...new Set(options.tables)].sort()
  const paid: LeafRange[] = []
  let after = budget
  for (const table of names) {
    const known = tableOf(budget, table)
    if (known.leaves === 0) {
      throw new PrivacyError(
        'PARAMETER_INVALID',
        'tables',
        'A table without contributors cannot be charged. Admit its contributors first.',
      )
    }
    const runs = known.runs.map((run, index): LeafRun => {
      const primary = BigInt(run.primarySpent) + units.primary
      const delta = BigInt(run.deltaSpent) + units.delta
      if (primary > BigInt(budget.primaryTotal) || delta > BigInt(budget.deltaTotal)) {
        if (options.exhausted !== 'leave-out') throw exhausted()
        return run
      }
      const to = known.runs[index + 1]?.from ?? known.leaves
      const last = paid.at(-1)
      if (last?.table === table && last.to === run.from) paid[paid.length - 1] = { ...last, to }
      else paid.push({ table, from: run.from, to })
      return { from: run.from, primarySpent: primary.toString(), deltaSpent: delta.toString() }
    })
    after = withTable(after, table, { leaves: known.leaves, runs: joined(runs) })
  }
  if (paid.length === 0) throw exhausted()
  return { budget: after, paid }
}

/**
 * What one leaf has spent, in the units of the filter: epsilon under basic accounting, rho under zCDP.
 *
 * @param budget - The budget.
 * @param leaf - `table` and number of the contributor.
 * @returns Decimal strings.
 * @throws PrivacyError `PARAMETER_INVALID` for a leaf that was never admitted.
 */
export function leafSpent(
  budget: LeafBudget,
  leaf: { readonly table: string; readonly contributor: number },
): { readonly primary: string; readonly delta: string } {
  const { leaves, runs } = tableOf(budget, leaf.table)
  const run = runs.findLast(({ from }) => from <= leaf.contributor)
  if (run === undefined || !(leaf.contributor >= 0 && leaf.contributor < leaves)) {
    throw new PrivacyError('PARAMETER_INVALID', 'leaf', 'No such contributor was admitted to this table.')
  }
  const quantity = budget.totals.accounting === 'basic' ? 'epsilon' : 'rho'
  return {
    primary: fromUnits(BigInt(run.primarySpent), quantity),
    delta: fromUnits(BigInt(run.deltaSpent), 'delta'),
  }
}

function tableOf(budget: LeafBudget, table: string): TableLeaves {
  return Object.hasOwn(budget.tables, table) ? (budget.tables[table] ?? NOBODY) : NOBODY
}

const NOBODY: TableLeaves = { leaves: 0, runs: [] }

function withTable(budget: LeafBudget, table: string, leaves: TableLeaves): LeafBudget {
  // Object.fromEntries defines own properties, also for a table called __proto__.
  return {
    ...budget,
    tables: Object.fromEntries([
      ...Object.entries(budget.tables).filter(([name]) => name !== table),
      [table, leaves],
    ]),
  }
}

/** One entry for neighbours who spent the same. */
function joined(runs: readonly LeafRun[]): LeafRun[] {
  return runs.filter((run, index) => {
    const before = runs[index - 1]
    return before?.primarySpent !== run.primarySpent || before.deltaSpent !== run.deltaSpent
  })
}

/** Merges neighbours, upwards, until no more than `mostRuns` are left: first those where it costs them least. */
function compacted(budget: LeafBudget): LeafBudget {
  let after = budget
  const count = (): number => Object.values(after.tables).reduce((sum, { runs }) => sum + runs.length, 0)
  const tables = Object.keys(budget.tables).length
  while (count() > Math.max(after.mostRuns, tables)) {
    let cheapest: { table: string; at: number; cost: bigint } | undefined
    for (const [table, { runs, leaves }] of Object.entries(after.tables)) {
      for (let at = 1; at < runs.length; at++) {
        const cost = mergeCost(runs, at, leaves)
        if (cheapest === undefined || cost < cheapest.cost) cheapest = { table, at, cost }
      }
    }
    if (cheapest === undefined) return after
    const { leaves, runs } = tableOf(after, cheapest.table)
    after = withTable(after, cheapest.table, { leaves, runs: joined(merged(runs, cheapest.at)) })
  }
  return after
}

function merged(runs: readonly LeafRun[], at: number): LeafRun[] {
  const [left, right] = [runs[at - 1], runs[at]]
  if (left === undefined || right === undefined) return [...runs]
  const larger = (a: string, b: string): string => (BigInt(a) > BigInt(b) ? a : b)
  const both: LeafRun = {
    from: left.from,
    primarySpent: larger(left.primarySpent, right.primarySpent),
    deltaSpent: larger(left.deltaSpent, right.deltaSpent),
  }
  return [...runs.slice(0, at - 1), both, ...runs.slice(at + 1)]
}

/** What the contributors of two neighbouring runs lose, added up, when both count as the one who spent more. */
function mergeCost(runs: readonly LeafRun[], at: number, leaves: number): bigint {
  const [left, right] = [runs[at - 1], runs[at]]
  if (left === undefined || right === undefined) return 0n
  const end = runs[at + 1]?.from ?? leaves
  const gap = BigInt(left.primarySpent) - BigInt(right.primarySpent)
  return gap > 0n ? gap * BigInt(end - right.from) : -gap * BigInt(right.from - left.from)
}

function exhausted(): PrivacyError {
  return new PrivacyError(
    'BUDGET_EXHAUSTED',
    'charge',
    'The charge exceeds what contributors of these tables have left. Ask for less, or leave out those who cannot pay.',
  )
}
