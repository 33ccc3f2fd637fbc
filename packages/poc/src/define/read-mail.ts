/** One message of a mailbox, as a proof reads it. */
export interface Mail {
  /** Header fields from the top: name in lower case, value unfolded. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Body with line feeds alone; encodings are not undone. */
  readonly body: string
}

/**
 * Reads a mailbox or a single message in text form. Messages come in the order in which the host verified them, so
 * `facts.authenticity[0].parts[i]` is about message i.
 *
 * @param text `application/mbox` or `message/rfc822`
 * @returns the messages; a part that is no message has no headers
 */
export function readMail(text: string): readonly Mail[] {
  if (text === '') return []
  const lines = text.replace(/\r\n?/g, '\n').split('\n')
  if (!text.startsWith('From ')) return [readOne(lines)]
  const messages: Mail[] = []
  let current: string[] = []
  lines.slice(1).forEach((line, index, rest) => {
    if (line.startsWith('From ') && index > 0 && rest[index - 1] === '') {
      // The blank line before a separator belongs to the mailbox.
      messages.push(readOne(current.slice(0, -1)))
      current = []
    } else {
      current.push(/^>+From /.test(line) ? line.slice(1) : line)
    }
  })
  messages.push(readOne(current))
  return messages
}

/**
 * Value of a header field that stands once.
 *
 * @param mail - a message from {@link readMail}
 * @param name - the field's name, in any case
 * @returns the value, unfolded; undefined when the field is missing or stands several times
 */
export function headerOf(mail: Mail, name: string): string | undefined {
  const found = mail.headers.filter(([own]) => own === name.toLowerCase())
  return found.length === 1 ? found[0]?.[1] : undefined
}

function readOne(lines: readonly string[]): Mail {
  const end = lines.indexOf('')
  const head = end === -1 ? lines : lines.slice(0, end)
  const headers: [string, string][] = []
  for (const line of head) {
    const last = headers.at(-1)
    if (/^[ \t]/.test(line) && last !== undefined) {
      last[1] += ` ${line.trim()}`
      continue
    }
    const colon = line.indexOf(':')
    if (colon > 0) headers.push([line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()])
  }
  return { headers, body: end === -1 ? '' : lines.slice(end + 1).join('\n') }
}
