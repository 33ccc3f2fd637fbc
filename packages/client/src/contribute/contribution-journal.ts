import type { Contribution } from '@sealpool/contracts'
import type { Address, Digest, Hex } from '@sealpool/crypto'
import { ClientError } from '../errors.js'
import { readAs } from '../node-api/messages.js'
import {
  address,
  answerSchema,
  digest,
  flag,
  nullable,
  type Reader,
  record,
  text,
  whole,
} from '../node-api/shape.js'

/**
 * Where a client notes how far a contribution has come, so that it goes on after a crash instead of beginning again. Texts are
 * plain JSON without secrets: what goes on chain, its signature, and the export's size.
 *
 * `localStorage` under {@link storageJournal}, IndexedDB under `indexedDbJournal` of `@sealpool/client/indexed-db-journal`, a folder
 * under `fileJournal` of `@sealpool/client/file-journal`.
 */
export interface ContributionJournal {
  /** @returns what was written last under the key, or undefined */
  get(key: string): Promise<string | undefined>
  /**
   * Writes the text unless there is one, in one step that nobody comes between: of two runs that begin at once, both go on with what the
   * first has written.
   *
   * @returns what stands under the key then
   */
  setIfAbsent(key: string, text: string): Promise<string>
  /** Replaces the whole text; durable when the promise is fulfilled. */
  set(key: string, text: string): Promise<void>
  /** Forgets a key; harmless when there is none. */
  delete(key: string): Promise<void>
}

/** What is known of one contribution. */
export interface JournalEntry {
  readonly chainId: number
  readonly pool: Address
  readonly owner: Address
  readonly schemaId: Digest
  readonly consentDigest: Digest
  /** Bytes of the export. */
  readonly size: number
  readonly nonce: bigint
  /** The chain's newest block before anything was sent: the contribution stands in no earlier one. */
  readonly fromBlock: bigint
  /** Once the sealed file is stored. */
  readonly stored: {
    readonly contribution: Contribution
    readonly sealedBytes: number
    readonly simulated: boolean
  } | null
  /** Once the owner signed. */
  readonly signed: { readonly deadline: bigint; readonly signature: Hex } | null
  /** Once it stands on chain. */
  readonly done: { readonly id: bigint; readonly hash: Hex } | null
}

/**
 * A journal that forgets everything with the process; for tests.
 *
 * @returns an empty journal, apart from every other one
 */
export function memoryJournal(): ContributionJournal {
  const entries = new Map<string, string>()
  return {
    get: async (key) => entries.get(key),
    async setIfAbsent(key, text) {
      const there = entries.get(key) ?? text
      entries.set(key, there)
      return there
    },
    async set(key, text) {
      entries.set(key, text)
    },
    async delete(key) {
      entries.delete(key)
    },
  }
}

/**
 * A journal in a page's `localStorage`, or anything with its three calls.
 *
 * @param storage for example `globalThis.localStorage`
 * @param prefix put before every key; default `sealpool/contribution/`
 * @returns the journal; its calls reject with what `storage` throws, for example when it is full
 */
export function storageJournal(
  storage: {
    getItem(key: string): string | null
    setItem(key: string, value: string): void
    removeItem(key: string): void
  },
  prefix = 'sealpool/contribution/',
): ContributionJournal {
  return {
    get: async (key) => storage.getItem(`${prefix}${key}`) ?? undefined,
    async setIfAbsent(key, text) {
      const there = storage.getItem(`${prefix}${key}`)
      if (there !== null) return there
      storage.setItem(`${prefix}${key}`, text)
      return text
    },
    set: async (key, text) => storage.setItem(`${prefix}${key}`, text),
    delete: async (key) => storage.removeItem(`${prefix}${key}`),
  }
}

const number: Reader<bigint> = (value, place) =>
  BigInt(text(/^(?:0|[1-9][0-9]{0,77})$/, 'a number')(value, place))
const word: Reader<Hex> = text<Hex>(/^0x[0-9a-f]{64}$/, '32 bytes')

const entrySchema = () =>
  answerSchema(
    record<JournalEntry & { readonly format: string; readonly version: number }>({
      format: text(/^sealpool\/contribution-journal$/, 'a journal'),
      version: (value, place) => Number(text(/^1$/, 'version 1')(String(value), place)),
      chainId: whole(1),
      pool: address,
      owner: address,
      schemaId: digest,
      consentDigest: digest,
      size: whole(0),
      nonce: number,
      fromBlock: number,
      stored: nullable(
        record({
          contribution: record<Contribution>({
            owner: address,
            pool: address,
            blobDigest: word,
            commitment: word,
            schemaId: word,
            consentDigest: word,
            epoch: whole(1),
            // It is held against the input: see `contribute`.
            locator: text(),
            nonce: number,
          }),
          sealedBytes: whole(0),
          simulated: flag,
        }),
      ),
      signed: nullable(
        record({ deadline: number, signature: text<Hex>(/^0x(?:[0-9a-f]{2}){1,10000}$/, 'a signature') }),
      ),
      done: nullable(record({ id: number, hash: word })),
    }),
  )

/** Writes an entry as JSON. */
export function formatJournalEntry(entry: JournalEntry): string {
  const json = { format: 'sealpool/contribution-journal', version: 1, ...entry }
  return JSON.stringify(json, (_name, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  )
}

/**
 * Reads an entry.
 *
 * @param text what a journal gave
 * @throws ClientError `JOURNAL_INVALID`
 */
export function parseJournalEntry(text: string): JournalEntry {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw invalid('it is not JSON')
  }
  const read = readAs(entrySchema(), json)
  if (!read.ok) throw invalid(`another shape at ${read.place}`)
  const { format: _format, version: _version, ...entry } = read.answer
  return entry
}

function invalid(why: string): ClientError {
  return new ClientError(
    'JOURNAL_INVALID',
    'journal',
    `the entry cannot be read (${why}); look on chain before you delete it`,
  )
}

/** @throws ClientError `OPTION_INVALID` for a key that cannot be a file's name everywhere */
export function requireJournalKey(key: string): void {
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/.test(key)) {
    throw new ClientError('OPTION_INVALID', 'key', 'a key has 1 to 100 letters, digits, dots, - and _')
  }
}
