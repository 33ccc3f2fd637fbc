import { ed25519 } from '@noble/curves/ed25519.js'
import {
  addSignatures,
  cosign,
  formatCheckpoint,
  formatEntryBundle,
  formatNote,
  inclusionProof,
  type LogEntry,
  type LogTrust,
  leafHash,
  logEntryBytes,
  noteKey,
  signNote,
  tilePath,
  tileWidth,
  treeRoot,
} from '@sealpool/attest/log'
import { type Hex, hexToDigest } from '@sealpool/crypto'
import { at } from './simulated-pool.js'

const logKey = new Uint8Array(32).fill(21)
const witnessKey = new Uint8Array(32).fill(22)
const origin = 'log.example.org/sealpool'
const witness = 'witness.example.org'

/** Whom the tests believe. */
export const logTrust: LogTrust = {
  log: noteKey(origin, ed25519.getPublicKey(logKey)),
  witnesses: [noteKey(witness, ed25519.getPublicKey(witnessKey), 'cosignature')],
  quorum: 1,
  maximumAgeSeconds: 86_400,
}

/** An entry on a measurement. */
export function measurementEntry(measurement: Hex, subject = 'enclave-node 0.1.0'): Uint8Array {
  const entry: LogEntry = {
    format: 'sealpool/log-entry',
    version: 1,
    kind: 'measurement',
    subject,
    digest: hexToDigest(measurement),
    at: '2026-11-01T00:00:00Z',
  }
  return logEntryBytes(entry)
}

/** A log with these entries, signed and cosigned an hour before the fixtures' moment, as files and as one answer. */
export function publicLog(entries: readonly Uint8Array[]) {
  const hashes = entries.map(leafHash)
  const text = formatCheckpoint({ origin, size: entries.length, root: treeRoot(hashes), extensions: [] })
  const note = formatNote({ text, signatures: [signNote(text, origin, logKey)] })
  const time = Math.floor(at.getTime() / 1000) - 3600
  const checkpoint = addSignatures(note, [cosign(text, witness, time, witnessKey)])
  const files = new Map<string, Uint8Array>([['checkpoint', new TextEncoder().encode(checkpoint)]])
  for (let start = 0; start < entries.length; start += tileWidth) {
    const part = entries.slice(start, start + tileWidth)
    files.set(tilePath('entries', start / tileWidth, part.length), formatEntryBundle(part))
  }
  const answer = (index: number) => ({
    entry: entries[index] ?? new Uint8Array(0),
    index,
    proof: inclusionProof(hashes, index),
    checkpoint,
  })
  return { checkpoint, uncosigned: note, files, answer }
}
