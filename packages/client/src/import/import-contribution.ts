import type { Address, Hex } from '@sealpool/crypto'
import type { Account } from 'viem'
import type { Contributed, ContributeOptions } from '../contribute/contribute.js'
import type { ContributionInput } from '../contribute/prepare-contribution.js'
import type { Contributor } from '../contributor.js'
import {
  type ImportEdge,
  type ImportProvenance,
  type ReadExportOptions,
  readExportWith,
} from './read-export.js'

/** How an export becomes a contribution. */
export interface ImportOptions extends Omit<ReadExportOptions, 'grantor'> {
  readonly client: Pick<Contributor, 'contribute'>
  /** Who contributes. */
  readonly account: Account
  /** The contribution but for what is imported. */
  readonly input: Omit<ContributionInput, 'bytes' | 'mediaType'>
  /** Whose data it must be. Default: the account's own; name another only where that person's consent is yours to give. */
  readonly grantor?: Address
  /** As for `contribute`; with a key the export is read again after a crash, and must still have its size. */
  readonly contribute?: Omit<ContributeOptions, 'signal'>
}

/** A contribution that was imported. */
export interface ImportedContribution {
  readonly contributed: Contributed
  /** Keep it with your own records; it goes nowhere. */
  readonly provenance: ImportProvenance & {
    /**
     * The contribution's salted commitment, as on chain: whoever can open the sealed file checks by it what was imported. Null for a contribution
     * that an earlier run had begun: the export that was sealed then may be an older one than was read now.
     */
    readonly commitment: Hex | null
  }
}

/**
 * Verifies the grant, reads the export and contributes it.
 *
 * @param options - as {@link ImportOptions}, with what it takes of the platform
 * @returns the contribution and where it came from
 * @throws as `importContribution`
 */
export async function importWith(options: ImportOptions & ImportEdge): Promise<ImportedContribution> {
  const { client, account, input, signal } = options
  const { bytes, mediaType, provenance } = await readExportWith({
    ...options,
    grantor: options.grantor ?? account.address,
  })
  const how = { ...options.contribute, ...(signal === undefined ? {} : { signal }) }
  const contributed = await client.contribute(account, { ...input, bytes, mediaType }, how)
  const commitment = contributed.resumed ? null : contributed.prepared.contribution.commitment
  return { contributed, provenance: { ...provenance, commitment } }
}
