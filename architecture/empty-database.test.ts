import { PGlite } from '@electric-sql/pglite'
import { expect, test } from 'vitest'

/** As the node makes its databases, so that this file makes none of its own. */
const options = { initDbStartParams: ['--wal-segsize=1', '--no-data-checksums'] }
const rows = async (database: PGlite, text: string) => (await database.query(text)).rows

test('two empty databases are of one making, and know nothing of each other', {
  timeout: 240_000,
}, async () => {
  const first = await PGlite.create(options)
  await first.exec('create table kept (id int)')
  const second = await PGlite.create(options)
  // `initdb` gives a number that no two of its runs share.
  const identity = 'select system_identifier::text from pg_control_system()'
  expect(await rows(second, identity)).toEqual(await rows(first, identity))
  const tables = `select tablename from pg_tables where schemaname = 'public'`
  expect(await rows(first, tables)).toEqual([{ tablename: 'kept' }])
  expect(await rows(second, tables)).toEqual([])
  await first.close()
  await second.close()
})
