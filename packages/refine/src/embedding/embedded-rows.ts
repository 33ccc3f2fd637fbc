import { RefineError } from '../errors.js'
import type { CellValue, NamedTable, Row } from '../schema/table-schema.js'
import { vectorText } from '../schema/vector.js'
import type { Embedder } from './embedder.js'

/** Texts that a model gets at once. */
const atOnce = 256

/**
 * A table as a mapping fills it: without the columns that the host fills.
 *
 * @param table - the table
 * @returns the same where there are none
 */
export function mappedTable(table: NamedTable): NamedTable {
  const columns = Object.entries(table.columns).filter(([, { type }]) => type !== 'vector')
  return columns.length === Object.keys(table.columns).length
    ? table
    : { ...table, columns: Object.fromEntries(columns) }
}

/**
 * Fills the columns of embeddings. The model sees texts as they are stored, so after the pass over personal data; each text once. A text that is
 * null or empty, or whose vector has length 0, has none.
 *
 * @param table - the table with all of its columns
 * @param rows - rows of {@link mappedTable}, checked
 * @param options - `embedder`: see `requireEmbedder`; `first`: number of the first row in its contribution, for `place`
 * @returns rows of `table`
 * @throws RefineError with `VALUE_MISSING` where a text has no vector and must have one; `EMBEDDER_FAILED` when the model throws (what it
 *   said is dropped, since it saw the texts) or gives something else than one vector per text
 */
export async function embeddedRows(
  table: NamedTable,
  rows: readonly Row[],
  options: { readonly embedder: Embedder | undefined; readonly first?: number },
): Promise<readonly Row[]> {
  const { embedder, first = 0 } = options
  const vectors = new Map<string, Map<CellValue, string | null>>()
  for (const [name, { embedding }] of Object.entries(table.columns)) {
    if (embedding === undefined) continue
    if (embedder === undefined)
      throw new RefineError('EMBEDDER_MISSING', `${table.name}.${name}`, 'Give an embedder')
    vectors.set(
      name,
      await vectorsOf(
        embedder,
        rows.map((row) => row[embedding.from] ?? null),
      ),
    )
  }
  if (vectors.size === 0) return rows
  return rows.map((row, index) => {
    const cells: [string, CellValue][] = Object.entries(row).slice(0, 1)
    for (const [name, { embedding, nullable }] of Object.entries(table.columns)) {
      const cell =
        embedding === undefined
          ? (row[name] ?? null)
          : (vectors.get(name)?.get(row[embedding.from] ?? null) ?? null)
      if (cell === null && nullable !== true)
        throw new RefineError(
          'VALUE_MISSING',
          `${table.name}[${first + index}].${name}`,
          'A text has no vector',
        )
      cells.push([name, cell])
    }
    return Object.fromEntries(cells)
  })
}

async function vectorsOf(
  embedder: Embedder,
  cells: readonly CellValue[],
): Promise<Map<CellValue, string | null>> {
  const texts = [...new Set(cells)].filter((cell): cell is string => typeof cell === 'string' && cell !== '')
  const made = new Map<CellValue, string | null>()
  for (let at = 0; at < texts.length; at += atOnce) {
    const some = texts.slice(at, at + atOnce)
    const given = await asked(embedder, some)
    for (const [index, text] of some.entries()) {
      const vector = vectorText(given[index] ?? [], embedder.dimensions)
      if (given.length !== some.length || vector === undefined) throw failed()
      made.set(text, vector)
    }
  }
  return made
}

async function asked(embedder: Embedder, texts: readonly string[]): Promise<readonly ArrayLike<number>[]> {
  try {
    const given = await embedder.embed(texts)
    // An embedder in plain JavaScript may give anything.
    if (Array.isArray(given)) return given
  } catch {
    throw failed()
  }
  throw failed()
}

function failed(): RefineError {
  return new RefineError(
    'EMBEDDER_FAILED',
    'embedder',
    'The embedder threw, or did not give one vector of its dimensions per text; try it outside on texts of your own',
  )
}
