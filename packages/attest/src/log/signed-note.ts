import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js'
import { needBytes, needText } from '../encoding/argument.js'
import { isBytes } from '../encoding/is-bytes.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { AttestError } from '../errors.js'
import { decodeBase64, encodeBase64 } from './base64.js'

/** A signed note (C2SP signed-note): text, and who says that it is so. */
export interface SignedNote {
  /** Ends in a newline. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** One line of a note's signatures. */
export interface NoteSignature {
  readonly name: string
  /** Four bytes. */
  readonly keyId: Uint8Array
  readonly signature: Uint8Array
}

/** What a key of a note signs: notes themselves, or checkpoints as a witness (C2SP tlog-cosignature). */
export type NoteKeyKind = 'ed25519' | 'cosignature'

/** A public key that notes are verified with. */
export interface NoteKey {
  readonly name: string
  readonly kind: NoteKeyKind
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly keyId: Uint8Array
}

/** Longest note that is looked at. */
const maximumNoteLength = 1 << 20
const maximumSignatures = 100
const kinds = { ed25519: 1, cosignature: 4 } as const

function bad(place: string, what: string): AttestError {
  return new AttestError('BAD_LOG', place, `Not a signed note: ${what}`)
}

/** Neither empty nor with spaces or a plus, as the format asks. */
function validName(name: string): boolean {
  return name !== '' && !/[\s+]/u.test(name)
}

/**
 * Makes a key from its parts.
 *
 * @param name for example `log.example.org`
 * @param publicKey Ed25519, 32 bytes
 * @param kind a witness has a key id of its own
 * @returns the key with its id
 * @throws AttestError `BAD_LOG` for a name with spaces or a plus, or a key of another length; `BAD_ARGUMENT` for a name that is no text
 */
export function noteKey(name: string, publicKey: Uint8Array, kind: NoteKeyKind = 'ed25519'): NoteKey {
  needText(name, 'name')
  needBytes(publicKey, 'publicKey')
  if (!validName(name)) throw bad('key.name', 'a key’s name has no spaces and no plus')
  if (publicKey.length !== 32) throw bad('key', 'an Ed25519 key has 32 bytes')
  const head = new TextEncoder().encode(`${name}\n`)
  const keyId = sha256(concatBytes(head, Uint8Array.of(kinds[kind]), publicKey)).slice(0, 4)
  return { name, kind, publicKey: Uint8Array.from(publicKey), keyId }
}

/** Callers without types, and kept documents, may have lost a part. */
export function isNoteKey(key: NoteKey | null | undefined): boolean {
  return typeof key?.name === 'string' && isBytes(key.publicKey) && isBytes(key.keyId)
}

/**
 * Reads a verifier key: `<name>+<key id, hex>+<base64 of type and key>`.
 *
 * @param text a verifier key in one line
 * @returns the key
 * @throws AttestError `BAD_LOG`
 */
export function parseNoteKey(text: string): NoteKey {
  needText(text, 'key')
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/u.exec(text)
  const [, name = '', id = '', data = ''] = match ?? []
  if (match === null || text.length > 1000) throw bad('key', 'its form is name+id+base64')
  const bytes = decodeBase64(data, 'key')
  const kind = (Object.keys(kinds) as NoteKeyKind[]).find((one) => kinds[one] === bytes[0])
  if (kind === undefined) throw bad('key', 'neither an Ed25519 key nor a witness’s')
  const key = noteKey(name, bytes.subarray(1), kind)
  if (bytesToHex(key.keyId) !== id) throw bad('key', 'its id is of another key')
  return key
}

/**
 * Writes a verifier key; see {@link parseNoteKey}.
 *
 * @param key of a log or a witness
 * @returns the verifier key in one line
 */
export function formatNoteKey(key: NoteKey): string {
  const data = concatBytes(Uint8Array.of(kinds[key.kind]), key.publicKey)
  return `${key.name}+${bytesToHex(key.keyId)}+${encodeBase64(data)}`
}

/**
 * Reads a signed note: text, a blank line, signature lines.
 *
 * @param note text, blank line, signature lines
 * @returns the text and its signatures, which are not verified here
 * @throws AttestError `BAD_LOG`
 */
export function parseNote(note: string): SignedNote {
  needText(note, 'note')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (note.length > maximumNoteLength || /[\u0000-\u0009\u000b-\u001f\u007f]/.test(note)) {
    throw bad('note', 'it is too long or has control characters')
  }
  const cut = note.lastIndexOf('\n\n')
  if (cut < 0 || !note.endsWith('\n')) throw bad('note', 'there is no blank line before the signatures')
  const lines = note.slice(cut + 2, -1).split('\n')
  if (lines.length > maximumSignatures) throw bad('note', `more than ${maximumSignatures} signatures`)
  const signatures = lines.map((line, i): NoteSignature => {
    const match = /^— ([^\s+]+) ([A-Za-z0-9+/]+=*)$/u.exec(line)
    if (match?.[1] === undefined || match[2] === undefined) {
      throw bad(`note.signatures.${i}`, 'a line is not a signature')
    }
    const bytes = decodeBase64(match[2], `note.signatures.${i}`)
    if (bytes.length < 5) throw bad(`note.signatures.${i}`, 'a signature is too short')
    return { name: match[1], keyId: bytes.subarray(0, 4), signature: bytes.subarray(4) }
  })
  return { text: note.slice(0, cut + 1), signatures }
}

/**
 * Writes a note; see {@link parseNote}.
 *
 * @param note text and signatures
 * @returns text, blank line, signature lines
 */
export function formatNote({ text, signatures }: SignedNote): string {
  const lines = signatures.map(
    ({ name, keyId, signature }) => `— ${name} ${encodeBase64(concatBytes(keyId, signature))}\n`,
  )
  return `${text}\n${lines.join('')}`
}

/**
 * The signature of a key on a note, if it is there and valid.
 *
 * @param note parsed
 * @param key of kind `ed25519`; witnesses sign otherwise, see `cosignatureTime`
 * @returns true when one of the signatures with the key's name and id verifies
 */
export function verifyNote(note: SignedNote, key: NoteKey): boolean {
  if (key.kind !== 'ed25519') return false
  return signaturesOf(note, key).some((signature) => verifyEd25519(key, signature, utf8(note.text)))
}

/** Signature bytes on a note under a key's name and id; they are not verified. */
export function signaturesOf(note: SignedNote, key: NoteKey): Uint8Array[] {
  return note.signatures
    .filter(({ name, keyId }) => name === key.name && sameBytes(keyId, key.keyId))
    .map(({ signature }) => signature)
}

/** Ed25519 as RFC 8032 verifies it; false for anything malformed. */
export function verifyEd25519(key: NoteKey, signature: Uint8Array, message: Uint8Array): boolean {
  if (signature.length !== 64) return false
  try {
    return ed25519.verify(signature, message, key.publicKey, { zip215: false })
  } catch {
    return false
  }
}

/**
 * What must be an Ed25519 seed is.
 *
 * @throws AttestError `BAD_ARGUMENT`
 */
export function needSeed(privateKey: Uint8Array): void {
  needBytes(privateKey, 'privateKey')
  if (privateKey.length !== 32)
    throw new AttestError('BAD_ARGUMENT', 'privateKey', 'An Ed25519 seed of 32 bytes is expected')
}

/**
 * Signs a note's text.
 *
 * @param text ends in a newline
 * @param name of the signer
 * @param privateKey Ed25519 seed, 32 bytes
 * @returns the signature line’s parts
 * @throws AttestError `BAD_LOG` when the text does not end in a newline; `BAD_ARGUMENT` for a key of another length
 */
export function signNote(text: string, name: string, privateKey: Uint8Array): NoteSignature {
  needText(text, 'text')
  needSeed(privateKey)
  if (!text.endsWith('\n')) throw bad('text', 'it must end in a newline')
  const { keyId } = noteKey(name, ed25519.getPublicKey(privateKey))
  return { name, keyId, signature: ed25519.sign(utf8(text), privateKey) }
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
