import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { platformRandom } from '@sealpool/crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cipherOf, cipherWith, everything, memory } from '../testing/sealed-stores.js'
import { openEmbeddedPostgres } from './embedded-postgres.js'
import { memoryImageFile, memoryImages } from './memory-image.js'
import { deleteMeta, getMeta, setMeta } from './meta-table.js'
import { currentVersion, migrate, storedVersion } from './migration.js'
import { type EmbeddedStore, pgliteStore } from './pglite-store.js'
import { openSealedStore, type SealedStoreOptions } from './sealed-store.js'
import type { StateStore } from './state-store.js'

const directory = mkdtempSync(join(tmpdir(), 'sealpool-image-'))
const path = join(directory, memoryImageFile)
const key = new Uint8Array(32).fill(3)
const images = memoryImages({ directory, key, random: platformRandom })
afterAll(() => rmSync(directory, { recursive: true }))

const memoryOf = async (files?: Blob) =>
  pgliteStore(
    await openEmbeddedPostgres({
      dataDir: 'memory://',
      memory: true,
      ...(files === undefined ? {} : { loadDataDir: files }),
    }),
    () => undefined,
  )

/** What tests left open, as a kill does. */
const open: Pick<StateStore, 'close'>[] = []

/** The store after a start, and whether it had to be filled from the rows. */
async function started(durable: StateStore, more: Partial<SealedStoreOptions> = {}) {
  let filled = false
  const store = await openSealedStore({
    durable: { ...durable, close: async () => undefined },
    openWorking() {
      filled = true
      return memory()
    },
    cipherOf,
    random: platformRandom,
    images,
    rowsOfImage: 1,
    ...more,
  })
  const left = { close: () => store.close() }
  open.push(left)
  return {
    filled,
    store: {
      ...store,
      async close() {
        open.splice(open.indexOf(left), 1)
        await store.close()
      },
    },
  }
}

