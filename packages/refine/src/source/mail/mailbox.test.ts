import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { defaultSourceLimits, fullLimits } from '../source-limits.js'
import { mailboxMessages } from './mailbox.js'

/** The cases that `@sealpool/poc` is held to as well: a proof and a refiner must see the same messages. */
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
  readFileSync(new URL('../../../../../conformance/mail/mailboxes.json', import.meta.url), 'utf8'),
) as Cases
const plain = 'From - Thu Jan  1 00:00:00 1970'
const lineEnds = ['\n', '\r\n']
/** Two messages with `line` between them, where it parts them. */
const around = (line: string, end: string) => [plain, 'A: 1', '', 'x', '', line, 'A: 2', ''].join(end)

/** Messages without the line ends behind them, which are the mailbox's. */
async function split(mailbox: string, size: number) {
  const bytes = new TextEncoder().encode(mailbox)
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
  }
  const found: string[] = []
  for await (const message of mailboxMessages(chunks(), fullLimits(defaultSourceLimits)))
    found.push(new TextDecoder('utf-8', { ignoreBOM: true }).decode(message).replace(/[\r\n]+$/, ''))
  return found
}

test.each(cases.separators)('%s parts messages', async (line) => {
  for (const end of lineEnds)
    for (const size of [1, 4096])
      expect(await split(around(line, end), size)).toEqual([`A: 1${end}${end}x`, 'A: 2'])
  expect(await split(`${line}\nA: 1\n`, 4096)).toEqual(['A: 1'])
})

test.each(cases.texts)('%s is text', async (line) => {
  for (const end of lineEnds)
    for (const size of [1, 4096]) expect(await split(around(line, end), size)).toHaveLength(1)
  await expect(split(`${line}\nA: 1\n`, 4096)).rejects.toMatchObject({
    code: 'MAIL_INVALID',
    place: 'line 1',
  })
})

test.each(cases.mailboxes)('$name', async ({ mailbox, messages }) => {
  for (const size of [1, 4096]) expect(await split(mailbox, size)).toEqual(messages)
})
