import { createPiiDetector, type PiiDetector, piiLocales, redactPii } from '@sealpool/privacy/pii'
import { RefineError } from '../errors.js'
import type { NamedTable, RefinerSchema } from '../schema/table-schema.js'

/** Changes the text columns of a row that its schema marks with `pii`, before the row is checked. */
export type PiiPass = (table: NamedTable, row: unknown, index: number) => unknown

/**
 * Demands the pool's key where a column says `hash`, before anything is read: a host without it is at fault, and no contribution.
 *
 * @param schema - the refiner's schema
 * @param key - what the host gave
 * @returns the key when some column needs it
 * @throws RefineError with `ARGUMENT_INVALID`
 */
export function requirePiiKey(schema: RefinerSchema, key: Uint8Array | undefined): Uint8Array | undefined {
  const hashes = Object.entries(schema.tables).flatMap(([table, { columns }]) =>
    Object.entries(columns).flatMap(([name, { pii }]) => (pii === 'hash' ? [`${table}.${name}`] : [])),
  )
  if (hashes.length === 0) return undefined
  if (key === undefined || key.length < 32)
    throw new RefineError(
      'ARGUMENT_INVALID',
      'piiKey',
      `The column ${hashes[0]} says hash: give a secret of the pool, 32 bytes or more`,
    )
  return key
}

/**
 * The pass over personal data that a table's columns ask for. The detector finds what has a form (addresses, numbers with
 * check digits, names behind titles); a rare name in a plain sentence passes.
 *
 * @param options - `key`: at least 32 secret bytes of the pool, needed where a column says `hash`; `detector`: default all
 *   languages of `@sealpool/privacy/pii`
 * @returns the pass; it throws RefineError `PII_FOUND` for a column that says `refuse`, and `ARGUMENT_INVALID` where `hash`
 *   has no key
 */
export function createPiiPass(
  options: { readonly key?: Uint8Array; readonly detector?: PiiDetector } = {},
): PiiPass {
  const { key } = options
  let detector = options.detector
  return (table, row, index) => {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) return row
    let changed: Record<string, unknown> | undefined
    for (const [name, { pii }] of Object.entries(table.columns)) {
      const value = Object.hasOwn(row, name) ? (row as Readonly<Record<string, unknown>>)[name] : undefined
      if (pii === undefined || typeof value !== 'string' || value === '') continue
      detector ??= createPiiDetector({ locales: piiLocales })
      if (pii === 'refuse') {
        if (detector.find(value).length > 0) {
          throw new RefineError(
            'PII_FOUND',
            `${table.name}[${index}].${name}`,
            'Personal data stands in a column that takes none; drop it in the mapping or give the column a policy',
          )
        }
        continue
      }
      if (pii === 'hash' && (key === undefined || key.length < 32)) {
        throw new RefineError(
          'ARGUMENT_INVALID',
          'pii.key',
          'A column says hash: give the pool key, 32 bytes or more',
        )
      }
      const { text } = redactPii(value, { detector, mode: pii, ...(key === undefined ? {} : { key }) })
      changed ??= { ...row }
      changed[name] = text
    }
    return changed ?? row
  }
}
