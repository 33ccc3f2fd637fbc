/** Rows and cells with which rows that lack a cell are made, and how long such a row may be. */
const [MOST_ROWS, MOST_CELLS, LONGEST] = [10_000, 12, 2_000]
/** Bits that a row must say so that two people's rows are not one by chance: a day and two numbers do, a day and one number do not. */
const LEAST_BITS = 18
const [DAY_BITS, NUMBER_BITS, DIGIT_BITS, CHARACTER_BITS] = [8, 6, 3, 1.5]
const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i
const DAY = /^(day -?\d+|\d{4} \d{1,2} \d{1,2})$/

/**
 * The same row with a column less, each in its turn.
 *
 * @param rows how many the contribution has: of many none is given, so that the work stays bounded
 */
export function withoutOneCell(row: string, rows: number): readonly string[] {
  if (rows > MOST_ROWS || row.length > LONGEST) return []
  const cells = row.split('\u001e')
  return cells.length > MOST_CELLS
    ? []
    : cells.map((_, left) => cells.filter((_, at) => at !== left).join('\u001e'))
}

/**
 * Whether a row without names says so much that nobody else's is like it by chance, however large a pool is. Counted as a day 8 bits, a number of
 * two digits 6, of one digit 3, a text 1.5 bits a character (English has 0.6 to 1.3, Shannon 1951; names and codes have more).
 *
 * @param item of `unnamedRows`
 * @returns false for what says little, and for an item that has names
 */
export function isTelling(item: string): boolean {
  if (!item.startsWith('\u001f')) return false
  let bits = 0
  for (const cell of item.split('\u001e')) {
    const text = cell.slice(1)
    if (DAY.test(text)) bits += DAY_BITS
    else if (NUMBER.test(text))
      bits += Number.isInteger(Number(text)) && Math.abs(Number(text)) < 10 ? DIGIT_BITS : NUMBER_BITS
    else bits += CHARACTER_BITS * text.length
    if (bits >= LEAST_BITS) return true
  }
  return false
}
