import type { AuthenticityFact } from './check.js'
import { hasBareReturn, splitMail } from './split-mail.js'

/** One message of a mailbox, as a proof reads it. */
export interface Mail {
  /** Header fields from the top: name in lower case, value unfolded. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Body with line feeds alone, none at its end, because no signature fixes how many there are; encodings are not undone. */
  readonly body: string
}

/**
 * Reads a mailbox or a single message in text form, signed or not: {@link authenticMail} is what a proof pays for. Messages come in the
 * order in which the host verified them, split by the same function, so `facts.authenticity[0].parts[i]` is about message i.
 *
 * @param text `application/mbox` or `message/rfc822`
 * @returns the messages, none of a mailbox with more than 10,000; what is no message, one with a bare carriage return for example, has
 *   neither headers nor body
 */
export function readMail(text: string): readonly Mail[] {
  return (splitMail(text) ?? []).map((message) =>
    hasBareReturn(message)
      ? { headers: [], body: '' }
      : readOne(message.replaceAll('\r\n', '\n').split('\n')),
  )
}

/**
 * Reads the messages that the host found authentic, and of each the header fields that its signature covers and no other: whoever
 * contributes can put a `Date`, a `Subject` or a `To` of his own in front of a message that does not sign them.
 *
 * @param text `application/mbox` or `message/rfc822`
 * @param fact what the host found about the `dkim` source, `facts.authenticity[0]` where it is declared first
 * @returns the authentic messages in order; none without a fact
 */
export function authenticMail(text: string, fact: AuthenticityFact | undefined): readonly Mail[] {
  if (fact?.kind !== 'dkim') return []
  return readMail(text).flatMap(({ headers, body }, index) => {
    if (fact.parts[index] !== true) return []
    const covered = new Set(fact.signedHeaders?.[index])
    return [{ headers: headers.filter(([name]) => covered.has(name)), body }]
  })
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
  const body = end === -1 ? [] : lines.slice(end + 1)
  while (body.at(-1) === '') body.pop()
  return { headers, body: body.join('\n') }
}
