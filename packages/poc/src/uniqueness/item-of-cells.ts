/** Most items of one contribution: what a file costs stays bounded. */
export const mostItems = 200_000

/**
 * A row's one form, whatever the order of its columns.
 *
 * @param cells of the row
 * @returns the cells in the order of their code units; empty for no cells
 */
export function itemOfCells(cells: Iterable<string>): string {
  return [...cells].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)).join('\u001e')
}
