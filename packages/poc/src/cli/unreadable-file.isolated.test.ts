import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { saidByCli } from '../testing/said-by-cli.js'

// Of the superuser, whom no permission stops, neither.
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  const refuse = (path: unknown): void => {
    const code = /closed/.test(String(path)) ? 'EACCES' : /vanished/.test(String(path)) ? 'ENOENT' : undefined
    if (code !== undefined) throw Object.assign(new Error(`${code}: ${String(path)}`), { code })
  }
  return {
    ...real,
    readFile: async (...args: Parameters<typeof real.readFile>) => {
      refuse(args[0])
      return real.readFile(...args)
    },
    readdir: async (...args: Parameters<typeof real.readdir>) => {
      refuse(args[0])
      return real.readdir(...args)
    },
  }
})

let folder = ''
beforeAll(async () => {
  // Beside the sources, so that `@sealpool/poc/define` resolves without an installation.
  folder = mkdtempSync(join(fileURLToPath(new URL('.', import.meta.url)), 'unreadable-test-'))
  expect((await saidByCli('create', join(folder, 'new'))).code).toBe(0)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const at = (...parts: string[]): string => join(folder, 'new', ...parts)
const judge = (...more: string[]) => saidByCli(...more, '--poc', at('proof.ts'), '--isolation', 'process')
const owner = ['--owner', '0x00112233445566778899aabbccddeeff00112233']

test('a folder with what cannot be read has a verdict for each other file, and says what to do about it', async () => {
  const own = join(folder, 'exports')
  mkdirSync(join(own, 'closed-folder'), { recursive: true })
  const good = readFileSync(at('examples/good.csv'))
  for (const name of ['a.csv', 'b-closed.csv', 'c-vanished.csv', 'd.csv'])
    writeFileSync(join(own, name), good)
  const { code, out, error } = await judge('run', own, ...owner, '--json')
  const told = (message: string) => ({
    error: { code: 'FILE_UNREADABLE', message: expect.stringMatching(message) },
  })
  expect(JSON.parse(out)).toEqual([
    { file: 'a.csv', verdict: expect.objectContaining({ valid: true }) },
    { file: 'b-closed.csv', ...told('EACCES.*permissions') },
    { file: 'c-vanished.csv', ...told('ENOENT.*run the command again') },
    { file: 'closed-folder', ...told('EACCES') },
    { file: 'd.csv', verdict: expect.objectContaining({ valid: true }) },
  ])
  expect([code, error]).toEqual([2, ''])
  const card = await judge('run', own, ...owner)
  expect(card.code).toBe(2)
  expect(card.out).toContain('b-closed.csv\nunreadable  FILE_UNREADABLE: EACCES: it is not yours to read')
  expect(card.out).toMatch(/\n2 valid, 0 refused, 3 unreadable\n$/)
})

test('a folder that holds nothing else is told so, and not as empty', async () => {
  const own = join(folder, 'only')
  mkdirSync(join(own, 'closed-folder'), { recursive: true })
  const { code, out } = await judge('run', own, '--json')
  expect([code, JSON.parse(out)]).toMatchObject([
    2,
    [{ file: 'closed-folder', error: { code: 'FILE_UNREADABLE' } }],
  ])
})

test('a file that was named itself and cannot be read is no verdict', async () => {
  const file = join(folder, 'closed.csv')
  writeFileSync(file, 'x')
  const { code, out, error } = await judge('run', file, '--json')
  expect([code, JSON.parse(out)]).toMatchObject([
    2,
    { error: { code: 'FILE_UNREADABLE', message: expect.stringContaining(file) } },
  ])
  expect(error).toMatch(/^FILE_UNREADABLE: /)
})

test('an example that cannot be read is told, and the others are judged', async () => {
  const own = join(folder, 'labelled')
  mkdirSync(own)
  for (const name of ['good.csv', 'good.expected.json'])
    writeFileSync(join(own, name), readFileSync(at('examples', name)))
  writeFileSync(join(own, 'late.closed'), 'x')
  writeFileSync(join(own, 'late.expected.json'), '{"valid":true}')
  const { code, out } = await judge('test', own, '--json')
  expect([code, JSON.parse(out)]).toMatchObject([
    2,
    {
      outcomes: [
        { name: 'good', agrees: true },
        {
          name: 'late',
          agrees: false,
          differences: [expect.stringContaining('cannot be read (EACCES')],
          error: { code: 'FILE_UNREADABLE' },
        },
      ],
    },
  ])
  expect((await judge('test', own)).out).toContain('FAIL late: cannot be read (EACCES')
})
