import { concatBytes, type Random, requireUnmoved } from '../encoding/bytes.js'
import { requireKnownNames, requireList } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import type { Recipient, Stanza } from '../recipient/recipient.js'
import {
  bindingOf,
  headerMac,
  type OpenOptions,
  type OwnOpening,
  ownOpening,
  requireOpening,
  unlockHeader,
  wrapFor,
} from './file-key.js'
import { encodeHeader, type ParsedHeader, parseHeader } from './header.js'
import { type RangeSource, readHeader } from './range.js'
import { isKnown, maximumStanzas, nameOf, parseStanzas } from './stanza.js'

/**
 * Names one recipient of a file: also a {@link Recipient}, or what {@link listRecipients} gives where it has a `keyId`. Only where
 * there is a `type` may other members stand beside: a `type` that is misspelt would name whoever bears the id.
 */
export interface RecipientName {
  readonly keyId: string
  /** Needed when stanzas of two types bear the same id. */
  readonly type?: string | undefined
}

/** How a header's recipients change. */
export interface RecipientChange extends OpenOptions {
  /** New recipients; they come behind those that stay. */
  readonly add?: readonly Recipient[] | undefined
  /** Recipients that go. */
  readonly remove?: readonly RecipientName[] | undefined
  readonly random: Random
}

type OwnChange = OwnOpening & Pick<RecipientChange, 'add' | 'remove' | 'random'>

/** One recipient as a header shows it. */
export interface ListedRecipient {
  readonly type: string
  /** Undefined for stanzas of a type that is unknown here. */
  readonly keyId: string | undefined
  readonly kem: string | undefined
  readonly address: string | undefined
  /** Whether this version can read the stanza. */
  readonly known: boolean
}

/**
 * Lists a file's recipients. They are authentic only once someone opened the file: whoever has no key cannot tell.
 *
 * @param sealed - a sealed file, or its header
 * @returns the recipients in order
 * @throws CryptoError as `parseHeader`
 */
export function listRecipients(sealed: Uint8Array): readonly ListedRecipient[] {
  return parseHeader(sealed).recipients.map((stanza) => {
    const text = (name: string) => (typeof stanza[name] === 'string' ? stanza[name] : undefined)
    const known = isKnown(stanza)
    return { type: stanza.type, keyId: text('keyId'), kem: text('kem'), address: text('address'), known }
  })
}

/**
 * Writes a file's header anew with other recipients. The payload is not read; context, keys and payload stay.
 *
 * @param header - as parsed
 * @param change - who opens it, who comes and who goes
 * @returns the new header with its MAC: what stands before the unchanged payload
 * @throws CryptoError `RECIPIENT_INVALID` when a newcomer is already there, one who goes is not, nobody would stay or
 *   the header is full; `CONTEXT_MISMATCH` when a newcomer's key is for another policy or pool; `HEADER_INVALID`,
 *   `RECIPIENT_UNSUPPORTED` when a newcomer wraps into something that no reader takes; `HEADER_TOO_LARGE`; as
 *   `unlockHeader`
 */
export async function changeRecipients(header: ParsedHeader, change: OwnChange): Promise<Uint8Array> {
  const { random, backend = 'auto', add = [], remove = [] } = ownChange(change)
  const fileKey = await unlockHeader(header, change)
  const mac = headerMac(header, fileKey)
  let kept = header.recipients
  for (const name of remove) kept = without(kept, name)
  const names = new Set(kept.filter(isKnown).map(nameOf))
  for (const recipient of add) {
    const { type, keyId, wrap } = (recipient ?? {}) as Partial<Recipient>
    if (typeof wrap !== 'function' || typeof type !== 'string' || typeof keyId !== 'string') {
      throw new CryptoError(
        'OPTION_INVALID',
        'recipient',
        'expected a recipient, such as hpkeRecipient makes',
      )
    }
    const name = nameOf(recipient)
    if (names.has(name)) {
      throw new CryptoError('RECIPIENT_INVALID', 'recipient', 'the file is already sealed to this recipient')
    }
    names.add(name)
  }
  if (kept.length + add.length > maximumStanzas) {
    throw new CryptoError('RECIPIENT_INVALID', 'recipient', `a file has at most ${maximumStanzas} recipients`)
  }
  if (kept.length + add.length === 0) {
    throw new CryptoError('RECIPIENT_INVALID', 'keyId', 'the only recipient stays; delete the file instead')
  }
  const binding = bindingOf(header)
  const request = { fileKey, binding, context: header.context, random, backend }
  const wraps = add.map((recipient) => wrapFor(recipient, request))
  fileKey.fill(0)
  const stanzas = await Promise.all(wraps)
  // A stanza that no reader takes would close the file for everybody, and the old header is about to go.
  const encoded = encodeHeader({ ...header, recipients: parseStanzas([...kept, ...stanzas]) })
  return concatBytes(encoded, mac(encoded))
}

