import { concatBytes, type Random } from '../encoding/bytes.js'
import { CryptoError } from '../errors.js'
import type { Recipient, Stanza } from '../recipient/recipient.js'
import { bindingOf, headerMac, type OpenOptions, unlockHeader } from './file-key.js'
import { encodeHeader, type ParsedHeader, parseHeader } from './header.js'
import { isKnown, maximumStanzas, nameOf } from './stanza.js'

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
  const { recipient, random, backend = 'auto' } = options
  const header = parseHeader(sealed)
  const fileKey = await unlockHeader(header, options)
  if (header.recipients.some((stanza) => isKnown(stanza) && nameOf(stanza) === nameOf(recipient))) {
    throw new CryptoError('RECIPIENT_INVALID', 'recipient', 'the file is already sealed to this recipient')
  }
  if (header.recipients.length >= maximumStanzas) {
    throw new CryptoError('RECIPIENT_INVALID', 'recipient', `a file has at most ${maximumStanzas} recipients`)
  }
  const stanza = await recipient.wrap({ fileKey, binding: bindingOf(header), random, backend })
  return rewritten(sealed, header, [...header.recipients, stanza], fileKey)
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
  options: OpenOptions & { readonly keyId: string; readonly type?: string | undefined },
): Promise<Uint8Array> {
  const { keyId, type } = options
  const header = parseHeader(sealed)
  const fileKey = await unlockHeader(header, options)
  const matches = (stanza: Stanza) =>
    stanza['keyId'] === keyId && (type === undefined || stanza.type === type)
  const kept = header.recipients.filter((stanza) => !matches(stanza))
  if (kept.length !== header.recipients.length - 1) {
    throw new CryptoError('RECIPIENT_INVALID', 'keyId', 'not exactly one recipient bears this id (and type)')
  }
  if (kept.length === 0) {
    throw new CryptoError('RECIPIENT_INVALID', 'keyId', 'the only recipient stays; delete the file instead')
  }
  return rewritten(sealed, header, kept, fileKey)
}

function rewritten(
  sealed: Uint8Array,
  header: ParsedHeader,
  recipients: readonly Stanza[],
  fileKey: Uint8Array,
): Uint8Array {
  const encoded = encodeHeader({ ...header, recipients })
  return concatBytes(encoded, headerMac(header, encoded, fileKey), sealed.subarray(header.payloadOffset))
}
