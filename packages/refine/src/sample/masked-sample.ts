import { encodeHex } from '@sealpool/crypto'
import { RefineError } from '../errors.js'
import { type CellValue, contributorColumn, type NamedTable, type Row } from '../schema/table-schema.js'
import { mockCell } from './mock-tables.js'
import { seededRandom } from './seeded-random.js'

/**
 * A sample that shows which cells are filled and nothing else: rows are chosen by the key, nulls stay, and every other cell is
 * drawn from its column's declared domain. The draws do not look at the rows: a sample that avoided real values would tell them by
 * what it lacks. So a value may stand in the data as well, by chance, and neither its presence nor its absence says anything.
 * It tells the pattern of nulls, and the number of rows where that is below `count`: show it to people who may know that.
 *
 * @param table - the table
 * @param rows - refined rows
 * @param options - `key`: 32 secret bytes; `count`: how many rows
 * @returns rows that satisfy the table
 * @throws RefineError with `ARGUMENT_INVALID`
 */
export function maskedSample(
  table: NamedTable,
  rows: readonly Row[],
  options: { readonly key: Uint8Array; readonly count: number },
): readonly Row[] {
  const { key, count } = options
  if (key.length < 32) throw new RefineError('ARGUMENT_INVALID', 'key', 'The key must be 32 bytes or more')
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new RefineError('ARGUMENT_INVALID', 'count', 'The count must be an integer from 0')
  }
  const random = seededRandom(`masked-sample\n${encodeHex(key)}\n${table.name}`)
  const chosen = [...rows.keys()]
  for (let index = 0; index < Math.min(count, chosen.length); index += 1) {
    const other = index + Number(random.below(BigInt(chosen.length - index)))
    const held = chosen[index]
    const swap = chosen[other]
    if (held === undefined || swap === undefined) break
    chosen[index] = swap
    chosen[other] = held
  }
  return chosen.slice(0, count).map((at, index) => {
    const cells: [string, CellValue][] = [[contributorColumn, index]]
    for (const [name, column] of Object.entries(table.columns)) {
      const empty = (rows[at]?.[name] ?? null) === null
      cells.push([name, empty ? null : mockCell({ ...column, nullable: false }, random)])
    }
    return Object.fromEntries(cells)
  })
}
