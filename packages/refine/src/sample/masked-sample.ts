import { encodeHex } from '@sealpool/crypto'
import { RefineError } from '../errors.js'
import { type CellValue, contributorColumn, type NamedTable, type Row } from '../schema/table-schema.js'
import { mockCell } from './mock-tables.js'
import { seededRandom } from './seeded-random.js'

const tries = 64

/**
 * A sample that shows which cells are filled and nothing else: rows are chosen by the key, nulls stay, and every other
 * value is replaced by one of its column's declared domain that does not stand in that column of `rows`. A column whose whole
 * domain is in use (a boolean, a short list of values) is shuffled by the key. It tells the pattern of nulls: show it to people
 * who may know that.
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
  const real = new Map<string, Set<CellValue>>()
  for (const name of Object.keys(table.columns)) real.set(name, new Set(rows.map((row) => row[name] ?? null)))
  const replace = (name: string): CellValue => {
    const column = table.columns[name]
    if (column === undefined) return null
    const filled = { ...column, nullable: false }
    for (let attempt = 0; attempt < tries; attempt += 1) {
      const value = mockCell(filled, random)
      if (real.get(name)?.has(value) !== true) return value
    }
    return mockCell(filled, random)
  }
  return chosen.slice(0, count).map((at, index) => {
    const cells: [string, CellValue][] = [[contributorColumn, index]]
    for (const name of Object.keys(table.columns)) {
      const value = rows[at]?.[name] ?? null
      cells.push([name, value === null ? null : replace(name)])
    }
    return Object.fromEntries(cells)
  })
}
