import { contentFingerprint } from '../uniqueness/content-fingerprint.js'
import { type ContentItems, contentItems } from '../uniqueness/content-items.js'
import type { RowIndex } from '../uniqueness/row-index.js'

/** An export as an app has it before anything leaves the machine: what `ContributionInput` of `@sealpool/client` says of it. */
export interface PreflightExport {
  readonly bytes: Uint8Array
  readonly mediaType: string
}

/**
 * What an export is compared by: its rows or runs of words; a file that has none counts as a whole.
 *
 * @param input the export
 * @param key of the contributor's own index
 * @returns its items
 */
export function ownItems(input: PreflightExport, key: Uint8Array): ContentItems {
  const content = contentItems(input)
  if (content.items.length > 0) return content
  return { items: [`file\u001f${contentFingerprint({ key, ...input })}`] }
}

/**
 * Notes an export that was contributed, so that `uniquenessPreflight` knows it the next time.
 *
 * @param options `earlier`: the contributor's own index (`createRowIndex`); `key`: the one it was made with; `input`: the export
 * @returns how many of its items were new to it
 * @example
 * ```ts
 * import { createRowIndex, encodeIndex } from '@sealpool/poc'
 * import { rememberExport } from '@sealpool/poc/preflight'
 * const key = crypto.getRandomValues(new Uint8Array(32)) // the contributor's own; it never leaves the machine
 * const earlier = createRowIndex({ key })
 * rememberExport({ earlier, key, input: { bytes: new TextEncoder().encode('day,steps\n2026-01-01,5000\n'), mediaType: 'text/csv' } })
 * const kept = encodeIndex({ kind: 'rows', index: earlier, key }).bytes // decodeRowIndex({ bytes: kept, key }) opens it again
 * console.assert(kept.length > 0)
 * ```
 */
export function rememberExport(options: {
  readonly earlier: RowIndex
  readonly key: Uint8Array
  readonly input: PreflightExport
}): number {
  return options.earlier.add(ownItems(options.input, options.key))
}
