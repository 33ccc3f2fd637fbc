import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { askPeer } from '../anchor/head-peers.js'
import { setMeta } from '../state/meta-table.js'
import { headsPool, headsWorld, nodeRing } from '../testing/heads-world.js'
import { type MetaStore, metaStore } from '../testing/meta-store.js'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import {
  bookAfterRestore,
  orderRestoredHeads,
  restoredHeadsFile,
  takeRestoredHeads,
} from './restored-heads.js'

const deployment = { chainId: 31_337, nodeRegistry: addressOfDigit('f') }
const key = nodeRing.backupSecret(deployment)
let dataDirectory = ''
let world: Awaited<ReturnType<typeof headsWorld>>
let backup: ReturnType<MetaStore['image']>
let newest: MetaStore
beforeAll(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'restored-heads-'))
})
afterAll(() => rm(dataDirectory, { recursive: true }))
/** A node that was backed up, and has gone on and told both peers since. */
beforeEach(async () => {
  world = await headsWorld(2)
  newest = metaStore()
  const { heads } = world.start(newest, { required: 2 })
  await newest.charge(headsPool)
  await heads.cover()
  backup = newest.image()
  await setMeta(newest, 'work', 'more')
  await heads.cover()
})

const ask = () => Promise.allSettled(world.named.map((node) => askPeer(world.asking, node)))
const path = () => join(dataDirectory, restoredHeadsFile)
const start = (store: MetaStore) => ({
  config: { dataDirectory, chain: { deployment } } as unknown as Parameters<
    typeof takeRestoredHeads
  >[1]['config'],
  keys: nodeRing,
  opened: store.head(),
})
/** What a restore does, and the start after it. */
async function restored(required = 1): Promise<MetaStore> {
  const there = metaStore(backup)
  const book = await bookAfterRestore(there, await ask(), required)
  await orderRestoredHeads({ dataDirectory }, key, { state: there.head().state, book })
  return metaStore(backup)
}

describe('a backup that is restored by order', () => {
  it('goes on in another line, and what was told before it is over', async () => {
    const refused = world.start(metaStore(backup))
    await expect(refused.heads.confirm()).rejects.toMatchObject({ code: 'STATE_ROLLED_BACK' })
    const store = await restored()
    expect(await takeRestoredHeads(store, start(store))).toBe(true)
    const { heads } = world.start(store)
    await heads.confirm()
    await heads.cover()
    // The disk from before the restore is older from now on, however far it had come.
    const old = world.start(metaStore(newest.image()))
    await expect(old.heads.confirm()).rejects.toMatchObject({
      code: 'STATE_ROLLED_BACK',
      message: expect.stringMatching(/of line 1 of .* of line 0/),
    })
  })

  it('goes on once more from the same backup, after what came of it the first time', async () => {
    for (const line of [1, 2]) {
      const store = await restored()
      expect(await takeRestoredHeads(store, start(store))).toBe(true)
      const { heads } = world.start(store)
      await setMeta(store, 'work', 'more')
      await heads.cover()
      const [word] = await ask()
      expect(word).toMatchObject({ value: { found: { head: { line } } } })
    }
  })

  it('is refused when a charge is missing that a peer has seen, also by one that was silent then', async () => {
    await newest.charge(headsPool)
    const { heads } = world.start(newest, { required: 2 })
    await heads.cover()
    const lacks = {
      code: 'STATE_ROLLED_BACK',
      message: expect.stringMatching(/has seen version 1 .* of the budget ledger/),
    }
    await expect(restored()).rejects.toMatchObject(lacks)
    for (const peer of world.peers) peer.silent = true
    const store = await restored(0)
    await takeRestoredHeads(store, start(store))
    for (const peer of world.peers) peer.silent = false
    await expect(world.start(store).heads.confirm()).rejects.toMatchObject(lacks)
  })

  it('is refused while too few of the peers answer', async () => {
    for (const peer of world.peers.slice(1)) peer.silent = true
    await expect(restored(2)).rejects.toMatchObject({
      code: 'PEERS_SILENT',
      message: expect.stringContaining('1 of 2'),
      cause: { code: 'NODE_UNREACHABLE' },
    })
    // A later answer of the one that was silent then is of the line before.
    const store = await restored(1)
    await takeRestoredHeads(store, start(store))
    for (const peer of world.peers) peer.silent = false
    const { heads } = world.start(store, { required: 2 })
    await heads.confirm()
    await heads.cover()
    expect(heads.confirmed()).toBe(true)
  })
})

describe('an order', () => {
  it('counts once', async () => {
    const store = await restored()
    expect(await takeRestoredHeads(store, start(store))).toBe(true)
    expect(existsSync(path())).toBe(false)
    expect(await takeRestoredHeads(store, start(store))).toBe(false)
  })

  it('counts for nothing when it is put back with its disk, once a peer has seen what came of it', async () => {
    const store = await restored()
    const order = await readFile(path())
    const disk = store.image()
    await takeRestoredHeads(store, start(store))
    await world.start(store).heads.cover()
    await writeFile(path(), order)
    const again = metaStore(disk)
    expect(await takeRestoredHeads(again, start(again))).toBe(true)
    await expect(world.start(again).heads.confirm()).rejects.toMatchObject({ code: 'STATE_ROLLED_BACK' })
  })

  it('is for the state alone that was restored, and by this node alone', async () => {
    const other = metaStore(backup)
    await setMeta(other, 'work', 'other')
    await restored()
    expect(await takeRestoredHeads(other, start(other))).toBe(false)
    expect(existsSync(path())).toBe(false)
    const store = await restored()
    const text = await readFile(path(), 'utf8')
    for (const forged of [
      '',
      '{}',
      text.replace('"line":1', '"line":2'),
      JSON.stringify({ ...JSON.parse(text), code: '0'.repeat(64) }),
    ]) {
      await writeFile(path(), forged)
      expect(await takeRestoredHeads(store, start(store))).toBe(false)
    }
    expect(store.head().version).toBe(backup.version)
  })
})
