import { contributorPseudonym, keyedFingerprint } from '@sealpool/privacy/sketch'
import { RefineError } from '../errors.js'
import { contributorColumn, type NamedTable, type Row } from '../schema/table-schema.js'

/** The table that names contributors inside one pool; it stays in the enclave like every other table. */
export const contributorsTable: NamedTable = {
  name: 'contributors',
  description: 'One row per contributor of the pool.',
  columns: {
    pseudonym: {
      type: 'text',
      maxLength: 64,
      description: "Name of the contributor's wallet inside this pool; another pool has another name for it.",
    },
    rank: {
      type: 'integer',
      min: 0,
      description:
        'Fixed random place among the contributors, for samples and bounds that do not depend on the data.',
    },
  },
}

/** 52 bits of a fingerprint, which an integer column holds exactly. */
function rankOf(fingerprint: string): number {
  return Number.parseInt(fingerprint.slice(0, 13), 16)
}

/**
 * Rows of {@link contributorsTable}: integer surrogate, pseudonym (a keyed hash of the wallet, unrelated between pools) and a
 * stored random rank. All are stable: the same wallet has the same row in every batch.
 *
 * @param options - `key`: at least 32 secret bytes of the pool; `contributors`: surrogate and wallet address of each
 * @returns one row per contributor, in the given order
 * @throws RefineError with `ARGUMENT_INVALID` when a surrogate or a wallet stands twice; PrivacyError `PARAMETER_INVALID` for a
 *   short key or what is no address
 */
export function contributorRows(options: {
  readonly key: Uint8Array
  readonly contributors: readonly { readonly contributor: number; readonly address: string }[]
}): readonly Row[] {
  const surrogates = new Set<number>()
  const pseudonyms = new Set<string>()
  return options.contributors.map(({ contributor, address }, index) => {
    const pseudonym = contributorPseudonym({ key: options.key, address })
    if (
      !Number.isSafeInteger(contributor) ||
      contributor < 0 ||
      surrogates.has(contributor) ||
      pseudonyms.has(pseudonym)
    ) {
      throw new RefineError(
        'ARGUMENT_INVALID',
        `contributors[${index}]`,
        'Each wallet needs one surrogate of its own, an integer from 0',
      )
    }
    surrogates.add(contributor)
    pseudonyms.add(pseudonym)
    const rank = rankOf(keyedFingerprint({ key: options.key, domain: 'contributor-rank', data: pseudonym }))
    return { [contributorColumn]: contributor, pseudonym, rank }
  })
}

/**
 * Random ranks of a contributor's rows, to be stored with them: keeping the rows of the lowest `m` ranks of each contributor is
 * a bound that is valid before any filter of a query. A rank depends on the key, the table, the contributor and the row's
 * number, not on what the row says.
 *
 * @param options - `key`: at least 32 secret bytes of the pool; `table`: its name; `contributor`: integer surrogate; `first`:
 *   number of the first row among the contributor's rows of this table, default 0; `count`: how many rows
 * @returns one integer of 52 bits per row
 * @throws PrivacyError `PARAMETER_INVALID` for a short key
 */
export function rowRanks(options: {
  readonly key: Uint8Array
  readonly table: string
  readonly contributor: number
  readonly first?: number
  readonly count: number
}): readonly number[] {
  const { key, table, contributor, first = 0, count } = options
  return Array.from({ length: count }, (_, index) =>
    rankOf(keyedFingerprint({ key, domain: 'row-rank', data: `${table}/${contributor}/${first + index}` })),
  )
}
