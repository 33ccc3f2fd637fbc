import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearAnswer } from './own-output.js'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealpool-own-output-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const heard = () => hearAnswer({ write: () => undefined, writeError: () => undefined })
const file = (name: string, content: string): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

test('a file that ends with the whole answer holds it, whichever stream it follows, and is known from then on', async () => {
  const answer = heard()
  const before = file('before', '')
  expect(await answer.isEcho(before)).toBe(false)
  answer.write('1 valid, ')
  answer.writeError('a warning\n')
  answer.write('2 refused\n')
  const out = file('out', '1 valid, 2 refused\n')
  expect(await answer.isEcho(out)).toBe(true)
  expect(await answer.isEcho(file('error', 'older\na warning\n'))).toBe(true)
  expect(await answer.isEcho(file('both', 'older\n1 valid, a warning\n2 refused\n'))).toBe(true)
  for (const other of ['', '2 refused\n', '1 valid, 2 refused\nmore', 'day,steps\n1,2\n'])
    expect(await answer.isEcho(file('other', other))).toBe(false)
  expect(await answer.isEcho(join(folder, 'none'))).toBe(false)
  expect(await answer.isEcho(folder)).toBe(false)
  answer.write('3 valid\n')
  appendFileSync(out, '3 val')
  // Not all of it is there yet.
  expect(await answer.isEcho(out)).toBe(true)
  expect(await answer.isEcho(file('late', '1 valid, 2 refused\n'))).toBe(false)
})

test('of a long answer the end tells', async () => {
  const answer = heard()
  const line = `${'x'.repeat(999)}\n`
  for (let times = 0; times < 100; times += 1) answer.write(`${times} ${line}`)
  const lines = Array.from({ length: 100 }, (_, times) => `${times} ${line}`)
  expect(await answer.isEcho(file('long', lines.join('')))).toBe(true)
  expect(await answer.isEcho(file('turned-over', lines.join('').slice(-70_000)))).toBe(true)
  // On standard error nothing was said, and an empty file ends with that.
  expect(await answer.isEcho(file('empty', ''))).toBe(false)
  expect(await answer.isEcho(file('short', lines.slice(-3).join('')))).toBe(false)
})

test.skipIf(process.platform === 'win32')('a pipe is not waited for', async () => {
  const answer = heard()
  answer.write('x')
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  expect(await answer.isEcho(pipe)).toBe(false)
})
