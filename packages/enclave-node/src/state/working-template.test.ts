import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { platformRandom } from '@sealpool/crypto'
import { afterAll, describe, expect, it } from 'vitest'
import { everything } from '../testing/sealed-stores.js'
import { takeChanges } from './change-capture.js'
import { getMeta, setMeta } from './meta-table.js'
import { currentVersion, migrate, migrations, storedVersion } from './migration.js'
import { openPgliteStore } from './pglite-store.js'
import { openWorkingDatabase, workingTemplateFile } from './working-template.js'

const directory = mkdtempSync(join(tmpdir(), 'sealpool-template-'))
const path = join(directory, workingTemplateFile)
afterAll(() => rmSync(directory, { recursive: true }))
const given = { directory, key: new Uint8Array(32).fill(1), random: platformRandom }
const open = async (change: Partial<typeof given> = {}) => {
  const { store, unpacked } = await openWorkingDatabase({ ...given, ...change })
  const found = {
    unpacked,
    version: await storedVersion(store),
    rows: (await everything(store)).length,
  }
  await setMeta(store, 'a', 'b')
  const changes = await store.transaction(takeChanges)
  expect(changes.map(({ table }) => table)).toEqual(['meta'])
  await store.close()
  return found
}
const made = { unpacked: false, version: currentVersion, rows: migrations.length }
const unpacked = { ...made, unpacked: true }

describe('the database without rows beside the state', { timeout: 240_000 }, () => {
  it('is made once, with the tables of this release, read afterwards, and never holds what was written', async () => {
    expect(await open()).toEqual(made)
    expect(await open()).toEqual(unpacked)
    expect(await open()).toEqual(unpacked)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('is made anew when it is another node’s, or not as this node wrote it', async () => {
    const genuine = readFileSync(path)
    expect(await open({ key: new Uint8Array(32).fill(2) })).toEqual(made)
    const changed = Buffer.from(genuine)
    changed[1_000_000] = (changed[1_000_000] ?? 0) ^ 1
    writeFileSync(path, changed)
    expect(await open()).toEqual(made)
    expect(await open()).toEqual(unpacked)
  })

  it('begins the database of a new folder when it is made, without tables', async () => {
    rmSync(path)
    const { store, empty } = await openWorkingDatabase(given)
    await store.close()
    const folder = join(directory, 'node')
    const asked: string[] = []
    const openFolder = (name: string) =>
      openPgliteStore({
        directory: folder,
        empty: async () => {
          asked.push(name)
          return empty
        },
      })
    const first = await openFolder('first')
    expect(await everything(first)).toEqual([])
    await migrate(first)
    await setMeta(first, 'kept', 'yes')
    await first.close()
    const second = await openFolder('second')
    expect(await getMeta(second, 'kept')).toBe('yes')
    await second.close()
    expect(asked).toEqual(['first'])
    expect(empty?.length).toBeGreaterThan(1_000_000)
  })

  it('is done without on a disk that takes nothing', async () => {
    expect(await open({ directory: join(path, 'below a file') })).toEqual(made)
  })
})
