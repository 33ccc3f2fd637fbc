import { PocError } from '../errors.js'
import { assertSketchKey } from '../uniqueness/content-sketch.js'
import type { RowIndex } from '../uniqueness/row-index.js'
import { ownItems, type PreflightExport } from './own-exports.js'
import { type RepeatedRows, repeatedRows } from './repeated-rows.js'

/** What {@link uniquenessPreflight} found, in the form of `PreflightFinding` of `@sealpool/client`. It names rows by their numbers. */
export interface UniquenessFinding {
  readonly id: string
  readonly title: string
  readonly result: 'pass' | 'warn' | 'fail'
  readonly detail: string
  /** Null for a file without rows. */
  readonly repeated: RepeatedRows | null
  /** Share of it that own earlier exports held, 0 to 1; null where there is no index of them. */
  readonly contributedBefore: number | null
}

/** What {@link uniquenessPreflight} takes. */
export interface UniquenessPreflightOptions {
  /** At least 32 secret bytes of the contributor's own: of the wallet, or random and kept beside the index. Never the pool's. */
  readonly key: Uint8Array
  /** What was contributed before (`rememberExport`), made with `key`; absent: only the export itself is looked at. */
  readonly earlier?: RowIndex
  /** Share of it, contributed before, from which the check warns; default 0.1. */
  readonly warnFrom?: number
  /** Share from which it fails; default 1: all of it was contributed before. */
  readonly failFrom?: number
  /** Told while it goes on, and waited for, so that a page can draw in between. */
  readonly onProgress?: (progress: { readonly records: number }) => void | Promise<void>
}

/** Said with every finding. */
const whatItCannotKnow =
  'what others have contributed is not known here: the pool compares under a secret key, and by what its own proof reads'

/** How many repeating rows are named. */
const mostNamed = 20

/**
 * A preflight check: does an export repeat itself, and was it contributed before by the same person? It compares as a pool does, under a key of
 * the contributor's own. It cannot tell whether somebody else has contributed the same: the pool's sketches are under the pool's secret, and
 * a check that could tell would tell everybody what is in the pool.
 *
 * @param options see {@link UniquenessPreflightOptions}
 * @returns a `PreflightCheck` of `@sealpool/client` with the finding `uniqueness`
 * @throws PocError `KEY_INVALID`, `OPTION_INVALID`
 * @example
 * ```ts
 * import { uniquenessPreflight } from '@sealpool/poc/preflight'
 * const key = crypto.getRandomValues(new Uint8Array(32))
 * const bytes = new TextEncoder().encode('day,steps\n2026-01-01,5000\n2026-01-01,5000\n')
 * const { result, repeated } = await uniquenessPreflight({ key })({ bytes, mediaType: 'text/csv' })
 * console.assert(result === 'warn' && repeated?.first[0] === 2)
 * ```
 */
export function uniquenessPreflight(
  options: UniquenessPreflightOptions,
): (input: PreflightExport, signal?: AbortSignal) => Promise<UniquenessFinding> {
  const { key, earlier, warnFrom = 0.1, failFrom = 1, onProgress } = options
  assertSketchKey(key)
  for (const [name, share] of [
    ['warnFrom', warnFrom],
    ['failFrom', failFrom],
  ] as const) {
    if (!(share > 0 && share <= 1))
      throw new PocError('OPTION_INVALID', name, 'a share is more than 0 and at most 1')
  }
  return async (input, signal) => {
    const repeated = await repeatedRows({
      ...input,
      key,
      named: mostNamed,
      between: async (records) => {
        signal?.throwIfAborted()
        await onProgress?.({ records })
      },
    })
    signal?.throwIfAborted()
    const before = earlier === undefined ? null : 1 - earlier.novelty(ownItems(input, key))
    const lines = [
      ...(repeated === undefined ? ['it has no rows to compare with each other'] : repeatedText(repeated)),
      ...(before === null
        ? []
        : [`${percent(before)} of it was in exports that were contributed from here before`]),
      whatItCannotKnow,
    ]
    const fails = before !== null && before >= failFrom
    const repeats = repeated !== undefined && (repeated.equal > 0 || repeated.alike > 0 || !repeated.whole)
    const warns = repeats || (before !== null && before >= warnFrom)
    return {
      id: 'uniqueness',
      title: 'The export is new and does not repeat itself',
      result: fails ? 'fail' : warns ? 'warn' : 'pass',
      detail: lines.join('\n'),
      repeated: repeated ?? null,
      contributedBefore: before,
    }
  }
}

function repeatedText({ rows, first, equal, alike, whole }: RepeatedRows): string[] {
  const named = `${first.join(', ')}${equal > first.length ? ', …' : ''}`
  return [
    equal === 0
      ? `no two of ${rows} rows are equal`
      : `${equal} of ${rows} rows repeat an earlier one: ${named}`,
    ...(alike === 0
      ? []
      : [`${alike} more are so near to an earlier one that the pool may count both as one`]),
    ...(whole ? [] : [`only the first ${rows} rows were compared with each other`]),
  ]
}

/** Rounded down: all of it is only what is all of it. */
function percent(share: number): string {
  return `${Math.floor(share * 100)} %`
}
