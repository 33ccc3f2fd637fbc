import { type Digest, sha256Digest } from '@sealpool/crypto'
import { afterAll, beforeEach, expect, it } from 'vitest'
import { ed25519PublicKey } from '../platform.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { appendToLog } from '../state/receipt-log-table.js'
import { requireLogNotBehind } from './log-not-behind.js'
import { logOrigin, receiptLog } from './receipt-log.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
beforeEach(() => store.run('delete from receipt_log'))

const origin = logOrigin(`0x${'1'.repeat(40)}`, { chainId: 1 })
const privateKey = new Uint8Array(32).fill(5)
const log = { origin, publicKey: ed25519PublicKey(privateKey) }
const digestOf = (text: string): Digest => sha256Digest(new TextEncoder().encode(text))
const tell = (text: string) =>
  appendToLog(store, {
    kind: 'deletion',
    digest: digestOf(text),
    number: '1',
    issued: '2026-11-22T00:00:00.000Z',
  })
const checkpoint = (change: Partial<Parameters<typeof receiptLog>[0]> = {}) =>
  receiptLog({ store, origin, privateKey, publicKeyOf: ed25519PublicKey, ...change }).checkpoint()
const holds = (note: string) => requireLogNotBehind(store, log, note)

it('takes a state that holds all that was told, and more', async () => {
  await holds(await checkpoint())
  await tell('one')
  const note = await checkpoint()
  await holds(note)
  await tell('two')
  await holds(note)
})

it('refuses one that holds less, or something else in its place, and says how much is missing', async () => {
  await tell('one')
  await tell('two')
  const note = await checkpoint()
  await store.run('delete from receipt_log where position = 1')
  const behind = { code: 'STATE_ROLLED_BACK', place: 'log' }
  await expect(holds(note)).rejects.toMatchObject({
    ...behind,
    message: expect.stringContaining('2 entries of its log and this state holds 1'),
  })
  // What a restored node would have gone on with.
  await tell('another')
  await tell('three')
  await expect(holds(note)).rejects.toMatchObject({
    ...behind,
    message: expect.stringContaining('another log'),
  })
})

it('takes no word but that of its own log', async () => {
  await tell('one')
  const note = await checkpoint()
  for (const strange of [
    await checkpoint({ origin: `${origin}2` }),
    await checkpoint({ privateKey: new Uint8Array(32).fill(6) }),
    note.replace('\n1\n', '\n2\n'),
    note.split('\n\n')[0] ?? '',
    '',
    '\u0000'.repeat(100),
  ])
    await expect(holds(strange)).rejects.toMatchObject({ code: 'CHECKPOINT_INVALID' })
})
