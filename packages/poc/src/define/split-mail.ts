/** Most messages of a mailbox. */
const MOST_MESSAGES = 10_000

const day = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?'
const month = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
const clock = '[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?'
const gap = '[ \\t]+'
const word = '[^ \\t\\r\\n]+'
const sender = `(?:"[^"\\r\\n]*"[^ \\t\\r\\n]*|${word}(?:${gap}at${gap}${word})?)`
const asctime = `${month}${gap}[0-9]{1,2},?${gap}${clock}(?:${gap}${word}){0,2}${gap}[0-9]{4}`
const internet = `[0-9]{1,2}${gap}${month}${gap}[0-9]{4}${gap}${clock}`
const separator = new RegExp(
  `From [ \\t]*${sender}${gap}${day}${gap}(?:${asctime}|${internet})(?:${gap}${word}){0,4}[ \\t]*\\r?(?:\\n|$)`,
  'y',
)

/**
 * Splits a mailbox in text form (RFC 4155, with the quoting of mboxrd: lines that begin with any number of `>` and `From ` lose one
 * `>`). A separator is a line `From `, who sent (an address, `-`, a name; `ann at example.org` of list archives) and a date as asctime or
 * RFC 5322 write it, maybe with a zone and words behind, at the beginning or after an empty line; text that begins with `From ` is
 * none. `@sealpool/refine` has the same rule (`conformance/mail/mailboxes.json`). The host, which verifies, and the code, which reads,
 * both call this, so that what was verified is what is read. Lines end at a line feed and at nothing else; a line is empty when nothing,
 * or a carriage return alone, stands before it.
 *
 * @param text the file, one character for each byte or decoded from UTF-8: the splitting is the same
 * @param most messages that are taken
 * @returns the messages in order; one message alone is a mailbox of one, nothing is none; undefined when there are more than `most`
 */
export function splitMail(text: string, most: number = MOST_MESSAGES): readonly string[] | undefined {
  if (!separates(text, 0)) return text === '' ? [] : [text]
  const messages: string[] = []
  let first = lineBehind(text, 0)
  for (let feed = text.indexOf('\nFrom ', first); feed !== -1; feed = text.indexOf('\nFrom ', feed + 1)) {
    // The blank line before a separator belongs to the mailbox and not to the message.
    const blank = text[feed - 1] === '\r' ? feed - 1 : feed
    if (blank < first || (blank > first && text[blank - 1] !== '\n')) continue
    if (!separates(text, feed + 1)) continue
    if (messages.push(unquoted(text.slice(first, blank))) >= most) return undefined
    first = lineBehind(text, feed + 1)
  }
  messages.push(unquoted(text.slice(first)))
  return messages.length > most ? undefined : messages
}

function separates(text: string, at: number): boolean {
  separator.lastIndex = at
  return separator.test(text)
}

function lineBehind(text: string, at: number): number {
  const feed = text.indexOf('\n', at)
  return feed === -1 ? text.length : feed + 1
}

function unquoted(message: string): string {
  return message.replace(/(^|\n)>(>*From )/g, '$1$2')
}

/** Whether a carriage return stands without its line feed, which no message may hold (RFC 5322 section 2.3). */
export function hasBareReturn(message: string): boolean {
  return /\r(?!\n)/.test(message)
}
