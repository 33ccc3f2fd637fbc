/** Mailboxes (mbox, RFC 4155 and the `mboxrd` quoting) and single messages (RFC 5322). */
import type { MailMessage } from '../../define/record-types.js'
import { RefineError } from '../../errors.js'
import type { FullSourceLimits } from '../source-limits.js'
import { mailInstant } from './mail-date.js'
import { separatorLength } from './mail-separator.js'

/** What a reader of MIME finds in one message. */
export interface ParsedMail {
  /** Decoded headers in order; names in any case. */
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  readonly from: string | null
  readonly to: readonly string[]
  readonly cc: readonly string[]
  /** The text part, decoded; empty when there is none. */
  readonly text: string
  readonly attachments: readonly { readonly mediaType: string; readonly bytes: number }[]
}

/** The port to a reader of MIME; `postalReader` of `@sealpool/refine/mail` is one. It throws RefineError `MAIL_INVALID`. */
export type MimeReader = (bytes: Uint8Array, limits: { readonly depth: number }) => Promise<ParsedMail>

const lineFeed = 0x0a
const from = [...new TextEncoder().encode('From ')]
const latin1 = new TextDecoder('latin1')

function beginsWith(bytes: Uint8Array, at: number, word: readonly number[]): boolean {
  return word.every((byte, index) => bytes[at + index] === byte)
}

/** A message as it grows: one piece of memory, because its lines may be as many as its bytes. */
function createMessage(): { add(line: Uint8Array): void; take(): Uint8Array } {
  let bytes = new Uint8Array(4096)
  let length = 0
  return {
    add(line) {
      // One `>` goes from lines of `>From `, `>>From ` and so on: what mboxrd put in front.
      let depth = 0
      while (line[depth] === 0x3e) depth += 1
      const plain = depth > 0 && beginsWith(line, depth, from) ? line.subarray(1) : line
      if (length + plain.length > bytes.length) {
        const grown = new Uint8Array(Math.max(2 * bytes.length, length + plain.length))
        grown.set(bytes.subarray(0, length))
        bytes = grown
      }
      bytes.set(plain, length)
      length += plain.length
    },
    take: () => bytes.subarray(0, length),
  }
}

/** Cuts chunks into lines, each with its line feed. */
function createLines(lineBytes: number): {
  of(chunk: Uint8Array): Generator<Uint8Array, void, undefined>
  rest(): Uint8Array
} {
  let held: Uint8Array[] = []
  let heldBytes = 0
  const joined = (last: Uint8Array) => {
    if (held.length === 0) return last
    const line = new Uint8Array(heldBytes + last.length)
    let offset = 0
    for (const part of [...held, last]) {
      line.set(part, offset)
      offset += part.length
    }
    held = []
    heldBytes = 0
    return line
  }
  return {
    *of(chunk) {
      let start = 0
      for (let feed = chunk.indexOf(lineFeed); feed >= 0; feed = chunk.indexOf(lineFeed, start)) {
        yield joined(chunk.subarray(start, feed + 1))
        start = feed + 1
      }
      if (start === chunk.length) return
      held.push(chunk.slice(start))
      heldBytes += chunk.length - start
      if (heldBytes > lineBytes)
        throw new RefineError('LIMIT_EXCEEDED', 'source', 'A line of a message is too long')
    },
    rest: () => joined(new Uint8Array()),
  }
}

/**
 * Splits a mailbox into its messages, where a separator (see {@link separatorLength}) stands after an empty line.
 *
 * @param chunks - the mailbox
 * @param limits - `recordBytes` per message, `records`
 * @returns the bytes of each message, without its `From ` line
 * @throws RefineError with `MAIL_INVALID` or `LIMIT_EXCEEDED`
 */
export async function* mailboxMessages(
  chunks: AsyncIterable<Uint8Array>,
  limits: FullSourceLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  let message: ReturnType<typeof createMessage> | undefined
  let bytes = 0
  let count = 0
  let afterBlank = true
  /** Takes a line; gives the message that it ends. */
  const take = (line: Uint8Array): Uint8Array | undefined => {
    const blank = line.length === 1 || (line.length === 2 && line[0] === 0x0d)
    const begins = afterBlank && beginsWith(line, 0, from) && separatorLength(latin1.decode(line)) > 0
    afterBlank = blank
    if (begins) {
      const ended = message?.take()
      message = createMessage()
      bytes = 0
      count += 1
      if (count > limits.records)
        throw new RefineError('LIMIT_EXCEEDED', 'source', 'The mailbox has too many messages')
      return ended
    }
    if (message === undefined) {
      if (!blank)
        throw new RefineError(
          'MAIL_INVALID',
          'line 1',
          'A mailbox begins with a line "From ", a sender and a date',
        )
      return undefined
    }
    bytes += line.length
    if (bytes > limits.recordBytes) {
      throw new RefineError(
        'LIMIT_EXCEEDED',
        `message ${count}`,
        `A message is longer than ${limits.recordBytes} bytes`,
      )
    }
    message.add(line)
    return undefined
  }
  const lines = createLines(limits.recordBytes)
  for await (const chunk of chunks) {
    for (const line of lines.of(chunk)) {
      const ended = take(line)
      if (ended !== undefined) yield ended
    }
  }
  const last = lines.rest()
  const ended = last.length === 0 ? undefined : take(last)
  if (ended !== undefined) yield ended
  if (message !== undefined) yield message.take()
}

/**
 * One message as a record.
 *
 * @param bytes - the message
 * @param options - `mime`: reader of MIME; `limits`; `number`: for `place`, from 1
 * @returns the record
 * @throws RefineError with `MAIL_INVALID` or `LIMIT_EXCEEDED`
 */
export async function mailMessage(
  bytes: Uint8Array,
  options: { readonly mime: MimeReader; readonly limits: FullSourceLimits; readonly number: number },
): Promise<MailMessage> {
  const { limits, number } = options
  let parsed: ParsedMail
  try {
    parsed = await options.mime(bytes, { depth: limits.depth })
  } catch (error) {
    const code = error instanceof RefineError ? error.code : 'MAIL_INVALID'
    throw new RefineError(code, `message ${number}`, 'The message cannot be read as MIME within the limits')
  }
  if (parsed.text.length > Math.max(limits.fieldLength, limits.recordBytes)) {
    throw new RefineError('LIMIT_EXCEEDED', `message ${number}`, 'The text of a message is too long')
  }
  const headers = new Map<string, string>()
  for (const { name, value } of parsed.headers) {
    const key = name.toLowerCase()
    if (!headers.has(key)) headers.set(key, value)
  }
  if (headers.size === 0)
    throw new RefineError('MAIL_INVALID', `message ${number}`, 'The message has no header')
  return {
    headers: Object.fromEntries(headers),
    from: parsed.from,
    to: parsed.to,
    cc: parsed.cc,
    subject: headers.get('subject') ?? null,
    date: mailInstant(headers.get('date') ?? ''),
    messageId: headers.get('message-id') ?? null,
    inReplyTo: headers.get('in-reply-to') ?? null,
    text: parsed.text,
    attachments: parsed.attachments,
    bytes: bytes.length,
  }
}
