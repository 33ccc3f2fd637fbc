import {
  consistencyProof,
  inclusionProof,
  leafHash,
  openCheckpoint,
  parseEntryBundle,
  parseLogEntry,
  parseNoteKey,
  tilePath,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
} from '@sealpool/attest/log'
import { type Digest, sha256Digest } from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ed25519PublicKey } from '../platform.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { appendToLog } from '../state/receipt-log-table.js'
import type { StateStore } from '../state/state-store.js'
import { receiptLog } from './receipt-log.js'

let store: StateStore
beforeAll(async () => {
  store = await openPgliteStore({ directory: 'memory' })
  await migrate(store)
})
afterAll(() => store.close())
const digestOf = (n: number): Digest => sha256Digest(new TextEncoder().encode(`receipt ${n}`))
const append = (n: number) =>
  appendToLog(store, {
    kind: 'receipt',
    digest: digestOf(n),
    number: String(n),
    issued: '2026-11-21T00:00:00.000Z',
  })
const open = () =>
  receiptLog({
    store,
    origin: 'sealpool-node/test/1',
    privateKey: new Uint8Array(32).fill(3),
    publicKeyOf: ed25519PublicKey,
  })

/** What the log's checkpoint says, which must verify. */
async function checkpointOf(log: ReturnType<typeof open>) {
  const opened = openCheckpoint(await log.checkpoint(), parseNoteKey(log.key))
  if (opened === undefined) throw new Error('the checkpoint does not verify')
  return opened.checkpoint
}

describe('the log of receipts', () => {
  it('grows by every receipt once, under a checkpoint that its key has signed', async () => {
    const log = open()
    const read = () => checkpointOf(log)
    expect(await read()).toMatchObject({ size: 0 })
    for (let n = 0; n < 3; n++) await append(n)
    await append(1)
    const small = await read()
    expect(small.size).toBe(3)
    for (let n = 3; n < 300; n++) await append(n)
    const large = await read()
    expect(large.size).toBe(300)

    const bundles = [await log.tile('tile/entries/000'), await log.tile('tile/entries/001.p/44')]
    const entries = bundles.flatMap((bytes) => parseEntryBundle(bytes ?? new Uint8Array()))
    expect(entries.map((bytes) => parseLogEntry(bytes).digest)).toEqual(
      Array.from({ length: 300 }, (_, n) => digestOf(n)),
    )
    const hashes = entries.map((entry) => leafHash(entry))
    expect(treeRoot(hashes)).toEqual(large.root)
    expect(
      verifyInclusion({
        index: 7,
        size: 300,
        leaf: hashes[7] ?? new Uint8Array(),
        proof: inclusionProof(hashes, 7),
        root: large.root,
      }),
    ).toBe(true)
    expect(
      verifyConsistency({
        first: small,
        second: large,
        proof: consistencyProof(hashes, 3),
      }),
    ).toBe(true)
    expect(await log.tile('tile/0/000')).toEqual(
      Uint8Array.from(hashes.slice(0, 256).flatMap((hash) => [...hash])),
    )
    // Of an earlier checkpoint, too.
    expect(await log.tile('tile/0/000.p/3')).toEqual(
      Uint8Array.from(hashes.slice(0, 3).flatMap((hash) => [...hash])),
    )
    expect(parseEntryBundle((await log.tile('tile/entries/000.p/3')) ?? new Uint8Array())).toHaveLength(3)
    expect(await log.tile('tile/1/000.p/1')).toHaveLength(32)
    expect(await open().checkpoint()).toBe(await log.checkpoint())
  })

  it.each([
    tilePath('entries', 2, 1),
    'tile/0/001',
    'tile/0/001.p/45',
    'tile/6/000',
    'tile/0/0',
    'tile/0/x000/000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/03',
    'tile/0/../000',
    'tile/entries/000/..',
    '',
  ])('has no tile %j', async (path) => {
    expect(await open().tile(path)).toBeUndefined()
  })

  it('tells lists of deletions from receipts', async () => {
    const log = open()
    const { size } = await checkpointOf(log)
    const issued = '2026-11-22T00:00:00.000Z'
    await appendToLog(store, { kind: 'deletion', digest: digestOf(900), number: '4', issued })
    const index = (await checkpointOf(log)).size - 1
    expect(index).toBe(size)
    const bundle = tilePath('entries', Math.floor(index / 256), (index % 256) + 1)
    const last = parseEntryBundle((await log.tile(bundle)) ?? new Uint8Array()).at(-1)
    expect(parseLogEntry(last ?? new Uint8Array())).toMatchObject({
      kind: 'deletion',
      subject: 'deletions 4',
      digest: digestOf(900),
      at: issued,
    })
  })
})
