import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { platformRandom } from '@sealpool/crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { NodeError } from '../errors.js'
import { canary, cipherOf, cipherWith, everything, memory } from '../testing/sealed-stores.js'
import type { ImagePace } from './image-keeper.js'
import { aboutImages, memoryImageFile, memoryImages } from './memory-image.js'
import { deleteMeta, getMeta, setMeta } from './meta-table.js'
import { currentVersion, migrate, storedVersion } from './migration.js'
import { openMemoryStore } from './pglite-store.js'
import { readSealedArchive, writeSealedArchive } from './sealed-archive.js'
import { openSealedStore, type SealedStoreOptions } from './sealed-store.js'
import type { StateStore } from './state-store.js'
import { openWorkingDatabase, workingTemplateFile } from './working-template.js'

const directory = mkdtempSync(join(tmpdir(), 'sealpool-image-'))
const path = join(directory, memoryImageFile)
const key = new Uint8Array(32).fill(3)
const random = platformRandom
const images = memoryImages({ directory, key, random })
/** Images are taken when a store is closed, of whatever size, and never before. */
const atStop: ImagePace = { rows: 1, changes: 1e9, changesWithout: 1e9, changesAtStop: 1 }
const never: ImagePace = { ...atStop, rows: 1e9 }
afterAll(() => rmSync(directory, { recursive: true }))

let durable: StateStore
const left: Pick<StateStore, 'close'>[] = []

/** The store after a start, and whether it had to be filled from all rows. What is not closed is killed. */
async function started(more: Partial<SealedStoreOptions> = {}) {
  let filled = false
  const store = await openSealedStore({
    durable: { ...durable, close: async () => undefined },
    async openWorking(version) {
      filled = true
      if (version !== undefined && version !== currentVersion) return memory()
      const { store } = await openWorkingDatabase({ directory, key, random })
      left.push(store)
      return store
    },
    cipherOf,
    random,
    images: {
      ...images,
      async load() {
        const image = await images.load()
        if (image !== undefined) left.push(image.working)
        return image
      },
    },
    imagePace: atStop,
    ...more,
  })
  return { filled, store }
}

const block = (store: StateStore, number: number) =>
  store.query(`insert into chain_blocks values ('c', $1, 'hash')`, [number])
const noBlock = (store: StateStore, number: number) =>
  store.query('delete from chain_blocks where block_number = $1', [number])

const sealedTables = ['sealed_head', 'sealed_rows', 'sealed_gone']
/** Notes what lasts, to be put back. */
async function note(name: string): Promise<void> {
  for (const table of sealedTables) {
    await durable.run(
      `drop table if exists ${name}_${table}; create table ${name}_${table} as select * from ${table}`,
    )
  }
}
async function putBack(name: string, tables = sealedTables): Promise<void> {
  for (const table of tables)
    await durable.run(`delete from ${table}; insert into ${table} select * from ${name}_${table}`)
}

