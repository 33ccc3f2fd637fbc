import { itemOfCells } from './item-of-cells.js'

/** Rows whose neighbours are looked up, and look-ups in all: what a contribution costs stays bounded. */
const MOST_ROWS = 64
const MOST_LOOKUPS = 40_000
/** Characters of all rows that are made for look-ups: 1,000 for each. A row may be as long as a file. */
const MOST_CHARACTERS = 40_000_000

/** What one row of a contribution is to the row index. */
export interface RowLookup {
  readonly item: string
  /** Of the keyed fingerprint: rows are drawn by it, so that nobody without the key knows which. */
  readonly order: number
  /** It is one of many combinations, see `coarseRows`. */
  readonly isCoarse: boolean
}

/**
 * Share of rows that are not known but next to one that is: each number of a row in its own step of two significant digits or in one of
 * the two beside it, everything else the same. That is what a copy looks like whose numbers were all moved across the nearest edge.
 *
 * @param options `rows`: rows that the index does not hold; `isKnown`: whether it holds an item, for rows that are coarse or not
 * @returns 0 to 1, estimated from 64 rows at most; fewer where rows have six numbers or more (54 with six, 18 with seven, 6 with eight, 2 with nine), none of ten; fewer, too, of rows of
 *   thousands of characters
 */
export function shareOfNudgedRows(options: {
  readonly rows: readonly RowLookup[]
  readonly isKnown: (item: string, isCoarse: boolean) => boolean
}): number {
  const { rows, isKnown } = options
  const drawn = [...rows].sort((a, b) => a.order - b.order).slice(0, MOST_ROWS)
  let [lookups, characters] = [0, 0]
  let [asked, nudged] = [0, 0]
  for (const { item, isCoarse } of drawn) {
    const cells = item.split('\u001e').map(stepsBeside)
    const combinations = cells.reduce((product, steps) => product * steps.length, 1)
    const length = combinations * item.length
    if (lookups + combinations > MOST_LOOKUPS || characters + length > MOST_CHARACTERS) continue
    lookups += combinations
    characters += length
    asked++
    if (anyOf(cells, (beside) => isKnown(beside, isCoarse))) nudged++
  }
  return asked === 0 ? 0 : nudged / asked
}

function anyOf(cells: readonly (readonly string[])[], isKnown: (item: string) => boolean): boolean {
  const chosen = cells.map(([cell = '']) => cell)
  // Of a row with thousands of cells few can be chosen: one call deeper for each cell would be more than the stack holds.
  const open = cells.flatMap((steps, at) => (steps.length > 1 ? [at] : []))
  const from = (next: number): boolean => {
    const at = open[next]
    if (at === undefined) return isKnown(itemOfCells(chosen))
    return (cells[at] ?? []).some((cell) => {
      chosen[at] = cell
      return from(next + 1)
    })
  }
  return from(0)
}

/** A cell and, where it is a number of two significant digits, the same name with the steps below and above. */
function stepsBeside(cell: string): readonly string[] {
  const at = cell.indexOf('\u001f')
  const [name, text] = [cell.slice(0, at + 1), cell.slice(at + 1)]
  const number = Number(text)
  if (at < 0 || number === 0 || !Number.isFinite(number) || number.toPrecision(2) !== text) return [cell]
  const [digits = '', exponent = ''] = Math.abs(number).toExponential(1).split('e')
  const tenths = Math.round(Number(digits) * 10)
  const sign = number < 0 ? -1 : 1
  // Below 10 steps there are 99 of a tenth of the width.
  const below =
    tenths === 10 ? `${sign * 99}e${Number(exponent) - 2}` : `${sign * (tenths - 1)}e${Number(exponent) - 1}`
  const above = `${sign * (tenths + 1)}e${Number(exponent) - 1}`
  return [cell, ...[below, above].map((step) => name + Number(step).toPrecision(2))]
}