/** Copies a change before the first wait: what counts is what was given at the call. */
function ownChange(change: OwnChange): OwnChange {
  const named = (name: RecipientName) => {
    const { keyId, type } = (name ?? {}) as RecipientName
    if (type === undefined) requireKnownNames(name, ['keyId', 'type'], [], 'remove')
    return { keyId, type }
  }
  return {
    ...ownOpening(change),
    add: requireList(change.add ?? [], 'add'),
    remove: requireList(change.remove ?? [], 'remove').map(named),
    random: change.random,
  }
}

function without(stanzas: readonly Stanza[], { keyId, type }: RecipientName): readonly Stanza[] {
  const matches = (stanza: Stanza) =>
    stanza['keyId'] === keyId && (type === undefined || stanza.type === type)
  const kept = stanzas.filter((stanza) => !matches(stanza))
  if (kept.length !== stanzas.length - 1) {
    throw new CryptoError('RECIPIENT_INVALID', 'keyId', 'not exactly one recipient bears this id (and type)')
  }
  return kept
}

/** A header written anew for a file that lies elsewhere. */
export interface RewrittenHeader {
  /** What stands before the payload from now on, MAC included. */
  readonly header: Uint8Array
  /**
   * The header that it replaces, MAC included. Put the new one in its place only if this one still stands there: of two
   * rewrites at once the later would otherwise undo the earlier, and a recipient who was removed would be back.
   */
  readonly previous: Uint8Array
  /** Where the unchanged payload lies in the old file: from this offset to its end. */
  readonly payloadOffset: number
}

/**
 * Changes the recipients of a file that lies elsewhere: reads its header (two reads that go no further) and gives the
 * new one. The store then puts it before the unchanged payload, by copying on its own side where it can.
 *
 * @param options - `source`: the file; who opens it, who comes (`add`) and who goes (`remove`); `random`
 * @returns the new header, the one that it replaces, and where the payload begins in the old file
 * @throws CryptoError `SOURCE_FAILED`, and as {@link changeRecipients} and `parseHeader`
 */
export async function rewriteHeader(
  options: RecipientChange & { readonly source: RangeSource },
): Promise<RewrittenHeader> {
  requireKnownNames(
    options,
    ['source', 'identities', 'expect', 'backend', 'add', 'remove', 'random'],
    ['remove', 'expect'],
  )
  const own = ownChange(options)
  const parsed = await readHeader(options.source)
  const header = await changeRecipients(parsed, own)
  return { header, previous: concatBytes(parsed.encoded, parsed.mac), payloadOffset: parsed.payloadOffset }
}

/**
 * Seals a file to one more recipient. Only the header is written anew; what follows it is passed through unread,
 * so the header alone may be given as well.
 *
 * @param sealed - a sealed file, or its header
 * @param options - an identity that opens the file, the new `recipient`, and `random`
 * @returns the same with its new header
 * @throws CryptoError `RECIPIENT_INVALID` when the recipient is already there or the header is full;
 *   `HEADER_TOO_LARGE`; as `parseHeader` and `unlockHeader`
 */
export async function addRecipient(
  sealed: Uint8Array,
  options: OpenOptions & { readonly recipient: Recipient; readonly random: Random },
): Promise<Uint8Array> {
  const header = parseHeader(sealed)
  requireOpening(options, ['recipient', 'random'])
  const { length } = sealed
  const { identities, expect, backend, recipient, random } = options
  const rewritten = await changeRecipients(header, { identities, expect, backend, add: [recipient], random })
  requireUnmoved(sealed, length, 'sealed')
  return concatBytes(rewritten, sealed.subarray(header.payloadOffset))
}

/**
 * Takes a recipient out of a file's header. Who was a recipient may have kept the file key or an older copy: this
 * ends access to this copy only. To withdraw access for good, seal the plaintext again.
 *
 * @param sealed - a sealed file, or its header
 * @param options - an identity that opens the file, the recipient's `keyId`, and its `type` when two types of
 *   stanza bear the same id
 * @returns the same with its new header
 * @throws CryptoError `RECIPIENT_INVALID` when there is no such recipient, or it is the only one; as `parseHeader`
 *   and `unlockHeader`
 */
export async function removeRecipient(
  sealed: Uint8Array,
  options: OpenOptions & RecipientName,
): Promise<Uint8Array> {
  const header = parseHeader(sealed)
  // Field by field: a stray `add` would wrap the file key, and nothing here draws randomness.
  const { length } = sealed
  requireOpening(options, ['keyId', 'type'])
  const { identities, expect, backend, keyId, type } = options
  const random: Random = () => {
    throw new CryptoError('RANDOM_INVALID', 'random', 'removing a recipient draws no randomness')
  }
  const change = { identities, expect, backend, remove: [{ keyId, type }], random }
  const rewritten = await changeRecipients(header, change)
  requireUnmoved(sealed, length, 'sealed')
  return concatBytes(rewritten, sealed.subarray(header.payloadOffset))
}