describe('the image of the memory', { timeout: 240_000 }, () => {
  let image: Buffer
  let before: readonly string[]
  beforeAll(async () => {
    durable = await memory()
    const { store, filled } = await started()
    expect(filled).toBe(true)
    await migrate(store)
    await setMeta(store, 'a', 'first')
    await setMeta(store, 'c', canary)
    for (const number of [1, 2, 3]) await block(store, number)
    before = await everything(store)
    await store.close()
    image = readFileSync(path)
    await note('first')
    return async () => durable.close()
  }, 240_000)
  beforeEach(async () => {
    await putBack('first')
    writeFileSync(path, image, { mode: 0o600 })
    return async () => {
      for (const store of left.splice(0)) await store.close().catch(() => undefined)
    }
  })

  it('gives all rows back with those that were written, came and went since, also after a kill', async () => {
    expect(image.includes(canary)).toBe(false)
    const first = await started()
    expect(first.filled).toBe(false)
    expect(await everything(first.store)).toEqual(before)
    await setMeta(first.store, 'a', 'second')
    await setMeta(first.store, 'b', 'new')
    await noBlock(first.store, 1)
    await noBlock(first.store, 2)
    await block(first.store, 2)
    await block(first.store, 4)
    await noBlock(first.store, 4)
    const after = await everything(first.store)
    const killed = await started()
    expect(killed.filled).toBe(false)
    expect(await everything(killed.store)).toEqual(after)
    await setMeta(killed.store, 'a', 'third')
    await killed.store.close()
    expect(await durable.query('select 1 from sealed_gone')).toEqual([])
    const again = await started()
    expect(again.filled).toBe(false)
    expect(await getMeta(again.store, 'a')).toBe('third')
    // Without it, all rows say the same.
    const all = await everything(again.store)
    rmSync(path)
    const whole = await started()
    expect(whole.filled).toBe(true)
    expect(await everything(whole.store)).toEqual(all)
  })

  it('is taken while work goes on, and what goes on meanwhile is made up for', async () => {
    const busy: ImagePace = { rows: 1, changes: 3, changesWithout: 3, changesAtStop: 1e9 }
    const { store } = await started({ imagePace: busy })
    for (let round = 0; round < 20; round += 1) {
      await setMeta(store, `k${round % 7}`, `${round}`)
      await block(store, 100 + round)
      if (round > 3) await noBlock(store, 100 + round - 3)
    }
    const after = await everything(store)
    await store.close()
    const killed = await started()
    expect(killed.filled).toBe(false)
    expect(await everything(killed.store)).toEqual(after)
    expect(readFileSync(path).equals(image)).toBe(false)
  })

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['cut off', (bytes) => bytes.subarray(0, -1)],
    ['changed', (bytes) => Buffer.from(bytes).fill(0, 1_000_000, 1_000_001)],
    ['of no bytes', () => Buffer.alloc(0)],
  ])('is not used when it is %s, and is away then', async (_, change) => {
    writeFileSync(path, change(image))
    writeFileSync(`${path}.part`, 'what a kill leaves')
    const { store, filled } = await started()
    expect(filled).toBe(true)
    expect(await everything(store)).toEqual(before)
    for (const one of [path, `${path}.part`]) expect(existsSync(one)).toBe(false)
  })

  it('is not used by a node with another key, and a state of another key is refused with it as without', async () => {
    const foreign = memoryImages({ directory, key: new Uint8Array(32).fill(4), random })
    expect((await started({ images: foreign })).filled).toBe(true)
    writeFileSync(path, image)
    await expect(started({ cipherOf: cipherWith(new Uint8Array(32).fill(6)) })).rejects.toMatchObject({
      code: 'STATE_OF_ANOTHER_NODE',
    })
  })

  it('is not used when it is newer than what lasts', async () => {
    const { store } = await started()
    await setMeta(store, 'a', 'second')
    await store.close()
    await putBack('first')
    const back = await started()
    expect(back.filled).toBe(true)
    expect(await getMeta(back.store, 'a')).toBe('first')
  })

  it('is not used of another course of things, with as many commits', async () => {
    const { store } = await started()
    await setMeta(store, 'a', 'one')
    await store.close()
    const other = readFileSync(path)
    await putBack('first')
    rmSync(path)
    const second = await started({ imagePace: never })
    await setMeta(second.store, 'a', 'two')
    writeFileSync(path, other)
    const forked = await started()
    expect(forked.filled).toBe(true)
    expect(await getMeta(forked.store, 'a')).toBe('two')
  })

  it('is not used without the notes of what went since, or with those of another time', async () => {
    const { store } = await started()
    await noBlock(store, 1)
    await note('later')
    await block(store, 1)
    await noBlock(store, 2)
    const after = await everything(store)
    for (const spoil of [
      () => durable.run('delete from sealed_gone'),
      () => putBack('later', ['sealed_gone']),
      () => durable.run('update sealed_gone set version = version + 1'),
      () => durable.run('update sealed_gone set sealed = (select sealed from sealed_rows limit 1)'),
    ]) {
      await note('spoilt')
      await spoil()
      writeFileSync(path, image)
      const { store: whole, filled } = await started()
      expect(filled).toBe(true)
      expect(await everything(whole)).toEqual(after)
      await putBack('spoilt')
    }
    writeFileSync(path, image)
    expect((await started()).filled).toBe(false)
  })

  it.each([
    [
      'changed',
      'update sealed_rows set sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) where version = $1',
    ],
    ['given another number', 'update sealed_rows set version = version + 1 where version = $1'],
    ['taken away', 'delete from sealed_rows where version = $1'],
    ['made an old one', 'update sealed_rows set version = 1 where version = $1'],
  ])('does not hide that a row was %s that was written since', async (_, change) => {
    const { store } = await started()
    await setMeta(store, 'b', 'new')
    const [head] = await durable.query('select version::integer as version from sealed_head')
    await durable.query(change, [Number(head?.['version'])])
    await expect(started()).rejects.toMatchObject({ code: 'STATE_TAMPERED' })
  })

  it('does not hide an older head, nor that a row of before was changed that is written again', async () => {
    const first = await started()
    await setMeta(first.store, 'b', 'new')
    await putBack('first', ['sealed_head'])
    await expect(started()).rejects.toMatchObject({ code: 'STATE_TAMPERED' })
    await putBack('first')
    writeFileSync(path, image)
    const { store, filled } = await started()
    expect(filled).toBe(false)
    await durable.run('update sealed_rows set version = version + 1')
    await expect(setMeta(store, 'a', 'second')).rejects.toMatchObject({ code: 'STATE_TAMPERED' })
  })

  it('has the rows of before looked at while the node works: what was done to one ends it, and the image', async () => {
    await durable.run(
      `update sealed_rows set sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) where version = (select min(version) from sealed_rows)`,
    )
    let told: (error: NodeError) => void = () => undefined
    const lost = new Promise<NodeError>((resolve) => {
      told = resolve
    })
    const { store, filled } = await started({ checkPause: async () => undefined, onLost: told })
    expect(filled).toBe(false)
    expect(await lost).toMatchObject({ code: 'STATE_TAMPERED' })
    expect(existsSync(path)).toBe(false)
    await expect(getMeta(store, 'a')).rejects.toMatchObject({ code: 'STATE_TAMPERED' })
    await store.close()
    expect(existsSync(path)).toBe(false)
    await expect(started()).rejects.toMatchObject({ code: 'STATE_TAMPERED' })
  })

  it('is away before a row is destroyed that it holds, and the next one has nothing of it', async () => {
    const secret = Buffer.from(random(400)).toString('hex')
    const first = await started()
    await setMeta(first.store, 'b', secret)
    // The planner notes values of rows as well.
    await first.store.run('analyze')
    await first.store.close()
    const held = () =>
      (readSealedArchive({ path, key, about: aboutImages() }, 1e9) ?? []).some(({ bytes }) =>
        Buffer.from(bytes).includes(secret.slice(0, 24)),
      )
    expect(held()).toBe(true)
    let lay: boolean | undefined
    const watched = await started({
      durable: {
        ...durable,
        close: async () => undefined,
        async transaction(work) {
          lay = existsSync(path)
          return durable.transaction(work)
        },
      },
    })
    expect(watched.filled).toBe(false)
    await deleteMeta(watched.store, 'b')
    expect(lay).toBe(false)
    await watched.store.close()
    expect(existsSync(path)).toBe(true)
    expect(held()).toBe(false)
    const after = await started()
    expect(after.filled).toBe(false)
    expect(await getMeta(after.store, 'b')).toBeUndefined()
  })

  it('of tables that are others since is not used; one of earlier tables is taken on to those of now', async () => {
    const { store } = await started({ imagePace: never })
    await migrate(store, currentVersion - 1)
    const down = await started()
    expect(down.filled).toBe(true)
    await down.store.close()
    const old = await started({ imagePace: never })
    expect(old.filled).toBe(false)
    expect(await storedVersion(old.store)).toBe(currentVersion - 1)
    await migrate(old.store)
    const after = await everything(old.store)
    const now = await started()
    expect(now.filled).toBe(true)
    expect(await everything(now.store)).toEqual(after)
  })

  it('is not written of more bytes than allowed', async () => {
    rmSync(path)
    const small = memoryImages({ directory, key, random, mostBytes: 1_000_000 })
    await (await started({ images: small })).store.close()
    expect(existsSync(path)).toBe(false)
  })

  it('opens as it was when it stands on files that were read of it', async () => {
    const { store } = await openWorkingDatabase({ directory, key, random })
    await setMeta(store, 'x', 'kept')
    const { files, at } = await store.snapshot(() => 'then')
    await setMeta(store, 'x', 'later')
    const place = { path: join(directory, 'files'), key, about: 'files' }
    await writeSealedArchive(place, files, { random })
    await store.close()
    expect(at).toBe('then')
    const again = await openMemoryStore(readSealedArchive(place, 1e9) ?? [])
    expect(await getMeta(again, 'x')).toBe('kept')
    await setMeta(again, 'x', 'on')
    await again.run('vacuum')
    expect(await getMeta(again, 'x')).toBe('on')
    await again.close()
    expect(existsSync(join(directory, workingTemplateFile))).toBe(true)
  })
})
