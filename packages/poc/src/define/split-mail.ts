/** Most messages of a mailbox. */
const MOST_MESSAGES = 10_000

/**
 * Splits a mailbox in text form (RFC 4155, with the quoting of mboxrd: lines that begin with any number of `>` and `From ` lose one
 * `>`). The host, which verifies, and the code, which reads, both call this, so that what was verified is what is read. Lines end at a
 * line feed and at nothing else; a line is empty when nothing, or a carriage return alone, stands before it.
 *
 * @param text the file, one character for each byte or decoded from UTF-8: the splitting is the same
 * @param most messages that are taken
 * @returns the messages in order; one message alone is a mailbox of one, nothing is none; undefined when there are more than `most`
 */
export function splitMail(text: string, most: number = MOST_MESSAGES): readonly string[] | undefined {
  if (!text.startsWith('From ')) return text === '' ? [] : [text]
  const messages: string[] = []
  let first = lineBehind(text, 0)
  for (let feed = text.indexOf('\nFrom ', first); feed !== -1; feed = text.indexOf('\nFrom ', feed + 1)) {
    // The blank line before a separator belongs to the mailbox and not to the message.
    const blank = text[feed - 1] === '\r' ? feed - 1 : feed
    if (blank < first || (blank > first && text[blank - 1] !== '\n')) continue
    if (messages.push(unquoted(text.slice(first, blank))) >= most) return undefined
    first = lineBehind(text, feed + 1)
  }
  messages.push(unquoted(text.slice(first)))
  return messages.length > most ? undefined : messages
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
