import type { Digest } from '@sealpool/crypto'
import { RefineError } from '../errors.js'
import type { RefinerSchema } from '../schema/table-schema.js'

/**
 * A model that makes vectors of texts, as the operator gives it: local, since it sees the texts. This package has none and loads none.
 *
 * @example
 * ```ts no-run
 * const embedder: Embedder = { model: sha256Digest(modelFile), dimensions: 384, embed: (texts) => session.run(texts) }
 * ```
 */
export interface Embedder {
  /** SHA-256 of the model: of its file, or of whatever fixes what `embed` gives. It stands in the schema, and so in the schema's id. */
  readonly model: Digest
  /** Numbers in a vector. */
  readonly dimensions: number
  /**
   * Gives one vector per text, in order, of any length but 0 (they are brought to unit length). The same text must have the same vector, whatever
   * comes with it: the content's digest follows from it, to four decimals.
   */
  readonly embed: (
    texts: readonly string[],
  ) => readonly ArrayLike<number>[] | Promise<readonly ArrayLike<number>[]>
}

/**
 * Does a schema have columns of embeddings?
 *
 * @param schema - the refiner's schema
 * @returns whether an embedder is needed
 */
export function hasVectors({ tables }: RefinerSchema): boolean {
  return Object.values(tables).some(({ columns }) =>
    Object.values(columns).some(({ type }) => type === 'vector'),
  )
}

/**
 * Demands the embedder that each column of embeddings names, before anything is read.
 *
 * @param schema - the refiner's schema
 * @param embedder - what the operator gave
 * @throws RefineError with `EMBEDDER_MISSING` or `EMBEDDER_MISMATCH`
 */
export function requireEmbedder(schema: RefinerSchema, embedder: Embedder | undefined): void {
  for (const [table, { columns }] of Object.entries(schema.tables)) {
    for (const [name, { embedding }] of Object.entries(columns)) {
      if (embedding === undefined) continue
      const place = `${table}.${name}`
      if (embedder === undefined)
        throw new RefineError('EMBEDDER_MISSING', place, 'The schema asks for embeddings: give an embedder')
      if (embedder.model !== embedding.model || embedder.dimensions !== embedding.dimensions)
        throw new RefineError(
          'EMBEDDER_MISMATCH',
          place,
          'The embedder is of another model or of other dimensions than the schema names; give that one',
        )
    }
  }
}
