/**
 * Reading MIME with the `postal-mime` package (an optional peer, pure JavaScript).
 *
 * @module
 */
import PostalMime, { type Address, decodeWords } from 'postal-mime'
import { RefineError } from '../errors.js'
import type { MimeReader } from '../source/mail/mailbox.js'

const headerBytes = 1 << 20

function addressesOf(addresses: readonly Address[] | undefined): string[] {
  return (addresses ?? []).flatMap((each) =>
    each.group === undefined ? [each.address ?? ''] : each.group.map(({ address }) => address ?? ''),
  )
}

/**
 * The reader of MIME over `postal-mime`. Attachments are measured, not kept.
 *
 * @param bytes - one message
 * @param limits - `depth`: how deep parts may stand inside each other
 * @returns headers, addresses, text
 * @throws RefineError with `MAIL_INVALID`
 */
export const postalReader: MimeReader = async (bytes, limits) => {
  try {
    const mail = await PostalMime.parse(bytes, {
      maxNestingDepth: limits.depth,
      maxHeadersSize: headerBytes,
      attachmentEncoding: 'arraybuffer',
    })
    return {
      headers: mail.headers.map(({ key, value }) => ({ name: key, value: decodeWords(value) })),
      from: addressesOf(mail.from === undefined ? [] : [mail.from])[0] ?? null,
      to: addressesOf(mail.to),
      cc: addressesOf(mail.cc),
      text: mail.text ?? '',
      attachments: mail.attachments.map(({ mimeType, content }) => ({
        mediaType: mimeType,
        bytes: typeof content === 'string' ? content.length : content.byteLength,
      })),
    }
  } catch {
    throw new RefineError('MAIL_INVALID', 'message', 'The message cannot be read as MIME within the limits')
  }
}
