import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { PrivacyError } from '../errors.js'
import type { LedgerStorage } from './stored-ledger.js'

/** Records on append-only storage, chained by hash. */
export interface RecordLog {
  /** What was stored before it was opened, in order. */
  readonly records: readonly unknown[]
  /** Adds a record; it is durable when the promise resolves. Records that wait while a write is under way share the next one. */
  append(record: unknown): Promise<void>
  /** Number of durable records and the hash of the newest, for an anchor outside. */
  head(): { readonly records: number; readonly hash: string }
  /** Waits for what is being written and gives the storage back. */
  close(): Promise<void>
}

/**
 * Opens a log of records: a header line, then a line for each record with its hash over the line before and its JSON. What a
 * crash leaves is a last line without its newline; nobody was told of it, so it is cut off. Anything else that does not verify
 * refuses the whole log. After a failed write the log refuses everything until it is opened again, since nobody knows what
 * reached the disk.
 *
 * @param storage - Storage for this log alone; one process at a time may have it open.
 * @param options - `format`: name of what is stored, which must be the same every time; `anchor`: a head known from outside, that
 *   the log must contain, so that a rolled-back storage is noticed.
 * @returns The log.
 * @throws PrivacyError `LEDGER_CHAIN_BROKEN` when what is stored does not verify or lacks the anchor.
 */
export async function openRecordLog(
  storage: LedgerStorage,
  options: { readonly format: string; readonly anchor?: { readonly records: number; readonly hash: string } },
): Promise<RecordLog> {
  const header = JSON.stringify({ format: options.format, version: 1 })
  const { records, hashes } = await load(storage, header)
  const { anchor } = options
  if (anchor !== undefined && anchor.hash !== (hashes[anchor.records - 1] ?? hashOf('', header))) {
    throw broken('anchor', 'is not in it')
  }
  let newest = hashes.at(-1) ?? hashOf('', header)
  let durable = { records: hashes.length, hash: newest }
  let count = hashes.length
  let failure: PrivacyError | undefined
  let waiting: { readonly line: string; readonly done: (error?: unknown) => void }[] = []
  let writing: Promise<void> | undefined

  const writeWaiting = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting
      const after = { records: count, hash: newest }
      waiting = []
      try {
        if (failure === undefined) await storage.append(utf8ToBytes(batch.map(({ line }) => line).join('')))
      } catch (cause) {
        failure = new PrivacyError(
          'LEDGER_WRITE_FAILED',
          'storage',
          'A record could not be written, and nobody knows whether it is stored. Mend the storage and open the log again.',
          { cause },
        )
      }
      if (failure === undefined) durable = after
      for (const { done } of batch) done(failure)
    }
    writing = undefined
  }
  return {
    records,
    head: () => durable,
    append: (record) =>
      new Promise<void>((resolve, reject) => {
        if (failure !== undefined) {
          reject(failure)
          return
        }
        const json = JSON.stringify(record)
        newest = hashOf(newest, json)
        count += 1
        waiting.push({
          line: `${newest} ${json}\n`,
          done: (error) => (error === undefined ? resolve() : reject(error)),
        })
        writing ??= Promise.resolve().then(writeWaiting)
      }),
    async close() {
      await writing
      failure ??= new PrivacyError('LEDGER_WRITE_FAILED', 'log', 'The log is closed. Open it again.')
      await storage.close()
    },
  }
}

async function load(
  storage: LedgerStorage,
  header: string,
): Promise<{ readonly records: readonly unknown[]; readonly hashes: readonly string[] }> {
  const lines = await wholeLines(storage, header, broken)
  const hashes: string[] = []
  const records = lines.map((line, index): unknown => {
    const place = `line ${index + 2}`
    const hash = hashOf(hashes.at(-1) ?? hashOf('', header), line.slice(65))
    if (line.slice(0, 65) !== `${hash} `) throw broken(place, 'does not follow from the line before')
    hashes.push(hash)
    return parsed(line.slice(65), place, broken)
  })
  return { records, hashes }
}

/** How a store says that what it read does not verify. */
export type Broken = (place: string, what: string, cause?: unknown) => PrivacyError

/**
 * The lines behind the header of a storage. A line without its newline at the end is cut off; an empty storage gets its header.
 *
 * @param storage - The storage.
 * @param header - What the first line must be.
 * @param fault - Makes the error of a storage that is not what it should be.
 * @returns The lines without their newlines.
 */
export async function wholeLines(
  storage: LedgerStorage,
  header: string,
  fault: Broken,
): Promise<readonly string[]> {
  const bytes = await storage.read()
  const whole = bytes.lastIndexOf(10) + 1
  if (whole < bytes.length) await storage.truncate(whole)
  if (whole === 0) {
    await storage.append(utf8ToBytes(`${header}\n`))
    return []
  }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, whole - 1))
  } catch (cause) {
    throw fault('file', 'is not UTF-8', cause)
  }
  const [first, ...lines] = text.split('\n')
  if (first !== header) throw fault('line 1', 'is not the header that it must have')
  return lines
}

/**
 * JSON of a stored line.
 *
 * @param line - The text.
 * @param place - What to call it.
 * @param fault - Makes the error.
 * @returns The value.
 */
export function parsed(line: string, place: string, fault: Broken): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw fault(place, 'is not JSON', cause)
  }
}

function hashOf(previous: string, text: string): string {
  return bytesToHex(sha256(utf8ToBytes(`${previous} ${text}`)))
}

function broken(place: string, what: string, cause?: unknown): PrivacyError {
  return new PrivacyError(
    'LEDGER_CHAIN_BROKEN',
    place,
    `The stored records do not verify: ${place} ${what}. Restore a copy that holds the newest anchor.`,
    cause === undefined ? {} : { cause },
  )
}
