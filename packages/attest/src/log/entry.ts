import { CryptoError, canonicalBytes, type Digest, type JsonValue, parseCanonical } from '@sealpool/crypto'
import { needBytes } from '../encoding/argument.js'
import { AttestError } from '../errors.js'
import { digestText, isoText, oneOf, record, type Schema, schema, text } from '../shape/shape.js'

/** Kinds of facts that a Sealpool log keeps. */
export const logEntryKinds = ['release', 'measurement', 'policy', 'approval', 'receipt', 'deletion'] as const

/** One entry: a fact's kind, name and digest. The fact itself is elsewhere, and may be private. */
export type LogEntry = {
  format: 'sealpool/log-entry'
  version: 1
  kind: (typeof logEntryKinds)[number]
  /** What it is about, for example a pool's address or a version. */
  subject: string
  digest: Digest
  /** ISO time at which it was handed in, by the word of who did so. */
  at: string
}

/** Schema of {@link LogEntry}; unknown fields are refused. */
export const logEntrySchema: Schema<LogEntry> = /* @__PURE__ */ (() =>
  schema(
    'BAD_LOG',
    'entry',
    'Not a log entry',
    record<LogEntry>({
      format: oneOf(['sealpool/log-entry']),
      version: oneOf([1]),
      kind: oneOf(logEntryKinds),
      subject: text({ min: 1, max: 500 }),
      digest: digestText,
      at: isoText('time'),
    }),
  ))()

/**
 * An entry's bytes in the log: its canonical JSON.
 *
 * @param entry what is logged
 * @returns its canonical bytes, which the tree hashes
 */
export function logEntryBytes(entry: LogEntry): Uint8Array {
  return canonicalBytes(logEntrySchema.parse(entry) as JsonValue)
}

/**
 * Reads an entry.
 *
 * @param bytes canonical JSON
 * @returns the entry
 * @throws AttestError `BAD_LOG`
 */
export function parseLogEntry(bytes: Uint8Array): LogEntry {
  needBytes(bytes, 'entry')
  try {
    return logEntrySchema.parse(parseCanonical(bytes, 'entry'))
  } catch (cause) {
    if (cause instanceof CryptoError) throw new AttestError('BAD_LOG', 'entry', cause.message, { cause })
    throw cause
  }
}
