import { asJson, type Digest, digestOf } from '@sealpool/crypto'
import type { RefinerSchema } from './table-schema.js'

/**
 * Digest of what a refiner's tables mean: identifier, tables with their columns, and the notes on the source. Columns go
 * by name, so their order is not part of it. The mapping's version and source format are not either: a corrected mapping
 * into the same tables keeps the identifier, and the code has a digest of its own.
 *
 * @param schema - the refiner's schema
 * @returns SHA-256 of the canonical JSON (RFC 8785)
 */
export function schemaId(schema: RefinerSchema): Digest {
  return digestOf(
    asJson({
      format: 'sealpool/refiner-schema',
      version: 1,
      id: schema.id,
      tables: schema.tables,
      notes: schema.notes,
    }),
  )
}
