import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { splitMail } from './split-mail.js'

/** The cases that `@sealpool/refine` is held to as well: a proof and a refiner must see the same messages. */
interface Cases {
  readonly separators: readonly string[]
  readonly texts: readonly string[]
  readonly mailboxes: readonly {
    readonly name: string
    readonly mailbox: string
    readonly messages: readonly string[]
  }[]
}
const cases = JSON.parse(
  readFileSync(new URL('../../../../conformance/mail/mailboxes.json', import.meta.url), 'utf8'),
) as Cases
const plain = 'From - Thu Jan  1 00:00:00 1970'
const lineEnds = ['\n', '\r\n']
/** Two messages with `line` between them, where it parts them. */
const around = (line: string, end: string) => [plain, 'A: 1', '', 'x', '', line, 'A: 2', ''].join(end)

/** Messages without the line ends behind them, which are the mailbox's; as decoded from UTF-8, or one character for each byte. */
const split = (mailbox: string, bytewise: boolean) =>
  splitMail(bytewise ? Buffer.from(mailbox).toString('latin1') : mailbox)?.map((message) =>
    (bytewise ? Buffer.from(message, 'latin1').toString() : message).replace(/[\r\n]+$/, ''),
  )

test.each(cases.separators)('%s parts messages', (line) => {
  for (const end of lineEnds)
    for (const bytewise of [true, false])
      expect(split(around(line, end), bytewise)).toEqual([`A: 1${end}${end}x`, 'A: 2'])
  expect(split(`${line}\nA: 1\n`, false)).toEqual(['A: 1'])
})

test.each(cases.texts)('%s is text', (line) => {
  for (const end of lineEnds)
    for (const bytewise of [true, false]) expect(split(around(line, end), bytewise)).toHaveLength(1)
  // As it stands: quoting is of mailboxes.
  expect(split(`${line}\nA: 1\n`, false)).toEqual([`${line}\nA: 1`])
})

test.each(cases.mailboxes)('$name', ({ mailbox, messages }) => {
  for (const bytewise of [true, false]) expect(split(mailbox, bytewise)).toEqual(messages)
})
