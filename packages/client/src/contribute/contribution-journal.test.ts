import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { ClientError } from '../errors.js'
import {
  formatJournalEntry,
  type JournalEntry,
  memoryJournal,
  parseJournalEntry,
  storageJournal,
} from './contribution-journal.js'
import { fileJournal } from './file-journal.js'

const hex = (byte: string) => `0x${byte.repeat(32)}` as const
const entry: JournalEntry = {
  chainId: 31337,
  pool: `0x${'ab'.repeat(20)}`,
  owner: `0x${'cd'.repeat(20)}`,
  schemaId: `sha256:${'11'.repeat(32)}`,
  consentDigest: `sha256:${'22'.repeat(32)}`,
  size: 23,
  nonce: 2n ** 200n,
  fromBlock: 7n,
  stored: {
    contribution: {
      owner: `0x${'cd'.repeat(20)}`,
      pool: `0x${'ab'.repeat(20)}`,
      blobDigest: hex('33'),
      commitment: hex('44'),
      schemaId: hex('11'),
      consentDigest: hex('22'),
      epoch: 3,
      locator: `sha256:${'33'.repeat(32)}`,
      nonce: 2n ** 200n,
    },
    sealedBytes: 400,
    simulated: false,
  },
  signed: { deadline: 9n, signature: '0xabcd' },
  done: { id: 5n, hash: hex('55') },
}

describe('a journal entry', () => {
  test('is read as it was written', () => {
    expect(parseJournalEntry(formatJournalEntry(entry))).toEqual(entry)
    const early = { ...entry, stored: null, signed: null, done: null }
    expect(parseJournalEntry(formatJournalEntry(early))).toEqual(early)
  })

  test('of any text is an entry or a typed error', () => {
    const good = formatJournalEntry(entry)
    const mutated = fc
      .tuple(fc.nat(good.length), fc.nat(4), fc.string({ maxLength: 3 }))
      .map(([where, drop, put]) => good.slice(0, where) + put + good.slice(where + drop))
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), mutated), (text) => {
        try {
          expect(formatJournalEntry(parseJournalEntry(text)).length).toBeGreaterThan(0)
        } catch (error) {
          expect(error).toBeInstanceOf(ClientError)
          expect(error).toMatchObject({ code: 'JOURNAL_INVALID' })
        }
      }),
      { numRuns: 500 },
    )
  })

  test.each(Object.keys(JSON.parse(formatJournalEntry(entry))))('without %s is refused', (name) => {
    const json = JSON.parse(formatJournalEntry(entry))
    delete json[name]
    expect(() => parseJournalEntry(JSON.stringify(json))).toThrow(
      expect.objectContaining({ code: 'JOURNAL_INVALID' }),
    )
  })

  test.each([
    ['a version of the future', { version: 2 }],
    ['a negative number', { nonce: '-1' }],
    ['a number that is not one', { nonce: 5 }],
    ['another format', { format: 'sealpool/contribution-journals' }],
  ])('with %s is refused', (_name, change) => {
    const json = { ...JSON.parse(formatJournalEntry(entry)), ...change }
    expect(() => parseJournalEntry(JSON.stringify(json))).toThrow(
      expect.objectContaining({ code: 'JOURNAL_INVALID' }),
    )
  })
})

const folders: string[] = []
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))
const storage = new Map<string, string>()
const adapters = {
  memory: async () => memoryJournal(),
  storage: async () =>
    storageJournal({
      getItem: (key) => storage.get(key) ?? null,
      setItem: (key, value) => storage.set(key, value),
      removeItem: (key) => storage.delete(key),
    }),
  files: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sealpool-journal-'))
    folders.push(directory)
    return fileJournal({ directory: join(directory, 'deep', 'er') })
  },
}

describe.each(Object.entries(adapters))('the journal %s', (_name, open) => {
  test('gives what was written last, and forgets what it is told to', async () => {
    const journal = await open()
    expect(await journal.get('a')).toBeUndefined()
    await journal.set('a', 'one')
    await journal.set('b', 'other')
    await journal.set('a', 'two')
    expect(await journal.get('a')).toBe('two')
    await journal.delete('a')
    await journal.delete('a')
    expect(await journal.get('a')).toBeUndefined()
    expect(await journal.get('b')).toBe('other')
  })

  test('keeps the first text where several are written at once to be the first, and tells it to all', async () => {
    const journal = await open()
    const texts = Array.from({ length: 20 }, (_, index) => `run ${index}`)
    const told = await Promise.all(texts.map((text) => journal.setIfAbsent('first', text)))
    expect(new Set(told).size).toBe(1)
    expect(await journal.get('first')).toBe(told[0])
    expect(texts).toContain(told[0])
    expect(await journal.setIfAbsent('first', 'later')).toBe(told[0])
    await journal.delete('first')
    expect(await journal.setIfAbsent('first', 'later')).toBe('later')
    await journal.delete('first')
  })
})

describe('the journal in files', () => {
  test('is private to its owner and leaves no part behind', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sealpool-journal-'))
    folders.push(directory)
    const journal = fileJournal({ directory })
    await Promise.all(Array.from({ length: 20 }, (_, index) => journal.set('a', `${index}`)))
    await Promise.all(Array.from({ length: 20 }, (_, index) => journal.setIfAbsent('a', `${index}`)))
    expect(await readdir(directory)).toEqual(['a.json'])
    expect((await stat(join(directory, 'a.json'))).mode & 0o077).toBe(0)
  })

  test.each(['../a', 'a/b', '', '.hidden', 'a\0b', 'ä', 'a'.repeat(101)])(
    'refuses the key %j',
    async (key) => {
      const journal = fileJournal({ directory: '/nowhere' })
      for (const work of [
        () => journal.get(key),
        () => journal.set(key, 'x'),
        () => journal.setIfAbsent(key, 'x'),
        () => journal.delete(key),
      ]) {
        await expect(work()).rejects.toMatchObject({ code: 'OPTION_INVALID' })
      }
    },
  )
})
