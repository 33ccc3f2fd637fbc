/**
 * Prints a table with its title, the first column to the left and all others to the right.
 *
 * @param print takes one line
 * @param table.title stands above
 * @param table.columns headings
 * @param table.rows cells, text or null for an empty one
 * @param table.notes lines below
 */
export function printTable(print, { title, columns, rows, notes = [] }) {
  const lines = [columns, ...rows].map((cells) => cells.map((cell) => cell ?? ''))
  const widths = columns.map((_, column) => Math.max(...lines.map((cells) => cells[column].length)))
  const format = (cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd()
  print('')
  print(title)
  const [heading, ...body] = lines
  print(`  ${format(heading)}`)
  print(`  ${widths.map((width) => '-'.repeat(width)).join('  ')}`)
  for (const cells of body) print(`  ${format(cells)}`)
  for (const note of notes) print(`  ${note}`)
}

/** A number with about three significant digits and thousands apart. */
export function figure(value) {
  if (!Number.isFinite(value)) return String(value)
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** How many times as long, or as much, as the yardstick: `1.25 x`. */
export function ratio(value, yardstick) {
  return `${figure(value / yardstick)} x`
}
