/**
 * Reading MIME with the `postal-mime` package (an optional peer, pure JavaScript).
 *
 * @module
 */
import PostalMime, { type Address, decodeWords } from 'postal-mime'
import { RefineError } from '../errors.js'
import type { MimeReader } from '../source/mail/mailbox.js'

const headerBytes = 1 << 20
const lineFeed = 0x0a
const nested = /^content-type[ \t]*:\s*message\/rfc822\s*(?:;|$)/i

function tooMuch(message: string): RefineError {
  return new RefineError('LIMIT_EXCEEDED', 'message', message)
}

/**
 * Refuses messages whose parsing would cost far more than their bytes: a line costs the parser microseconds, whatever is on it, and a
 * message that is nothing but a message costs another round.
 */
function checkCost(bytes: Uint8Array, depth: number): void {
  // Lines of base64 have 64 characters or more; what is beyond is text, and 65,536 lines of it are a book.
  const most = 65_536 + bytes.length / 64
  const latin1 = new TextDecoder('latin1')
  let lines = 0
  let levels = 0
  let inHeader = true
  let holdsMessage = false
  let field = ''
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(lineFeed, start)
    const end = feed < 0 ? bytes.length : feed
    lines += 1
    if (lines > most) throw tooMuch('The message has too many lines')
    if (inHeader) {
      const line = latin1.decode(bytes.subarray(start, Math.min(end, start + 1024))).replace(/\r+$/, '')
      if (/^[ \t]/.test(line)) field += line
      else {
        if (nested.test(field)) holdsMessage = true
        field = line
      }
      if (line === '') {
        if (holdsMessage) levels += 1
        if (levels > depth) throw tooMuch(`Messages stand inside each other more than ${depth} times`)
        inHeader = holdsMessage
        holdsMessage = false
      }
    }
    start = end + 1
  }
}

/** RFC 5322, 2.2: a field begins with its name and a colon. Old mailboxes have a `>From ` of the sender's machine in front of it. */
const firstField = /^(?:>?From [^\n]*\n)*[!-9;-~]+[ \t]*:/

/**
 * Refuses what begins with no field of a header. A line of text that begins with `From ` and that nobody quoted cuts a message in two, and
 * the parser makes a header of the second one's text.
 */
function requireHeader(bytes: Uint8Array): void {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 4096))
  if (!firstField.test(head)) throw new RefineError('MAIL_INVALID', 'message', 'The message has no header')
}

function addressesOf(addresses: readonly Address[] | undefined): string[] {
  return (addresses ?? []).flatMap((each) =>
    each.group === undefined ? [each.address ?? ''] : each.group.map(({ address }) => address ?? ''),
  )
}

/**
 * The reader of MIME over `postal-mime`. Attachments are measured, not kept; a message inside of a message (`message/rfc822`, a
 * forwarded one) is an attachment and not opened.
 *
 * @param bytes - one message
 * @param limits - `depth`: how deep parts may stand inside each other
 * @returns headers, addresses, text
 * @throws RefineError with `MAIL_INVALID` (also for what begins with no header), or `LIMIT_EXCEEDED` for more lines than 65,536 and one for each 64 bytes, or for messages that
 *   are nothing but messages, deeper than `depth`
 */
export const postalReader: MimeReader = async (bytes, limits) => {
  requireHeader(bytes)
  checkCost(bytes, limits.depth)
  try {
    const mail = await PostalMime.parse(bytes, {
      maxNestingDepth: limits.depth,
      maxHeadersSize: headerBytes,
      maxRfc822NestingDepth: 0,
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