describe('the image of the memory', { timeout: 240_000 }, () => {
  let durable: EmbeddedStore
  let before: readonly string[]
  let made: { readonly files: Blob; readonly image: Buffer }
  beforeAll(async () => {
    const first = await memoryOf()
    const { store } = await started(first)
    await migrate(store)
    await setMeta(store, 'a', 'first')
    before = await everything(store)
    await store.close()
    made = { files: new Blob([await first.files()]), image: readFileSync(path) }
    await first.close()
  })
  beforeEach(async () => {
    durable = await memoryOf(made.files)
    writeFileSync(path, made.image, { mode: 0o600 })
    return async () => {
      for (const store of open.splice(0)) await store.close()
      rmSync(path, { force: true })
      await durable.close()
    }
  })

  it('gives all rows back, is gone while the node runs, and what is written on it is sealed as ever', async () => {
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readFileSync(path).includes('first')).toBe(false)
    const { store, filled } = await started(durable)
    expect(filled).toBe(false)
    expect(existsSync(path)).toBe(false)
    expect(await everything(store)).toEqual(before)
    await setMeta(store, 'a', 'second')
    await setMeta(store, 'b', 'new')
    const after = await everything(store)
    // A kill: nothing was kept, and the rows alone say it.
    const killed = await started(durable)
    expect(killed.filled).toBe(true)
    expect(await everything(killed.store)).toEqual(after)
    await killed.store.close()
    const again = await started(durable)
    expect(again.filled).toBe(false)
    expect(await everything(again.store)).toEqual(after)
  })

  it('is not used when it is older than what lasts, of another course of things, or changed', async () => {
    const kept = readFileSync(path)
    const { store } = await started(durable)
    await setMeta(store, 'a', 'second')
    for (const bytes of [
      kept,
      kept.subarray(0, 10),
      kept.subarray(0, -1),
      Buffer.from(kept).fill(0, 1_000_000, 1_000_001),
      Buffer.alloc(0),
    ]) {
      writeFileSync(path, bytes)
      // What a kill leaves that comes while one is written.
      writeFileSync(`${path}.part`, bytes)
      const { store: other, filled } = await started(durable)
      expect(filled).toBe(true)
      expect(existsSync(`${path}.part`)).toBe(false)
      expect(await getMeta(other, 'a')).toBe('second')
      expect(existsSync(path)).toBe(false)
    }
  })

  it('is not used of the same number of commits with other rows', async () => {
    const [old] = await durable.query('select store, key_id, version::text, sealed from sealed_head')
    const rows = await durable.query('select name, version::text, sealed from sealed_rows')
    const first = await started(durable)
    await setMeta(first.store, 'a', 'one')
    await first.store.close()
    const image = readFileSync(path)
    await durable.run('delete from sealed_rows; delete from sealed_head')
    const put = (table: string, values: readonly unknown[]) =>
      durable.query(
        `insert into ${table} values (${values.map((_, index) => `$${index + 1}`).join(', ')})`,
        values as (string | Uint8Array | boolean)[],
      )
    await put('sealed_head', [true, old?.['store'], old?.['key_id'], old?.['version'], old?.['sealed']])
    for (const row of rows) await put('sealed_rows', [row['name'], row['version'], row['sealed']])
    rmSync(path)
    const { store } = await started(durable)
    await setMeta(store, 'a', 'two')
    writeFileSync(path, image)
    const forked = await started(durable)
    expect(forked.filled).toBe(true)
    expect(await getMeta(forked.store, 'a')).toBe('two')
  })

  it('is not used by a node with another key, nor in the place of a head that does not open', async () => {
    const kept = readFileSync(path)
    const foreign = memoryImages({ directory, key: new Uint8Array(32).fill(4), random: platformRandom })
    expect((await started(durable, { images: foreign })).filled).toBe(true)
    writeFileSync(path, kept)
    await expect(
      started(durable, { cipherOf: cipherWith(new Uint8Array(32).fill(6)) }),
    ).rejects.toMatchObject({ code: 'STATE_OF_ANOTHER_NODE' })
    await durable.run('update sealed_head set version = version + 1')
    await expect(started(durable)).rejects.toMatchObject({ code: 'STATE_TAMPERED' })
  })

  it('does not hide that a row which is written again was changed', async () => {
    const { store, filled } = await started(durable)
    expect(filled).toBe(false)
    await durable.run('update sealed_rows set version = version + 1')
    await expect(setMeta(store, 'a', 'second')).rejects.toMatchObject({ code: 'STATE_TAMPERED' })
  })

  it('is not written once rows were destroyed, until the memory was filled anew', async () => {
    const { store } = await started(durable)
    await setMeta(store, 'b', 'secret')
    await deleteMeta(store, 'b')
    await store.close()
    expect(existsSync(path)).toBe(false)
    const next = await started(durable)
    expect(next.filled).toBe(true)
    await next.store.close()
    expect(existsSync(path)).toBe(true)
  })

  it('is not written for few rows, nor of more bytes than allowed, and a disk without room is told', async () => {
    const few = await started(durable, { rowsOfImage: 1_000 })
    await few.store.close()
    expect(existsSync(path)).toBe(false)
    const small = memoryImages({ directory, key, random: platformRandom, mostBytes: 1_000_000 })
    await (await started(durable, { images: small })).store.close()
    expect(existsSync(path)).toBe(false)
    const told: unknown[] = []
    const nowhere = memoryImages({ directory: join(directory, 'none'), key, random: platformRandom })
    const { store } = await started(durable, { images: nowhere, onImageError: (error) => told.push(error) })
    await store.close()
    expect(told).toMatchObject([{ code: 'ENOENT' }])
  })

  it('of an earlier release is taken on to the tables of this one', async () => {
    const { store: old } = await started(durable)
    await migrate(old, currentVersion - 1)
    await old.close()
    // Going down took rows away.
    expect(existsSync(path)).toBe(false)
    await (await started(durable)).store.close()
    const { store, filled } = await started(durable)
    expect(filled).toBe(false)
    expect(await storedVersion(store)).toBe(currentVersion - 1)
    await migrate(store)
    const after = await everything(store)
    expect(await everything((await started(durable)).store)).toEqual(after)
  })
})
