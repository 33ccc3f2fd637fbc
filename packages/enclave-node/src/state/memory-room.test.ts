import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { platformRandom } from '@sealpool/crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { diskFull, type ScratchBytes, scratchBytes, scratchPool } from '../testing/scratch-bytes.js'
import { canary, cipherOf, everything } from '../testing/sealed-stores.js'
import { memoryPool } from './memory-room.js'
import { getMeta, setMeta } from './meta-table.js'
import { migrate } from './migration.js'
import { pieceBytes } from './paged-file.js'
import { openMemoryStore } from './pglite-store.js'
import type { PiecePool } from './piece-pool.js'
import type { ArchivedFile, WrittenFile } from './sealed-archive.js'
import { openSealedStore, type SealedStore } from './sealed-store.js'
import type { StateStore } from './state-store.js'

/** Far less than an empty database has. */
const mostBytes = 4_000_000
/** Pieces of what nothing else has read since they were put away. */
const readsAll = 'select count(*) from pg_depend, pg_proc where prosrc = classid::text'
/** Nothing that compresses. */
const large = (of: number): string => Buffer.from(platformRandom(50_000)).toString('hex') + of
const directory = mkdtempSync(join(tmpdir(), 'sealpool-room-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** @returns files, read whole: a part is of no use any more once the next one was asked for */
function readWhole(files: readonly WrittenFile[]): readonly ArchivedFile[] {
  return files.map(({ path, size, parts }) => {
    const bytes = Buffer.alloc(size)
    let at = 0
    for (const part of parts()) {
      bytes.set(part, at)
      at += part.length
    }
    return { path, bytes }
  })
}

describe('a database with more than its memory', { timeout: 240_000 }, () => {
  let empty: readonly ArchivedFile[]
  let durable: StateStore
  const open: Pick<StateStore, 'close'>[] = []
  beforeAll(async () => {
    const store = await openMemoryStore([])
    const { files, release } = await store.snapshot(() => undefined)
    empty = readWhole(files)
    release()
    await store.close()
  }, 240_000)
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close().catch(() => undefined)
  })

  /** A node's store on a pool, and what it is told. */
  async function started(pool: PiecePool): Promise<{ store: SealedStore; lost: unknown[] }> {
    const lost: unknown[] = []
    const store = await openSealedStore({
      durable: { ...durable, close: async () => undefined },
      openWorking: () => openMemoryStore(empty, pool),
      cipherOf,
      random: platformRandom,
      onLost: (error) => lost.push(error),
    })
    open.push(store)
    await migrate(store)
    return { store, lost }
  }
  async function begun(disk: ScratchBytes) {
    durable = await openMemoryStore(empty)
    const pool = scratchPool(mostBytes, disk)
    const one = await started(pool)
    for (let number = 0; number < 20; number += 1)
      await setMeta(one.store, `k${number}`, `${canary} ${number}`.repeat(40))
    expect(disk.bytes.length).toBeGreaterThan((10 * mostBytes) / 2)
    return { ...one, pool }
  }
  /** What a start on what lasts finds. */
  async function afterwards(): Promise<readonly string[]> {
    const { store } = await started(scratchPool(mostBytes))
    return everything(store)
  }

  it('works as with all of it in memory, in so much of it, and leaves nothing legible outside', async () => {
    const disk = scratchBytes()
    const { store, pool } = await begun(disk)
    expect(pool.presentBytes).toBeLessThanOrEqual(mostBytes)
    expect(disk.bytes.includes(canary)).toBe(false)
    const all = await everything(store)
    expect(all.join('')).toContain(canary)
    expect(await afterwards()).toEqual(all)
    await store.close()
    expect(disk.closed).toBe(true)
  })

  it('is imaged as it stands, and the image holds while it is written to', async () => {
    const store = await openMemoryStore(empty, scratchPool(mostBytes))
    open.push(store)
    await migrate(store)
    await setMeta(store, 'a', 'then')
    const { files, release } = await store.snapshot(() => undefined)
    for (let number = 0; number < 50; number += 1) await setMeta(store, `k${number}`, 'now'.repeat(1_000))
    const then = readWhole(files)
    release()
    const image = await openMemoryStore(then, scratchPool(mostBytes))
    open.push(image)
    expect(await image.query('select value from meta')).toEqual([{ value: 'then' }])
  })

  it('ends with SCRATCH_TAMPERED when what lay outside is not what it was, and loses nothing', async () => {
    const disk = scratchBytes()
    const { store, lost } = await begun(disk)
    const all = await everything(store)
    disk.bytes.fill(0)
    const tampered = expect.objectContaining({ code: 'SCRATCH_TAMPERED' })
    await expect(store.transaction((tx) => tx.query(readsAll))).rejects.toEqual(tampered)
    expect(lost).toEqual([tampered])
    await expect(store.query('select value from meta')).rejects.toEqual(tampered)
    await expect(setMeta(store, 'a', '1')).rejects.toEqual(tampered)
    expect(await afterwards()).toEqual(all)
  })

  it('says so too where a query alone comes upon it', async () => {
    const disk = scratchBytes()
    const { store, lost } = await begun(disk)
    disk.bytes.fill(0)
    const tampered = expect.objectContaining({ code: 'SCRATCH_TAMPERED' })
    await expect(store.query(readsAll)).rejects.toEqual(tampered)
    expect(lost).toEqual([tampered])
  })

  it('ends with SCRATCH_FAILED on a full disk, and what was committed by then is there afterwards', async () => {
    const disk = scratchBytes()
    const { store, lost } = await begun(disk)
    disk.writeError = diskFull()
    const full = expect.objectContaining({ code: 'SCRATCH_FAILED' })
    const committed: string[] = []
    await expect(
      (async () => {
        while (committed.length < 200) {
          const value = large(committed.length)
          await store.transaction((tx) => setMeta(tx, 'last', value))
          committed.push(value)
        }
      })(),
    ).rejects.toEqual(full)
    expect(committed.length).toBeGreaterThan(0)
    expect(lost).toEqual([full])
    await expect(store.query('select 1')).rejects.toEqual(full)
    const again = await started(scratchPool(mostBytes))
    expect(await getMeta(again.store, 'last')).toBe(committed.at(-1))
  })

  it.runIf(process.platform === 'linux')(
    'lies in a file without a name that nobody can read, and which is gone when it is closed',
    async () => {
      const outside = (): readonly Buffer[] =>
        readdirSync('/proc/self/fd').flatMap((fd) => {
          try {
            const path = `/proc/self/fd/${fd}`
            return readlinkSync(path).startsWith(`${directory}/memory-scratch-`) ? [readFileSync(path)] : []
          } catch {
            // The folder itself, which is closed by now.
            return []
          }
        })
      durable = await openMemoryStore(empty)
      const { store } = await started(memoryPool({ directory, random: platformRandom, mostBytes }))
      await setMeta(store, 'a', canary)
      await store.query('select count(*) from pg_proc')
      const [file, ...more] = outside()
      expect(more).toEqual([])
      expect(file?.length).toBeGreaterThan(mostBytes)
      expect(file?.includes(canary)).toBe(false)
      expect(readdirSync(directory)).toEqual([])
      await store.close()
      expect(outside()).toEqual([])
    },
  )
})

it('has room for 48 MB where nobody says otherwise', () => {
  const pool = memoryPool({ directory, random: platformRandom })
  for (let bytes = 0; bytes < 60_000_000; bytes += pieceBytes) pool.add(new Uint8Array(pieceBytes))
  expect(pool.presentBytes).toBeLessThanOrEqual(48_000_000)
  expect(pool.presentBytes).toBeGreaterThan(48_000_000 - 2 * pieceBytes)
  pool.close()
})
