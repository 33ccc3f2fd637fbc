import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { afterAll, describe, expect, it } from 'vitest'
import {
  bytesPerCheckpoint,
  bytesPerVacuum,
  commitsPerCheckpoint,
  commitsPerVacuum,
  embeddedUpkeep,
  openEmbeddedPostgres,
  rowsPerCheckpoint,
  rowsPerVacuum,
} from './embedded-postgres.js'
import { PagedMemory } from './paged-memory.js'
import { pgliteStore } from './pglite-store.js'
import type { StateStore } from './state-store.js'

const directory = mkdtempSync(join(tmpdir(), 'sealpool-embedded-'))
afterAll(() => rmSync(directory, { recursive: true }))

const megabyte = 1024 ** 2
const figure = async (store: StateStore, text: string) => {
  const [row] = await store.query(`select (${text})::int8 as figure`)
  return Number(row?.['figure'])
}
const logBytes = (store: StateStore) => figure(store, 'select sum(size) from pg_ls_waldir()')

const row = { rows: 1, bytes: 0 }
const memoryStore = async () =>
  pgliteStore(await openEmbeddedPostgres({ memory: new PagedMemory() }), () => undefined)

/** Replaces one row, of 32 kB that do not pack, in so many transactions. */
async function rewrite(store: StateStore, times: number): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    const content = randomBytes(16_000).toString('hex')
    await store.transaction((tx) =>
      tx.query('insert into kept values (1, $1) on conflict (id) do update set content = excluded.content', [
        content,
      ]),
    )
  }
}

describe('the embedded database', { timeout: 240_000 }, () => {
  it.each([
    ['in memory', true],
    ['in a folder', false],
  ])('%s keeps a log and tables of a bounded size, however much is written', async (_, memory) => {
    const place = memory ? { memory: new PagedMemory() } : { dataDir: join(directory, 'kept') }
    const store = pgliteStore(await openEmbeddedPostgres(place), () => undefined)
    await store.run('create table kept (id int primary key, content text not null)')
    const before = await logBytes(store)
    await rewrite(store, commitsPerVacuum)
    const written = 2 * commitsPerVacuum * 32_000
    const size = await figure(store, `select pg_total_relation_size('kept')`)
    await rewrite(store, commitsPerVacuum)
    expect(written).toBeGreaterThan(100 * megabyte)
    expect((await logBytes(store)) - before).toBeLessThan(64 * megabyte)
    // The room that was left by the first lot is used again by the second one.
    expect(await figure(store, `select pg_total_relation_size('kept')`)).toBeLessThan(size * 1.1)
    await store.close()
  })

  it('opens a folder of a release whose log had pieces of 16 MB, with what is in it', async () => {
    const dataDir = join(directory, 'earlier')
    const earlier = await PGlite.create({ dataDir })
    await earlier.exec('create table kept (id int primary key); insert into kept values (7)')
    await earlier.close()
    const store = pgliteStore(await openEmbeddedPostgres({ dataDir }), () => undefined)
    expect(await store.query('select id from kept')).toEqual([{ id: 7 }])
    await store.close()
  })

  it('is cleaned when its number of commits has come, and a commit stands whatever becomes of that', async () => {
    const asked: string[] = []
    const told: unknown[] = []
    const upkeep = embeddedUpkeep(
      {
        exec: async (text) => {
          asked.push(text)
          throw new Error('no room')
        },
      },
      (error) => told.push(error),
    )
    for (let count = 1; count < commitsPerCheckpoint; count += 1) await upkeep(row)
    expect(asked).toEqual([])
    await upkeep(row)
    expect(asked).toEqual(['checkpoint'])
    expect(told).toEqual([new Error('no room')])
    for (let count = commitsPerCheckpoint; count < commitsPerVacuum; count += 1) await upkeep(row)
    expect(asked.filter((text) => text.startsWith('vacuum'))).toHaveLength(1)
  })

  it('is cleaned when so many rows were written, in however few commits', async () => {
    const asked: string[] = []
    const exec = async (text: string) => {
      asked.push(text)
      return []
    }
    const upkeep = embeddedUpkeep({ exec }, () => undefined)
    await upkeep({ rows: rowsPerCheckpoint - 1, bytes: 0 })
    expect(asked).toEqual([])
    await upkeep(row)
    expect(asked).toEqual(['checkpoint'])
    await upkeep({ rows: rowsPerVacuum - rowsPerCheckpoint, bytes: 0 })
    expect(asked.slice(1)).toEqual(['vacuum (analyze)', 'checkpoint'])
    // Both begin to count anew.
    await upkeep({ rows: rowsPerCheckpoint - 1, bytes: 0 })
    expect(asked).toHaveLength(3)
  })

  it('is cleaned when so many bytes were written, in however few rows', async () => {
    const asked: string[] = []
    const exec = async (text: string) => {
      asked.push(text)
      return []
    }
    const upkeep = embeddedUpkeep({ exec }, () => undefined)
    await upkeep({ rows: 1, bytes: bytesPerCheckpoint - 1 })
    expect(asked).toEqual([])
    await upkeep({ rows: 1, bytes: 1 })
    expect(asked).toEqual(['checkpoint'])
    await upkeep({ rows: 1, bytes: bytesPerVacuum - bytesPerCheckpoint })
    expect(asked.slice(1)).toEqual(['vacuum (analyze)', 'checkpoint'])
    await upkeep({ rows: 1, bytes: bytesPerCheckpoint - 1 })
    expect(asked).toHaveLength(3)
  })

  it('does not grow by a row of a megabyte that goes in and out again, commit after commit', async () => {
    const store = await memoryStore()
    await store.run('create table noted (id int primary key, line text not null)')
    const line = randomBytes(500_000).toString('hex')
    for (let count = 0; count < 100; count += 1)
      await store.transaction(async (tx) => {
        await tx.query('insert into noted values (1, $1)', [line])
        await tx.query('delete from noted returning line')
      })
    // 100 MB went through it.
    expect(await figure(store, `select pg_total_relation_size('noted')`)).toBeLessThan(50 * megabyte)
    expect(await logBytes(store)).toBeLessThan(40 * megabyte)
    await store.close()
  })

  it('does not grow by what a transaction writes and takes away again, many rows at once', async () => {
    const store = await memoryStore()
    await store.run('create table noted (id int primary key, line text not null)')
    const turn = () =>
      store.transaction(async (tx) => {
        await tx.query(`insert into noted select id, repeat('x', 500) from generate_series(1, 1000) as id`)
        await tx.query('delete from noted returning id')
      })
    const size = () => figure(store, `select pg_total_relation_size('noted')`)
    for (let count = 0; count < 10; count += 1) await turn()
    const settled = await size()
    for (let count = 0; count < 40; count += 1) await turn()
    expect(await size()).toBeLessThan(1.5 * settled)
    await store.close()
  })
})
