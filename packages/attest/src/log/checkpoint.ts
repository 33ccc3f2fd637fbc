import { ed25519 } from '@noble/curves/ed25519.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { needText } from '../encoding/argument.js'
import { AttestError } from '../errors.js'
import { decodeBase64, encodeBase64 } from './base64.js'
import {
  formatNote,
  isNoteKey,
  type NoteKey,
  type NoteSignature,
  needSeed,
  noteKey,
  parseNote,
  type SignedNote,
  signaturesOf,
  verifyEd25519,
  verifyNote,
} from './signed-note.js'

/** What a log says of itself at one moment (C2SP tlog-checkpoint). */
export interface Checkpoint {
  /** The log's name, for example `log.example.org/sealpool`. */
  readonly origin: string
  readonly size: number
  /** Root hash, 32 bytes. */
  readonly root: Uint8Array
  /** Further lines; none is understood here. */
  readonly extensions: readonly string[]
}

function bad(place: string, what: string): AttestError {
  return new AttestError('BAD_LOG', place, `Not a checkpoint: ${what}`)
}

/**
 * Writes a checkpoint's text, to be signed as a note.
 *
 * @param checkpoint origin, size, root and extension lines
 * @returns the text that a log signs
 */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  return [origin, String(size), encodeBase64(root), ...extensions].map((line) => `${line}\n`).join('')
}

/**
 * Reads a checkpoint's text.
 *
 * @param text of a note, without its signatures
 * @returns origin, size, root and extension lines
 * @throws AttestError `BAD_LOG`
 */
export function parseCheckpoint(text: string): Checkpoint {
  needText(text, 'checkpoint')
  const lines = text.split('\n')
  const [origin, size, root, ...rest] = lines
  if (lines.pop() !== '' || origin === undefined || size === undefined || root === undefined) {
    throw bad('checkpoint', 'it has fewer than three lines')
  }
  const extensions = rest.slice(0, -1)
  if (origin === '' || extensions.includes('')) throw bad('checkpoint', 'a line is empty')
  const number = Number(size)
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(number)) {
    throw bad('checkpoint.size', 'the size is not a whole number in its one form')
  }
  const hash = decodeBase64(root, 'checkpoint.root')
  if (hash.length !== 32) throw bad('checkpoint.root', 'the root hash has not 32 bytes')
  return { origin, size: number, root: hash, extensions }
}

/**
 * Reads a checkpoint and verifies that its log signed it.
 *
 * @param note the signed checkpoint
 * @param key of the log; its name is the origin
 * @returns undefined when the log's signature is missing or wrong, or the origin is another log's
 * @throws AttestError `BAD_LOG` when it is no signed checkpoint, `BAD_ARGUMENT` for a key that has lost a part
 */
export function openCheckpoint(
  note: string,
  key: NoteKey,
): { readonly checkpoint: Checkpoint; readonly note: SignedNote } | undefined {
  if (!isNoteKey(key)) throw new AttestError('BAD_ARGUMENT', 'key', 'The key of a log is expected')
  const parsed = parseNote(note)
  const checkpoint = parseCheckpoint(parsed.text)
  return checkpoint.origin === key.name && verifyNote(parsed, key) ? { checkpoint, note: parsed } : undefined
}

function cosignedMessage(time: bigint, text: string): Uint8Array {
  return new TextEncoder().encode(`cosignature/v1\ntime ${time}\n${text}`)
}

/**
 * When a witness cosigned a checkpoint last (C2SP tlog-cosignature, v1).
 *
 * @param note the checkpoint
 * @param key of kind `cosignature`
 * @param until unix seconds; cosignatures from after this moment do not count
 * @returns unix seconds; undefined when there is no valid cosignature of this witness
 */
export function cosignatureTime(
  note: SignedNote,
  key: NoteKey,
  until: number = Number.MAX_SAFE_INTEGER,
): number | undefined {
  if (key.kind !== 'cosignature') return undefined
  let newest: number | undefined
  for (const bytes of signaturesOf(note, key)) {
    if (bytes.length !== 72) continue
    const time = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0)
    if (time > BigInt(until) || (newest !== undefined && time <= BigInt(newest))) continue
    if (verifyEd25519(key, bytes.subarray(8), cosignedMessage(time, note.text))) newest = Number(time)
  }
  return newest
}

/**
 * Cosigns a checkpoint as a witness; whether it may is for `witnessCheckpoint` to say.
 *
 * @param time unix seconds
 * @param privateKey Ed25519 seed, 32 bytes
 * @param text of the checkpoint, without its signatures
 * @param name of the witness
 * @returns the signature line’s parts
 * @throws AttestError `BAD_ARGUMENT` for a time that is none, a name that is no text, or a key of another length
 */
export function cosign(text: string, name: string, time: number, privateKey: Uint8Array): NoteSignature {
  needText(text, 'text')
  needSeed(privateKey)
  if (!Number.isSafeInteger(time) || time < 0)
    throw new AttestError('BAD_ARGUMENT', 'time', 'Unix seconds, a whole number of at least 0, are expected')
  const { keyId } = noteKey(name, ed25519.getPublicKey(privateKey), 'cosignature')
  const stamp = new Uint8Array(8)
  new DataView(stamp.buffer).setBigUint64(0, BigInt(time))
  return {
    name,
    keyId,
    signature: concatBytes(stamp, ed25519.sign(cosignedMessage(BigInt(time), text), privateKey)),
  }
}

/**
 * Adds signatures to a signed checkpoint.
 *
 * @param note signed checkpoint
 * @param signatures to add behind those that are there
 * @returns the note with all of them
 */
export function addSignatures(note: string, signatures: readonly NoteSignature[]): string {
  const { text, signatures: before } = parseNote(note)
  return formatNote({ text, signatures: [...before, ...signatures] })
}
