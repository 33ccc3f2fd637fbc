import { expect, test } from 'vitest'
import { openSource } from '../source/open-export.js'
import { postalReader } from './index.js'

async function subjectsOf(text: string): Promise<unknown[]> {
  const found: unknown[] = []
  const source = openSource({
    source: 'mail',
    name: 'a.mbox',
    bytes: new TextEncoder().encode(text),
    readers: { mime: postalReader },
  })
  for await (const mail of source) found.push((mail as { subject: string }).subject)
  return found
}
const mail = (subject: string, body: string) =>
  `From a@b.example Mon Jan  1 12:00:00 2024\nSubject: ${subject}\n\n${body}\n`

test('a line of text that begins with From, and that nobody quoted, makes no message', async () => {
  const letters = [mail('one', 'Hi,\n\nFrom today on we meet at 9.\nBye: now\n'), mail('two', 'x\n')].join(
    '\n',
  )
  expect(await subjectsOf(letters)).toEqual(['one', 'two'])
  const dated = letters.replace('today on we meet at 9.\nBye: now', 'me Mon Jan  1 12:00:00 2024\nBye')
  await expect(subjectsOf(dated)).rejects.toMatchObject({ code: 'MAIL_INVALID', place: 'message 2' })
  expect(await subjectsOf(dated.replace('\nFrom me', '\n>From me'))).toEqual(['one', 'two'])
})

test.each([
  ['nothing', 'Subject: s\n\nx\n'],
  ['the line of a machine', '>From me Mon Jan 1\nSubject: s\n\nx\n'],
  ['blanks before the colon', 'Subject : s\n\nx\n'],
])('a header stands after %j', async (_, text) => {
  expect(await subjectsOf(`From a@b.example Mon Jan  1 12:00:00 2024\n${text}`)).toEqual(['s'])
})
