import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { getMeta, setMeta } from './meta-table.js'
import { migrate } from './migration.js'
import { openPgliteStore } from './pglite-store.js'
import { openWorkingDatabase, workingTemplateFile } from './working-template.js'

const directory = mkdtempSync(join(tmpdir(), 'sealpool-template-'))
const path = join(directory, workingTemplateFile)
afterAll(() => rmSync(directory, { recursive: true }))
const key = new Uint8Array(32).fill(1)
const open = async (change: Partial<Parameters<typeof openWorkingDatabase>[0]> = {}) => {
  const { store, unpacked } = await openWorkingDatabase({ directory, key, ...change })
  const tables = await store.query(`select 1 from pg_tables where schemaname = 'public'`)
  await migrate(store)
  await store.close()
  return { unpacked, tables: tables.length }
}

describe('the empty database beside the state', { timeout: 240_000 }, () => {
  it('is made once, unpacked afterwards, and never holds what was written', async () => {
    expect(await open()).toEqual({ unpacked: false, tables: 0 })
    expect(await open()).toEqual({ unpacked: true, tables: 0 })
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('is made anew when it is another node’s, or not as this node wrote it', async () => {
    const genuine = readFileSync(path)
    expect((await open({ key: new Uint8Array(32).fill(2) })).unpacked).toBe(false)
    const changed = Buffer.from(genuine)
    changed[1_000_000] = (changed[1_000_000] ?? 0) ^ 1
    writeFileSync(path, changed)
    expect((await open()).unpacked).toBe(false)
    expect((await open()).unpacked).toBe(true)
  })

  it('begins the database of a new folder, which is asked for no other time', async () => {
    const { store, empty } = await openWorkingDatabase({ directory, key })
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
    expect((await open({ directory: join(path, 'below a file') })).unpacked).toBe(false)
  })
})
