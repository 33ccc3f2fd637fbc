import type { Hex } from '@sealpool/crypto'
import {
  formatJournalEntry,
  type JournalEntry,
  parseJournalEntry,
} from '../contribute/contribution-journal.js'
import { ClientError } from '../errors.js'
import { readAs } from '../node-api/messages.js'
import { answerSchema, nullable, record, text } from '../node-api/shape.js'

/** What is known of a newer version. */
export interface VersionEntry {
  /** Number of the older version. */
  readonly supersedes: bigint
  /** Digest of the sealed file that an entry of a Merkle batch was to be replaced by, once that was begun. */
  readonly replacement: Hex | null
  readonly contribution: JournalEntry
}

const entrySchema = () =>
  answerSchema(
    record({
      format: text(/^sealpool\/version-journal$/, 'a journal of a version'),
      version: text(/^1$/, 'version 1'),
      supersedes: text(/^[1-9][0-9]{0,77}$/, 'a number'),
      replacement: nullable(text<Hex>(/^0x[0-9a-f]{64}$/, '32 bytes')),
      contribution: text(),
    }),
  )

/** Writes an entry as JSON. */
export function formatVersionEntry({ supersedes, replacement, contribution }: VersionEntry): string {
  return JSON.stringify({
    format: 'sealpool/version-journal',
    version: '1',
    supersedes: supersedes.toString(),
    replacement,
    contribution: formatJournalEntry(contribution),
  })
}

/**
 * Reads an entry.
 *
 * @param written what {@link formatVersionEntry} wrote
 * @throws ClientError `JOURNAL_INVALID`
 */
export function parseVersionEntry(written: string): VersionEntry {
  let json: unknown
  try {
    json = JSON.parse(written)
  } catch {
    throw invalid('it is not JSON')
  }
  const read = readAs(entrySchema(), json)
  if (!read.ok) throw invalid(`another shape at ${read.place}`)
  const { supersedes, replacement, contribution } = read.answer
  return { supersedes: BigInt(supersedes), replacement, contribution: parseJournalEntry(contribution) }
}

function invalid(why: string): ClientError {
  return new ClientError(
    'JOURNAL_INVALID',
    'journal',
    `the entry cannot be read as one of a newer version (${why}); look on chain before you delete it`,
  )
}
