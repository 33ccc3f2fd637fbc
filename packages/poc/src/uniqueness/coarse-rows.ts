/** Other rows that must differ from a row in one column alone, for each of its columns, so that it is one of a list of combinations. */
const OTHERS = 2
/** Rows with more cells than this are not coarse: their combinations are more than anybody can list. */
const MOST_CELLS = 8

/**
 * Rows of a contribution that its own other rows make worth little: in every column there are others that differ from it there alone. A
 * list of all combinations (each number of steps on each day) consists of such rows, and so do many measurements of a day of which little
 * is left (the minutes' pulses without their minutes). Who has one row for a day, a place or a letter has none: no other row says something
 * else of the same.
 *
 * @param items of one contribution, see `ContentItems`
 * @returns those of them that are coarse
 */
export function coarseRows(items: readonly string[]): ReadonlySet<string> {
  const rows = items.flatMap((item) => {
    const cells = item.split('\u001e', MOST_CELLS + 1)
    return cells.length > 1 && cells.length <= MOST_CELLS ? [{ item, cells }] : []
  })
  let left = rows
  for (let column = 0; column < MOST_CELLS && left.length > 0; column++) {
    const counts = new Map<string, number>()
    for (const { cells } of rows) {
      if (column >= cells.length) continue
      const key = restOf(cells, column)
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    left = left.filter(
      ({ cells }) => column >= cells.length || (counts.get(restOf(cells, column)) ?? 0) > OTHERS,
    )
  }
  return new Set(left.map(({ item }) => item))
}

/** A row without what it says in one column, and with the column's name. */
function restOf(cells: readonly string[], column: number): string {
  return cells
    .map((cell, at) => (at === column ? cell.slice(0, cell.indexOf('\u001f') + 1) : cell))
    .join('\u001e')
}
