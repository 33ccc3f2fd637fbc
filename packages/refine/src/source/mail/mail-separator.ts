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
 * Length of the line that parts the messages of a mailbox: `From `, who sent (an address, `-`, a name; `ann at example.org` of list
 * archives), and a date as asctime or RFC 5322 write it, maybe with a zone and words behind. Text that begins with `From ` is none.
 * `@sealpool/poc` has the same rule (`conformance/mail/mailboxes.json`); only blanks, tabs and line ends count as white space, so that
 * it does not matter how the bytes were decoded.
 *
 * @param text - text with the line at its beginning
 * @returns its length with its line feed; 0 when it is no separator
 */
export function separatorLength(text: string): number {
  separator.lastIndex = 0
  return separator.exec(text)?.[0].length ?? 0
}
