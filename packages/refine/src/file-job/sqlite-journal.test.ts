import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import initSqlJs from 'sql.js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bundleRefiner } from '../bundle/index.js'
import { createSqliteReader } from '../sqlite/index.js'
import { runFileJob } from './index.js'
import { requireNoJournal } from './sqlite-journal.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealpool-journal-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const path = () => join(folder, 'a.db')
const refusal = { code: 'SQLITE_INVALID', place: 'journal' }

test.each([
  ['a log with a frame', '-wal', new Uint8Array(33), true],
  ['a log of its header alone', '-wal', new Uint8Array(32), false],
  ['an empty log', '-wal', new Uint8Array(), false],
  ['a journal', '-journal', Uint8Array.of(0xd9, 0xd5), true],
  ['a journal that was ended by zeros', '-journal', new Uint8Array(600), false],
  ['an empty journal', '-journal', new Uint8Array(), false],
  ['shared memory', '-shm', new Uint8Array(600).fill(1), false],
])('%s', async (_, ending, bytes, refuses) => {
  await requireNoJournal(path())
  writeFileSync(`${path()}${ending}`, bytes)
  if (refuses) await expect(requireNoJournal(path())).rejects.toMatchObject(refusal)
  else await requireNoJournal(path())
})

test.each(['-wal', '-journal'])(
  'what cannot be looked at beside a database may hold rows: %s',
  async (ending) => {
    // A link to itself, which nobody can read, the superuser neither.
    symlinkSync(`${path()}${ending}`, `${path()}${ending}`)
    await expect(requireNoJournal(path())).rejects.toMatchObject(refusal)
  },
)

test('a name so long that no journal can stand beside it has none', async () => {
  await requireNoJournal(join(folder, `${'a'.repeat(252)}.db`))
  await requireNoJournal(join(folder, 'none', 'a.db'))
})

test('what is no file beside a database is no journal', async () => {
  for (const ending of ['-wal', '-journal']) mkdirSync(`${path()}${ending}`)
  await requireNoJournal(path())
})

test('a job refuses a database with rows in a log beside it, and takes it when the log is gone', async () => {
  const sql = await initSqlJs()
  const database = new sql.Database()
  database.run('CREATE TABLE receipts (date, shop, total, paid_by)')
  database.run("INSERT INTO receipts VALUES ('2024-01-01', 'CANARY', '1.00', 'card')")
  writeFileSync(path(), database.export())
  mkdirSync(join(folder, 'out'))
  writeFileSync(`${path()}-wal`, new Uint8Array(4_152))
  const job = async () =>
    runFileJob({
      refiner: await bundleRefiner({
        entry: new URL('../testing/receipts-refiner.ts', import.meta.url).pathname,
      }),
      inputs: [{ id: 'a.db', path: path(), contributor: 1 }],
      output: join(folder, 'out'),
      key: new Uint8Array(32).fill(3),
      readers: { sqlite: createSqliteReader(sql) },
      workers: 0,
    })
  const first = await job()
  expect(first.refused).toEqual([{ id: 'a.db', ...refusal }])
  rmSync(`${path()}-wal`)
  // In the same folder: the refusal was of what stood beside the file, which did not change.
  const second = await job()
  expect(second.refused).toEqual([])
  expect(second.tables['receipts']?.rows).toBe(1)
})
