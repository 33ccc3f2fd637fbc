import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { settingsWith } from '../testing/settings.js'
import { loadSettings } from './load-config.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealpool-settings-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const storeOf = async (blobStore: unknown) => {
  const config = join(folder, 'node.json')
  await writeFile(config, JSON.stringify(settingsWith({ blobStore })))
  return (await loadSettings({ config }, {})).blobStore
}

it('finds the folders of a blob store, and of each that it is made of, from where the settings lie', async () => {
  expect(await storeOf({ kind: 'files', directory: 'blobs' })).toEqual({
    kind: 'files',
    directory: join(folder, 'blobs'),
  })
  const stores = [
    { kind: 'files', directory: 'one' },
    { kind: 'files', directory: '/two' },
    { kind: 'http', url: 'https://blobs.example' },
  ]
  expect(await storeOf({ kind: 'replicated', stores })).toMatchObject({
    stores: [
      { kind: 'files', directory: join(folder, 'one') },
      { kind: 'files', directory: '/two' },
      { kind: 'http', url: 'https://blobs.example' },
    ],
    auditHours: 24,
    patienceMs: 2_000,
  })
})

it.each([
  ['no list', { kind: 'replicated', stores: 'many' }],
  ['a store that is none', { kind: 'replicated', stores: [null, 7] }],
])('refuses replicas that are %s', async (_, blobStore) => {
  await expect(storeOf(blobStore)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

it('reads the earlier policies of a pool that is judged again from files beside the settings', async () => {
  const config = join(folder, 'pools.json')
  await writeFile(join(folder, 'older.json'), '{"name":"older"}')
  const artifact = { code: 'x', digest: `sha256:${'0'.repeat(64)}` }
  const load = async (rescoring: unknown) => {
    const pool = {
      address: `0x${'a'.repeat(40)}`,
      policy: {},
      poc: artifact,
      refiner: { ...artifact, schema: {} },
      rescoring,
    }
    await writeFile(config, JSON.stringify(settingsWith({ pools: [pool] })))
    return (await loadSettings({ config }, {})).pools[0]?.rescoring
  }
  expect(await load({ earlier: ['older.json', { name: 'oldest' }] })).toEqual({
    earlier: [{ name: 'older' }, { name: 'oldest' }],
    share: 1,
    rule: 'keep',
  })
  expect(await load(null)).toBeNull()
  // A validator's pools have them beside the home's.
  const judged = {
    address: `0x${'b'.repeat(40)}`,
    policy: {},
    poc: artifact,
    refiner: { ...artifact, schema: {} },
    rescoring: { earlier: ['older.json'] },
  }
  const validates = { nodes: ['https://home.example'], pools: [judged] }
  await writeFile(config, JSON.stringify(settingsWith({ pools: [], validates })))
  expect((await loadSettings({ config }, {})).validates?.pools[0]?.rescoring).toEqual({
    earlier: [{ name: 'older' }],
  })
  await expect(load({ earlier: 'older.json' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  await expect(load({ earlier: ['gone.json'] })).rejects.toMatchObject({ code: 'CONFIG_FILE_UNREADABLE' })
})
